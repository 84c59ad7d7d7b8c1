import pytest

from generator.cluster import Cluster
from generator.manifests.rbac import (
    Subject,
    environment_rules,
    hub_rules,
    role_manifests,
    self_check,
)
from generator.verify.subscriptions import subscriptions
from tests.fakes.apiserver import FakeApiServer
from tests.generator.verify.scene import expected, rendered

ACCOUNT = Subject("ServiceAccount", "gen-env", "gen-env")


def granted(rules, namespace):
    return {
        (rule.group, resource, verb)
        for rule in rules
        if rule.namespace == namespace
        for resource in rule.resources
        for verb in rule.verbs
    }


def test_every_collection_that_is_followed_is_granted_and_no_other():
    autoscaler = {"kind": "HorizontalPodAutoscaler", "metadata": {"name": "x"}}
    daemon = {"kind": "DaemonSet", "metadata": {"name": "x"}}
    external = {"kind": "ExternalSecret", "metadata": {"name": "x"}}
    promise = expected(manifests=(*rendered(), autoscaler, daemon, external))
    rules = (*environment_rules("data"), *hub_rules("argocd", ["staging"]))
    needed = {
        (item.namespace, item.resource.group, item.resource.plural, verb)
        for item in subscriptions(promise, None, None)
        for verb in ("list", "watch")
    }
    given = {
        (namespace, *entry)
        for namespace in ("data", "argocd")
        for entry in granted(rules, namespace)
    }
    assert given == needed | {("data", "", "pods/log", "get")}


def test_nothing_is_written_and_no_secret_is_read():
    rules = (
        *environment_rules("data", proxied=["a:http"]),
        *hub_rules("argocd", ["staging"]),
    )
    for rule in rules:
        assert set(rule.verbs) <= {"get", "list", "watch"}
        assert "secrets" not in rule.resources
        assert "*" not in (rule.group, *rule.resources, *rule.verbs)


def test_only_the_named_applications_and_services_are_granted():
    (hub,) = hub_rules("argocd", ["staging", "dev", "dev"])
    assert hub.names == ("dev", "staging")
    assert hub_rules("argocd", []) == ()
    proxied = environment_rules("data", proxied=["airflow-api-server:api-server"])[-1]
    assert proxied.as_policy() == {
        "apiGroups": [""],
        "resources": ["services/proxy"],
        "verbs": ["get"],
        "resourceNames": ["airflow-api-server:api-server"],
    }


def test_each_namespace_gets_a_role_and_its_binding():
    rules = (*hub_rules("argocd", ["staging"]), *environment_rules("data"))
    manifests = role_manifests(rules, ACCOUNT)
    assert [(item["kind"], item["metadata"]["namespace"]) for item in manifests] == [
        ("Role", "argocd"),
        ("RoleBinding", "argocd"),
        ("Role", "data"),
        ("RoleBinding", "data"),
    ]
    role, binding = manifests[2:]
    assert len(role["rules"]) == len(environment_rules("data"))
    assert binding["roleRef"]["name"] == role["metadata"]["name"] == "gen-env-verify"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "gen-env", "namespace": "gen-env"}
    ]


def test_a_person_or_a_group_may_hold_the_role():
    rules = hub_rules("argocd", ["staging"])
    _, binding = role_manifests(rules, Subject("Group", "oncall"), name="gen-env-oncall")
    assert binding["metadata"]["name"] == "gen-env-oncall"
    assert binding["subjects"][0] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Group",
        "name": "oncall",
    }


@pytest.fixture
def server():
    with FakeApiServer() as fake:
        yield fake


def test_the_self_check_names_what_is_missing_in_words(server, tmp_path):
    cluster = Cluster.connect(kubeconfig=server.kubeconfig(tmp_path))
    rules = (*environment_rules("data"), *hub_rules("argocd", ["staging"]))
    assert self_check(cluster, rules) == []

    server.denied = {("watch", "applications"), ("get", "pods/log"), ("list", "sealedsecrets")}
    assert [str(missing) for missing in self_check(cluster, rules)] == [
        "cannot watch applications.argoproj.io staging in namespace argocd",
        "cannot get pods/log in namespace data",
        "cannot list sealedsecrets.bitnami.com in namespace data",
    ]
    cluster.close()
