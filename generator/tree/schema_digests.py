"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "ea552cca1d382356ea03d70e26eb7b66aa55b692da3cfbb799b451661070eacd",
    "repository": "3e08643623688c2e0ae0a932784400bdba9691fa8a441033701bf6b65019601d",
}
