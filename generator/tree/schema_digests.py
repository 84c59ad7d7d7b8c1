"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "7aeab552c8b55e64c55206d1952d9bcb6ee48cd63999647f5395129d0474f046",
    "repository": "92d7fab8d1a0c772aed1f84eb4b86ed56d167c87f572e4da8227ccece16f0a07",
}
