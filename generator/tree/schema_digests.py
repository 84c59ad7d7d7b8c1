"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "785ded2ba304f386b149ca541a0aa583503f4b99fd4f026d28b4805410b103aa",
    "repository": "b45767305d8ff54c70725b6b35225428c8b97d1678d8487f3b74b85db0e85cff",
}
