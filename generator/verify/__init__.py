"""Whether the cluster took one commit and is healthy with it: `decide` is pure, `watch` looks."""
