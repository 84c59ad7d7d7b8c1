"""Rules about the ways in from outside: Ingress, Gateway API, OpenShift's Route."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.rule import ERROR_IN_PRODUCTION
from generator.lint.definition.rule import Found, Place, marker
from generator.lint.rule import ERROR, WARNING
from generator.manifests import routes
from generator.release.release import Release

FOUND: Found = []
_rule = marker(FOUND)


@_rule(
    "gateway/no-parent",
    ERROR,
    "A gateway that names no Gateway",
    "An HTTPRoute without parentRefs gets no traffic.",
)
def _no_parent(release: Release) -> Iterator[Place]:
    cluster = release.environment.destination.cluster
    if release.environment.gateway is not None and not routes.parents(release):
        yield (
            ("gateway",),
            "no Gateway is named: the host names get no traffic",
            f"set gateway.parentRefs, or clusters.{cluster}.gateway.parentRefs in gen-env.yaml",
        )


@_rule(
    "gateway/every-listener",
    WARNING,
    "A route that every listener of a Gateway serves",
    "A listener of plain HTTP would serve it too, so that passwords and session cookies cross the "
    "network in the clear.",
    ERROR_IN_PRODUCTION,
)
def _every_listener(release: Release) -> Iterator[Place]:
    gateway = release.environment.gateway
    if gateway is None or not gateway.tls:
        return
    for parent in routes.parents(release):
        if parent.section_name is None and parent.port is None:
            yield (
                ("gateway", "parentRefs"),
                f"every listener of Gateway {parent.name} that takes these host names serves the "
                "route, one of plain HTTP too; the Gateway itself was not read",
                "set sectionName to the HTTPS listener",
            )


@_rule(
    "entrance/without-tls",
    WARNING,
    "A gateway or route without TLS",
    "Passwords and session cookies cross the network in the clear.",
    ERROR_IN_PRODUCTION,
)
def _without_tls(release: Release) -> Iterator[Place]:
    gateway, route = release.environment.gateway, release.environment.route
    words = "passwords and sessions cross the network in the clear"
    if gateway is not None and not gateway.tls:
        yield ("gateway", "tls"), words, "name an HTTPS listener and remove tls: false"
    if route is not None and route.tls is None:
        yield ("route", "tls"), words, "remove tls: null; the router has a certificate"
    if route is not None and route.tls and route.tls.insecure_edge_termination_policy == "Allow":
        place = ("route", "tls", "insecureEdgeTerminationPolicy")
        yield place, f"{words} where people type http", "use Redirect"


@_rule(
    "entrance/several",
    WARNING,
    "Several ways in",
    "Links and sign-in know one address, and two controllers may write one DNS record.",
)
def _several(release: Release) -> Iterator[Place]:
    first, *others = release.environment.entrances or (None,)
    for way in others:
        assert first is not None and way is not None
        shared = sorted(set(first.hosts) & set(way.hosts))
        yield (
            (way.field,),
            f"{first.field} and {way.field} both lead to the UI; "
            + (
                f"which of them serves {', '.join(shared)}, DNS decides"
                if shared
                else f"links and sign-in use {first.field}: {first.url}"
            ),
            f"remove {first.field} once {way.field} serves, or suppress this until then",
        )


@_rule(
    "gateway/api-not-in-cluster",
    ERROR,
    "A gateway in a cluster without the Gateway API",
    "The cluster would refuse the object, and with it the whole sync.",
)
def _no_gateway_api(release: Release) -> Iterator[Place]:
    if release.environment.gateway is not None and not _offers(release, f"{routes.GROUP}/"):
        yield (
            ("gateway",),
            "the cluster's apiVersions name no Gateway API",
            f"install it and add {routes.GROUP}/v1 to the cluster's apiVersions",
        )


@_rule(
    "route/not-openshift",
    ERROR,
    "A route outside of OpenShift",
    "The cluster would refuse the object, and with it the whole sync.",
)
def _not_openshift(release: Release) -> Iterator[Place]:
    known = release.resolved.cluster.openshift or _offers(release, "route.openshift.io/")
    if release.environment.route is not None and not known:
        yield (
            ("route",),
            "the cluster is not known as OpenShift, which alone has Routes",
            "set openshift: true for the cluster in gen-env.yaml, or use ingress or gateway",
        )


@_rule(
    "route/backend-tls",
    WARNING,
    "TLS to pods that may not speak it",
    "With reencrypt and passthrough the router speaks TLS to the pods, and without a certificate "
    "Airflow speaks plain HTTP: the router answers 503.",
)
def _backend_tls(release: Release) -> Iterator[Place]:
    environment, route = release.environment, release.environment.route
    if route is None or route.tls is None or route.tls.termination == "edge":
        return
    section, option = (
        ("api", "ssl_cert") if environment.airflow_3 else ("webserver", "web_server_ssl_cert")
    )
    variable = f"AIRFLOW__{section}__{option}".upper()
    written = environment.airflow.config.get(section, {}).get(option)
    if not (written or variable in {**environment.airflow.env, **environment.api_server.env}):
        yield (
            ("route", "tls", "termination"),
            f"Airflow needs a certificate of its own with {route.tls.termination}, and neither "
            f"airflow.config nor the variables of airflow.env and apiServer.env set [{section}] "
            f"{option}; Secrets and the image were not read",
            "use termination: edge, or set the option",
        )


def _offers(release: Release, prefix: str) -> bool:
    return any(item.startswith(prefix) for item in release.resolved.cluster.api_versions)
