import pytest

from tests.generator.impact.builders import claim, config, found, manifest, workload

REPLACE = {"argocd.argoproj.io/sync-options": "Force=true,Replace=true"}
HOOK = {"argocd.argoproj.io/hook": "Sync"}


def job(command, annotations=None, **spec):
    template = {"spec": {"containers": [{"name": "c", "args": [command]}]}}
    metadata = {"annotations": annotations or {}}
    return manifest("batch/v1", "Job", "j", metadata=metadata, spec={"template": template, **spec})


def service(address):
    return manifest("v1", "Service", "s", spec={"clusterIP": address} if address else {})


def checked(port):
    spec = {"type": "LoadBalancer", "externalTrafficPolicy": "Local"}
    return manifest(
        "v1", "Service", "s", spec=spec | ({"healthCheckNodePort": port} if port else {})
    )


def binding(role):
    reference = {"kind": "Role", "name": role}
    return manifest("rbac.authorization.k8s.io/v1", "RoleBinding", "b", roleRef=reference)


def stateful(**spec):
    return workload("x", "StatefulSet", spec=spec)


def storage_class(**rest):
    return manifest("storage.k8s.io/v1", "StorageClass", "c", **rest)


def definition(scope="Namespaced", version="v1"):
    spec = {"group": "x", "scope": scope, "versions": [{"name": version, "storage": True}]}
    return manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "as.x", spec=spec)


def selecting(kind, **rest):
    return workload("x", kind, spec={"selector": {"matchLabels": {"a": "1"}, **rest}})


def placed(given):
    pod = {**given["spec"]["template"]["spec"], "nodeSelector": {"a": "1"}}
    return {**given, "spec": {**given["spec"], "template": {"spec": pod}}}


def priority(**rest):
    return manifest("scheduling.k8s.io/v1", "PriorityClass", "p", **rest)


def other_job(**spec):
    return manifest("batch.volcano.sh/v1alpha1", "Job", "j", spec=spec)


FROZEN = [
    (definition(), definition("Cluster"), "spec.scope"),
    (definition(), definition(version="v2"), "the stored version v1"),
    (job("a", ttlSecondsAfterFinished=9), job("b"), "fails unless its ttlSecondsAfterFinished"),
    (stateful(serviceName="a"), stateful(serviceName="b"), "spec.serviceName"),
    (
        stateful(volumeClaimTemplates=[{"a": 1}]),
        stateful(volumeClaimTemplates=[{"a": 2}]),
        "spec.volumeClaimTemplates",
    ),
    (
        stateful(selector={"matchLabels": {"a": "1"}}),
        stateful(selector={"matchLabels": {"a": "2"}}),
        "spec.selector",
    ),
    (
        workload("x", spec={"selector": {"matchLabels": {"a": "1"}}}),
        workload("x", spec={"selector": {"matchLabels": {"a": "2"}}}),
        "spec.selector",
    ),
    (job("a"), job("b"), "spec.template"),
    (job("a", suspend=True), job("b", suspend=True), "spec.template"),
    (job("a"), placed(job("a")), "spec.template"),
    (
        job("a", completionMode="Indexed", completions=2, parallelism=2),
        job("a", completionMode="Indexed", completions=3, parallelism=2),
        "spec.completions",
    ),
    (priority(), priority(preemptionPolicy="Never"), "preemptionPolicy"),
    (job("a", completions=1), job("a", completions=2), "spec.completions"),
    (service("10.0.0.1"), service("10.0.0.2"), "spec.clusterIP"),
    (service("10.0.0.1"), service("None"), "spec.clusterIP"),
    (checked(30_001), checked(30_002), "spec.healthCheckNodePort"),
    (job("a"), job("a", selector={}), "spec.selector"),
    (storage_class(), storage_class(reclaimPolicy=""), "reclaimPolicy"),
    (service(""), service("None"), "spec.clusterIP"),
    (claim(storage_class="a"), claim(storage_class="b"), "spec.storageClassName"),
    (storage_class(provisioner="a"), storage_class(provisioner="b"), "provisioner"),
    (binding("a"), binding("b"), "roleRef"),
    (config({"a": "1"}, immutable=True), config({"a": "2"}, immutable=True), "data"),
    (manifest("v1", "Secret", "s", type="a"), manifest("v1", "Secret", "s", type="b"), "type"),
    (
        manifest("scheduling.k8s.io/v1", "PriorityClass", "p", value=1),
        manifest("scheduling.k8s.io/v1", "PriorityClass", "p", value=2),
        "value",
    ),
]


@pytest.mark.parametrize(("base", "head", "field"), FROZEN)
def test_a_frozen_field_fails_the_sync(base, head, field):
    (item,) = found([base], [head], "immutable")
    assert item.severity == "error" and field in item.message
    assert found([base], [base], "immutable") == []


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (stateful(replicas=1), stateful(replicas=2)),
        (stateful(), stateful(podManagementPolicy="")),
        (job("a"), job("a", ttlSecondsAfterFinished=300)),
        (service("10.0.0.1"), service("")),
        (checked(30_001), checked(None)),
        (storage_class(), storage_class(reclaimPolicy="Delete")),
        (config({"a": "1"}), config({"a": "2"})),
        (config({"a": "1"}), config({"a": "1"}, immutable=True)),
        (claim("1Gi"), claim("2Gi")),
        (manifest("v1", "Secret", "s"), manifest("v1", "Secret", "s", type="Opaque")),
        (
            job("a", completionMode="Indexed", completions=2, parallelism=2),
            job("a", completionMode="Indexed", completions=3, parallelism=3),
        ),
        (job("a", suspend=True), placed(job("a"))),
        (selecting("Deployment"), selecting("Deployment", matchExpressions=[])),
        (selecting("StatefulSet"), selecting("StatefulSet", matchExpressions=[])),
        (priority(), priority(preemptionPolicy="PreemptLowerPriority")),
        (other_job(minAvailable=1), other_job(minAvailable=2)),
    ],
)
def test_a_free_field_does_not(base, head):
    assert found([base], [head], "immutable") == []


@pytest.mark.parametrize("annotations", [REPLACE, HOOK, {"helm.sh/hook": "post-install"}])
def test_an_object_that_is_made_anew_takes_any_change(annotations):
    base, head = job("a", annotations), job("b", annotations)
    assert found([base], [head], "immutable") == []
    assert bool(found([base], [head], "replaced")) == (annotations is REPLACE)


def test_a_hook_that_is_never_deleted_stays_frozen():
    policy = {**HOOK, "argocd.argoproj.io/hook-delete-policy": "HookFailed"}
    assert found([job("a", policy)], [job("b", policy)], "immutable")


@pytest.mark.parametrize(
    ("old", "new", "severity"), [("100Gi", "50Gi", "error"), ("50Gi", "0.1Ti", "info")]
)
def test_claims_shrink_and_grow(old, new, severity):
    (item,) = found([claim(old)], [claim(new)], "claim-size")
    assert item.severity == severity


def test_the_same_size_in_other_words_is_no_change():
    assert found([claim("1Gi")], [claim("1024Mi")], "claim-size") == []
