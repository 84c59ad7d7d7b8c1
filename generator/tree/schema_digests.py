"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "f5e657f70ad3a4d4f5d2f9ea89cb6d4f59ac8fd948c2fe6918c26ff1887d2a8f",
    "repository": "bc9293df0ed89d6b4ab0cacd2af110147afb28729cfb9b71ee806bdca112602e",
}
