"""Checks of ingress: hosts, TLS, addresses, and what it exposes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from generator.core.layered import Path
from generator.core.rule import ERROR_IN_PRODUCTION
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, INFO, WARNING, Finding, check


def hosts(values: ValuesInput, name: str) -> list[tuple[Path, str, Mapping[str, Any]]]:
    """Path, host and TLS settings of every host of one ingress, the deprecated key included."""
    path: Path = ("ingress", name, "hosts")
    listed = values.get(path)
    result = []
    for index, row in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(row, Mapping):
            tls = row.get("tls")
            result.append(
                (
                    (*path, index),
                    str(row.get("name") or ""),
                    tls if isinstance(tls, Mapping) else values.table(f"ingress.{name}.tls"),
                )
            )
        elif isinstance(row, str):
            result.append(((*path, index), row, values.table(f"ingress.{name}.tls")))
    if not result and values.text(f"ingress.{name}.host"):
        host = values.text(f"ingress.{name}.host")
        result.append((("ingress", name, "host"), host, values.table(f"ingress.{name}.tls")))
    return result


def active(values: ValuesInput) -> list[str]:
    """Ingresses that are rendered."""
    server = "apiServer" if values.airflow3 else "web"
    rendered = {
        server: values.airflow is not None and values.chart.has(f"ingress.{server}.enabled"),
        "flower": values.celery and values.on("flower.enabled"),
        "statsd": values.on("statsd.enabled"),
        "pgbouncer": values.on("pgbouncer.enabled"),
    }
    both = values.on("ingress.enabled")
    return [
        name
        for name, runs in rendered.items()
        if runs and (values.on(f"ingress.{name}.enabled") or (both and name in (server, "flower")))
    ]


@check(
    "ingress/catches-all",
    WARNING,
    "An ingress without a host",
    why="It answers for every name that reaches the controller, other teams' included.",
)
def ingress_catches_all(values: ValuesInput) -> Iterator[Finding]:
    """Empty `hosts`."""
    for name in active(values):
        if not any(host for _, host, _ in hosts(values, name)):
            yield Finding(
                f"ingress.{name}",
                "it answers for every host name of the cluster",
                f"set {{key:ingress.{name}.hosts}}: [{{name: …}}]",
            )


@check(
    "ingress/without-tls",
    WARNING,
    "An ingress without TLS",
    why="Passwords and session cookies cross the network in the clear.",
    tiers=ERROR_IN_PRODUCTION,
)
def ingress_without_tls(values: ValuesInput) -> Iterator[Finding]:
    """Hosts whose TLS is off, or names no Secret."""
    for name in active(values):
        for path, _, tls in hosts(values, name):
            if not tls.get("enabled"):
                yield Finding(
                    path,
                    "passwords and sessions cross the network in the clear",
                    f"set tls: {{enabled: true, secretName: …}} in {{key:ingress.{name}.hosts}}",
                )
            elif not tls.get("secretName"):
                yield Finding(
                    path,
                    "the ingress controller answers with its own, self-signed certificate",
                    "set tls.secretName",
                    WARNING,
                )


@check(
    "ingress/metrics-exposed",
    WARNING,
    "Metrics on an ingress",
    why="They tell strangers the names of DAGs, tasks and pools.",
)
def metrics_exposed(values: ValuesInput) -> Iterator[Finding]:
    """Ingress of statsd or PgBouncer."""
    for name in ("statsd", "pgbouncer"):
        if name in active(values):
            yield Finding(
                f"ingress.{name}.enabled",
                "strangers can read metrics, with the names of your DAGs",
                "scrape inside the cluster with a ServiceMonitor",
            )


@check(
    "ingress/service-port-name",
    ERROR,
    "Another name for the API server's port",
    why="The Ingress points to the port by the fixed name api-server.",
)
def service_port_name(values: ValuesInput) -> Iterator[Finding]:
    """No port called api-server while its ingress is on."""
    ports = values.rows("apiServer.service.ports")
    named = any(row.get("name") == "api-server" for row in ports)
    if "apiServer" in active(values) and values.given("apiServer.service.ports") and not named:
        yield Finding(
            "apiServer.service.ports",
            "the UI answers 503: the Ingress looks for a port named api-server",
            "name one of the ports api-server",
        )


@check(
    "ingress/proxy-headers",
    INFO,
    "The API server does not trust its proxy",
    why="Behind TLS termination it takes requests for http and makes links and redirects that "
    "fail.",
)
def proxy_headers(values: ValuesInput) -> Iterator[Finding]:
    """TLS at the ingress without `--proxy-headers`."""
    if "apiServer" not in active(values) or not values.airflow3:
        return
    encrypted = any(tls.get("enabled") for _, _, tls in hosts(values, "apiServer"))
    if encrypted and "--proxy-headers" not in str(values.get("apiServer.args")):
        yield Finding(
            "apiServer.args" if values.given("apiServer.args") else "ingress.apiServer",
            "redirects after a login may lead to http: the API server ignores the proxy's headers",
            'set {key:apiServer.args}: [bash, -c, "exec airflow api-server --proxy-headers"] and '
            "the variable FORWARDED_ALLOW_IPS",
        )


@check(
    "ingress/base-url",
    WARNING,
    "The API server does not know its address",
    why="Links in mails and logs, and single sign-on's redirects, are made from "
    "config.api.base_url; a path in front of it must be there too.",
)
def base_url(values: ValuesInput) -> Iterator[Finding]:
    """`config.api.base_url` missing, or naming another host or path than the ingress."""
    if "apiServer" not in active(values):
        return
    path = "config.api.base_url"
    named = {host for _, host, _ in hosts(values, "apiServer") if host and "{{" not in host}
    prefix = values.text("ingress.apiServer.path").rstrip("/*") or ""
    own = values.text(path)
    if "{{" in own or not named:
        return
    address = urlsplit(own)
    if own and address.hostname in named and address.path.rstrip("/") == prefix:
        return
    yield Finding(
        path if own else "ingress.apiServer",
        "links and single sign-on lead elsewhere: config.api.base_url is not the ingress's address",
        f"set {path} to the address that people type",
    )


@check(
    "ingress/flower-open",
    ERROR,
    "Flower without a password",
    why="Whoever reaches it can read arguments and stop workers.",
    also=((WARNING, "no ingress leads to it"),),
)
def flower_open(values: ValuesInput) -> Iterator[Finding]:
    """Flower on without credentials."""
    own = values.on("flower.secretName") or (
        values.on("flower.username") and values.on("flower.password")
    )
    if values.celery and values.on("flower.enabled") and not own:
        yield Finding(
            "flower.enabled",
            "whoever reaches Flower can read task arguments and stop workers",
            "set {key:flower.secretName} to a Secret with the key basicAuth",
            None if "flower" in active(values) else WARNING,
        )
