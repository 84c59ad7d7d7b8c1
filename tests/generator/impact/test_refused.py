import pytest

from generator.kube.resource import key_of
from tests.generator.impact.builders import NAMESPACE, found, manifest, workload


def deployment(strategy, kind="Deployment", annotations=None):
    field = "strategy" if kind == "Deployment" else "updateStrategy"
    item = workload("x", kind, spec={field: strategy} if strategy else {})
    item["metadata"]["annotations"] = annotations or {}
    return item


SERVER_SIDE = {"argocd.argoproj.io/sync-options": "ServerSideApply=true"}
CLIENT_SIDE = {"argocd.argoproj.io/sync-options": "ServerSideApply=false"}
RECREATE = {"type": "Recreate"}
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}


@pytest.mark.parametrize(
    ("base", "head", "severity"),
    [
        (deployment(None), deployment({"type": "Recreate"}, annotations=SERVER_SIDE), "error"),
        (deployment(ROLLING), deployment({"type": "Recreate"}, annotations=SERVER_SIDE), "error"),
        (deployment(None), deployment({"type": "Recreate"}), "warning"),
        (deployment(None), deployment({**ROLLING, "type": "Recreate"}), "error"),
        (deployment(None), deployment({"type": "OnDelete"}), "error"),
        (
            deployment(None, "StatefulSet"),
            deployment({"type": "OnDelete"}, "StatefulSet", SERVER_SIDE),
            "error",
        ),
        (
            deployment(None, "StatefulSet"),
            deployment({"type": "Recreate"}, "StatefulSet"),
            "error",
        ),
    ],
)
def test_a_strategy_that_the_api_server_does_not_take_is_told(base, head, severity):
    (item,) = found([base], [head], "refused")
    assert item.severity == severity and "the sync fails" in item.message


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (deployment({"type": "Recreate"}), deployment(ROLLING)),
        (deployment(RECREATE), deployment(RECREATE, annotations={"a": "b"})),
        (deployment(None), deployment({"type": "Recreate"}, annotations=CLIENT_SIDE)),
        (deployment(None), deployment({"type": "Recreate", "rollingUpdate": None},
                                      annotations=CLIENT_SIDE)),
    ],
)  # fmt: skip
def test_a_strategy_that_it_takes_is_no_finding(base, head):
    assert found([base], [head], "refused") == []


def resources(cpu="1", memory="4Gi", **pod):
    limits = {"cpu": cpu, "memory": memory}
    return workload("x", container_resources={"limits": limits}, **pod)


def token(**rest):
    source = {"serviceAccountToken": {"path": "token", **rest}}
    return workload("x", volumes=[{"name": "v", "projected": {"sources": [source]}}])


def azure(**rest):
    share = {"secretName": "s", "shareName": "n", **rest}
    return workload("x", volumes=[{"name": "v", "azureFile": share}])


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (resources(), resources("1000m", "4096Mi")),
        (resources("2", "512"), resources(2, "0.5Ki")),
        (workload("x"), workload("x", terminationGracePeriodSeconds=30, restartPolicy="Always")),
        (workload("x"), workload("x", container_imagePullPolicy="IfNotPresent")),
        (
            workload("x", container_ports=[{"containerPort": 80}]),
            workload("x", container_ports=[{"containerPort": 80, "protocol": "TCP"}]),
        ),
        (
            workload("x", volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]),
            workload("x", volumes=[{"name": "v", "emptyDir": {"sizeLimit": "1024Mi"}}]),
        ),
        (
            workload("x", container_env=[{"name": "A"}]),
            workload("x", container_env=[{"name": "A", "value": ""}]),
        ),
        (
            workload("x", container_livenessProbe={"tcpSocket": {"port": 1}}),
            workload("x", container_livenessProbe={"tcpSocket": {"port": 1}, "periodSeconds": 10}),
        ),
        (token(), token(expirationSeconds=3600)),
        (azure(), azure(readOnly=False)),
    ],
)
def test_what_the_api_server_stores_alike_restarts_nothing(base, head):
    assert found([base], [head], "restart") == []


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (resources(), resources("1001m")),
        # The amount is the same and the text is not (history.EqualRevision).
        (resources(kind="StatefulSet"), resources(memory="4294967296", kind="StatefulSet")),
        (resources("1000", kind="DaemonSet"), resources("1e3", kind="DaemonSet")),
        (workload("x"), workload("x", affinity={})),
        (token(), token(expirationSeconds=7200)),
        (azure(), azure(readOnly=True)),
        (workload("x"), workload("x", container_imagePullPolicy="Always")),
        # A tag decides beside a digest too (kubernetes/pkg/util/parsers).
        (
            workload("x", image="r/a:latest@sha256:1"),
            workload("x", image="r/a:latest@sha256:1", container_imagePullPolicy="IfNotPresent"),
        ),
        (workload("x"), workload("x", terminationGracePeriodSeconds=31)),
    ],
)
def test_what_it_stores_otherwise_restarts_pods(base, head):
    assert found([base], [head], "restart")


def test_a_restart_names_only_what_really_differs():
    (item,) = found([resources()], [resources("1000m", image="r/airflow:3.2.2")], "restart")
    assert "image tag" in item.message and "resources" not in item.message


def stateful(**spec):
    return workload("x", "StatefulSet", spec=spec)


@pytest.mark.parametrize(
    ("version", "refused"), [("1.32.4", True), ("v1.33.0", False), (None, False)]
)
def test_a_revision_limit_is_frozen_by_older_clusters(version, refused):
    facts = {"kubernetes_version": version}
    items = found([stateful()], [stateful(revisionHistoryLimit=3)], "immutable", facts, facts)
    assert bool(items) == refused
    assert found([stateful()], [stateful(revisionHistoryLimit=10)], "immutable", facts, facts) == []


def claims(size):
    spec = {"resources": {"requests": {"storage": size}}, "volumeMode": "Filesystem"}
    return [{"metadata": {"name": "d"}, "spec": spec}]


def test_equal_sizes_of_claim_templates_are_no_change():
    base, head = stateful(volumeClaimTemplates=claims("1Gi")), claims("1024Mi")
    del head[0]["spec"]["volumeMode"]
    assert found([base], [stateful(volumeClaimTemplates=head)], "immutable") == []


def job(command, options="", **annotations):
    given = {"argocd.argoproj.io/sync-options": options, **annotations}
    template = {"spec": {"containers": [{"name": "c", "args": [command]}]}}
    metadata = {"annotations": given}
    return manifest("batch/v1", "Job", "j", metadata=metadata, spec={"template": template})


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ("Replace=true", "immutable"),
        ("Force=true", "replaced"),
        ("Force=true,ServerSideApply=true", "immutable"),
        ("Force=true,Replace=true,ServerSideApply=true", "replaced"),
        ("", "immutable"),
    ],
)
def test_only_force_deletes_an_object_first(options, rule):
    items = found([job("a", options)], [job("b", options)])
    assert [item.rule for item in items if "immutable" in item.rule or "replaced" in item.rule] == [
        f"impact/{rule}"
    ]


def test_force_is_no_option_of_an_application():
    policy = {"syncOptions": ["Force=true", "Replace=true"]}
    own = manifest("argoproj.io/v1alpha1", "Application", "own", spec={"syncPolicy": policy})
    facts = {"application": key_of(own, NAMESPACE)}
    base, head = [own, job("a", "")], [own, job("b", "")]
    assert found(base, head, "immutable", facts, facts)
    assert not found(base, head, "replaced", facts, facts)


def test_a_definition_is_updated_and_not_replaced_by_force():
    def definition(scope):
        return manifest(
            "apiextensions.k8s.io/v1", "CustomResourceDefinition", "x",
            metadata={"annotations": {
                "argocd.argoproj.io/sync-options": "Force=true,Replace=true"}},
            spec={"group": "g", "scope": scope},
        )  # fmt: skip

    assert found([definition("Namespaced")], [definition("Cluster")], "immutable")


def test_a_hook_that_is_gone_after_its_success_is_no_existing_object():
    policy = {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "HookSucceeded",
    }
    assert found([job("a", **policy)], [job("b", **policy)], "immutable") == []
    assert found([job("a", **policy)], [job("b", **policy)], "replaced") == []


def test_a_cluster_address_that_is_left_out_stays():
    def service(**spec):
        return manifest("v1", "Service", "s", spec=spec)

    assert found([service(clusterIP="None")], [service()], "immutable") == []
    assert found([service(clusterIP="10.0.0.1")], [service()], "immutable") == []
    assert found([service()], [service(clusterIP="10.0.0.1")], "immutable")
    external = service(type="ExternalName")
    assert found([external], [service(clusterIP="10.0.0.1")], "immutable") == []


def test_several_objects_of_one_cause_are_one_finding():
    base = [workload(name) for name in ("scheduler", "api-server", "dag-processor")]
    head = [workload(name, image="r/airflow:3.2.2") for name in
            ("scheduler", "api-server", "dag-processor")]  # fmt: skip
    (item,) = found(base, head, "restart")
    assert "1 pod of scheduler" in item.message and "1 pod of api-server" in item.message
    assert len(item.also) == 2 and item.as_json()["also"]


def test_a_tag_beside_the_same_digest_is_no_new_image():
    base, head = (workload("x", image=f"r/airflow:{tag}@sha256:a") for tag in ("1", "2"))
    (item,) = found([base], [head], "image")
    assert "is the same image" in item.message
    (item,) = found([base], [head], "restart")
    assert "which is the same image by its digest" in item.message
