"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "7686ef843152cf0cc7947be2e8ea69656bdcf25e6b3fe5de637d05c2c1f090c5",
    "repository": "1daf3c5d85597abb90a26abd81cf9b3c5a642edd1ca7873781853011ef84c861",
}
