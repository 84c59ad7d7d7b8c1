"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "3e72fd024da1901cc4c282fabe35b1f4a62a1323efbd7983914f8889060957c9",
    "repository": "9f2a0a818eb71eec5904575e281beb6076e8439a784af31467a2854d30b2b253",
}
