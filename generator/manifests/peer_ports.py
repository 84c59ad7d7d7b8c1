"""The ports of outside peers: read from the definition's URLs, else those that are usual."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator

from generator.core.layered import lookup
from generator.model.environment import Environment
from generator.release.collector import HTTP_PORT, collector
from generator.release.release import Release

_BY_SCHEME = {"https": 443, "http": 80, "ssh": 22, "ldaps": 636, "ldap": 389}
_SEARCH_ENGINE = 9200  # Elasticsearch and OpenSearch; their URL is in a Secret
_HTTPS = 443


def usual(release: Release, peer: str) -> list[int]:
    """TCP ports of a peer whose declaration names none, sorted; never empty."""
    return sorted(set(_named(release, peer))) or [_HTTPS]


def _named(release: Release, peer: str) -> Iterator[int]:
    environment = release.environment
    match peer:
        case "database":
            yield environment.database.port
        case "backup":
            yield from _backup(environment)
        case "broker":
            yield environment.broker.port
            sentinel = environment.broker.sentinel
            yield from (port for _, port in sentinel.places) if sentinel else ()
        case "git":
            yield from _git(release)
        case "identity":
            yield from _identity(environment)
        case "logs":
            yield from _logs(environment)
        case "mail":
            yield release.line.mail_port(release.values)
        case "otel":
            yield from _collectors(environment)


def _backup(environment: Environment) -> Iterator[int]:
    storage = environment.backup.storage if environment.backup else None
    if storage is not None and storage.s3 is not None and storage.s3.endpoint is not None:
        yield _port(storage.s3.endpoint)


def _git(release: Release) -> Iterator[int]:
    if release.topology.on("dags.gitSync.enabled"):
        yield _port(str(lookup(release.topology.values, "dags.gitSync.repo")))
    for bundle in release.environment.dags.bundles or ():
        if bundle.repository is not None:
            yield _port(bundle.repository)


def _identity(environment: Environment) -> Iterator[int]:
    if environment.auth.ldap is not None:
        for server in environment.auth.ldap.server.split():
            yield _port(server)
    if environment.auth.oidc is not None:
        yield _port(environment.auth.oidc.issuer)


def _logs(environment: Environment) -> Iterator[int]:
    remote = environment.logging.remote
    if remote is not None and remote.type in ("elasticsearch", "opensearch"):
        yield _SEARCH_ENGINE


def _collectors(environment: Environment) -> Iterator[int]:
    metrics, tracing = environment.metrics, environment.tracing
    endpoints = [metrics.endpoint] if metrics.type == "otel" else []
    endpoints += [tracing.endpoint] if tracing.enabled else []
    named = [collector(item).port for item in endpoints if item is not None]
    yield from named or [HTTP_PORT]


def _port(url: str) -> int:
    """The port that a URL names or its scheme implies; `user@host:path` is ssh."""
    if "://" not in url:
        return _BY_SCHEME["ssh"]
    parts = urllib.parse.urlsplit(url)
    try:
        written = parts.port
    except ValueError:  # no number; whoever connects there will say so
        written = None
    return written or _BY_SCHEME.get(parts.scheme, _HTTPS)
