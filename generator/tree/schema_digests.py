"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "785ded2ba304f386b149ca541a0aa583503f4b99fd4f026d28b4805410b103aa",
    "repository": "568095a0fbbb21f60fcf3c2a4dd75b92a6f40e5e4b1c876f58590ba00aae814d",
}
