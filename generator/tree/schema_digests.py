"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "b4edb7052c41cbdf15e6e00d9bc6466119270f14d94557f03c4b3665be459faa",
    "repository": "bfc774378a45030854646ee53d5e8cb5b2ad999f3f11e32be7a59d2f850a1487",
    "environment": "17659b641fb4e3fe22308e49e8aac61d3e5ed46f375c4d4c6c66c4d0e2294ec0",
    "repository": "360fd8d2de39b75c0be65db52efa9ea883e680581f74451e950c8d887c67518a",
}
