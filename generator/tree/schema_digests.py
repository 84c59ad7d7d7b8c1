"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "1ff46851527180bff4880cc9d1276f5e879d21246b3496959f01c8863e1ba56d",
    "repository": "139fdd07a38c15b62d9a4a3433d3a624706685589f3a5294a67e8d9a3c666f35",
}
