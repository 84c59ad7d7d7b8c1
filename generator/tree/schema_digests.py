"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "2446c45614d065dcd4031c89179b869243867c3c09f6f67e2fad03f4c859eab0",
    "repository": "07800014cd743fa21618e66d79cc4db0fd97a03502136f0b9dc20c836a7dca7e",
}
