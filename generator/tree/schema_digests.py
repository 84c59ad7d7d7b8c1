"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "c9dfa138d2fa6ca7c10876473be2c42fec4bc0ca45c9737fd9a69f437a181dc0",
    "repository": "de12a681901fcf1b0e7984652738930773b7870638cc906d0478fe911eec322e",
}
