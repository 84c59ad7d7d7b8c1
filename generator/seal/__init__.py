"""Sealing: values become SealedSecrets that only one controller can open."""
