"""`diff --live`: what the cluster differs in already, apart from what the change adds."""

import copy

import pytest

from generator.chart.archive import unpack
from generator.core.counted import counted
from tests.fakes.apiserver import KINDS, FakeApiServer
from tests.repositories import DEV, SETTINGS, changed, repository

PATH = "environments/dev/environment.yaml"
SERVED = {"Deployment", "StatefulSet", "Service", "ConfigMap"}


@pytest.fixture
def repo(own_chart, tmp_path):
    settings = changed(SETTINGS, ("  main:\n", "  main:\n    context: fake\n"))
    repo = repository(tmp_path / "repo", settings=settings, dev=DEV)
    repo.run("generate")
    return repo.init()


@pytest.fixture
def cluster(repo, tmp_path, monkeypatch):
    """A cluster that was given what the base says."""
    with FakeApiServer() as fake:
        monkeypatch.setenv("KUBECONFIG", fake.kubeconfig(tmp_path))
        for manifest in objects(repo):
            fake.put(manifest)
        yield fake


def objects(repo):
    rendered = repo.run("render", "dev", "-o", "json").json
    for manifest in copy.deepcopy(rendered):
        if manifest["kind"] in SERVED:
            manifest["metadata"].setdefault("namespace", "airflow-dev")
            yield manifest


def drifted(environment):
    return {
        (item["kind"], item["name"]): item
        for item in environment["drift"]
        if item["kind"] in SERVED
    }


def scale(repo, cluster, replicas):
    (scheduler,) = [
        item
        for item in objects(repo)
        if item["kind"] == "Deployment" and item["metadata"]["name"].endswith("scheduler")
    ]
    scheduler["spec"]["replicas"] = replicas
    cluster.put(scheduler)
    return ("Deployment", scheduler["metadata"]["name"])


@pytest.mark.few(1)
@pytest.mark.parametrize("may_dry_run", [True, False])
def test_drift_and_change_stand_apart(repo, cluster, may_dry_run):
    if not may_dry_run:
        cluster.denied |= {("patch", plural) for plural in KINDS}
    where = scale(repo, cluster, 5)
    repo.edit(PATH, "auth:", "apiServer: {replicas: 3}\nauth:")
    done = repo.run("diff", "--live", "HEAD", "-o", "json")
    (environment,) = done.json["environments"]
    assert [item["name"] for item in environment["changes"] if item["kind"] == "Deployment"] == [
        "airflow-api-server"
    ]
    found = drifted(environment)
    assert set(found) == {where}
    assert "replicas: 5" in found[where]["diff"] and found[where]["action"] == "modified"
    assert bool(cluster.asked("PATCH")) and all(
        "dryRun=All" in path for path in cluster.asked("PATCH")
    )


@pytest.mark.thorough
def test_what_is_missing_in_the_cluster_is_told_where_nothing_changes(repo, cluster):
    gone = next(item for item in objects(repo) if item["kind"] == "Service")
    cluster.delete(gone)
    done = repo.run("diff", "--live", "HEAD", "-o", "json")
    (environment,) = done.json["environments"]
    assert environment["changes"] == [] and environment["reason"] == "not changed; drift alone"
    assert environment["basis"]["chart"]["version"] == "1.22.0"
    (found,) = drifted(environment).values()
    assert (found["name"], found["action"]) == (gone["metadata"]["name"], "added")
    count = counted(len(environment["drift"]), "object")
    same = f"No changes: both sides render to the same objects; the cluster differs in {count}"
    assert done.json["reason"] == same
    for form in ("table", "markdown", "html"):
        shown = repo.run("diff", "--live", "HEAD", "-o", form).stdout
        assert gone["metadata"]["name"] in shown and "not found in the cluster" in shown


def test_a_cluster_that_is_out_of_reach_is_told_beside_the_change(repo, tmp_path, monkeypatch):
    with FakeApiServer() as fake:
        monkeypatch.setenv("KUBECONFIG", fake.kubeconfig(tmp_path, token="wrong"))
        repo.edit(PATH, "auth:", "apiServer: {replicas: 3}\nauth:")
        done = repo.run("diff", "--live", "HEAD", "-o", "json")
    (environment,) = done.json["environments"]
    assert environment["changes"] and environment["drift"] == []
    assert "live/not-possible" in {item["rule"] for item in environment["problems"]}


def test_a_base_that_does_not_render_has_no_drift_but_a_reason(repo, cluster):
    repo.write("environments/dev/generated/values.yaml", "a: [")
    repo.commit("broken")
    done = repo.run("diff", "--live", "HEAD", "-o", "json")
    (environment,) = done.json["environments"]
    assert environment["drift"] == [] and not environment["rendered"]
    assert done.json["reason"].startswith("Not compared: dev: the base does not render")
    assert {"what": "cluster", "where": "dev"}.items() <= done.json["basis"]["notRead"][0].items()
    assert "live/not-possible" in {item["rule"] for item in environment["problems"]}


def test_an_object_that_cannot_be_read_is_named_as_not_read(repo, cluster):
    cluster.denied |= {("get", "services"), ("patch", "services")}
    done = repo.run("diff", "--live", "HEAD", "-o", "json")
    unread = [item["what"] for item in done.json["basis"]["notRead"]]
    assert unread and all(item.startswith("Service ") for item in unread)
    assert done.json["reason"].startswith(
        "Compared in part: no difference in what was read. Not read: Service "
    )


def test_the_base_is_compared_as_its_own_vendored_chart_renders_it(repo, cluster, own_chart):
    template = "charts/airflow/templates/scheduler.yaml"
    for path, content in unpack(own_chart.read_bytes()).items():
        repo.write(f"charts/airflow/{path}", content)
    repo.write("gen-env.yaml", repo.read("gen-env.yaml") + "chart: {source: vendored}\n")
    assert repo.run("upgrade", "dev", "--chart", "1.22.0").code == 0
    repo.commit("vendored")
    repo.write(template, repo.read(template) + "\n{{/* ours */}}\n")
    assert repo.run("upgrade", "dev", "--chart", "1.22.0").code == 0
    done = repo.run("diff", "--live", "HEAD", "-o", "json")
    (environment,) = done.json["environments"]
    assert environment["rendered"], environment
    assert "live/not-possible" not in {item["rule"] for item in environment["problems"]}
