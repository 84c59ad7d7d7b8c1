"""gen-env's webhook service."""
