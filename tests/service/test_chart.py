"""The chart that runs the service: what it renders to, by gen-env's own rules."""

import os
from pathlib import Path

import pytest

from generator.lint.objects import consistency, crd_schema, kubernetes_schema, pod_security
from generator.lint.objects.context import Context
from service.cli.main import main
from service.settings.resolve import load
from tests.service.chart import KUBERNETES, PLAIN, VALUES, answer, objects

SECRETS = dict.fromkeys(("gen-env-forge", "gen-env-database", "tls"))
CONTEXT = Context(namespace="gen-env", other_namespaces=("airflow-dev",), secrets=SECRETS)


@pytest.fixture(scope="module", params=VALUES)
def rendered(request, tmp_path_factory):
    return request.param, objects(tmp_path_factory.mktemp("chart"), VALUES[request.param])


def of(manifests, kind):
    return {item["metadata"]["name"]: item for item in manifests if item["kind"] == kind}


@pytest.mark.few(1)
def test_the_objects_pass_what_gen_env_asks_of_an_environment(rendered):
    _, manifests = rendered
    assert list(pod_security.problems(manifests, "restricted")) == []
    assert list(kubernetes_schema.problems(manifests, KUBERNETES)) == []
    assert list(consistency.problems(manifests, CONTEXT)) == []
    if folder := os.environ.get("GEN_ENV_CRDS"):
        checked = crd_schema.check(manifests, Path(folder))
        assert (checked.problems, checked.not_done) == ((), ())


def test_sqlite_is_one_pod_on_a_volume_and_postgresql_is_several(rendered):
    database, manifests = rendered
    deployments = of(manifests, "Deployment")
    if database == "SQLite":
        [serve] = deployments.values()
        assert serve["spec"]["replicas"] == 1 and serve["spec"]["strategy"] == {"type": "Recreate"}
        assert list(of(manifests, "PersistentVolumeClaim")) == ["checks-data"]
        assert not of(manifests, "PodDisruptionBudget") and not of(manifests, "Job")
        return
    assert list(deployments) == ["checks-web", "checks-worker"]
    assert list(of(manifests, "PodDisruptionBudget")) == list(deployments)
    assert list(of(manifests, "HorizontalPodAutoscaler")) == list(deployments)
    # An autoscaler's number is not taken back by the next upgrade.
    assert not any("replicas" in item["spec"] for item in deployments.values())
    assert not of(manifests, "PersistentVolumeClaim")
    [job] = of(manifests, "Job").values()
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["migrate"] and "migrate" in main.commands
    assert container["env"][0]["valueFrom"]["secretKeyRef"]["name"] == "gen-env-database"


def test_every_selector_finds_the_pods_that_it_is_for(rendered):
    database, manifests = rendered
    part = "serve" if database == "SQLite" else "web"
    pods = [item["spec"]["template"] for item in of(manifests, "Deployment").values()]
    [service] = of(manifests, "Service").values()
    wanted = service["spec"]["selector"].items()
    chosen = [pod for pod in pods if wanted <= pod["metadata"]["labels"].items()]
    assert [pod["spec"]["containers"][0]["name"] for pod in chosen] == [part]
    policies = of(manifests, "NetworkPolicy")
    assert policies["checks"]["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies["checks"]["spec"]  # nobody reaches a worker
    [monitor] = of(manifests, "ServiceMonitor").values()
    selector = monitor["spec"]["selector"]["matchLabels"]
    assert selector.items() <= service["metadata"]["labels"].items()


def test_the_numbers_and_the_probes_have_no_way_in_from_outside(rendered):
    _, manifests = rendered
    [ingress] = of(manifests, "Ingress").values()
    [route] = of(manifests, "HTTPRoute").values()
    paths = {item["path"] for item in ingress["spec"]["rules"][0]["http"]["paths"]}
    matches = {match["path"]["value"] for match in route["spec"]["rules"][0]["matches"]}
    assert paths == matches
    assert {"/", "/webhooks", "/reports", "/static"} <= paths
    assert not paths & {"/metrics", "/healthz", "/readyz"}


def test_the_identity_has_the_generated_roles_and_nothing_else(rendered):
    _, manifests = rendered
    assert not of(manifests, "Role") and not of(manifests, "ClusterRole")
    [binding] = of(manifests, "RoleBinding").values()
    assert binding["metadata"]["namespace"] == "airflow-dev"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "checks", "namespace": "gen-env"}
    ]
    for item in of(manifests, "Deployment").values():
        pod = item["spec"]["template"]["spec"]
        asks = pod["containers"][0]["name"] != "web"
        assert pod["automountServiceAccountToken"] is asks


def test_the_service_takes_the_settings_that_the_chart_writes(rendered, tmp_path):
    _, manifests = rendered
    file = tmp_path / "service.yaml"
    file.write_text(of(manifests, "ConfigMap")["checks"]["data"]["service.yaml"], "utf-8")
    (tmp_path / "secrets").mkdir()
    for name in ("webhook", "token"):
        (tmp_path / "secrets" / name).write_text("a secret of decent length".replace(" ", "-"))
    settings = load(file, {})
    assert settings.connections[0].allow_http and settings.connections[0].webhook_secrets


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"image": {}}, "image"),
        ({"image": {"repository": ""}}, "image"),
        ({"settings": {}}, "settings"),
        ({"settings": {**PLAIN["settings"], "listen": "0.0.0.0:1"}}, "settings"),
        ({"replicas": 3}, "replicas"),
        ({"web": {"replicas": 0}}, "web"),
        ({"storage": {"size": "20"}}, "storage"),
        ({"serviceAccount": {"name": "Not a name"}}, "serviceAccount"),
    ],
)
def test_values_that_would_not_work_are_refused_by_their_name(tmp_path, change, key):
    found = answer(tmp_path, {**PLAIN, **change})
    assert found.kind == "schema" and key in str(found.faults)
