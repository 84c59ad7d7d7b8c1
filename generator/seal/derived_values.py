"""Values that follow from an environment and one password: URIs and PgBouncer's files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from generator.core.errors import UserError
from generator.core.layered import lookup
from generator.model.stores import Broker
from generator.redaction.secret import Secret
from generator.release import authorities, broker
from generator.release.release import Release
from generator.release.secret import SealedConnection, SecretNeed
from generator.seal import pgbouncer, uri
from generator.seal.uri import Connection

DATABASE_SOURCES = frozenset(
    {
        "database-uri",
        "keda-uri",
        "result-backend-uri",
        "pgbouncer-ini",
        "pgbouncer-users",
        "stats-uri",
    }
)
_POOLED = frozenset({"database-uri", "keda-uri", "result-backend-uri", "pgbouncer-ini"})
_METADATA, _RESULTS, _STATS = "airflow-metadata", "airflow-result-backend", "pgbouncer"


def database_values(
    release: Release, needs: Mapping[str, SecretNeed], user: str, password: Secret
) -> dict[str, dict[str, Secret]]:
    """Secret → key → value for everything that follows from the database's user and password."""
    found: dict[str, dict[str, Secret]] = {}
    for need in needs.values():
        for key in need.keys:
            if key.source in DATABASE_SOURCES:
                value = _database_value(release, key.source, user, password)
                found.setdefault(need.name, {})[key.name] = value
    return found


def _database_value(release: Release, source: str, user: str, password: Secret) -> Secret:
    match source:
        case "database-uri":
            return _metadata(release, user, password).uri()
        case "keda-uri":
            return _direct(release, user, password).uri()
        case "result-backend-uri":
            base = _pooled(release, _RESULTS, user, password) or _direct(release, user, password)
            return uri.result_backend(base).uri()
        case "stats-uri":
            port = 6543
            return uri.database(
                "postgresql",
                host="127.0.0.1",
                port=port,
                name=_STATS,
                user=user,
                password=password,
                sslmode="disable",
            ).uri()
        case "pgbouncer-ini":
            return Secret(_ini(release, user))
        case _:
            return pgbouncer.users({user: password})


def _metadata(release: Release, user: str, password: Secret) -> Connection:
    return _pooled(release, _METADATA, user, password) or _direct(release, user, password)


def _pooled(release: Release, name: str, user: str, password: Secret) -> Connection | None:
    """Through PgBouncer, which has no TLS towards its clients; None without it."""
    if not release.topology.has("pgbouncer"):
        return None
    host = f"{release.topology.names.of_part('pgbouncer')}.{release.environment.namespace}"
    return uri.database(
        "postgresql",
        host=host,
        port=6543,
        name=name,
        user=user,
        password=password,
        sslmode="disable",
    )


def _direct(release: Release, user: str, password: Secret) -> Connection:
    """The server itself."""
    database = release.environment.database
    if database.type == "mysql":
        return uri.database(
            "mysql",
            host=database.host,
            port=database.port,
            name=database.name,
            user=user,
            password=password,
            ca=authorities.FILE if release.environment.trusts("database") else "",
        )
    if database.host is None:
        host = f"{release.topology.names.postgresql}.{release.environment.namespace}"
        return uri.database(
            "postgresql",
            host=host,
            name="postgres",
            user="postgres",
            password=password,
            sslmode="disable",
        )
    return uri.database(
        "postgresql",
        host=database.host,
        port=database.port,
        name=database.name,
        user=user,
        password=password,
        sslmode=database.ssl_mode,
    )


def _ini(release: Release, user: str) -> str:
    environment = release.environment
    database, pool = environment.database, environment.pgbouncer
    if pool is None or database.host is None:
        raise UserError("PgBouncer needs a database of its own", hint="set database.host")
    databases = [
        pgbouncer.Database(_METADATA, database.host, database.name, database.port, pool.pool_size)
    ]
    if environment.runs("CeleryExecutor"):
        databases.append(
            pgbouncer.Database(
                _RESULTS,
                database.host,
                database.name,
                database.port,
                pool.result_backend_pool_size,
            )
        )
    ca = authorities.FILE if environment.trusts("database") else ""
    ca = _ROOT_CA if lookup(release.values, _CA) else ca
    return pgbouncer.ini(
        databases,
        stats_user=user,
        max_client_connections=pool.max_client_connections,
        server_tls_sslmode=environment.pool_ssl_mode,
        options={"server_tls_ca_file": ca} if ca else None,
    )


_REDIS_DATABASES = 256  # 16 unless a server is told otherwise
_CA = "pgbouncer.ssl.ca"
_ROOT_CA = "/etc/pgbouncer/root.crt"
"""Where the chart mounts that value."""


def broker_url(release: Release, password: Secret, user: str = "") -> Secret:
    """The broker URL: of the chart's Redis, or of the server or Sentinels that are named.

    Redis' own user `default` needs no name, which servers before 6.0 do not take.
    """
    server = release.environment.broker
    user = "" if user == "default" else user
    if server.sentinel is not None:
        return uri.sentinels(server.sentinel.places, password=password, user=user)
    host = server.host or release.topology.names.of_part("redis")
    return uri.redis(
        host=host, port=server.port, password=password, user=user, tls=server.tls
    ).uri()


def sentinel_kwargs(release: Release, password: Secret) -> Secret:
    """What Airflow hands to the connections to Sentinels, with their password."""
    return Secret(broker.sentinel_kwargs(release.environment, password=password.text()))


def expected_uri_parts(release: Release, need: SecretNeed) -> dict[str, frozenset[str]]:
    """Key → fingerprints of the public parts that a sealed URI (or PgBouncer) may have today.

    Of an external broker the database is not known, nor without `tls` whether its URL has TLS.
    """
    sources = {key.name: key.source for key in need.keys}
    found = {
        item.key: frozenset({item.mark})
        for item in expected_connections(release, need)
        if sources[item.key] != "broker-uri"
    }
    marks = frozenset(_broker_marks(release.environment.broker))
    if marks:
        found |= {key: marks for key, source in sources.items() if source == "broker-uri"}
    return found


def _broker_marks(server: Broker) -> Iterator[str]:
    for database in ("", *map(str, range(_REDIS_DATABASES))):
        if server.sentinel is not None:
            yield uri.sentinels_fingerprint(server.sentinel.places, database)
        elif server.host is not None:
            for scheme in ("rediss",) if server.tls else ("redis", "rediss"):
                yield uri.fingerprint(scheme, server.host, server.port, database)


def expected_connections(release: Release, need: SecretNeed) -> list[SealedConnection]:
    """The connections that a Secret holds according to the definition; nothing here is secret."""
    found = []
    for key in need.keys:
        text = _public(release, key.source)
        mark = text and _mark(text, key.source)
        if text and mark:
            server = _server(release) if key.source in _POOLED else text
            host, behind = (_host(item) for item in (text, server))
            digest = hashlib.sha256(text.text().encode()).hexdigest()
            others: frozenset[str] = frozenset()
            outside = release.environment.broker
            if key.source == "broker-uri" and not outside.embedded:
                others = frozenset(_broker_marks(outside))
                host = behind = outside.place if outside.sentinel else host.partition("/")[0]
            found.append(
                SealedConnection(need.name, key.name, host or behind, behind, mark, digest, others)
            )
    return found


def _mark(text: Secret, source: str) -> str | None:
    if source == "sentinel-kwargs":
        return uri.sentinel_kwargs_fingerprint(text)
    return uri.fingerprint_of(text) or pgbouncer.fingerprint_of(text)


def _public(release: Release, source: str) -> Secret | None:
    """The value with a placeholder user and password; None when the source is not a connection.

    Nor is there one where PgBouncer and the database do not go together, which a rule reports.
    """
    if source == "pgbouncer-ini" and release.environment.database.host is None:
        return None
    if source in _POOLED:
        return _database_value(release, source, "u", Secret("x"))
    if source == "sentinel-kwargs":
        return sentinel_kwargs(release, Secret("x"))
    known = release.topology.has("redis") or not release.environment.broker.embedded
    return broker_url(release, Secret("x")) if source == "broker-uri" and known else None


def _server(release: Release) -> Secret:
    return _direct(release, "u", Secret("x")).uri()


def _host(value: Secret) -> str:
    parts = urlsplit(value.text()) if "://" in value.text() else None
    return f"{parts.hostname}:{parts.port}{parts.path}" if parts else ""
