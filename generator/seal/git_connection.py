"""The value of an Airflow connection of type git, as JSON: for a token, or for a private key.

Airflow reads a connection in an environment variable as JSON (`Connection.from_json`); the extras
are those of `airflow/providers/git/hooks/git.py`.
"""

from __future__ import annotations

import json
from typing import Any

from generator.core.errors import UserError
from generator.redaction.secret import Secret

_PRIVATE = b"PRIVATE KEY-----"


def with_token(user: str, token: Secret) -> Secret:
    """The connection for https: user and access token."""
    return _connection({"login": user, "password": token.text()})


def with_key(key: Secret, known_hosts: str | None) -> Secret:
    """The connection for ssh; with a file of known hosts the server must be one of them.

    Raises UserError for what is not a private key.
    """
    extra = {"private_key": private(key).text()}
    if known_hosts is not None:
        extra |= {"known_hosts_file": known_hosts, "strict_host_key_checking": "yes"}
    return _connection({"extra": extra})


def private(key: Secret) -> Secret:
    """The key, ending in a line end as ssh wants it; UserError for what is not a private key."""
    if _PRIVATE not in key.reveal():
        raise UserError("the file is not a private key", hint="give the file without .pub")
    return key if key.reveal().endswith(b"\n") else Secret(key.reveal() + b"\n")


def _connection(parts: dict[str, Any]) -> Secret:
    return Secret(json.dumps({"conn_type": "git", **parts}, sort_keys=True))
