"""Addresses of repositories, and what of them may be shown."""

from __future__ import annotations

import dataclasses
import re
import urllib.parse

_SCP = re.compile(r"(?:[\w.-]+@)?([\w.-]+):(?!//)/?(.+)")
_PORTS = {"https": 443, "http": 80, "ssh": 22}


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


@dataclasses.dataclass(frozen=True, slots=True)
class _Address:
    """An address of a repository: by SSH and by HTTPS, host and path are the same."""

    scheme: str
    host: str
    port: int | None
    path: str

    @classmethod
    def of(cls, url: str) -> _Address:
        """The parts of a URL or of an scp address (`host:path`); raises ValueError for others."""
        if match := _SCP.fullmatch(url):
            scheme, host, port, path = "ssh", match[1], None, match[2]
        else:
            parts = urllib.parse.urlsplit(url)
            scheme = parts.scheme.removeprefix("git+")
            host, port, path = parts.hostname or "", parts.port, parts.path
        return cls(
            scheme, host.lower(), port or _PORTS.get(scheme), path.strip("/").removesuffix(".git")
        )


def same_repository(one: str, two: str) -> bool:
    """Whether both lead to one repository: each scheme has a port of its own on a host."""
    try:
        left, right = _Address.of(one), _Address.of(two)
    except ValueError:
        return one == two
    places_equal = (left.host, left.path) == (right.host, right.path)
    return places_equal and (left.scheme != right.scheme or left.port == right.port)
