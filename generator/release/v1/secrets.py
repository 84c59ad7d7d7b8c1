"""The Secrets that merged values refer to, with their keys (chart 1.x, tried by rendering)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.core.layered import lookup
from generator.release import authorities, backup_names, broker
from generator.release.secret import SecretKey, SecretNeed, Source
from generator.release.topology import Topology
from generator.release.v1.names import VALUES_KEY
from generator.release.v1.topology import code_parts

_GIT_KEYS = ("GITSYNC_PASSWORD", "GITSYNC_USERNAME", "GIT_SYNC_PASSWORD", "GIT_SYNC_USERNAME")
_ENV_FROM = re.compile(r"secretRef:\s*\n?\s*name:\s*[\"']?([a-z0-9.-]+)")


def needs(top: Topology, extra: Mapping[str, Any]) -> tuple[SecretNeed, ...]:
    """Every Secret that the release reads, one entry a name, by name.

    `extra` gives keys and type of Secrets that the definition declares under `secrets.extra`.
    """
    found: dict[str, SecretNeed] = {}
    own = (*_stores(top), *_authorities(top), *_keys(top), *_features(top), *_backup(top))
    for need in (*own, *_environment(top, extra)):
        known = found.get(need.name)
        found[need.name] = _union(known, need) if known else need
    return tuple(found[name] for name in sorted(found))


def _union(first: SecretNeed, second: SecretNeed) -> SecretNeed:
    keys = {key.name: key for key in (*second.keys, *first.keys)}
    return SecretNeed(
        name=first.name,
        keys=tuple(keys[name] for name in sorted(keys)),
        why=first.why if first.why == second.why else f"{first.why}; {second.why}",
        restarts=tuple(sorted({*first.restarts, *second.restarts})),
        type=first.type if first.type != "Opaque" else second.type,
    )


def airflow(top: Topology) -> tuple[str, ...]:
    """Long-running components that carry the standard environment."""
    wanted = (top.server, "scheduler", "dag-processor", "triggerer", "flower")
    celery = ("worker",) if top.celery else ()
    return tuple(sorted(part for part in (*wanted, *celery) if top.has(part)))


def _stores(top: Topology) -> Iterator[SecretNeed]:
    values = top.values
    everybody = airflow(top)
    database = lookup(values, "data.metadataSecretName")
    if database:
        keys = [SecretKey("connection", "database-uri")]
        scaled = top.on("workers.celery.keda.enabled") or top.on("triggerer.keda.enabled")
        if scaled and top.has("pgbouncer"):
            keys.append(SecretKey("kedaConnection", "keda-uri"))
        yield SecretNeed(str(database), tuple(keys), "metadata database", everybody)
    if top.has("postgresql") and lookup(values, "postgresql.auth.existingSecret"):
        name = str(lookup(values, "postgresql.auth.existingSecret"))
        older = "postgresql.auth.existingSecret" in top.older_names
        key = SecretKey("postgresql-password" if older else "postgres-password", "random")
        yield SecretNeed(name, (key,), "embedded PostgreSQL", ("postgresql",))
    if top.celery:
        yield from _celery(top, everybody)
    if top.has("pgbouncer"):
        yield from _pgbouncer(top)


def _celery(top: Topology, everybody: tuple[str, ...]) -> Iterator[SecretNeed]:
    backend = lookup(top.values, "data.resultBackendSecretName")
    if backend:
        key = SecretKey("connection", "result-backend-uri")
        yield SecretNeed(str(backend), (key,), "Celery result backend", everybody)
    broker = lookup(top.values, "data.brokerUrlSecretName")
    if broker:
        key = SecretKey("connection", "broker-uri")
        yield SecretNeed(str(broker), (key,), "Celery broker", everybody)
    password = lookup(top.values, "redis.passwordSecretName")
    if password and top.has("redis"):
        key = SecretKey("password", "random")
        yield SecretNeed(str(password), (key,), "embedded Redis", ("redis",))


def _pgbouncer(top: Topology) -> Iterator[SecretNeed]:
    config = lookup(top.values, "pgbouncer.configSecretName")
    if config:
        keys = (
            SecretKey("pgbouncer.ini", "pgbouncer-ini"),
            SecretKey("users.txt", "pgbouncer-users"),
        )
        yield SecretNeed(str(config), keys, "PgBouncer's configuration", ("pgbouncer",))
    stats = lookup(top.values, "pgbouncer.metricsExporterSidecar.statsSecretName")
    if stats:
        name = lookup(top.values, "pgbouncer.metricsExporterSidecar.statsSecretKey") or "connection"
        key = SecretKey(str(name), "stats-uri")
        yield SecretNeed(str(stats), (key,), "PgBouncer's statistics", ("pgbouncer",))


def _authorities(top: Topology) -> Iterator[SecretNeed]:
    """Libraries read them when they connect, but some keep what they read first."""
    if held := authorities.secret(top.values):
        readers = (*airflow(top), *(("pgbouncer",) if top.has("pgbouncer") else ()))
        key = SecretKey(held[1], "certificate")
        yield SecretNeed(held[0], (key,), "certificate authorities", tuple(sorted(readers)))


def _keys(top: Topology) -> Iterator[SecretNeed]:
    everybody = airflow(top)
    rows: list[tuple[str, SecretKey, str, tuple[str, ...]]] = [
        ("fernetKeySecretName", SecretKey("fernet-key", "fernet"), "Fernet key", everybody)
    ]
    if top.airflow_3:
        older = "apiSecretKeySecretName" in top.older_names
        api_key = "webserver-secret-key" if older else "api-secret-key"
        signers = tuple(part for part in (top.server, "scheduler") if top.has(part))
        rows += [
            (
                "apiSecretKeySecretName",
                SecretKey(api_key, "random"),
                "API secret key",
                everybody,
            ),
            (
                "jwtSecretName",
                SecretKey("jwt-secret", "random"),
                "signs the API's tokens",
                tuple(sorted(signers)),
            ),
        ]
    else:
        rows.append(
            (
                "webserverSecretKeySecretName",
                SecretKey("webserver-secret-key", "random"),
                "webserver secret key",
                everybody,
            )
        )
    for name, key, why, restarts in rows:
        secret = lookup(top.values, name)
        if secret:
            yield SecretNeed(str(secret), (key,), why, restarts)


def _backup(top: Topology) -> Iterator[SecretNeed]:
    """A role of its own: reading all is enough for it. Who makes backups cannot open them."""
    backup = top.backup
    if backup is None:
        return
    keys = [SecretKey("password"), SecretKey("username", "username")]
    if backup.keys:
        keys += [SecretKey(backup_names.ACCESS_KEY), SecretKey(backup_names.SECRET_KEY)]
    yield SecretNeed(backup.secret, tuple(keys), "backup")
    if backup_names.DRILL in backup.parts:
        yield SecretNeed(backup.identity, (SecretKey("identity"),), "restore drill")


def _features(top: Topology) -> Iterator[SecretNeed]:
    values = top.values
    if top.on("dags.gitSync.enabled"):
        readers = tuple(sorted(part for part in code_parts(top) if part != "worker" or top.celery))
        ssh, token = (
            lookup(values, "dags.gitSync.sshKeySecret"),
            lookup(values, "dags.gitSync.credentialsSecret"),
        )
        if ssh:
            yield SecretNeed(
                str(ssh), (SecretKey("gitSshKey", "ssh-key"),), "DAG repository", readers
            )
        elif token:
            keys = tuple(
                SecretKey(name, "username" if "USER" in name else "text") for name in _GIT_KEYS
            )
            yield SecretNeed(str(token), keys, "DAG repository", readers)
    for engine in ("elasticsearch", "opensearch"):
        name = lookup(values, f"{engine}.secretName")
        if top.on(f"{engine}.enabled") and name:
            yield SecretNeed(
                str(name), (SecretKey("connection"),), "remote task logs", airflow(top)
            )
    if top.has("flower") and lookup(values, "flower.secretName"):
        name = str(lookup(values, "flower.secretName"))
        yield SecretNeed(name, (SecretKey("basicAuth"),), "flower", ("flower",))
    for entry in lookup(values, "imagePullSecrets") or []:
        name = entry.get("name") if isinstance(entry, Mapping) else entry
        key = SecretKey(".dockerconfigjson", "dockerconfig")
        yield SecretNeed(str(name), (key,), "pulls images", (), "kubernetes.io/dockerconfigjson")
    yield from _certificates(top)


def _certificates(top: Topology) -> Iterator[SecretNeed]:
    """Ingress certificates that nobody issues: those without cert-manager's annotation."""
    for name in ("apiServer", "web", "flower"):
        ingress = lookup(top.values, f"ingress.{name}") or {}
        issued = any(key.startswith("cert-manager.io/") for key in ingress.get("annotations") or {})
        if ingress.get("enabled") is not True or issued:
            continue
        for host in ingress.get("hosts") or []:
            tls = (host.get("tls") or {}) if isinstance(host, Mapping) else {}
            if tls.get("enabled") and tls.get("secretName"):
                keys = (SecretKey("tls.crt", "certificate"), SecretKey("tls.key", "certificate"))
                yield SecretNeed(
                    str(tls["secretName"]), keys, "ingress certificate", (), "kubernetes.io/tls"
                )


def _environment(top: Topology, extra: Mapping[str, Any]) -> Iterator[SecretNeed]:
    """Secrets that become environment variables, of all components or of one."""
    everybody = airflow(top)
    git = _git_connections(top)
    for entry in lookup(top.values, "secret") or []:
        source: Source = "git-connection" if entry.get("envName") in git else "text"
        source = "sentinel-kwargs" if entry.get("envName") == broker.KWARGS_VARIABLE else source
        held = SecretKey(str(entry.get("secretKey") or "value"), source)
        yield SecretNeed(str(entry["secretName"]), (held,), "environment", everybody)
    for name in _ENV_FROM.findall(str(lookup(top.values, "extraEnvFrom") or "")):
        keys = tuple(SecretKey(key) for key in (extra[name].keys if name in extra else ()))
        yield SecretNeed(name, keys, "environment", everybody)
    for part, key in VALUES_KEY.items():
        if top.has(part):
            for name, item in _references(lookup(top.values, f"{key}.env")):
                yield SecretNeed(name, (SecretKey(item),), f"environment of {part}", (part,))
    if top.has("create-user-job"):
        for name, item in _references(lookup(top.values, "createUserJob.env")):
            yield SecretNeed(name, (SecretKey(item, "random"),), "first user", ())
    for name, declared in extra.items():
        keys = tuple(SecretKey(key) for key in declared.keys)
        yield SecretNeed(
            name,
            keys,
            "environment" if declared.env_from or declared.env else "declared",
            everybody if declared.env_from or declared.env else (),
            declared.type,
        )


def _git_connections(top: Topology) -> set[str]:
    """The environment variables with the connections of git DAG bundles."""
    bundles = lookup(top.values, "dagProcessor.dagBundleConfigList") or []
    ids = (lookup(item, "kwargs.git_conn_id") for item in bundles if isinstance(item, Mapping))
    return {f"AIRFLOW_CONN_{name.upper()}" for name in ids if isinstance(name, str)}


def _references(listed: Any) -> Iterable[tuple[str, str]]:
    for entry in listed or []:
        reference = lookup(entry, "valueFrom.secretKeyRef") if isinstance(entry, Mapping) else None
        if isinstance(reference, Mapping):
            yield str(reference.get("name")), str(reference.get("key"))
