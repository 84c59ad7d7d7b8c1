"""Addresses of repositories, and what of them may be shown."""

from __future__ import annotations

import urllib.parse


def display_url(url: str) -> str:
    """The address without anything secret: user and password, query and fragment.

    The user name of an SSH address stays: it is needed and no secret (`git@github.com:a/b.git`).
    """
    if "://" not in url:
        # host:path as scp has it, or a local path
        return url
    parts = urllib.parse.urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    if user and parts.scheme in ("ssh", "git+ssh"):
        host = f"{user.partition(':')[0]}@{host}"
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))


def host_url(url: str) -> str:
    """Scheme, host and port of an address, with a slash: the scope of a credential."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
