"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "b4edb7052c41cbdf15e6e00d9bc6466119270f14d94557f03c4b3665be459faa",
    "repository": "bfc774378a45030854646ee53d5e8cb5b2ad999f3f11e32be7a59d2f850a1487",
}
