"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "d6f26129b1e71b81f48b67c8f92d1afe4c6258871ddcce80f69f5057c7bca437",
    "repository": "73379575e52ee9031c31af3a3ffdfd4c49d4ce962ea3cdf0e22cd19a24f3105f",
}
