"""What a container image holds, read from an archive without running anything of it."""
