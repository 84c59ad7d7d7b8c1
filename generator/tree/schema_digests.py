"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "3d7f0f56b40e1af554e861fc682dd86a87a1c92cc9159fae15c49a820ffb016c",
    "repository": "8821aca8755af9f8971314cbfe4d71026aadce79b1df8e6133fd323256a9e3ef",
}
