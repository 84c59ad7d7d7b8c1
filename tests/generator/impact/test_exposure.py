import pytest

from tests.generator.impact.builders import found, manifest, workload

INTERNAL = "service.beta.kubernetes.io/aws-load-balancer-internal"
ALLOW = "nginx.ingress.kubernetes.io/whitelist-source-range"
DENY = "nginx.ingress.kubernetes.io/denylist-source-range"
CLASS = "kubernetes.io/ingress.class"
AUTH = "nginx.ingress.kubernetes.io/auth-url"
GLOBAL = "nginx.ingress.kubernetes.io/enable-global-auth"
AWS_SCHEME = "service.beta.kubernetes.io/aws-load-balancer-scheme"
ELSE = workload("x")


def service(kind=None, annotations=None, **spec):
    spec = {"type": kind, **spec} if kind else spec
    return manifest("v1", "Service", "web", metadata={"annotations": annotations or {}}, spec=spec)


def ingress(annotations=None, path="/", name="nginx", host="a.example.com"):
    rules = [{"host": host, "http": {"paths": [{"path": path}]}}]
    spec = {"ingressClassName": name, "rules": rules}
    metadata = {"annotations": annotations or {}}
    return manifest("networking.k8s.io/v1", "Ingress", "i", metadata=metadata, spec=spec)


def http_route(*hosts, path="/", listener="https", gateway="public"):
    parent = {"name": gateway, "namespace": "gateways", "sectionName": listener}
    rules = [{"matches": [{"path": {"type": "PathPrefix", "value": path}}]}]
    spec = {"hostnames": list(hosts), "parentRefs": [parent], "rules": rules}
    return manifest("gateway.networking.k8s.io/v1", "HTTPRoute", "i", spec=spec)


def route(host="a.example.com", path="/", **tls):
    spec = {"host": host, "path": path, "tls": tls}
    return manifest("route.openshift.io/v1", "Route", "i", spec=spec)


A, B = "a.example.com", "b.example.com"
EDGE = {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
ALLOWED = {**EDGE, "insecureEdgeTerminationPolicy": "Allow"}
WITH_TLS = ingress()
WITH_TLS["spec"]["tls"] = [{"hosts": [A]}]


@pytest.mark.parametrize(
    ("base", "head", "severity", "words"),
    [
        (
            http_route(A),
            http_route(A, listener="x"),
            "warning",
            "gateways/public (https) → gateways/public (x)",
        ),
        (http_route(A), http_route(A, gateway="own"), "warning", "→ gateways/own (https)"),
        (http_route(A), http_route(A, path="/x"), "warning", "a.example.com/x from now on"),
        (route(), route(path="/x"), "warning", "a.example.com/x from now on"),
        (ELSE, http_route(A), "warning", "the first way in"),
        (ELSE, route(), "warning", "the first way in"),
        (service(), service("LoadBalancer"), "warning", "becomes a LoadBalancer"),
        (service(), service("NodePort"), "warning", "reachable on every node"),
        (service("LoadBalancer"), service(), "info", "no longer reachable"),
        (service(), service("ExternalName"), "info", "another address answers"),
        (service(), service(externalIPs=["1.2.3.4"]), "warning", "adds 1.2.3.4"),
        (
            service("LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"]),
            service("LoadBalancer"),
            "warning",
            "addresses other than 10.0.0.0/8 get in",
        ),
        (
            service("LoadBalancer", {INTERNAL: "true"}),
            service("LoadBalancer"),
            "warning",
            "aws-load-balancer-internal is removed",
        ),
        (ingress(), ingress(name="public"), "warning", "nginx → public"),
        (ingress(), ingress(path="/x"), "warning", "a.example.com/x from now on"),
        (
            ingress({ALLOW: "10.0.0.0/8"}),
            ingress(),
            "warning",
            f"{ALLOW} is removed: addresses other",
        ),
        (
            ingress({ALLOW: "10.0.0.0/8"}),
            ingress({ALLOW: "0.0.0.0/0"}),
            "warning",
            "adds 0.0.0.0/0",
        ),
        (
            ingress({ALLOW: "10.0.0.0/8"}),
            ingress({ALLOW: "10.1.0.0/16"}),
            "info",
            "drops 10.0.0.0/8",
        ),
        (ingress(), ingress({ALLOW: "10.0.0.0/8"}), "info", "only 10.0.0.0/8"),
        (ingress({AUTH: "https://a"}), ingress(), "warning", "is open"),
        (ingress({AUTH: "https://a"}), ingress({AUTH: "https://b"}), "warning", "who gets in"),
        (ingress(), ingress({DENY: "10.0.0.0/8"}), "info", "10.0.0.0/8, which no longer get in"),
        (ingress({DENY: "10.0.0.0/8"}), ingress(), "warning", "10.0.0.0/8, which get in now"),
        (
            ingress({DENY: "10.0.0.0/8"}),
            ingress({DENY: "10.1.0.0/16"}),
            "warning",
            "drops 10.0.0.0/8",
        ),
        (ingress(), ingress({GLOBAL: "false"}), "warning", "global-auth is added"),
        (ingress(), ingress({GLOBAL: "true"}), "info", "global-auth is added"),
        (
            service(annotations={"cloud.google.com/backend-config": "{}"}),
            service(),
            "warning",
            "backend-config is removed",
        ),
        (
            service("LoadBalancer"),
            service("LoadBalancer", {AWS_SCHEME: "internet-facing"}),
            "warning",
            "is added: it decides",
        ),
        (ingress({CLASS: "nginx"}, name=None), ingress(name="x"), "warning", "nginx → x"),
        (ELSE, ingress(), "warning", "the first way in"),
    ],
)
def test_what_opens_the_environment_is_told(base, head, severity, words):
    (item,) = found([base, workload("y")], [head, workload("y")], "exposed")
    assert item.severity == severity and words in item.message


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (ingress(), ingress({"example.com/owner": "team"})),
        (ingress(), ingress(host="b.example.com")),
        (ingress({ALLOW: "10.0.0.0/8, 10.1.0.0/16"}), ingress({ALLOW: "10.1.0.0/16,10.0.0.0/8"})),
        (service(), service("ClusterIP")),
        (
            ingress({ALLOW: "10.0.0.0/8"}),
            ingress({ALLOW.replace("white", "allow"): "10.0.0.0/8"}),
        ),
        (ingress({CLASS: "nginx"}, name=None), ingress()),
        (ingress({ALLOW: "10.0.0.0/8"}), ingress({ALLOW: "10.0.0.0/8"})),
    ],
)
def test_what_lets_in_the_same_is_no_finding(base, head):
    assert found([base, workload("y")], [head, workload("y")], "exposed") == []


@pytest.mark.parametrize(
    ("base", "head", "rule", "severity", "words"),
    [
        ([http_route(A)], [http_route(A, B)], "host", "info", "b.example.com is now served"),
        ([http_route(A, B)], [http_route(A)], "host", "warning", "b.example.com is no longer"),
        ([WITH_TLS], [http_route(A)], "host", "warning", "in place of the Ingress"),
        ([WITH_TLS], [http_route(A)], "host", "warning", "listener ends TLS was not read"),
        ([WITH_TLS], [WITH_TLS, http_route(A)], "host", "info", "as well as the Ingress"),
        ([WITH_TLS], [route(**EDGE)], "host", "warning", "another address"),
        ([http_route(A)], [http_route()], "host-any", "warning", "every host name"),
        ([route(**EDGE)], [route()], "host-tls", "warning", "without TLS"),
        ([WITH_TLS], [route()], "host-tls", "warning", "without TLS"),
        ([route(**EDGE)], [route(**ALLOWED)], "host-tls", "warning", "without TLS"),
    ],
)
def test_a_host_is_followed_from_one_way_in_to_another(base, head, rule, severity, words):
    hits = found([*base, workload("y")], [*head, workload("y")], rule)
    assert [item for item in hits if item.severity == severity and words in item.message], hits


@pytest.mark.parametrize(
    ("base", "head"),
    [(WITH_TLS, http_route(A)), (http_route(A), http_route(A)), (WITH_TLS, route(**EDGE))],
)
def test_nothing_is_said_of_tls_that_was_not_read(base, head):
    assert found([base, workload("y")], [head, workload("y")], "host-tls") == []


def test_an_http_route_without_matches_or_names_serves_every_path_or_host():
    def spec(**more):
        parents = [{"name": "public"}]
        return manifest(
            "gateway.networking.k8s.io/v1", "HTTPRoute", "i", spec={"parentRefs": parents, **more}
        )

    narrow = [{"matches": [{"path": {"value": "/airflow"}}]}]
    (item,) = found(
        [spec(hostnames=[A], rules=narrow)], [spec(hostnames=[A], rules=[{}])], "exposed"
    )
    assert "serves a.example.com/ from now on" in item.message
    (item,) = found([spec(rules=narrow)], [spec(rules=[{}])], "exposed")
    assert "serves */ from now on" in item.message
