"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "a9703e6fc7ebedfcc2dbdee61c70b72f6759861bc4a2d8cb7c5574699db73ef3",
    "repository": "b96d7b1db398147a679ba8b0bec2c412aa9bd5f4e36778c5ea76a82596364425",
}
