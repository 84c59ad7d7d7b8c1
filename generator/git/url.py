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


def is_remote(url: str) -> bool:
    """Whether another machine can reach it: ssh, https, or `host:path` as scp has it."""
    scheme, sign, rest = url.partition("://")
    if sign:
        return scheme in ("https", "http", "ssh", "git+ssh") and bool(rest.strip("/"))
    host, colon, path = url.partition(":")
    return bool(colon and path and host) and "/" not in host and len(host) > 1
