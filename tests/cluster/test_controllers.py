"""What the prediction score reads off stored objects, against what controllers do with the pods."""

import copy

import pytest

from tests.cluster import process
from tests.cluster.fidelity.observation import rolls
from tests.cluster.samples import ensure_namespace

pytestmark = pytest.mark.nightly

SPACE = "controlled"
_PROBE = {"tcpSocket": {"port": 80}, "failureThreshold": 3}
_CONTAINER = {
    "name": "web",
    "image": "web:1",
    "livenessProbe": _PROBE,
    "ports": [{"containerPort": 80}],
}
# What the change puts into the object: by name of the case, (path, value) pairs.
_IN_POD = ("spec", "template", "spec")
_FIRST = (*_IN_POD, "containers", 0)
CHANGES = {
    "image": [((*_FIRST, "image"), "web:2")],
    "variable": [((*_FIRST, "env"), [{"name": "A", "value": "b"}])],
    "label-of-pods": [(("spec", "template", "metadata", "labels", "b"), "c")],
    "note-on-pods": [(("spec", "template", "metadata", "annotations"), {"checksum": "1"})],
    "note-on-itself": [(("metadata", "annotations"), {"checksum": "1"})],
    "more-time": [((*_IN_POD, "terminationGracePeriodSeconds"), 60)],
    "service-links": [((*_IN_POD, "enableServiceLinks"), True)],
    "default-time": [((*_IN_POD, "terminationGracePeriodSeconds"), 30)],
    "default-pull": [((*_FIRST, "imagePullPolicy"), "IfNotPresent")],
    "default-protocol": [((*_FIRST, "ports", 0, "protocol"), "TCP")],
    "probe-at-zero": [((*_FIRST, "livenessProbe", "failureThreshold"), 0)],
    "empty-list": [((*_FIRST, "env"), [])],
    "equal-amount": [((*_FIRST, "resources"), {"requests": {"cpu": "1000m"}})],
    "history": [(("spec", "revisionHistoryLimit"), 3)],
    "slower": [(("spec", "minReadySeconds"), 1)],
}
_WAITING = {
    "Deployment": {"paused": [(("spec", "paused"), True), *CHANGES["image"]]},
    "StatefulSet": {
        "partition": [
            (("spec", "updateStrategy"), {"rollingUpdate": {"partition": 1}}),
            *CHANGES["image"],
        ],
        "on-delete": CHANGES["image"],
    },
    "DaemonSet": {"on-delete": CHANGES["image"]},
}


def _workload(kind, case):
    labels = {"case": f"{kind}-{case}".lower()}
    container = copy.deepcopy(_CONTAINER)
    if case == "equal-amount":
        container["resources"] = {"requests": {"cpu": "1"}}
    template = {"metadata": {"labels": {**labels}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    if kind != "DaemonSet":
        spec["replicas"] = 1
    if kind == "StatefulSet":
        spec["serviceName"] = "web"
    if case == "on-delete":
        spec["updateStrategy"] = {"type": "OnDelete"}
    metadata = {"name": labels["case"], "namespace": SPACE}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": spec}


def _changed(manifest, lines):
    result = copy.deepcopy(manifest)
    for path, value in lines:
        target = result
        for name in path[:-1]:
            target = target[name]
        target[path[-1]] = value
    return result


def _pods(bed):
    """By case the identities of its pods that are not on their way out."""
    found = {}
    for pod in bed.get(f"/api/v1/namespaces/{SPACE}/pods")["items"]:
        if "deletionTimestamp" not in pod["metadata"]:
            case = pod["metadata"]["labels"]["case"]
            found.setdefault(case, set()).add(pod["metadata"]["uid"])
    return found


def _is_rolled_out(bed, manifest):
    """Its controller has seen the object, and has nothing more to do."""
    live = bed.get(bed.path(manifest))
    status, spec = live["status"], live["spec"]
    if status.get("observedGeneration") != live["metadata"]["generation"]:
        return False
    if spec.get("paused") or (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return True
    if manifest["kind"] == "DaemonSet":
        wanted, updated = status["desiredNumberScheduled"], status.get("updatedNumberScheduled", 0)
        return wanted == updated == status.get("numberAvailable", 0) > 0
    held = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition") or 0
    updated = status.get("updatedReplicas", 0) >= spec["replicas"] - held
    count = status.get("replicas") == status.get("availableReplicas") == spec["replicas"]
    return updated and count


def test_pods_are_replaced_by_the_controllers_where_the_score_says_so(bed):
    """All cases at once: what is replaced in the end is also the time that the others had."""
    ensure_namespace(bed, SPACE)
    cases = [
        (_workload(kind, case), lines)
        for kind, more in _WAITING.items()
        for case, lines in {**CHANGES, **more}.items()
    ]
    before = {manifest["metadata"]["name"]: bed.apply(manifest) for manifest, _ in cases}
    _settle(bed, [manifest for manifest, _ in cases])
    pods = _pods(bed)
    assert pods.keys() == before.keys()
    heads = [_changed(manifest, lines) for manifest, lines in cases]
    after = {manifest["metadata"]["name"]: bed.apply(manifest) for manifest in heads}
    _settle(bed, heads)
    process.until(
        lambda: len(set().union(*_pods(bed).values())) == len(set().union(*pods.values())),
        "as many pods as before",
    )
    now = _pods(bed)
    replaced = {name for name in before if now[name].isdisjoint(pods[name])}
    assert replaced == {name for name in before if rolls(before[name], after[name])}
    assert all(now[name] == pods[name] for name in before.keys() - replaced)
    assert {name.partition("-")[2] for name in replaced} == {
        *("image", "variable", "label-of-pods", "note-on-pods", "more-time", "service-links")
    }


def _settle(bed, manifests):
    for manifest in manifests:
        name = manifest["metadata"]["name"]
        process.until(
            lambda it=manifest: _is_rolled_out(bed, it), f"the pods of {name}", seconds=240
        )


def test_pods_and_claims_go_with_what_is_pruned_as_the_score_says(bed):
    """`whenDeleted: Delete` takes the claims of a StatefulSet with it, and nothing else does."""
    ensure_namespace(bed, SPACE)
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    sets = []
    for case, policy in (("keeps", "Retain"), ("takes", "Delete")):
        manifest = _workload("StatefulSet", case)
        manifest["spec"]["volumeClaimTemplates"] = [claim]
        manifest["spec"]["persistentVolumeClaimRetentionPolicy"] = {"whenDeleted": policy}
        bed.apply(manifest)
        sets.append(manifest)
    _settle(bed, sets)
    for manifest in sets:
        bed.call("DELETE", f"{bed.path(manifest)}?propagationPolicy=Background")
    names = [manifest["metadata"]["name"] for manifest in sets]
    process.until(lambda: not _pods(bed).keys() & set(names), "pods that are gone")
    process.until(lambda: _claims(bed) == {"data-statefulset-keeps-0"}, "one claim of two")


def _claims(bed):
    found = bed.get(f"/api/v1/namespaces/{SPACE}/persistentvolumeclaims")["items"]
    return {
        item["metadata"]["name"] for item in found if "deletionTimestamp" not in item["metadata"]
    }
