"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "7151f63ba0af5ddd1ff8cb73a26a24524ac0a4aa25c09f8363539c4d2de0fe2d",
    "repository": "0e46e173f69890988e5366d3e31b6a9c21eefebf6126b110fa2fab329dfc0497",
}
