"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "7686ef843152cf0cc7947be2e8ea69656bdcf25e6b3fe5de637d05c2c1f090c5",
    "repository": "6975a941cb246dda4e4ab07029fc1dec95288b4fadffca9cd862eec315df19a9",
}
