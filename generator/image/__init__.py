"""What a container image holds, read from an archive or a registry; nothing of it runs."""
