"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "ec46ebbcdda751182f34ef532eb2f568d92e793536c6ebde364dd4a40d80f621",
    "repository": "cbd5d3842e1fd9e6650bc28f7e23c7ebaaa85e5af2e4563e1514528079bd6b05",
}
