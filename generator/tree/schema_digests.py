"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "3e81ecf2064cbeea5f0bd5d3870d35f61e1fcfcd4ab54d8930ec086079e3ee46",
    "repository": "7591796739ded8d8b4a4cc15d094de7617dfbbca7680f10da64a890ba6769b77",
}
