"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "278ac3c5b144e6c0da65af0b0ae1a05138fde0bd3392292025da825665de1d33",
    "repository": "d86f3e84351a2aa39cb967ed6875ecc204c1869b1478dd311e01544613dd2ae2",
}
