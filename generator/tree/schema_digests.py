"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "5fa1109722585a5e591cb89c9313b26b0cb35cf11933b5080394b93d4f0e5f0e",
    "repository": "43199962db616ee0487e3eaef20d17d7a273609955cf9b44d9bb05d644f914c2",
}
