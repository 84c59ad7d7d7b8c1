"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "f5dd49e6026296700a72c3fd5c0bca8d879ff034d17ee7505bb3604b15a6609e",
    "repository": "6ce1f353b538544d0075d3475df0025646af6e822211f15ffd4017e0ec03cef3",
}
