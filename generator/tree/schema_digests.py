"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "3949062fcfa3db000a8cb7b304df951d15bb9089820adae56862258cd14addaf",
    "repository": "b41ee07bf326ba5f2b23757066e55d58b2847839af6e04e98c16b3969425417d",
}
