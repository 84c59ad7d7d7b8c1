"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "427dc087a43ff03364d80e730efcbe7b172954ffafd6eaa1a1b293c0aa1e7c11",
    "repository": "92cfb6f00f3e71fb5459425509d55947468b51c411db73bb3c984132257b21c7",
}
