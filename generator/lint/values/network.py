"""Checks of network policies and ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.helmvalues.values import ValuesInput, as_number
from generator.kube.network_policy import PodPeer, peer_matches
from generator.lint.rule import ERROR, WARNING, Finding, check
from generator.lint.values.ingress import active

_FROM = "apiServer.networkPolicy.ingress.from"
_PORTS = {
    "statsdIngest": "config.metrics.statsd_port and {key:statsd.args}",
    "statsdScrape": "{key:statsd.args}",
    "redisDB": "the broker's URL and Redis itself",
    "workerLogs": "config.logging.worker_log_server_port",
    "triggererLogs": "config.logging.trigger_log_server_port",
    "apiServer": "config.api.port",
}
_DEFAULTS = {
    "statsdIngest": 9125,
    "statsdScrape": 9102,
    "redisDB": 6379,
    "workerLogs": 8793,
    "triggererLogs": 8794,
    "apiServer": 8080,
}


@check(
    "network/execution-api-blocked",
    ERROR,
    "Policies that cut tasks off from the API server",
    why="With networkPolicies.enabled the API server takes traffic only from the peers that are "
    "listed; by default there are none, and tasks report there.",
)
def execution_api_blocked(values: ValuesInput) -> Iterator[Finding]:
    """No peer lets the release's own pods in."""
    if not values.on("networkPolicies.enabled") or not values.airflow3:
        return
    peers = values.rows(_FROM)
    components = ["worker"] if values.celery or values.kubernetes else ["scheduler"]
    components += ["scheduler"] if values.local and "scheduler" not in components else []
    for component in components:
        if not any(_lets_in(values, peer, component) for peer in peers):
            yield Finding(
                _FROM if values.given(_FROM) else "networkPolicies.enabled",
                f"no task can run: the API server refuses the {component} pods",
                f"add to {{key:{_FROM}}}: {{podSelector: {{matchLabels: {{tier: airflow, release: "
                f"{values.release}}}}}}}",
            )


def _lets_in(values: ValuesInput, peer: Mapping[str, Any], component: str) -> bool:
    """Whether a peer matches that component; address ranges get the benefit of the doubt."""
    if "ipBlock" in peer:
        return True
    pod = PodPeer(
        namespace=values.namespace,
        labels={"tier": "airflow", "release": values.release, "component": component},
        namespace_labels={"kubernetes.io/metadata.name": values.namespace},
    )
    return peer_matches(peer, pod, policy_namespace=values.namespace)


@check(
    "network/ingress-blocked",
    ERROR,
    "Policies that cut the ingress controller off",
    why="The controller lives in another namespace, which only a namespaceSelector or an address "
    "range lets in.",
)
def ingress_blocked(values: ValuesInput) -> Iterator[Finding]:
    """An ingress to the API server, and no peer from outside the namespace."""
    if not values.on("networkPolicies.enabled"):
        return
    for name, component in (("apiServer", "apiServer"), ("web", "webserver"), ("flower", "flower")):
        path = f"{component}.networkPolicy.ingress.from"
        outside = any("namespaceSelector" in row or "ipBlock" in row for row in values.rows(path))
        if name in active(values) and not outside:
            yield Finding(
                path if values.given(path) else f"ingress.{name}",
                f"nobody reaches {name} through its ingress: the policy lets no other namespace in",
                f"add the ingress controller's namespace to {{key:{path}}}",
            )


@check(
    "network/keda-blocked",
    ERROR,
    "Policies that cut KEDA off from PgBouncer",
    why="The policy lets KEDA's operator in only in the release's namespace unless "
    "keda.namespaceLabels is set.",
)
def keda_blocked(values: ValuesInput) -> Iterator[Finding]:
    """KEDA through PgBouncer without its namespace's labels."""
    through = values.celery and values.worker("keda.enabled") and values.on("pgbouncer.enabled")
    through = through and values.worker("keda.usePgbouncer") is not False
    labels = values.worker("keda.namespaceLabels")
    if values.on("networkPolicies.enabled") and through and not labels:
        yield Finding(
            values.worker_path("keda"),
            "workers are never scaled: KEDA cannot reach PgBouncer from its namespace",
            "set {key:workers.celery.keda.namespaceLabels}: {kubernetes.io/metadata.name: keda}",
        )


@check(
    "network/metrics-blocked",
    WARNING,
    "Policies that cut Prometheus off",
    why="The exporters' policies let only the release's own pods in.",
)
def metrics_blocked(values: ValuesInput) -> Iterator[Finding]:
    """No extra peers for an exporter."""
    if not values.on("networkPolicies.enabled"):
        return
    for component in ("statsd", "pgbouncer"):
        peers = values.on(f"{component}.extraNetworkPolicies")
        if values.on(f"{component}.enabled") and not peers:
            yield Finding(
                component if values.given(component) else "networkPolicies.enabled",
                f"Prometheus cannot scrape {component}",
                f"set {{key:{component}.extraNetworkPolicies}} to the peers of your monitoring",
            )


@check(
    "network/service-port",
    ERROR,
    "Another port for the API server's Service",
    why="execution_api_server_url is made from ports.apiServer, not from the Service's port.",
)
def service_port(values: ValuesInput) -> Iterator[Finding]:
    """The Service's port differs from `ports.apiServer`."""
    wanted = values.number("ports.apiServer")
    if not values.airflow3 or values.given("config.core.execution_api_server_url"):
        return
    for index, row in enumerate(values.rows("apiServer.service.ports")):
        port = as_number(row.get("port"))
        if row.get("name") == "api-server" and port is not None and port != wanted:
            yield Finding(
                ("apiServer", "service", "ports", index),
                "no task can run: workers call the API server on another port",
                "keep the port at ports.apiServer, or set config.core.execution_api_server_url",
            )


@check(
    "network/half-wired-ports",
    WARNING,
    "A port that the process does not know of",
    why="`ports` changes Services and probes only; the processes listen where they always did.",
)
def half_wired_ports(values: ValuesInput) -> Iterator[Finding]:
    """Ports that need a second setting."""
    for key, second in _PORTS.items():
        path = f"ports.{key}"
        if values.given(path) and values.number(path) != _DEFAULTS[key]:
            if key == "apiServer" and values.number("config.api.port") == values.number(path):
                continue
            yield Finding(
                path,
                f"probes and clients use a port where nothing listens: {path} is only half wired",
                (f"remove {path}, or change {second} too", f"remove {path}"),
            )
