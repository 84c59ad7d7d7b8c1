"""The HTTPRoute of `gateway` and the Route of `route`, and all that follows a way in."""

import pytest
import yaml

from generator import manifests
from generator.manifests import network_policies, routes
from tests.repositories import DEV, SETTINGS, STAGING, changed, release, repository

INGRESS = "ingress: {host: airflow.staging.example.com, tls: {clusterIssuer: letsencrypt}}\n"
OFFERED = changed(SETTINGS, ("v1alpha1, mon", "v1alpha1, gateway.networking.k8s.io/v1, mon"))
OWN = OFFERED + "    gateway: {parentRefs: [{name: shared, namespace: gateways}]}\n"
OPENSHIFT = SETTINGS + "    openshift: true\n"
PARENT = "{name: public, namespace: gateways, sectionName: https, port: 443}"
GATEWAY = f"gateway: {{parentRefs: [{PARENT}], hostnames: [a.example.com, b.example.com]}}\n"
ROUTE = "route: {host: a.example.com}\n"
AIRFLOW_2 = changed(DEV, ("3.2.2", "2.11.2"))


def by(way, text=STAGING):
    return changed(text, (INGRESS, way)) if INGRESS in text else text + way


def made(text, settings=OFFERED):
    return routes.objects(release(text, settings=settings))


def test_a_gateway_makes_an_http_route_to_the_api_server():
    (route,) = made(by(GATEWAY))
    assert route["apiVersion"] == "gateway.networking.k8s.io/v1"
    assert route["metadata"]["namespace"] == "airflow-staging"
    assert route["spec"]["hostnames"] == ["a.example.com", "b.example.com"]
    (parent,) = route["spec"]["parentRefs"]
    assert parent == {"group": routes.GROUP, "kind": "Gateway", **yaml.safe_load(PARENT)}
    (rule,) = route["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    (backend,) = rule["backendRefs"]
    assert (backend["name"], backend["port"]) == ("airflow-api-server", 8080)


def test_a_route_leads_to_the_named_port_of_the_service():
    (route,) = made(by(ROUTE), OPENSHIFT)
    assert route["spec"]["to"]["name"] == "airflow-api-server"
    assert route["spec"]["port"] == {"targetPort": "api-server"}
    edge = {"termination": "edge", "insecureEdgeTerminationPolicy": "Redirect"}
    assert route["spec"]["tls"] == edge and "path" not in route["spec"]
    (plain,) = made(by("route: {host: a.example.com, path: /x, tls: null}\n"), OPENSHIFT)
    assert "tls" not in plain["spec"] and plain["spec"]["path"] == "/x"


def test_airflow_2_is_reached_through_its_webserver():
    http, route = made(by(GATEWAY + ROUTE, AIRFLOW_2))
    (backend,) = http["spec"]["rules"][0]["backendRefs"]
    assert (backend["name"], backend["port"]) == ("airflow-webserver", 8080)
    assert route["spec"]["port"]["targetPort"] == "airflow-ui"


@pytest.mark.parametrize(
    ("values", "number", "name"),
    [
        ("{ports: {apiServer: 9090}}", 9090, "api-server"),
        ("{apiServer: {service: {ports: [{name: api-server, port: 80}]}}}", 80, "api-server"),
        ("{apiServer: {service: {ports: [{name: web, port: 81}]}}}", 81, "web"),
        ("{apiServer: {service: {ports: [{name: x, port: '{{ .Values.y }}'}]}}}", 8080, "x"),
        ("{apiServer: {service: {ports: wrong}}}", 8080, "api-server"),
    ],
)
def test_a_way_in_follows_the_port_of_the_service(values, number, name):
    http, route = made(by(GATEWAY + ROUTE) + f"values: {values}\n")
    assert http["spec"]["rules"][0]["backendRefs"][0]["port"] == number
    assert route["spec"]["port"]["targetPort"] == name


def test_the_clusters_gateway_serves_what_names_none_and_nothing_serves_without_one():
    (route,) = made(by("gateway: {hostnames: [a.example.com]}\n"), OWN)
    assert [item["name"] for item in route["spec"]["parentRefs"]] == ["shared"]
    assert made(by("gateway: {hostnames: [a.example.com]}\n")) == []


def test_annotations_come_along():
    (route,) = made(by(GATEWAY[:-2] + ", annotations: {a.example.com/b: c}}\n"))
    assert route["metadata"]["annotations"] == {"a.example.com/b": "c"}


@pytest.mark.parametrize(
    ("way", "url"),
    [
        (GATEWAY, "https://a.example.com"),
        (GATEWAY[:-2] + ", path: /x/, tls: false}\n", "http://a.example.com/x"),
        (ROUTE, "https://a.example.com"),
        (INGRESS + GATEWAY, "https://airflow.staging.example.com"),
    ],
)
def test_links_and_trust_in_the_proxy_follow_the_way_in(way, url):
    values = release(by(way), settings=OFFERED).values
    assert values["config"]["api"]["base_url"] == url
    assert "--proxy-headers" in values["apiServer"]["args"][-1]
    assert {"name": "FORWARDED_ALLOW_IPS", "value": "*"} in values["apiServer"]["env"]


def test_a_router_that_reads_no_http_is_not_trusted_as_a_proxy():
    way = "route: {host: a.example.com, tls: {termination: passthrough}}\n"
    values = release(by(way), settings=OPENSHIFT).values
    assert "args" not in values["apiServer"]


def entered(text, peers="", settings=OFFERED):
    """Problems, and the peers beside the release's own pods that reach the API server."""
    more = f"networkPolicy: {{mode: ingress, peers: {{{peers}}}}}\n"
    found, problems = network_policies.policies(release(text + more, settings=settings))
    (policy,) = [item for item in found if item["metadata"]["name"] == "airflow-allow-api-server"]
    sources = [peer for rule in policy["spec"]["ingress"] for peer in rule["from"]]
    own = {"component", "release", "tier"}
    return problems, [
        peer for peer in sources if set(peer.get("podSelector", {}).get("matchLabels", ())) != own
    ]


def test_policies_let_the_namespace_of_the_gateway_in():
    named = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateways"}}}
    assert entered(by(GATEWAY)) == ((), [named])
    here = {"podSelector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "own"}}}
    for namespace in ("", ", namespace: airflow-staging"):
        way = f"gateway: {{parentRefs: [{{name: own{namespace}}}], hostnames: [a.example.com]}}\n"
        assert entered(by(way)) == ((), [here])


def test_policies_let_the_namespace_of_openshifts_routers_in():
    router = {"matchLabels": {"network.openshift.io/policy-group": "ingress"}}
    assert entered(by(ROUTE), settings=OPENSHIFT) == ((), [{"namespaceSelector": router}])


@pytest.mark.parametrize(("way", "peer"), [(GATEWAY, "gateway"), (ROUTE, "route")])
def test_a_declared_peer_stands_for_the_proxies(way, peer):
    declared = f"{peer}: [{{cidr: 10.7.0.0/24}}]"
    assert entered(by(way), declared)[1] == [{"ipBlock": {"cidr": "10.7.0.0/24"}}]


def test_verification_may_follow_a_way_in_where_there_is_one(tmp_path):
    repo = repository(tmp_path, settings=OFFERED, dev=DEV, staging=by(GATEWAY))
    assert repo.run("generate").code == 0
    assert "httproutes" in repo.read("bootstrap/access/staging.yaml")
    assert "httproutes" not in repo.read("bootstrap/access/dev.yaml")


def test_every_project_may_hold_both_kinds_so_that_what_is_removed_can_be_pruned():
    kinds = {(kind.resource.group, kind.resource.kind) for kind in manifests.kinds()}
    assert {("gateway.networking.k8s.io", "HTTPRoute"), ("route.openshift.io", "Route")} <= kinds
