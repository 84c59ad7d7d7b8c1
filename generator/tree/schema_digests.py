"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "f5e657f70ad3a4d4f5d2f9ea89cb6d4f59ac8fd948c2fe6918c26ff1887d2a8f",
    "repository": "d9db7bdb4ab2e5d32b9d8cefe9d0fcb5be992f09d50559279e22e90e9c033662",
}
