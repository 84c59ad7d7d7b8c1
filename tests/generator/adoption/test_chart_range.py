"""A release on each official chart at hand, adopted: the cluster gets the same objects."""

import pytest
import yaml

from generator.chart.cache import ChartCache
from tests import chart_range
from tests.generator.adoption.scene import Adoption
from tests.made_up_chart import HTTP_ROUTE, HTTP_ROUTE_TEMPLATE, files_of, made_up
from tests.repositories import changed
from tests.standin_chart import stand_in_archive

AIRFLOW_2 = """\
executor: CeleryKubernetesExecutor
images: {airflow: {repository: registry.example.com/a, tag: 2.8.3-r1}}
airflowVersion: 2.8.3
fernetKeySecretName: fernet
webserverSecretKeySecretName: web
webserver: {replicas: 2, defaultUser: {enabled: false}}
registry: {secretName: pull}
"""
AIRFLOW_3 = """\
executor: CeleryExecutor
images: {airflow: {repository: registry.example.com/a, tag: 3.2.2-r1}}
airflowVersion: 3.2.2
fernetKeySecretName: fernet
apiServer: {replicas: 2}
"""
BOTH = """\
data: {metadataSecretName: database, brokerUrlSecretName: broker}
postgresql: {enabled: false}
redis: {enabled: false}
workers:
  replicas: 3
  resources: {limits: {memory: 2Gi}}
  terminationGracePeriodSeconds: 900
  persistence: {enabled: false}
triggerer: {replicas: 2}
config: {core: {parallelism: 32}}
dags: {gitSync: {enabled: true, repo: "https://git.example.com/dags.git", branch: main}}
"""


@chart_range.each_version
def test_a_release_is_adopted_on_the_chart_that_it_runs(version, tmp_path, monkeypatch):
    archive = chart_range.archive(version).path
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    ChartCache(tmp_path / "charts").add(archive)
    three = chart_range.traits(version).airflow.startswith("3.")
    text = (AIRFLOW_3 if three else AIRFLOW_2) + BOTH
    adoption = Adoption(tmp_path / "repo", archive, {"old.yaml": text})
    hosts = [
        part for name in ("database", "broker") for part in ("--set", f"{name}.host=x.example")
    ]
    done = adoption.run("old.yaml", "--name", "staging", "--write", "--chart", version, *hosts)
    assert done.code == 0, done.said
    assert adoption.definition["chart"] == {"version": version}
    assert adoption.definition["workers"]["replicas"] == 3, "fields, not only values"
    assert adoption.before(yaml.safe_load(text)) == adoption.after()
    if version != "1.22.0":
        assert adoption.repo.run("harden", "staging", "--list").code == 0


def test_what_one_key_gave_to_workers_and_task_pods_is_the_field_of_both(tmp_path, monkeypatch):
    archive = chart_range.archive("1.13.1").path
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    ChartCache(tmp_path / "charts").add(archive)
    adoption = Adoption(tmp_path / "repo", archive, {"old.yaml": AIRFLOW_2 + BOTH})
    hosts = ("--set", "database.host=x.example", "--set", "broker.host=x.example")
    done = adoption.run("old.yaml", "--name", "staging", "--write", "--chart", "1.13.1", *hosts)
    assert done.code == 0, done.said
    workers = adoption.definition["workers"]
    assert workers["resources"] == {"limits": {"memory": "2Gi"}}
    assert "taskResources" not in workers, "task pods follow those of the workers"


PARENT = "{name: public, namespace: gateways, sectionName: https}"
ROUTES = {
    # What the values say below httpRoute.apiServer: the field, and what stays in values.
    "all that the field can say": (
        f"parentRefs: [{PARENT}], hostnames: [a.example.com], path: /air, annotations: {{a: b}}",
        {"hostnames": ["a.example.com"], "path": "/air", "annotations": {"a": "b"}},
    ),
    "served over plain HTTP": (
        f"parentRefs: [{PARENT}], hostnames: [a.example.com]",
        {"hostnames": ["a.example.com"], "tls": False},
    ),
    "of another kind of parent": (
        "parentRefs: [{kind: Service, name: mesh}], hostnames: [a.example.com]",
        None,
    ),
    "matched exactly": (
        f"parentRefs: [{PARENT}], hostnames: [a.example.com], pathType: Exact",
        None,
    ),
    "for every host": (f"parentRefs: [{PARENT}]", None),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ROUTES)
def test_a_route_that_the_chart_makes_becomes_the_field_where_nothing_changes(
    name, tmp_path, monkeypatch
):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    files = files_of(stand_in_archive(tmp_path))
    files["templates/route.yaml"] = HTTP_ROUTE_TEMPLATE
    archive = made_up(tmp_path, "1.23.0", files=files, added=HTTP_ROUTE)
    ChartCache(tmp_path / "charts").add(archive)
    written, field = ROUTES[name]
    text = f"{AIRFLOW_3}{BOTH}httpRoute: {{apiServer: {{enabled: true, {written}}}}}\n"
    if "HTTP" in name:
        own = "config: {api: {base_url: http://a.example.com}, "
        text = changed(text, ("config: {", own))
    adoption = Adoption(tmp_path / "repo", archive, {"old.yaml": text})
    hosts = ("--set", "database.host=x.example", "--set", "broker.host=x.example")
    done = adoption.run("old.yaml", "--name", "staging", "--write", "--chart", "1.23.0", *hosts)
    assert done.code == 0, done.said
    assert adoption.before(yaml.safe_load(text)) == adoption.after()
    found = adoption.definition
    if field is None:
        assert "gateway" not in found and "httpRoute" in found["values"]
    else:
        assert found["gateway"] == {"parentRefs": yaml.safe_load(f"[{PARENT}]"), **field}
        assert "httpRoute" not in found.get("values", {})
        assert not [path for path in adoption.repo.tree() if path.endswith("routes.yaml")]
    assert adoption.repo.run("generate", "--check").code == 0
