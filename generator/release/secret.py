"""A Secret that an environment needs: its keys, who reads them, and how each can be made."""

from __future__ import annotations

import dataclasses
from typing import Literal

from generator.model.secrets import Provider

Source = Literal[
    "text",
    "fernet",
    "random",
    "database-uri",
    "keda-uri",
    "result-backend-uri",
    "broker-uri",
    "sentinel-kwargs",
    "pgbouncer-ini",
    "pgbouncer-users",
    "stats-uri",
    "ssh-key",
    "git-connection",
    "username",
    "dockerconfig",
    "certificate",
]
"""What kind of value a key holds: `random` and `fernet` can be generated, URIs assembled."""


@dataclasses.dataclass(frozen=True, slots=True)
class SecretKey:
    """One key of a Secret and what it holds."""

    name: str
    source: Source = "text"


@dataclasses.dataclass(frozen=True, slots=True)
class SecretNeed:
    """One Secret: its keys, the components whose pods read it, and why it is needed.

    `restarts` are the components that must be replaced when it changes: they read it once, at
    start. Jobs and task pods read it anew each time. `provider` brings it to the cluster.
    """

    name: str
    keys: tuple[SecretKey, ...]
    why: str
    restarts: tuple[str, ...] = ()
    type: str = "Opaque"
    provider: Provider = "sealed-secrets"

    @property
    def key_names(self) -> tuple[str, ...]:
        """The keys by name, in order."""
        return tuple(key.name for key in self.keys)


@dataclasses.dataclass(frozen=True, slots=True)
class SealedConnection:
    """The connection under a key of a Secret, from the definition, without user and password.

    `host` is what clients connect to, `server` the database or broker behind it
    (host:port/database). `mark` is the fingerprint that its sealed value has, or one of `others`
    where the definition leaves a part open; `content` is a hash of all its public parts.
    """

    secret: str
    key: str
    host: str
    server: str
    mark: str
    content: str
    others: frozenset[str] = frozenset()
