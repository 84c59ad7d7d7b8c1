"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "785ded2ba304f386b149ca541a0aa583503f4b99fd4f026d28b4805410b103aa",
    "repository": "654ebcb7c9a3df8c47634f8070eda21f529a8284b42bd4854e7f149b9921c4b9",
}
