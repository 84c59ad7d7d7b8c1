"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "4613ecbc9992b1a8072f021a81c6853940e73524767744adb470b3cadd879a1e",
    "repository": "affe1f30f84a40e1d4a0d59095985ae30702a5393d4e6a326a4f0541ba98d482",
}
