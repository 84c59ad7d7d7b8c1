"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "c9dfa138d2fa6ca7c10876473be2c42fec4bc0ca45c9737fd9a69f437a181dc0",
    "repository": "9665b327acfa45a7105b476b43794e4ef3ea6d04d0d936988807ab850f18ad92",
}
