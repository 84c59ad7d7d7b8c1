"""Which components get credentials of a cloud by the identity of their pods, and in which way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import lookup
from generator.release.topology import Flow, Topology
from generator.release.v1 import airflow_options
from generator.release.v1.names import VALUES_KEY

# Annotations of service accounts. With the first two the pod itself takes its token to the cloud's
# token service (AWS STS, Microsoft Entra); with the third a server on the node does.
_EXCHANGES = {
    "eks.amazonaws.com/role-arn": "AWS STS, which gives the role of the service account",
    "azure.workload.identity/client-id": "Microsoft Entra, which gives the identity's tokens",
}
_BY_NODE = "iam.gke.io/gcp-service-account"
_STORES = ("s3://", "cloudwatch://", "gs://", "stackdriver://", "wasb")
_BACKENDS = (".amazon.", ".google.", ".microsoft.")
_JOBS = {
    "run-airflow-migrations": "migrateDatabaseJob",
    "create-user-job": "createUserJob",
    "airflow-cleanup-pods": "cleanup",
    "database-cleanup": "databaseCleanup",
}


def flows(top: Topology, parts: tuple[str, ...], log_parts: tuple[str, ...]) -> Iterator[Flow]:
    """To the token service of annotated accounts, and to what a node offers where Airflow itself
    uses the cloud without a connection and without an annotation."""
    for part in parts:
        annotations = _annotations(top, part)
        exchanged = [why for name, why in _EXCHANGES.items() if annotations.get(name)]
        for why in exchanged:
            yield Flow(part, "peer:cloudIdentity", (), why)
        if exchanged:
            continue
        if annotations.get(_BY_NODE):
            yield Flow(part, "peer:node", (), "credentials of the service account")
        elif why := _uses(top, part, logs=part in log_parts):
            yield Flow(part, "peer:node", (), why)


def flow(part: str, annotations: Mapping[str, str], why: str) -> Flow:
    """The flow of a part that needs a cloud's credentials and has an account of its own."""
    exchanged = next((words for name, words in _EXCHANGES.items() if annotations.get(name)), "")
    peer = "peer:cloudIdentity" if exchanged else "peer:node"
    return Flow(part, peer, (), exchanged or why)


def _annotations(top: Topology, part: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in _keys(part):
        written = lookup(top.values, f"{key}.serviceAccount.annotations")
        found |= written if isinstance(written, Mapping) else {}
    return found


def _keys(part: str) -> tuple[str, ...]:
    if part == "worker":
        return ("workers", "workers.celery", "workers.kubernetes")
    key = VALUES_KEY.get(part) or _JOBS.get(part)
    return (key,) if key else ()


def _uses(top: Topology, part: str, *, logs: bool) -> str:
    """What of a component needs credentials that no connection gives it, or nothing."""

    def option(section: str, name: str) -> str:
        return airflow_options.option(top.values, section, name, part)

    if any(word in option("secrets", "backend") for word in _BACKENDS):
        return "secrets backend of the cloud"
    remote = logs and airflow_options.is_on(top.values, "logging", "remote_logging", part)
    stored = option("logging", "remote_base_log_folder").startswith(_STORES)
    if remote and stored and not option("logging", "remote_log_conn_id"):
        return "task logs in the cloud's store, without a connection"
    return ""
