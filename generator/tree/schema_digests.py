"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "4c01d76430568b9bf2a857dfd696bcca8bc7fc756539821d06d5ac036a26fab3",
    "repository": "16719c1953459b26c12ceae10a8e183faf2d484d2963897a6710cc1cfd04161d",
}
