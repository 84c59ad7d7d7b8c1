"""The table of fields: each row speaks, and lets good objects pass.

Whether a row is right is asked of a real API server: `tests/cluster/test_fields.py`.
"""

from pathlib import Path

import pytest

from generator.kube.pods import containers, pod_templates
from generator.lint.objects import api_server, field_checks, field_pairs, kubernetes_schema
from generator.lint.objects.context import Context, RenderedInput
from generator.lint.objects.field_table import faults
from generator.lint.objects.kind_rows import EVERY, KINDS
from generator.lint.objects.pod_rows import CONTAINER, POD
from generator.yaml.manifests import load_manifests
from tests.generator.lint.mutations import mutated, mutations

(OBJECTS,) = load_manifests(Path(__file__).with_name("whole_objects.yaml").read_bytes())


def rules(manifest):
    return [item.rule for item in api_server.problems(RenderedInput((manifest,), Context()))]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_object_with_nearly_every_field_is_let_pass(name):
    assert rules(OBJECTS[name]) == []
    assert list(kubernetes_schema.problems([OBJECTS[name]], "1.34")) == []


TABLES = {**KINDS, "pod": POD, "container": CONTAINER, "every": EVERY}


@pytest.mark.thorough
def test_each_row_is_broken_by_some_change():
    """A row of several kinds by a change of one of them; sizes are tried below."""
    rest = {_key(*row) for rows in TABLES.values() for row in rows.items()}
    for manifest in OBJECTS.values():
        for path, value in mutations(manifest):
            for kind, item in _judged(mutated(manifest, path, value)):
                rows = {row: c for row, c in TABLES[kind].items() if _key(row, c) in rest}
                rest -= {_key(*row) for row in rows.items() if list(faults(item, dict([row])))}
    rest = {name for name, check in rest if check != id(field_pairs.size)}
    # A sign of equality, two fields at once, and what no change is about.
    assert rest == {"prefix", "podAffinityTerm", "namespace"}


def _key(path, checks):
    return path.rpartition(".")[2], id(checks)


def _judged(manifest):
    yield from (("every", manifest), (manifest["kind"], manifest))
    for template in pod_templates([manifest]):
        yield "pod", template.spec
        yield from (("container", item) for _, item in containers(template.spec))


@pytest.mark.parametrize("value", [None, "text", 3, True, [1], [[]], {}, {"a": 1}])
def test_a_value_of_another_type_is_left_to_the_schema(value):
    for rows in TABLES.values():
        list(faults(value, rows))
        for path in rows:
            inner = value
            for name in reversed(path.split(".") if path else []):
                inner = [inner] if name == "*" else {name: inner}
            list(faults(inner, rows))


def test_without_a_database_of_time_zones_none_is_called_wrong(monkeypatch):
    assert field_checks.time_zone("Europe/Nowhere")
    monkeypatch.setattr(field_checks, "_zones", frozenset)
    assert field_checks.time_zone("Europe/Nowhere") == ""
    assert field_checks.time_zone("") != ""


def test_kinds_of_others_with_the_same_name_are_left_alone():
    service = {"apiVersion": "serving.knative.dev/v1", "kind": "Service"}
    assert rules({**service, "metadata": {"name": "web"}, "spec": {"type": "x"}}) == []


def test_content_above_a_mebibyte_is_refused_and_named_by_its_size_alone():
    assert field_pairs.size({"data": {"a": "x" * 1_048_576}}) == ""
    assert field_pairs.size({"data": {"a": "x" * 1_048_577}}) == "holds more than 1 MiB"
    assert (
        field_pairs.size({"kind": "Secret", "stringData": {"a": "x" * 1_048_577}})
        == "holds more than 1 MiB"
    )


CONTAINERS = [{"name": "c", "image": "r/x:1"}]


def job(**spec):
    pod = {"spec": {"restartPolicy": "Never", "containers": CONTAINERS}}
    return object_of("batch/v1", "Job", {"template": pod, **spec})


def object_of(version, kind, spec, **rest):
    metadata = {"name": "a", **rest.pop("metadata", {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec, **rest}


def pod_of(container=(), **spec):
    (first,) = CONTAINERS
    return object_of("v1", "Pod", {"containers": [{**first, **dict(container)}], **spec})


def variable(source):
    return pod_of({"env": [{"name": "A", "valueFrom": source}]})


def update(**strategy):
    labels = {"app": "a"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": CONTAINERS}}
    spec = {"selector": {"matchLabels": labels}, "template": template}
    return object_of("apps/v1", "DaemonSet", {**spec, "updateStrategy": strategy})


def on_nodes(operator, value, *, wish=False):
    term = {"matchExpressions": [{"key": "disk", "operator": operator, "values": [value]}]}
    rule = "DuringSchedulingIgnoredDuringExecution"
    if wish:
        return {"nodeAffinity": {f"preferred{rule}": [{"weight": 1, "preference": term}]}}
    return {"nodeAffinity": {f"required{rule}": {"nodeSelectorTerms": [term]}}}


def failing(container):
    return {"action": "Count", "onExitCodes": {**ON_EXIT, "containerName": container}}


def scaled(kind):
    """An External metric may not have a value and an average, one of Pods may."""
    target = {"type": "AverageValue", "value": "1", "averageValue": "1"}
    metric = {"type": kind, kind.lower(): {"metric": {"name": "m"}, "target": target}}
    of = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}
    spec = {"maxReplicas": 2, "scaleTargetRef": of, "metrics": [metric]}
    return object_of("autoscaling/v2", "HorizontalPodAutoscaler", spec)


ON_EXIT = {"operator": "In", "values": [1]}
PEERS = [
    {"ipBlock": None, "podSelector": {}},
    {"ipBlock": {"cidr": "fd00::/8"}, "podSelector": None},
]
TAKEN = [
    object_of("v1", "ConfigMap", None, binaryData={"a": "aGVsbG8g\nd29ybGQ=\n"}),
    variable({"resourceFieldRef": {"resource": "limits.hugepages-2Mi", "divisor": "1Mi"}}),
    variable({"fieldRef": {"fieldPath": "spec.host"}}),
    pod_of({"env": [{"name": "..a", "value": "b"}]}),
    pod_of(hostAliases=[{"ip": "010.001.000.00", "hostnames": ["a"]}]),
    pod_of(initContainers=[{"name": "d", "image": "r/x:1", "restartPolicy": "OnFailure"}]),
    pod_of(tolerations=[{"key": "a", "operator": "Gt", "value": "3"}]),
    pod_of(resourceClaims=[{"name": "a", "source": {"resourceClaimName": "b"}}]),
    job(completionMode="Indexed"),
    job(managedBy="example.com/a/b"),
    job(
        podFailurePolicy={
            "rules": [
                {"action": "Ignore", "onExitCodes": ON_EXIT, "onPodConditions": []},
                {"action": "Ignore", "onPodConditions": [{"type": "A", "status": ""}]},
            ]
        }
    ),
    update(type="OnDelete", rollingUpdate={"maxSurge": 1}),
    pod_of(dnsConfig={"searches": [".", "a.b.", "_tcp.example.com"]}),
    pod_of(affinity=on_nodes("In", "ssd")),
    pod_of(affinity=on_nodes("In", "Not a Value!", wish=True)),
    job(podFailurePolicy={"rules": [failing(CONTAINERS[0]["name"])]}),
    scaled("Pods"),
    object_of(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        {},
        metadata={"finalizers": ["customresourcecleanup.apiextensions.k8s.io"]},
    ),
    object_of("networking.k8s.io/v1", "NetworkPolicy", {"ingress": [{"from": PEERS}]}),
    object_of("batch.tutorial.kubebuilder.io/v1", "CronJob", {"schedule": "0 */5 * * * *"}),
]


@pytest.mark.parametrize("manifest", TAKEN)
def test_what_a_server_of_some_version_takes_is_let_pass(manifest):
    assert rules(manifest) == []


@pytest.mark.parametrize(
    "manifest",
    [
        object_of("v1", "ConfigMap", None, binaryData={"a": "a b"}),
        variable({"resourceFieldRef": {"resource": "limits.pods"}}),
        pod_of(hostAliases=[{"ip": "010.001.002", "hostnames": ["a"]}]),
        pod_of(resourceClaims=[{"name": "a"}]),
        job(completionMode="Indexed", parallelism=2),
        job(podFailurePolicy={"rules": [failing("nobody")]}),
        pod_of(dnsConfig={"searches": ["Not a Name!"]}),
        pod_of(affinity=on_nodes("In", "Not a Value!")),
        pod_of(securityContext={"appArmorProfile": {"type": "Localhost", "localhostProfile": ""}}),
        pod_of(activeDeadlineSeconds=2**31),
        scaled("External"),
        job(managedBy="example.com"),
        update(type="RollingUpdate", rollingUpdate={"maxSurge": 1}),
        object_of("networking.k8s.io/v1", "NetworkPolicy", {"ingress": [{"from": [{}]}]}),
        object_of("batch/v1", "CronJob", {"schedule": "0 */5 * * * *"}),
    ],
)
def test_what_is_near_to_it_is_refused(manifest):
    assert rules(manifest)
