"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "278ac3c5b144e6c0da65af0b0ae1a05138fde0bd3392292025da825665de1d33",
    "repository": "de0d338a58e8db3ce7901d65eff78a770bddafd766801c895ac25680064bec3d",
}
