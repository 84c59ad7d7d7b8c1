"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "b5859ad6fb281df5a4350175cf6b6f9a9b637e4690de36e71d20171e8dc3e112",
    "repository": "38396b36c07db2c531550cd0193078151cb1ef1fb40bebb08b14b11b458778a2",
}
