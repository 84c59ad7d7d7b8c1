"""What `make golden` writes: the SHA-256 of each schema."""

DIGESTS = {
    "environment": "cae99962687b6a7df792503a97fe396d4fe737b97d9f55244041101abef46437",
    "repository": "38a32fa489d3251c49cdc905354bd29ce4bb0a04ef464b940882dfda20add251",
}
