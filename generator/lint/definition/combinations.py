"""Rules about choices of a definition that cannot work together."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.layered import lookup
from generator.core.rule import Rule
from generator.lint.definition.rule import Find, Place
from generator.lint.rule import ERROR, WARNING
from generator.release.release import Release

KEDA = Rule(
    "scaling/keda-needs-postgresql",
    ERROR,
    "KEDA beside MySQL",
    "The chart's trigger is KEDA's PostgreSQL scaler with a PostgreSQL query: nothing would scale.",
    "chart 1.22.0, rendered",
)
OPENSEARCH = Rule(
    "logging/opensearch-needs-airflow-3",
    ERROR,
    "Task logs in OpenSearch on Airflow 2",
    "Airflow 2 has no options for OpenSearch: no component would start.",
    "apache-airflow 2.11.0, airflow_local_settings.py",
)
LAUNCHING = Rule(
    "executor/may-not-launch",
    ERROR,
    "A Kubernetes executor that may start no pods",
    "Each task is a pod: without that right every task fails to start.",
    "chart 1.22.0, rbac/pod-launcher-role.yaml",
)

BEHIND_POOL = Rule(
    "database/tls-behind-pgbouncer",
    ERROR,
    "TLS from PgBouncer that is weaker than the definition demands",
    "Airflow's connection ends at PgBouncer, which alone connects to the server.",
    "chart 1.22.0, pgbouncer_config; PgBouncer 1.23",
)
NO_CA = Rule(
    "database/no-ca",
    WARNING,
    "A server certificate is to be verified, and no CA is named",
    "libpq refuses to connect without a CA; PgBouncer has only those of its image.",
    "libpq, sslrootcert; PgBouncer, server_tls_ca_file",
)
EMBEDDED_POOL = Rule(
    "database/pgbouncer-embedded",
    ERROR,
    "PgBouncer in front of the embedded database",
    "pgbouncer.ini is written for a server with TLS and an address of its own, which the embedded "
    "one does not have.",
    "gen-env; chart 1.22.0, pgbouncer_config",
)
FACTS = Rule(
    "image/facts",
    WARNING,
    "Facts about an image that do not fit",
    "Migrations are judged by what the image holds; facts of another image do not count, and "
    "airflow.version decides what is rendered for it.",
    "gen-env",
)
_WEAK_TO_STRONG = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VERIFYING = _WEAK_TO_STRONG[-2:]
_ROOT = "PGSSLROOTCERT"


def _behind_pool(release: Release) -> Iterator[Place]:
    database, pool = release.environment.database, release.environment.pgbouncer
    if pool is None or database.type != "postgresql":
        return
    if release.environment.adoption and "ssl_mode" not in database.model_fields_set:
        return  # what runs is not known to have TLS to the server
    given_mode = release.environment.pool_ssl_mode
    wanted, given = map(_WEAK_TO_STRONG.index, (database.ssl_mode, given_mode))
    if wanted > given:
        yield (
            ("pgbouncer", "sslMode"),
            f"{given_mode} is weaker than database.sslMode, which is {database.ssl_mode}: PgBouncer"
            " alone connects to the server",
            f"remove pgbouncer.sslMode, or set database.sslMode: {given_mode}",
        )


def _embedded_pool(release: Release) -> Iterator[Place]:
    environment = release.environment
    if environment.pgbouncer is not None and environment.database.embedded:
        yield (
            ("pgbouncer",),
            "PgBouncer cannot be used with the embedded database",
            "remove pgbouncer, or set database.host",
        )


def _no_ca(release: Release) -> Iterator[Place]:
    environment = release.environment
    database, pool = environment.database, environment.pgbouncer
    trusted = environment.trusts("database")
    if pool is not None:
        mode = environment.pool_ssl_mode
        if mode in _VERIFYING and not (trusted or lookup(release.values, "pgbouncer.ssl.ca")):
            yield (
                ("pgbouncer", "sslMode") if pool.ssl_mode else ("database", "sslMode"),
                f"PgBouncer has no CA to verify the server with ({mode})",
                "set ca: the ConfigMap or Secret with the CA's certificates",
            )
        return
    if database.type != "postgresql" or database.ssl_mode not in _VERIFYING:
        return
    if not trusted and _ROOT not in environment.airflow.env:
        yield (
            ("database", "sslMode"),
            f"no CA is named to verify the server with ({database.ssl_mode})",
            f"set ca, or {_ROOT} in airflow.env to a file of the image or of a mounted volume",
        )


def _keda(release: Release) -> Iterator[Place]:
    environment = release.environment
    if environment.database.type == "postgresql":
        return
    for name, part in (("workers", environment.workers), ("triggerer", environment.triggerer)):
        if part.autoscaling is not None and part.autoscaling.type == "keda":
            yield (
                (name, "autoscaling"),
                f"KEDA counts the work of {name} in PostgreSQL, and the database is"
                f" {environment.database.type}",
                "give replicas, for workers also autoscaling of type hpa, or use PostgreSQL",
            )


def _opensearch(release: Release) -> Iterator[Place]:
    environment = release.environment
    remote = environment.logging.remote
    if remote is not None and remote.type == "opensearch" and not environment.airflow_3:
        yield (
            ("logging", "remote", "type"),
            "task logs in OpenSearch need Airflow 3",
            "use elasticsearch or an object store",
        )


def _launching(release: Release) -> Iterator[Place]:
    environment = release.environment
    if environment.runs("KubernetesExecutor") and not environment.rbac.allow_pod_launching:
        yield (
            ("rbac", "allowPodLaunching"),
            "KubernetesExecutor starts a pod for each task, and allowPodLaunching is false",
            "remove it, or use another executor",
        )


def _facts(release: Release) -> Iterator[Place]:
    environment = release.environment
    image, facts = environment.image, environment.image.facts
    if facts is None:
        return
    place, hint = ("image", "facts"), "inspect the image that runs: gen-env image inspect"
    name = image.digest or environment.image_tag
    if facts.of is None:
        yield place, "image.facts do not say of which image they are", f"set of: {name}"
    elif facts.of != name:
        yield place, f"image.facts are about {facts.of}, and the image is {name}", hint
    elif facts.airflow != environment.airflow.version:
        yield (
            place,
            f"the image holds Airflow {facts.airflow}, and airflow.version is"
            f" {environment.airflow.version}",
            f"set airflow.version: {facts.airflow}, or another image",
        )


FOUND: tuple[tuple[Rule, Find], ...] = (
    (KEDA, _keda),
    (OPENSEARCH, _opensearch),
    (LAUNCHING, _launching),
    (BEHIND_POOL, _behind_pool),
    (EMBEDDED_POOL, _embedded_pool),
    (NO_CA, _no_ca),
    (FACTS, _facts),
)
"""Each rule and what finds it."""
