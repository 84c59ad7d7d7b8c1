"""From a rendered environment to what the cluster has to show for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from generator.core.basis import Basis
from generator.engine.deployment import Deployment
from generator.kube.fields import entries, name_of, section, strings, text
from generator.kube.resource import Object
from generator.verify.target import WORKLOAD_KINDS, Ancestry, Endpoint, Expected

_MIGRATION = "run-airflow-migrations"
"""The chart's component label of the Job, and the end of its name."""
_SERVERS = {
    # component: path of the health document, name of the Service's port
    "api-server": ("/api/v2/monitor/health", "api-server"),
    "webserver": ("/health", "airflow-ui"),
}


def expectation(
    *,
    environment: str,
    revision: str,
    deployed: Deployment,
    manifests: Iterable[Object],
    basis: Basis,
    is_ancestor: Ancestry,
    changes_environment: Ancestry | None = None,
    repository: str = "",
    kustomizations: tuple[Object, ...] = (),
) -> Expected:
    """What the cluster must show of `revision`.

    `deployed` is what the engine's generated objects say, `manifests` are the rendered objects,
    and `basis` says by which versions they were rendered.
    Release, namespace, chart version, migration Job and Airflow's endpoint are read from the
    objects themselves, so that they are what the cluster is really given. The windows are the
    defaults of `Expected`.
    """
    listed = tuple(manifests)
    application = deployed.manifest
    return Expected(
        environment=environment,
        revision=revision,
        application=name_of(application),
        application_namespace=text(application, "metadata", "namespace"),
        namespace=deployed.namespace,
        release=deployed.release or _release_of(listed),
        manifests=listed,
        basis=basis,
        is_ancestor=is_ancestor,
        changes_environment=changes_environment,
        repository=repository,
        chart_version=deployed.chart_version,
        application_manifest=application,
        engine=deployed.engine,
        kustomizations=kustomizations,
        migration_job=_migration_job(listed),
        endpoint=endpoint(listed),
    )


def endpoint(manifests: Iterable[Object]) -> Endpoint | None:
    """Where Airflow answers for itself: the API server's Service (Airflow 2: the webserver's) and
    the way in that leads to it; None if neither is rendered."""
    listed = tuple(manifests)
    for component, (path, port) in _SERVERS.items():
        for service in listed:
            labels = section(service, "metadata", "labels")
            if text(service, "kind") == "Service" and labels.get("component") == component:
                name = name_of(service)
                return Endpoint(_url(listed, name), name, port, path)
    return None


def _url(manifests: Iterable[Object], service: str) -> str:
    """The address under which the first way in leads to the Service, or nothing."""
    listed = tuple(manifests)
    ways = {"Ingress": _by_ingress, "HTTPRoute": _by_gateway, "Route": _by_route}
    for kind, addresses in ways.items():
        for item in listed:
            if text(item, "kind") == kind:
                for url in addresses(item, service, listed):
                    return url.rstrip("*").rstrip("/")
    return ""


def _by_ingress(ingress: Object, service: str, _: Iterable[Object]) -> Iterator[str]:
    secured = {host for item in entries(ingress, "spec", "tls") for host in item.get("hosts") or []}
    for rule in entries(ingress, "spec", "rules"):
        host = text(rule, "host")
        for path in entries(rule, "http", "paths"):
            if host and text(path, "backend", "service", "name") == service:
                yield _address(host, text(path, "path"), secured=host in secured)


def _by_gateway(route: Object, service: str, others: Iterable[Object]) -> Iterator[str]:
    """The listener says whether TLS ends there, and it is not rendered: base_url tells."""
    written = "".join(text(item, "data", "airflow.cfg") for item in others)
    for rule in entries(route, "spec", "rules"):
        if any(text(item, "name") == service for item in entries(rule, "backendRefs")):
            path = next((text(item, "path", "value") for item in entries(rule, "matches")), "")
            for host in strings(route, "spec", "hostnames"):
                plain = re.search(rf"base_url *= *http://{re.escape(host)}[/:\s]", written)
                yield _address(host, path, secured=not plain)


def _by_route(route: Object, service: str, _: Iterable[Object]) -> Iterator[str]:
    host = text(route, "spec", "host")
    if host and text(route, "spec", "to", "name") == service:
        secured = bool(section(route, "spec", "tls"))
        yield _address(host, text(route, "spec", "path"), secured=secured)


def _address(host: str, path: str, *, secured: bool) -> str:
    return f"{'https' if secured else 'http'}://{host}{path}"


def _migration_job(manifests: Iterable[Object]) -> str:
    for job in manifests:
        if text(job, "kind") != "Job":
            continue
        component = text(job, "metadata", "labels", "component")
        if component == _MIGRATION or name_of(job).endswith(f"-{_MIGRATION}"):
            return name_of(job)
    return ""


def _release_of(manifests: Iterable[Object]) -> str:
    """Without a Helm source: the release label of the first workload that has one."""
    for manifest in manifests:
        if text(manifest, "kind") in WORKLOAD_KINDS:
            release = text(manifest, "metadata", "labels", "release")
            if release:
                return release
    return ""
