"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "785ded2ba304f386b149ca541a0aa583503f4b99fd4f026d28b4805410b103aa",
    "repository": "4fef8431b021de3574f1b6affef83b79f542b32440a49d1c296305ebf1d6b2ce",
}
