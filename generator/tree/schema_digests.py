"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "278ac3c5b144e6c0da65af0b0ae1a05138fde0bd3392292025da825665de1d33",
    "repository": "badabcb6b66ed6d48c3b4951c09e2d7e22a6c8bdd22b1faff443bf08b3d8b014",
}
