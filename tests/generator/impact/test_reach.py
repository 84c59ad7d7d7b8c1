"""What a change lets an environment do beyond itself."""

import pytest

from generator.kube.resource import Key
from tests import hostile
from tests.generator.impact.builders import config, found, manifest, workload

BASE = [workload("scheduler", image="registry.example.com/airflow:1"), config({"a": "b"})]
OWN = manifest(
    "argoproj.io/v1alpha1",
    "Application",
    "airflow-dev",
    metadata={"namespace": "argocd"},
    spec={
        "sources": [
            {"repoURL": "https://charts.example.com"},
            {"repoURL": "https://git.example.com"},
        ]
    },
)
KEY = Key("argoproj.io", "Application", "argocd", "airflow-dev")


def severities(head, base=BASE, **facts):
    findings = found(base, [*base, *head] if base else head, None, facts, facts)
    return {item.rule.removeprefix("impact/"): item.severity.value for item in findings}


def test_a_workload_that_is_added_and_its_registry_are_named():
    rules = severities([workload("extra", kind="Job", image="evil.example.org/x:1")])
    assert rules["workload-added"] == rules["image-registry"] == "warning"
    known = severities([workload("extra", kind="Job", image="registry.example.com/other:1")])
    assert "workload-added" in known and "image-registry" not in known


@pytest.mark.parametrize("image", ["busybox", "library/busybox:1", "apache/airflow@sha256:0"])
def test_an_image_without_a_host_comes_from_docker_hub(image):
    rules = severities([workload("extra", image=image)])
    assert "image-registry" in rules
    assert "image-registry" not in severities(
        [workload("x", image=image)], [workload("a", image="b/c:1")]
    )


def test_a_new_environment_is_no_news_of_its_own():
    rules = severities([workload("scheduler"), *hostile_rbac()], base=[])
    assert not {"workload-added", "image-registry", "rbac-object"} & set(rules)
    assert rules["cluster-wide"] == "warning"


def hostile_rbac():
    return [hostile.KINDS["cluster role binding"], hostile.KINDS["role binding"]]


@pytest.mark.parametrize(
    "pod",
    [
        {"hostNetwork": True},
        {"hostPID": True},
        {"hostIPC": True},
        {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]},
        {"container_securityContext": {"privileged": True}},
        {"initContainers": [{"name": "i", "image": "x", "securityContext": {"privileged": True}}]},
    ],
)
def test_a_way_to_the_node_stops_a_merge_where_it_is_new(pod):
    reaching = workload("scheduler", image="registry.example.com/airflow:1", **pod)
    (finding,) = found(BASE, [reaching, BASE[1]], "node-access")
    assert finding.severity.value == "error" and finding.resource.name == "airflow-scheduler"
    assert not found([reaching], [reaching], "node-access")
    assert found([], [reaching], "node-access"), "in a new environment too"


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("job elsewhere", "foreign-namespace"),
        ("application", "argocd-object"),
        ("project", "argocd-object"),
        ("cluster role binding", "cluster-wide"),
        ("crd", "cluster-wide"),
        ("webhook", "cluster-wide"),
    ],
)
def test_an_object_that_reaches_further_stops_a_merge(kind, rule):
    rules = severities([hostile.KINDS[kind]])
    assert rules[rule] == "error"


def test_rights_inside_the_namespace_are_worth_a_warning():
    assert severities([hostile.KINDS["role binding"]])["rbac-object"] == "warning"


def test_the_environments_own_application_is_no_stranger():
    rules = severities([OWN], application=KEY)
    assert not {"argocd-object", "foreign-namespace", "application-source"} & set(rules)


def test_an_application_that_reads_from_elsewhere_stops_a_merge():
    sources = [*OWN["spec"]["sources"], {"repoURL": "https://evil.example.org/x"}]
    changed = {**OWN, "spec": {"sources": sources}}
    facts = {"application": KEY}
    (finding,) = found([OWN], [changed], "application-source", facts, facts)
    assert finding.severity.value == "error" and "evil.example.org" in finding.message
    assert not found([changed], [OWN], "application-source", facts, facts)
