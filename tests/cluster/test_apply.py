"""What the samples give the cluster, against a real API server."""

import copy
from pathlib import Path

import pytest

from generator.cluster import Cluster
from generator.kube import resource
from generator.verify.drift import drift
from generator.yaml.manifests import load_manifests
from tests.cluster.plane import ADMIN, READER
from tests.cluster.samples import COMPANIES, NAMES, ensure_namespace, placed
from tests.generator.impact.builders import found, scaler, workload
from tests.generator.lint import entry_cases

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("name", (*NAMES, *COMPANIES))
def test_the_server_takes_every_object_and_a_second_apply_changes_nothing(
    real_plane, definitions, samples, name
):
    namespace, manifests = samples[name]
    for hub in ("argocd", "openshift-gitops"):
        ensure_namespace(real_plane, hub)
    first = {}
    for manifest in manifests:
        if manifest["kind"] in ("Job", "StatefulSet"):
            # Left by the same environment on the other chart; their templates cannot change.
            path = real_plane.path(placed(manifest, namespace))
            real_plane.call("DELETE", f"{path}?propagationPolicy=Background")
        first[str(resource.key_of(manifest, namespace))] = real_plane.apply(
            placed(manifest, namespace)
        )["metadata"]["resourceVersion"]
    assert len(first) == len(manifests)
    for manifest in manifests:
        again = real_plane.apply(placed(manifest, namespace))["metadata"]["resourceVersion"]
        assert again == first[str(resource.key_of(manifest, namespace))]


def test_planted_drift_is_found_and_nothing_else(real_plane, definitions, samples, tmp_path):
    namespace, manifests = samples["dev"]
    ensure_namespace(real_plane, "argocd")
    wanted = [placed(item, namespace) for item in manifests if item["kind"] != "Application"]
    for manifest in wanted:
        real_plane.apply(manifest, manager="argocd-controller")
    kubeconfig = real_plane.kubeconfig(tmp_path / "config", token=ADMIN)
    cluster = Cluster.connect("plane", kubeconfig=str(kubeconfig))
    try:
        for dry_run in (True, False):
            assert drift(cluster, wanted, namespace=namespace, dry_run=dry_run) == []
        scheduler = next(
            item
            for item in wanted
            if item["metadata"]["name"] == "airflow-scheduler"
            and item["kind"] in ("Deployment", "StatefulSet")
        )
        real_plane.merge_patch(real_plane.path(scheduler), {"spec": {"replicas": 5}})
        for dry_run in (True, False):
            found = drift(cluster, wanted, namespace=namespace, dry_run=dry_run)
            assert [item.key.name for item in found] == ["airflow-scheduler"]
            assert "replicas" in found[0].diff
    finally:
        cluster.close()


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
@pytest.mark.parametrize(
    ("case", "stored"), [("alone", 1), ("the same number by another", 3), ("kept by Argo CD", 3)]
)
def test_the_number_that_the_impact_of_a_new_autoscaler_names_is_stored(
    real_plane, kind, case, stored
):
    """Argo CD applies without `replicas`, or with the live number that it ignores."""
    ensure_namespace(real_plane, "scaled")
    fixed = workload("worker", kind, replicas=3)
    name = f"{kind}-{case}".lower().replace(" ", "-")
    fixed["metadata"] = {"name": f"airflow-{name}", "namespace": "scaled"}
    head = copy.deepcopy(fixed)
    del head["spec"]["replicas"]
    if kind == "StatefulSet":
        fixed["spec"]["serviceName"] = head["spec"]["serviceName"] = "worker"
    path = real_plane.path(fixed)
    real_plane.apply(fixed, manager="argocd-controller")
    if case == "the same number by another":
        own = {key: fixed[key] for key in ("apiVersion", "kind", "metadata")}
        real_plane.apply({**own, "spec": {"replicas": 3, **_required(fixed)}}, manager="kubectl")
    if case == "kept by Argo CD":
        head["spec"]["replicas"] = real_plane.get(path)["spec"]["replicas"]
    assert real_plane.apply(head, manager="argocd-controller")["spec"]["replicas"] == stored
    autoscaler = scaler(name, 2, 9, kind)
    autoscaler["metadata"]["namespace"] = "scaled"
    findings = found([fixed], [head, autoscaler], "autoscaler-starts")
    assert bool(findings) is (case != "kept by Argo CD")
    for item in findings:
        assert "is not kept unless another field manager set it too" in item.message


def _required(manifest):
    """What an apply has to name for a new field manager to be taken."""
    names = ("selector", "template", "serviceName")
    return {name: manifest["spec"][name] for name in names if name in manifest["spec"]}


def test_the_generated_roles_suffice_and_the_same_token_gets_nothing_else(
    real_plane, definitions, tmp_path
):
    from generator.manifests import rbac

    namespace = "airflow-roles"
    for name in (namespace, "argocd"):
        ensure_namespace(real_plane, name)
    rules = (
        *rbac.environment_rules(namespace),
        *rbac.hub_rules("argocd", ["airflow-roles"]),
    )
    kubeconfig = real_plane.kubeconfig(tmp_path / "config", token=READER)
    cluster = Cluster.connect("plane", kubeconfig=str(kubeconfig))
    try:
        assert rbac.self_check(cluster, rules) != []
        for manifest in rbac.role_manifests(rules, rbac.Subject("User", "gen-env")):
            real_plane.apply(dict(manifest))
        assert rbac.self_check(cluster, rules) == []
    finally:
        cluster.close()
    for method, path in (
        ("GET", f"/api/v1/namespaces/{namespace}/secrets"),
        ("GET", "/api/v1/namespaces/kube-system/pods"),
        ("DELETE", f"/api/v1/namespaces/{namespace}"),
        ("GET", "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"),
        ("GET", "/api/v1/nodes"),
    ):
        status, _ = real_plane.call(method, path, token=READER)
        assert status == 403, path
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    status, _ = real_plane.call(
        "POST", f"/api/v1/namespaces/{namespace}/configmaps", body, token=READER
    )
    assert status == 403


GOLDEN = Path(__file__).resolve().parent.parent / "golden"


@pytest.mark.parametrize("name", ["gateway", "openshift"])
def test_the_server_adds_nothing_to_a_way_in(real_plane, definitions, name):
    """A default that the server writes into a list would be out of sync for ever."""
    (file,) = (GOLDEN / name).glob("environments/*/generated/manifests/routes.yaml")
    (manifest,) = load_manifests(file.read_bytes())
    ensure_namespace(real_plane, manifest["metadata"]["namespace"])
    assert real_plane.apply(manifest)["spec"] == manifest["spec"]


def test_the_server_refuses_what_the_definition_does(real_plane, definitions):
    (file,) = (GOLDEN / "gateway").glob("environments/*/generated/manifests/routes.yaml")
    (route,) = load_manifests(file.read_bytes())
    ensure_namespace(real_plane, route["metadata"]["namespace"])
    (parent,) = route["spec"]["parentRefs"]
    whole = {key: value for key, value in parent.items() if key != "sectionName"}
    for parents in ([parent, parent], [parent, whole]):
        again = {**route, "spec": {**route["spec"], "parentRefs": parents}}
        assert real_plane.try_apply(again)[0] == 422
    for path in ("x", "/a//b", "/a/../b", "/a/."):
        rules = [{"matches": [{"path": {"type": "PathPrefix", "value": path}}]}]
        again = {**route, "spec": {**route["spec"], "rules": rules}}
        assert real_plane.try_apply(again)[0] == 422, path


def test_the_server_refuses_and_takes_fields_as_the_rule_says(real_plane):
    wrong = []
    for cases, taken in ((entry_cases.REFUSED, False), (entry_cases.TAKEN, True)):
        for manifest in cases:
            placed = {**manifest, "metadata": {"name": "web", "namespace": "default"}}
            path = real_plane.path(placed).rpartition("/")[0]
            status, answer = real_plane.call("POST", f"{path}?dryRun=All", placed)
            if (status == 201) is not taken:
                wrong.append((manifest["kind"], manifest["spec"], answer.get("message")))
    assert wrong == []
