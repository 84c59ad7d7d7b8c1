import pytest

from tests.generator.impact.builders import found, manifest, workload

INTERNAL = "service.beta.kubernetes.io/aws-load-balancer-internal"
ALLOW = "nginx.ingress.kubernetes.io/whitelist-source-range"
DENY = "nginx.ingress.kubernetes.io/denylist-source-range"
CLASS = "kubernetes.io/ingress.class"
AUTH = "nginx.ingress.kubernetes.io/auth-url"
ELSE = workload("x")


def service(kind=None, annotations=None, **spec):
    spec = {"type": kind, **spec} if kind else spec
    return manifest("v1", "Service", "web", metadata={"annotations": annotations or {}}, spec=spec)


def ingress(annotations=None, path="/", name="nginx", host="a.example.com"):
    rules = [{"host": host, "http": {"paths": [{"path": path}]}}]
    spec = {"ingressClassName": name, "rules": rules}
    metadata = {"annotations": annotations or {}}
    return manifest("networking.k8s.io/v1", "Ingress", "i", metadata=metadata, spec=spec)


@pytest.mark.parametrize(
    ("base", "head", "severity", "words"),
    [
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
