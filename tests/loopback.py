"""Ports on loopback."""

import socket


def free_port():
    """A port that nobody listens on now, for a program that cannot choose one itself."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
