# ruff: noqa: E501 (a table of one line each)
import pytest

from generator.core.rule import Rule
from generator.lint.definition import repository as repository_rules
from tests.repositories import DEV, SETTINGS, STAGING, changed, release

TWO_CLUSTERS = (
    SETTINGS
    + """\
  other:
    server: https://10.9.9.9
    kubernetesVersion: 1.34.2
argocd:
  root: {type: app-of-apps}
  adopted: {applications: [x, airflow-dev, airflow-dev2, airflow-environments]}
"""
)
TEST = changed(DEV, ("name: dev", "name: test"))
FLUX = "engine: flux\n"
HOSTED = "ingress: {{host: {}, path: {}}}\n"
PG = "{{host: {}, port: {}, name: {}}}"


def databased(text, *parts):
    return changed(text, ("{embedded: true}", PG.format(*parts)))


SAME = {
    "estate/duplicate-namespace": (
        [changed(DEV, ("main}", "main, namespace: x}")), changed(TEST, ("main}", "main, namespace: x}"))],
        [[DEV, TEST],
         [changed(DEV, ("main}", "main, namespace: x}")), changed(TEST, ("main}", "other, namespace: x}"))]],
    ),
    "estate/duplicate-host": (
        [DEV + HOSTED.format("A.example.com", "/"), TEST + HOSTED.format("a.example.com", "/")],
        [[DEV + HOSTED.format("a.example.com", "/"), TEST + HOSTED.format("b.example.com", "/")],
         [DEV + HOSTED.format("a.example.com", "/x"), TEST + HOSTED.format("a.example.com", "/y")]],
    ),
    "estate/duplicate-database": (
        [databased(DEV, "PG.example.com", 5432, "airflow"), databased(TEST, "pg.example.com", 5432, "airflow")],
        [[databased(DEV, "pg", 5432, "airflow"), databased(TEST, "pg", 5432, "other")],
         [databased(DEV, "pg", 5432, "airflow"), databased(TEST, "pg", 5433, "airflow")],
         [databased(DEV, "pg", 5432, "airflow"), databased(TEST, "other", 5432, "airflow")],
         [DEV, TEST]],
    ),
    "estate/duplicate-release": (
        [DEV + FLUX, changed(TEST + FLUX, ("main}", "main, storageNamespace: airflow-dev}"))],
        [[DEV + FLUX, TEST + FLUX],
         [DEV, changed(TEST + FLUX, ("main}", "main, storageNamespace: airflow-dev}"))],
         [DEV + FLUX, changed(TEST + FLUX, ("main}", "other, storageNamespace: airflow-dev}"))],
         [DEV + FLUX, changed(TEST + FLUX, ("main}", "main, storageNamespace: airflow-dev, releaseName: other}"))]],
    ),
    "estate/duplicate-application": (
        [changed(DEV, ("main}", "main, application: x}")), changed(TEST, ("main}", "main, application: x}"))],
        [[DEV, TEST], [DEV, changed(TEST, ("main}", "main, application: airflow-dev2}"))]],
    ),
}  # fmt: skip


def resolved(*texts, settings=TWO_CLUSTERS):
    return [release(text, settings=settings).resolved for text in texts]


@pytest.mark.parametrize("rule", SAME)
def test_what_two_environments_share_is_found_at_the_later_one(rule):
    texts, _ = SAME[rule]
    (problem,) = repository_rules.problems(resolved(*texts))
    assert (problem.rule, problem.environment) == (rule, "test")
    assert "environment dev has the same" in problem.message
    assert problem.path == "environments/test/environment.yaml" and problem.line


@pytest.mark.parametrize("rule", SAME)
def test_what_only_looks_alike_is_left_alone(rule):
    for texts in SAME[rule][1]:
        assert list(repository_rules.problems(resolved(*texts))) == []


def test_a_default_name_and_a_given_one_can_be_the_same_application():
    given = changed(TEST, ("main}", "main, application: airflow-dev}"))
    (problem,) = repository_rules.problems(resolved(DEV, given))
    assert (problem.rule, problem.environment) == ("estate/duplicate-application", "test")


def test_the_root_has_a_name_that_no_environment_can_take():
    taken = changed(DEV, ("main}", "main, application: airflow-environments}"))
    (problem,) = repository_rules.problems(resolved(taken))
    assert "root Application" in problem.message and problem.line == 4
    none = TWO_CLUSTERS.replace("type: app-of-apps", "type: none")
    assert list(repository_rules.problems(resolved(taken, settings=none))) == []


def test_two_names_of_one_cluster_are_one_cluster():
    settings = TWO_CLUSTERS.replace("https://10.9.9.9", "https://10.0.0.1:6443/")
    texts = [
        changed(DEV, ("main}", "main, namespace: x}")),
        changed(TEST, ("main}", "other, namespace: x}")),
    ]
    (problem,) = repository_rules.problems(resolved(*texts, settings=settings))
    assert problem.rule == "estate/duplicate-namespace"


def test_of_three_alike_each_later_one_is_told():
    texts = [
        changed(DEV, ("name: dev", f"name: {name}"), ("main}", "main, namespace: x}"))
        for name in "abc"
    ]
    found = list(repository_rules.problems(resolved(*texts)))
    assert [problem.environment for problem in found] == ["b", "c"]


GATEWAY = "gateway: {{parentRefs: [{{name: g}}], hostnames: [{}]}}\n"
ROUTE = "route: {{host: {}}}\n"


@pytest.mark.parametrize("way", [GATEWAY, ROUTE, "ingress: {{host: {}}}\n"])
def test_no_way_in_serves_a_host_of_another_environments(way):
    taken = DEV + "ingress: {host: a.example.com}\n"
    (problem,) = repository_rules.problems(resolved(taken, TEST + way.format("a.example.com")))
    assert (problem.rule, problem.environment) == ("estate/duplicate-host", "test")
    assert problem.line == len((TEST + way).splitlines())


def test_one_environment_may_serve_one_host_in_two_ways():
    both = HOSTED.format("a.example.com", "/") + GATEWAY.format("a.example.com")
    assert list(repository_rules.problems(resolved(DEV + both))) == []


TEAM = changed(
    STAGING,
    ("name: staging", "name: staging, team: payments"),
    ("cluster: main", "cluster: main, namespace: payments-airflow"),
)


def allowed(policy, text=TEAM):
    settings = TWO_CLUSTERS + f"policy: {{teams: {{payments: {policy}}}}}\n"
    item = release(text, settings=settings, name="payments/staging").resolved
    return list(repository_rules.problems([item]))


@pytest.mark.parametrize(
    ("field", "good", "bad", "line"),
    [
        ("clusters", "main", "other", 4),
        ("namespaces", "payments-*", "other-*", 4),
        ("hosts", '"*.staging.example.com"', '"*.example.org"', 18),
        ("images", "registry.example.com/*", "other.example.com/*", 7),
    ],
)
def test_a_team_uses_what_its_policy_allows(field, good, bad, line):
    assert allowed(f"{{{field}: [{good}]}}") == []
    (problem,) = allowed(f"{{{field}: [{bad}]}}")
    assert (problem.rule, problem.line) == ("policy/team", line)
    assert bad.strip('"') in problem.hint
    (problem,) = allowed(f"{{{field}: []}}")
    assert "allowed: none" in problem.hint


@pytest.mark.parametrize(
    "values",
    [
        "flower: {hosts: [{name: b.other.com}]}",
        "pgbouncer: {hosts: [b.other.com]}",
        "statsd: {host: b.other.com}",
        "flower: {hosts: [{name: '{{ .Values.x }}.staging.example.com'}]}",
    ],
)
def test_a_host_in_values_is_held_to_the_policy_too(values):
    text = TEAM + f"values: {{ingress: {{{values}}}}}\n"
    (problem,) = allowed("{hosts: ['*.staging.example.com']}", text)
    assert problem.rule == "policy/team" and problem.line == 19


def test_every_host_of_an_ingress_is_looked_at():
    more = "ingress: {host: a.example.com, moreHosts: [{host: B.example.com}]}\n"
    two = resolved(DEV + more, TEST + HOSTED.format("b.example.com", "/"))
    assert [item.rule for item in repository_rules.problems(two)] == ["estate/duplicate-host"]


def test_patterns_are_of_shells_and_the_case_counts():
    assert allowed("{namespaces: [Payments-*]}")
    assert allowed("{namespaces: ['payments-?irflow']}") == []


def test_a_team_keeps_the_records_of_helm_in_its_own_namespaces():
    text = FLUX + changed(TEAM, ("cluster: main", "cluster: main, storageNamespace: kube-system"))
    (problem,) = allowed("{namespaces: ['payments-*']}", text)
    assert "may not use namespace kube-system" in problem.message


def test_a_team_without_a_policy_may_use_anything():
    settings = TWO_CLUSTERS + "policy: {teams: {other: {clusters: []}}}\n"
    item = release(TEAM, settings=settings, name="payments/staging").resolved
    assert list(repository_rules.problems([item])) == []


def test_every_rule_has_cases():
    rules = [item for item in vars(repository_rules).values() if isinstance(item, Rule)]
    assert {rule.id for rule in rules} == {*SAME, "policy/team"}


@pytest.mark.parametrize("way", [GATEWAY, ROUTE])
def test_a_team_is_held_to_its_hosts_whatever_serves_them(way):
    wrong = TEAM + way.format("b.example.org")
    policy = "{hosts: ['*.example.com']}"
    (problem,) = allowed(policy, wrong)
    assert "may not use host b.example.org" in problem.message
    assert allowed(policy, TEAM + way.format("b.example.com")) == []


@pytest.mark.parametrize(
    ("route", "bad"),
    [
        ("{enabled: true, hostnames: [b.example.org]}", True),
        ("{enabled: true}", True),
        ("{enabled: true, hostnames: ['{{ x }}.example.com']}", True),
        ("{enabled: true, hostnames: [b.example.com]}", False),
        ("{enabled: false}", False),
    ],
)
def test_a_team_is_held_to_its_hosts_in_a_route_of_the_charts(route, bad):
    text = TEAM + f"values: {{httpRoute: {{apiServer: {route}}}}}\n"
    assert bool(allowed("{hosts: ['*.example.com']}", text)) is bad


INGRESS = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}
HTTP_ROUTE = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute"}
GRPC_ROUTE = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GRPCRoute"}
OPENSHIFT_ROUTE = {"apiVersion": "route.openshift.io/v1", "kind": "Route"}
SERVICE = {"apiVersion": "v1", "kind": "Service"}
ALIAS = {"nginx.ingress.kubernetes.io/server-alias": "a.example.com, x.other.com"}
DNS = {"external-dns.alpha.kubernetes.io/hostname": "x.other.com"}


def beyond(manifest, text=TEAM, policy="{hosts: ['*.example.com']}"):
    settings = TWO_CLUSTERS + f"policy: {{teams: {{payments: {policy}}}}}\n"
    item = release(text, settings=settings, name="payments/staging").resolved
    manifest = {"metadata": {"name": "own"}, **manifest}
    return [problem.message for problem in repository_rules.hosts_of_objects(item, [manifest])]


@pytest.mark.parametrize(
    ("manifest", "host"),
    [
        (
            INGRESS | {"spec": {"rules": [{"host": "a.example.com"}, {"host": "x.other.com"}]}},
            "x.other.com",
        ),
        (INGRESS | {"spec": {"rules": [{"http": {}}]}}, "*"),
        (INGRESS | {"spec": {"defaultBackend": {"service": {}}}}, "*"),
        (HTTP_ROUTE | {"spec": {"hostnames": ["x.other.com"]}}, "x.other.com"),
        (HTTP_ROUTE | {"spec": {}}, "*"),
        (GRPC_ROUTE | {"spec": {"hostnames": ["x.other.com"]}}, "x.other.com"),
        (OPENSHIFT_ROUTE | {"spec": {"host": "x.other.com"}}, "x.other.com"),
        (INGRESS | {"metadata": {"name": "own", "annotations": ALIAS}}, "x.other.com"),
        (SERVICE | {"metadata": {"name": "own", "annotations": DNS}}, "x.other.com"),
    ],
)
def test_an_object_of_a_teams_own_serves_none_but_its_hosts(manifest, host):
    (message,) = beyond(manifest)
    assert message.endswith(f"own: team payments may not use host {host}")
    assert beyond(manifest, policy="{}") == []


def test_a_host_of_an_object_that_the_definition_names_is_told_there_alone():
    good = INGRESS | {"spec": {"rules": [{"host": "a.example.com"}]}}
    named = INGRESS | {"spec": {"rules": [{"host": "b.other.com"}]}}
    assert beyond(good) == []
    assert (
        beyond(named, TEAM + "values: {ingress: {flower: {hosts: [{name: b.other.com}]}}}\n") == []
    )
