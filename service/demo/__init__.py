"""One look at the service: a small forge on this machine, a repository, three pull requests."""
