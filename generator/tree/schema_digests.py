"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "28296a4b1a2425a92d1cfd2afccb107ad9db561fcdb41eb3ec21b6f506aeb19c",
    "repository": "75233bebc12978b6a981731f83518f6daaea61efecb4b08192eec80f28679ebf",
}
