"""Checks of the metadata database."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check

_CONNECTION = "data.metadataConnection"
_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"


def by_secret(values: ValuesInput) -> bool:
    """Whether the connection comes from a Secret by name."""
    return bool(values.text("data.metadataSecretName"))


def external(values: ValuesInput) -> bool:
    """Whether a connection in the values names a host that is not the bundled PostgreSQL."""
    host = values.text(f"{_CONNECTION}.host")
    return bool(host) and not by_secret(values) and not _bundled(values, host)


def _bundled(values: ValuesInput, host: str) -> bool:
    return host.split(".")[0] == f"{values.release}-postgresql"


@check(
    "database/embedded",
    WARNING,
    "The bundled PostgreSQL",
    why="One pod without backup, failover or upgrade path, from an image that is no longer "
    "maintained; the chart switches it on by default.",
    tiers=(("development", None), ("production", ERROR)),
    also=((INFO, "a bare file asks for it"),),
)
def embedded(values: ValuesInput) -> Iterator[Finding]:
    """`postgresql.enabled`, by default or by choice."""
    if values.on("postgresql.enabled"):
        yield Finding(
            "postgresql.enabled",
            "all runs, connections and variables live in one pod's volume, without backup",
            "set postgresql.enabled: false and data.metadataSecretName; keep it for development",
            INFO if values.given("postgresql.enabled") and not values.tier else None,
        )


@check(
    "database/embedded-left-on",
    ERROR,
    "The bundled PostgreSQL runs beside the real database",
    why="postgresql.enabled is true by default, so a release with an external database starts one "
    "that nobody uses.",
)
def embedded_left_on(values: ValuesInput) -> Iterator[Finding]:
    """A database of one's own without switching the bundled one off."""
    if values.on("postgresql.enabled") and not values.given("postgresql.enabled"):
        own = external(values) or by_secret(values) or values.sets_variable(_VARIABLE)
        if own:
            yield Finding(
                "data",
                "a second, unused PostgreSQL is started: the chart's own is on by default",
                "set postgresql.enabled: false",
            )


@check(
    "database/no-host",
    ERROR,
    "No database at all",
    why="Without a host the connection points to the bundled PostgreSQL even when that is off, "
    "and the chart does not complain.",
)
def no_host(values: ValuesInput) -> Iterator[Finding]:
    """Bundled PostgreSQL off and nothing in its place."""
    if values.on("postgresql.enabled") or by_secret(values) or values.sets_variable(_VARIABLE):
        return
    built_in = values.get(f"enableBuiltInSecretEnvVars.{_VARIABLE}")
    if not values.text(f"{_CONNECTION}.host") and built_in is not False:
        yield Finding(
            "postgresql.enabled",
            "every pod waits for a database that does not exist: postgresql is off and no other "
            "is named",
            "set data.metadataSecretName to the Secret that holds the connection",
        )


@check(
    "database/sqlite",
    ERROR,
    "SQLite",
    why="Every pod would have a database of its own.",
)
def sqlite(values: ValuesInput) -> Iterator[Finding]:
    """SQLite as protocol or in a connection string."""
    if values.text(f"{_CONNECTION}.protocol").startswith("sqlite"):
        yield Finding(
            f"{_CONNECTION}.protocol",
            "each pod would keep a database of its own",
            "use PostgreSQL; for development postgresql.enabled: true",
        )
    if values.text("config.database.sql_alchemy_conn").startswith("sqlite"):
        yield Finding(
            "config.database.sql_alchemy_conn",
            "each pod would keep a database of its own",
            "remove it, and use PostgreSQL",
        )


@check(
    "database/protocol-driver",
    ERROR,
    "A driver in the database protocol",
    why="The chart adds sslmode only for exactly `postgresql`, and KEDA cannot parse the URL.",
    source="chart 1.22.0, rendered; apache/airflow#42070",
)
def protocol_driver(values: ValuesInput) -> Iterator[Finding]:
    """`postgresql+psycopg2` or `postgres`."""
    protocol = values.text(f"{_CONNECTION}.protocol")
    if not by_secret(values) and (protocol == "postgres" or protocol.startswith("postgresql+")):
        yield Finding(
            f"{_CONNECTION}.protocol",
            "the connection is made without TLS: sslmode is dropped for this protocol",
            f"set {_CONNECTION}.protocol: postgresql",
        )


@check(
    "database/no-tls",
    WARNING,
    "The database connection is not encrypted",
    why="sslmode is `disable` by default.",
)
def no_tls(values: ValuesInput) -> Iterator[Finding]:
    """`sslmode: disable` towards another host, or PgBouncer without TLS to the server."""
    if not external(values) or values.text(f"{_CONNECTION}.protocol") != "postgresql":
        return
    key = "pgbouncer.sslmode" if values.on("pgbouncer.enabled") else f"{_CONNECTION}.sslmode"
    if values.text(key) in ("disable", "allow"):
        yield Finding(
            key,
            "passwords and data cross the network in the clear",
            f"set {key}: require, or verify-full with the server's CA",
        )


@check(
    "database/spaces",
    ERROR,
    "A space in database user, password or name",
    why="The chart encodes it as `+`, which a URL's user part does not decode.",
)
def spaces(values: ValuesInput) -> Iterator[Finding]:
    """Whitespace in a part that the chart encodes."""
    for part in ("user", "pass"):
        value = values.text(f"{_CONNECTION}.{part}")
        if not by_secret(values) and re.search(r"\s", value):
            yield Finding(
                f"{_CONNECTION}.{part}",
                "Airflow cannot log in to its database: the chart turns spaces into plus signs",
                "choose one without spaces, or give the whole URL by data.metadataSecretName",
            )


@check(
    "database/default-password",
    ERROR,
    "The chart's default password for an external database",
    why="data.metadataConnection.pass is `postgres` unless it is set.",
)
def default_password(values: ValuesInput) -> Iterator[Finding]:
    """A host of one's own with the default password."""
    if external(values) and not values.given(f"{_CONNECTION}.pass"):
        yield Finding(
            f"{_CONNECTION}.host",
            "Airflow logs in to your database with the chart's default password",
            "give the connection by data.metadataSecretName",
        )


@check(
    "database/connection-ignored",
    WARNING,
    "Two descriptions of the database",
    why="With data.metadataSecretName the chart does not read data.metadataConnection.",
)
def connection_ignored(values: ValuesInput) -> Iterator[Finding]:
    """A host beside the Secret's name."""
    if by_secret(values) and values.given(f"{_CONNECTION}.host"):
        yield Finding(
            f"{_CONNECTION}.host",
            "the host is not used: data.metadataSecretName wins",
            "remove data.metadataConnection, or the Secret's name",
        )


OLD_POSTGRESQL_KEYS = ("postgresql.postgresqlUsername", "postgresql.postgresqlPassword")


@check(
    "database/postgresql-keys",
    ERROR,
    "Keys of an old PostgreSQL subchart",
    why="Charts from 1.8 on fail the render.",
    source="chart 1.22.0, templates/NOTES.txt",
)
def postgresql_keys(values: ValuesInput) -> Iterator[Finding]:
    """`postgresql.postgresqlUsername` and `…Password`."""
    if not values.chart.marked("old-postgresql-keys"):
        return
    for key in OLD_POSTGRESQL_KEYS:
        if values.on(key):
            yield Finding(
                key,
                "the render fails: this key is no longer supported",
                "use {key:postgresql.auth.existingSecret}",
                unread=True,
            )


@check(
    "database/async-sslmode",
    INFO,
    "sslmode on the asynchronous connection",
    why="Since Airflow 3.1 an asyncpg URL is derived from the connection, and asyncpg refuses "
    "sslmode. Few code paths use it so far.",
    source="apache-airflow-core 3.2.2; sqlalchemy#6275",
)
def async_sslmode(values: ValuesInput) -> Iterator[Finding]:
    """An inline connection with TLS on Airflow 3.1 and later."""
    name = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"
    if values.airflow is None or values.airflow < (3, 1, 0) or values.sets_variable(name):
        return
    secure = values.text(f"{_CONNECTION}.sslmode") in ("require", "verify-ca", "verify-full")
    if external(values) and secure and not values.on("pgbouncer.enabled"):
        yield Finding(
            f"{_CONNECTION}.sslmode",
            "asynchronous database access fails: asyncpg does not know sslmode",
            f"set {name} to the same URL with ?ssl=require instead, from a Secret",
        )
