"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "b79639de4b7e718d773df89ecb71964343b3e0fbda6d349ca79c41d86078496a",
    "repository": "688e8b827a2e0e4dc05d3739052665e9d9382f7231c8e401194a4c02cb111dbf",
}
