"""`manifests.ALL` is the one list: what stands in it is written, checked, shown, allowed, ordered,
granted and followed; nothing is written that is not checked."""

import datetime
import importlib
import pkgutil
import re

import pytest
import yaml

from generator import manifests
from generator.actions import validate
from generator.core.files import Snapshot, WorkTree
from generator.kube.resource import key_of
from generator.kube.resource_type import ResourceType
from generator.manifests import metadata, rbac, service_monitors
from generator.manifests.metadata import Kind, Manifest
from generator.pipeline import generate
from generator.render.request import RenderResult
from generator.tree import writer
from generator.verify import dependencies, rollout
from generator.verify.snapshot import Source
from generator.verify.subscriptions import subscriptions
from tests.definitions import stand_in_charts
from tests.generator.verify.scene import Scene, expected, rendered
from tests.repositories import DEV, PRODUCTION, SETTINGS, release, repository

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
MANAGED = SETTINGS + "argocd: {project: {manage: true}}\n"
FULL = PRODUCTION + (
    "quota: {hard: {pods: '9'}}\nlimits: {max: {cpu: '4'}}\n"
    "secrets: {extra: {airflow-connections: {envFrom: true, keys: [AIRFLOW_CONN_X]}}}\n"
)
EXTERNAL = FULL.replace("secrets: {", "secrets: {provider: external-secrets, store: {name: v}, ")
CHART_OBJECT = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "airflow-config", "namespace": "airflow"},
    "data": {},
}

CERTIFICATE = Kind(
    ResourceType("cert-manager.io", "v1", "certificates", "Certificate"),
    wave=-4,
    guarded=True,
    followed=True,
)


def certificates(release):
    spec = {"secretName": "extra-tls", "issuerRef": {"name": "own"}, "dnsNames": ["a.example.com"]}
    return [metadata.manifest(release, CERTIFICATE, "extra", {"spec": spec})]


@pytest.fixture
def registered(monkeypatch):
    extra = Manifest("certificates", (CERTIFICATE,), certificates)
    monkeypatch.setattr(manifests, "ALL", (*manifests.ALL, extra))


class Chart:
    """A renderer whose chart has one object."""

    def engine_version(self):
        return "none"

    def render(self, request):
        return RenderResult((CHART_OBJECT,), "", (), "none")


def judged(files, tmp_path, monkeypatch):
    """Every object that `validate` gives to its checks of objects."""
    seen = []

    def problems(objects, version):
        seen.extend(objects)
        return ()

    monkeypatch.setattr(validate.kubernetes_schema, "problems", problems)
    tools = validate.Toolchain(files, stand_in_charts(tmp_path), Chart(), NOW)
    validate.validate([], tools)
    return seen


def objects_in(files):
    """Path and object of every file that Argo CD or a person applies for an environment."""
    for path, content in files.items():
        applied = path.endswith(".yaml") and not path.endswith(("values.yaml", "environment.yaml"))
        if applied and path.startswith(("environments/", "bootstrap/access/")):
            yield from ((path, item) for item in yaml.safe_load_all(content))


def test_every_module_that_declares_a_manifest_is_in_the_list():
    modules = [
        importlib.import_module(f"{manifests.__name__}.{item.name}")
        for item in pkgutil.iter_modules(manifests.__path__)
    ]
    declared = [module.MANIFEST for module in modules if hasattr(module, "MANIFEST")]
    assert sorted(item.name for item in declared) == sorted(item.name for item in manifests.ALL)


@pytest.mark.parametrize("text", [FULL, EXTERNAL], ids=["sealed", "external"])
def test_an_object_is_of_a_declared_kind_and_carries_what_the_kind_says(text):
    item = release(text)
    made = 0
    for manifest in manifests.ALL:
        kinds = {(kind.resource.api_version, kind.resource.kind): kind for kind in manifest.kinds}
        for found in manifest.objects(item):
            made += 1
            annotations = kinds[found["apiVersion"], found["kind"]].annotations("argocd")
            assert annotations.items() <= found["metadata"].get("annotations", {}).items()
    assert made > 10


@pytest.mark.few(2)
@pytest.mark.parametrize("source", ["repository", "rendered"])
@pytest.mark.parametrize("text", [FULL, EXTERNAL], ids=["sealed", "external"])
def test_everything_that_is_written_for_an_environment_is_checked(
    tmp_path, monkeypatch, text, source
):
    settings = MANAGED + f"chart: {{source: {source}}}\n"
    repo = repository(tmp_path / "repo", settings=settings, production=text)
    written = generate_in(repo, stand_in_charts(tmp_path))
    kinds = {item["kind"] for _, item in objects_in(written)}
    assert {"Application", "Namespace", "NetworkPolicy", "ServiceMonitor", "Role"} <= kinds
    assert ("ConfigMap" in kinds) == (source == "rendered")
    checked = judged(Snapshot(repo.tree()), tmp_path, monkeypatch)
    for path, item in objects_in(written):
        assert item in checked, f"{path}: {key_of(item)} is written and not checked"


def generate_in(repo, charts):
    """Write the tree of the repository; all files by path afterwards."""
    generation = generate.generate(WorkTree(repo.root), (), charts, Chart())
    assert not generation.failed, generation.problems
    for outcome in generation.outcomes:
        writer.apply(repo.root, outcome.plan)
    return repo.tree()


@pytest.mark.usefixtures("registered")
def test_a_new_manifest_is_written_checked_shown_and_allowed(tmp_path, monkeypatch):
    repo = repository(tmp_path / "repo", settings=MANAGED, dev=DEV)
    generate_in(repo, stand_in_charts(tmp_path))
    written = repo.yaml("environments/dev/generated/manifests/certificates.yaml")
    assert written["kind"] == "Certificate" and written["metadata"]["namespace"] == "airflow-dev"
    shown = list(yaml.safe_load_all(repo.run("render", "dev", "--only", "manifests").stdout))
    assert written in shown
    assert written in judged(Snapshot(repo.tree()), tmp_path, monkeypatch)
    (path,) = (repo.root / "bootstrap/projects").iterdir()
    project = yaml.safe_load(path.read_text("utf-8"))
    allowed = project["spec"]["namespaceResourceWhitelist"]
    assert {"group": "cert-manager.io", "kind": "Certificate"} in allowed
    assert allowed == sorted(allowed, key=lambda item: (item["group"], item["kind"]))


@pytest.mark.usefixtures("registered")
def test_a_new_manifest_has_its_turn_in_a_sync_and_goes_only_after_a_yes():
    (found,) = manifests.ALL[-1].objects(release(DEV))
    annotations = found["metadata"]["annotations"]
    assert annotations == {**metadata.GUARD, metadata.WAVE: "-4"}


@pytest.mark.usefixtures("registered")
def test_whoever_verifies_may_follow_a_new_manifest_and_nothing_more(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    repo.run("generate")
    roles = yaml.safe_load_all(repo.read("bootstrap/access/dev.yaml"))
    rules = [rule for role in roles if role["kind"] == "Role" for rule in role["rules"]]
    wanted = {"apiGroups": ["cert-manager.io"], "resources": ["certificates"]}
    assert {**wanted, "verbs": ["list", "watch"]} in rules
    assert [rule.as_policy() for rule in rbac.environment_rules("airflow-dev")] == rules[:-1]


@pytest.mark.usefixtures("registered")
def test_the_health_of_a_new_manifest_counts_in_the_verdict():
    wanted = {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": {"name": "extra", "namespace": "data"},
    }
    promise = expected(manifests=(*rendered(), wanted))
    assert CERTIFICATE.resource in [item.resource for item in subscriptions(promise, None, None)]
    scene = Scene()

    def found():
        look = scene.look(50)
        (condition,) = dependencies.assess_manifests(promise, look)
        health = {item.key.kind: item.health for item in rollout.resources(promise, look)}
        return condition.state.value, health["Certificate"].status.value

    assert found() == ("waiting", "Missing")
    ready = {"type": "Ready", "status": "False", "reason": "Denied"}
    scene.sealed["certificate"] = {**wanted, "status": {"conditions": [ready]}}
    assert found() == ("failed", "Degraded")
    ready["status"] = "True"
    assert found() == ("met", "Healthy")
    scene.unavailable = {Source.MANIFESTS: "no right"}
    assert found() == ("unknown", "Unknown")


def test_without_such_a_manifest_the_verdict_has_no_condition_on_it():
    assert dependencies.assess_manifests(expected(), Scene().look(50)) == []


@pytest.mark.parametrize(
    ("version", "airflow", "port"),
    [("1.15.0", "2.9.3", "pgbouncer-metrics"), ("1.16.0", "2.10.5", "pgb-metrics")],
)
def test_a_service_monitor_names_the_port_that_the_chart_gives_its_service(version, airflow, port):
    text = PRODUCTION.replace("1.22.0", version).replace("3.2.2", airflow)
    text = re.sub("(?m)^auth: .*$", "auth: {}", text)  # a field for charts from 1.16 on
    monitors = service_monitors.monitors(release(text))
    ports = {item["metadata"]["name"]: item["spec"]["endpoints"][0]["port"] for item in monitors}
    assert ports == {"airflow-pgbouncer": port, "airflow-statsd": "statsd-scrape"}
