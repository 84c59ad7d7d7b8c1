"""Whether the cluster took one commit and is healthy with it: `judge` is pure, `watch` looks."""
