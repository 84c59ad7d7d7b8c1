"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "ac84aadb0b452db0e7a6f38f3b7f1f2c9927531929f310c5bb049e96d310679a",
    "repository": "caee80f98b9020e283e9a9b634edc28e3965bf38718b1bef0518685de43e67db",
}
