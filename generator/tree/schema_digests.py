"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "17659b641fb4e3fe22308e49e8aac61d3e5ed46f375c4d4c6c66c4d0e2294ec0",
    "repository": "6e1b1b33ade943ea2fcdc4abd08773926c3449ecd972bea62b6f5b598f9da28f",
}
