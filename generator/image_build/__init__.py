"""The files by which an environment's own image is built: Containerfile, requirements, lock, CI."""
