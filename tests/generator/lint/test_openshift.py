"""What OpenShift's restricted-v2 refuses, and that it takes gen-env's own pods."""

import pytest
import yaml

from generator.lint.objects.openshift import problems
from tests.generator.impact.builders import manifest, workload
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, repository

SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
OPENSHIFT = SETTINGS + "    openshift: true\n"


def found(context=None, *others, **pod):
    work = workload("web", container_securityContext=context or {}, **pod)
    return [(item.severity.value, item.message) for item in problems([work, *others])]


def test_what_a_pod_leaves_open_openshift_fills_in():
    assert found() == [] and found(SAFE) == []
    volumes = [{"name": kind, kind: {}} for kind in ("configMap", "csi", "emptyDir", "secret")]
    assert found(SAFE, volumes=volumes) == []


@pytest.mark.parametrize(
    ("context", "pod", "words"),
    [
        ({"runAsUser": 50_000}, {}, "runAsUser 50000 is outside"),
        ({"runAsUser": 0}, {}, "runAsUser 0 is outside"),
        ({}, {"securityContext": {"fsGroup": 0}}, "fsGroup 0 is outside"),
        ({}, {"securityContext": {"runAsUser": 50_000}}, "runAsUser 50000 is outside"),
        ({"privileged": True}, {}, "privileged"),
        ({"allowPrivilegeEscalation": True}, {}, "may gain privileges"),
        ({"capabilities": {"add": ["SYS_ADMIN"]}}, {}, "adds capabilities"),
        ({"seccompProfile": {"type": "Unconfined"}}, {}, "seccomp profile Unconfined"),
        ({"seccompProfile": {"type": "Localhost"}}, {}, "seccomp profile Localhost"),
        ({"seLinuxOptions": {"level": "s0:c1"}}, {}, "SELinux"),
        ({}, {"hostNetwork": True}, "the node's Network"),
        ({}, {"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, "volume of type hostPath"),
        ({}, {"volumes": [{"name": "v", "nfs": {}}]}, "volume of type nfs"),
        ({}, {"container_ports": [{"hostPort": 80}]}, "a port of the node"),
    ],
)
def test_what_a_pod_asks_for_itself_is_held_against_the_scc(context, pod, words):
    ((severity, message),) = found(context, **pod)
    assert severity == "error" and words in message
    assert ("(web)" in message) == bool(context or "container_ports" in pod)


def test_an_id_that_may_be_in_the_namespaces_range_is_not_called_refused():
    ((severity, message),) = found({"runAsUser": 1_000_650_000})
    assert severity == "warning" and "was not read" in message


def bound(account, scc="anyuid"):
    return manifest(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "scc",
        roleRef={"kind": "ClusterRole", "name": f"system:openshift:scc:{scc}"},
        subjects=[{"kind": "ServiceAccount", "name": account}],
    )


def test_a_pod_whose_account_is_bound_to_another_scc_is_left_out():
    root = {"runAsUser": 0}
    assert found(root, bound("web"), serviceAccountName="web") == []
    assert found(root, bound("web"), serviceAccountName="other") != []
    assert found(root, bound("default")) == []


def test_a_binding_to_restricted_v2_itself_allows_nothing_more():
    root = {"runAsUser": 0}
    assert found(root, bound("web", "restricted-v2"), serviceAccountName="web") != []


def judged(tmp_path, text, settings=OPENSHIFT):
    repo = repository(tmp_path, settings=settings)
    repo.definition(yaml.safe_load(text)["metadata"]["name"], text)
    assert repo.run("generate").code == 0
    report = repo.run("validate", "--output", "json").json
    return [item for item in report["problems"] if item["rule"] == "openshift/restricted-v2"]


SAMPLES = {"dev": DEV, "staging": STAGING, "production": PRODUCTION}


@pytest.mark.thorough
@pytest.mark.real_chart
@pytest.mark.usefixtures("official_chart")
@pytest.mark.parametrize("name", SAMPLES)
def test_openshift_takes_every_pod_of_the_official_chart(tmp_path, name):
    assert judged(tmp_path, SAMPLES[name]) == []


@pytest.mark.thorough
@pytest.mark.real_chart
@pytest.mark.usefixtures("official_chart")
def test_a_container_of_a_teams_own_is_found_on_openshift_and_left_alone_elsewhere(tmp_path):
    own = "{name: x, image: 'a:1', securityContext: {runAsUser: 65534}}"
    text = DEV + f"values: {{scheduler: {{extraContainers: [{own}]}}}}\n"
    (hit,) = judged(tmp_path / "a", text)
    assert "airflow-scheduler: runAsUser 65534" in hit["message"] and "(x)" in hit["message"]
    assert judged(tmp_path / "b", text, SETTINGS) == []
