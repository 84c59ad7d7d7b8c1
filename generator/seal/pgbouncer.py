"""What the chart's PgBouncer reads from a Secret of our own: `pgbouncer.ini` and `users.txt`."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal import uri

METADATA_ALIAS = "airflow-metadata"
PORT = 6543
"""Where the chart's Service and its metrics exporter expect it; not PgBouncer's own 6432."""

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_SERVER = re.compile(rf"^[ \t]*{METADATA_ALIAS}[ \t]*=(.*)$", re.MULTILINE)
_PART = re.compile(r"(\w+)[ \t]*=[ \t]*(?:'((?:[^']|'')*)'|([^\s']+))")


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """One line of `[databases]`: the alias stands in the clients' URI, the rest on the server."""

    alias: str
    host: str
    name: str
    port: int = 5432
    pool_size: int = 10

    def line(self) -> str:
        """The line itself; raises UserError for an alias or host that would break it."""
        for word in (self.alias, self.host.replace(":", "")):
            if not _NAME.fullmatch(word):
                raise UserError(f"{word[:80]!r} cannot be used in pgbouncer.ini")
        parts = f"host={self.host} port={self.port} dbname={_quoted(self.name)}"
        return f"{self.alias} = {parts} pool_size={self.pool_size}"


def ini(
    databases: Iterable[Database],
    *,
    stats_user: str,
    max_client_connections: int = 100,
    server_tls_sslmode: str = "prefer",
    options: Mapping[str, str] | None = None,
) -> str:
    """The text of `pgbouncer.ini`: transaction pooling, SCRAM, users from `users.txt`.

    `options` are added to `[pgbouncer]` or replace what stands there (`max_prepared_statements`
    for asyncpg, say). Holds no password.
    """
    settings: dict[str, str] = {
        "listen_addr": "*",
        "listen_port": str(PORT),
        "unix_socket_dir": "",
        "pool_mode": "transaction",
        "auth_type": "scram-sha-256",
        "auth_file": "/etc/pgbouncer/users.txt",
        "stats_users": stats_user,
        "ignore_startup_parameters": "extra_float_digits",
        "max_client_conn": str(max_client_connections),
        "server_tls_sslmode": server_tls_sslmode,
        **(options or {}),
    }
    for key, value in settings.items():
        if not _NAME.fullmatch(key) or "\n" in value or "\r" in value:
            raise UserError(f"the option {key[:60]!r} cannot be used in pgbouncer.ini")
    lines = ["[databases]", *(database.line() for database in databases), "", "[pgbouncer]"]
    lines += [f"{key} = {value}".rstrip() for key, value in settings.items()]
    return "\n".join(lines) + "\n"


def fingerprint_of(value: Secret) -> str | None:
    """See `connection.fingerprint`: of the server behind Airflow's alias; None for no such file.

    A host that moves changes this text alone: the URIs lead to PgBouncer.
    """
    try:
        found = _SERVER.search(value.text())
    except UserError:
        return None
    if found is None:
        return None
    parts = {key: quoted or bare for key, quoted, bare in _PART.findall(found[1])}
    port = parts.get("port", "")
    if not parts.get("host") or not (port.isdigit() or not port):
        return None
    name = parts.get("dbname", METADATA_ALIAS).replace("''", "'")
    return uri.fingerprint("postgresql", parts["host"], int(port or 5432), name)


def users(passwords: Mapping[str, Secret]) -> Secret:
    """The text of `users.txt`: PgBouncer logs in to the server with these, so they stay plain."""
    return Secret("".join(_user_line(user, passwords[user]) for user in sorted(passwords)))


def _user_line(user: str, password: Secret) -> str:
    if any(character in user + password.text() for character in "\n\r\0"):
        raise UserError("a PgBouncer user or password cannot hold a line end")
    return '"{}" "{}"\n'.format(user.replace('"', '""'), password.text().replace('"', '""'))


def _quoted(value: str) -> str:
    if _NAME.fullmatch(value):
        return value
    if "\n" in value or "\r" in value:
        raise UserError("a database's name cannot hold a line end")
    return "'" + value.replace("'", "''") + "'"
