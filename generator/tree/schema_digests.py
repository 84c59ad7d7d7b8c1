"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "7af84f94d1c513de43e320b223acc350d329a2873f331bcf2afd11fd9434ec7f",
    "repository": "e8b0c07c314cee808bcb45c10a5b1096a6aaa592cb18d4858090b7ce04a1663c",
}
