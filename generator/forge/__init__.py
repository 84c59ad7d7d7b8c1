"""Forges (GitHub, GitLab, Gitea and Forgejo) behind one small interface: see `port`."""
