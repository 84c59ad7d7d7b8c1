import json

import pytest

from tests.generator.impact.builders import airflow_cfg, found, manifest, workload

POD = workload("scheduler")


def versions(before, after):
    return found([POD], [POD], "version", before, after)


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ("chart_version", "chart 1 → 2"),
        ("airflow_version", "airflowVersion 1 → 2 (the image stays Airflow 3.2.1)"),
        ("kubernetes_version", "Kubernetes 1 → 2"),
        ("engine", "Helm engine 1 → 2"),
    ],
)
def test_a_version_that_moves_is_told(fact, words):
    (item,) = versions({fact: "1"}, {fact: "2"})
    assert item.message == words
    assert versions({fact: "1"}, {fact: "1"}) == []
    assert versions({}, {fact: "1"}) == []


def test_airflow_moves_with_its_image():
    base, head = ([workload("scheduler", image=f"r/a:{tag}")] for tag in ("3.1.8", "3.2.2-r1"))
    (item,) = found(base, head, "version")
    assert item.message == "Airflow 3.1.8 → 3.2.2"
    named = ({"airflow_version": "3.1.8"}, {"airflow_version": "3.2.2"})
    assert found([], [], "version", *named) == []


def test_a_pure_bump_is_told_as_such():
    before = {"chart_version": "1", "values": {"images": {"airflow": {"tag": "1", "x": 1}}}}
    pure = {"chart_version": "2", "values": {"images": {"airflow": {"tag": "2", "x": 1}}}}
    mixed = {"chart_version": "2", "values": {"images": {"airflow": {"tag": "2", "x": 2}}}}
    assert versions(before, pure)[0].message == "chart 1 → 2: no other Helm value changes"
    assert versions(before, mixed)[0].message == "chart 1 → 2"


REMOVED = [
    ("batch/v1beta1", "CronJob", 25),
    ("policy/v1beta1", "PodDisruptionBudget", 25),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", 26),
    ("extensions/v1beta1", "Ingress", 22),
    ("networking.k8s.io/v1beta1", "Ingress", 22),
]


@pytest.mark.parametrize(("api", "kind", "minor"), REMOVED)
def test_a_removed_api_is_an_error_from_its_version_on(api, kind, minor):
    item = manifest(api, kind, "x")
    at = {"kubernetes_version": f"v1.{minor}.3"}
    (told,) = found([item], [item], "removed-api", None, at)
    assert told.severity == "error" and f"1.{minor}" in told.message
    before = {"kubernetes_version": f"1.{minor - 1}.9"}
    assert found([item], [item], "removed-api", None, before) == []
    assert found([item], [item], "removed-api") == []


def test_a_served_api_is_fine():
    item = manifest("batch/v1", "CronJob", "x")
    assert found([item], [item], "removed-api", None, {"kubernetes_version": "1.40"}) == []


def test_an_image_that_moves_everywhere_is_told_once():
    base = [workload("a", image="r/airflow:1"), workload("b", image="r/airflow:1")]
    head = [workload("a", image="r/airflow:2"), workload("b", image="r/airflow:2")]
    (item,) = found(base, head, "image")
    assert item.message == "r/airflow:1 → r/airflow:2 everywhere it is used: a and b"
    assert found(base, base, "image") == []


def test_an_image_that_moves_in_one_place_is_a_warning():
    base = [workload("a", image="r/airflow:1"), workload("b", image="r/airflow:1")]
    head = [workload("a", image="r/airflow:2"), base[1]]
    (item,) = found(base, head, "image")
    assert item.severity == "warning" and "b keeps the old one" in item.message
    (item,) = found(base, head, "image-mixed")
    assert (
        item.severity == "warning"
        and "r/airflow runs in 2 versions at once: 1 and 2" in item.message
    )
    assert found(head, head, "image-mixed")[0].severity == "info"
    assert found(base, base, "image-mixed") == []


def test_digests_and_helpers_are_told_apart():
    digest = "@sha256:" + "a" * 64
    base = [workload("a", image="h:5000/r:1"), workload("b", image=f"h:5000/r:1{digest}")]
    assert "1 and 1@sha256" in found([], base, "image-mixed")[0].message
    helpers = [
        workload("a", image="apache/airflow:3.2.2"),
        workload("b", image="apache/airflow:airflow-pgbouncer-2025"),
        workload("c", image="apache/airflow:airflow-statsd-exporter-2021.04.28-v0.17.0"),
    ]
    assert found([], helpers, "image-mixed") == []


def test_releases_of_several_repositories_are_told_apart():
    head = [workload("scheduler", image="r/a:3.1.8"), workload("worker", image="r/b:3.2.2")]
    (item,) = found([], head, "image-mixed")
    assert "3.1.8 in scheduler and 3.2.2 in worker" in item.message
    same = [head[0], workload("worker", image="r/b:3.1.8-r2")]
    assert found([], same, "image-mixed") == []


def ingress(*hosts, tls=(), kind="Ingress"):
    spec = {
        "rules": [{"host": host} if host else {} for host in hosts],
        "tls": [{"hosts": list(tls)}],
    }
    return manifest("networking.k8s.io/v1", kind, "i", spec=spec)


def test_a_host_that_goes_is_a_warning_and_a_new_one_a_note():
    (item,) = found([ingress("a")], [ingress("b")], "host")
    assert item.severity == "warning" and "a is no longer served; b takes over" in item.message
    (item,) = found([ingress("a")], [ingress("a", "b")], "host")
    assert item.severity == "info" and "b is now served" in item.message
    assert found([ingress("a")], [ingress("a")], "host") == []
    assert found([], [ingress("a")], "host") == []


def test_hosts_of_a_gateway_count():
    base, head = (
        manifest("gateway.networking.k8s.io/v1", "HTTPRoute", "r", spec={"hostnames": [name]})
        for name in ("a", "b")
    )
    assert "a is no longer served" in found([base], [head], "host")[0].message


def test_a_rule_for_every_host_is_told():
    assert found([ingress("a")], [ingress("a", "")], "host-any")
    assert found([ingress("")], [ingress("")], "host-any") == []


def test_a_host_that_loses_tls_is_told():
    assert found([ingress("a", tls=["a"])], [ingress("a")], "host-tls")
    assert found([ingress("a", tls=["a"])], [ingress("a", tls=["a"])], "host-tls") == []
    assert found([ingress("a", tls=["a"])], [ingress("b")], "host-tls") == []


def git(ref, variable="GITSYNC_REF"):
    return workload("dag-processor", container_env=[{"name": variable, "value": ref}])


def test_a_pinned_revision_that_moves_is_told_with_its_restarts():
    (item,) = found([git("1a")], [git("2b")], "dag-revision")
    assert item.message.startswith("DAG revision 1a → 2b:")
    assert "so dag-processor restarts for it" in item.message
    assert found([git("1a")], [git("1a")], "dag-revision") == []
    assert found([git("HEAD", "GIT_SYNC_REV")], [git("x")], "dag-revision") == []


def test_the_older_variables_of_git_sync_overrule_its_ref():
    """Charts write all three; what is not used has a default."""

    def both(ref, branch, rev="HEAD"):
        rows = {"GITSYNC_REF": ref, "GIT_SYNC_BRANCH": branch, "GIT_SYNC_REV": rev}
        env = [{"name": name, "value": value} for name, value in rows.items()]
        return workload("dag-processor", container_env=env)

    old = both("v2-2-stable", "main")
    assert found([old], [both("main", "main")], "dag-revision") == []
    (item,) = found([old], [both("v2-2-stable", "main", "4610234")], "dag-revision")
    assert item.message.startswith("DAG revision main → 4610234")


def test_a_revision_outside_running_pods_restarts_nothing():
    container = {"name": "c", "env": [{"name": "GITSYNC_REF", "value": "1"}]}
    template = {"template": {"spec": {"containers": [container]}}}
    job = manifest("batch/v1", "CronJob", "j", spec={"jobTemplate": {"spec": template}})
    other = json.loads(json.dumps(job).replace('"1"', '"2"'))
    (item,) = found([job], [other], "dag-revision")
    assert item.severity == "info"


def bundles(**refs):
    given = [{"name": n, "classpath": "c", "kwargs": {"tracking_ref": r}} for n, r in refs.items()]
    return airflow_cfg(f"[dag_processor]\ndag_bundle_config_list = {json.dumps(given)}\n")


def test_bundles_that_come_go_or_move_are_told():
    items = found([bundles(a="1", b="1", d="1")], [bundles(a="2", c="1", d="1")], "dag-bundle")
    assert sorted(item.message for item in items) == [
        "bundle a follows 2 instead of 1",
        "bundle b is removed: its DAGs are marked as stale",
        "bundle c is new",
    ]


def test_a_bundle_that_reads_from_elsewhere_is_a_warning():
    def bundle(**kwargs):
        given = [{"name": "a", "classpath": "x.GitDagBundle", "kwargs": kwargs}]
        return airflow_cfg(f"[dag_processor]\ndag_bundle_config_list = {json.dumps(given)}\n")

    base = bundle(repo_url="https://u:c4n4ry@g/a.git")
    for head in (
        bundle(repo_url="https://g/b.git"),
        bundle(repo_url="https://g/a.git", subdir="x"),
    ):
        (item,) = found([base], [head], "dag-bundle")
        assert item.severity == "warning" and "reads from GitDagBundle" in item.message
        assert "c4n4ry" not in item.message


def reader(repository=None, volume=None, component="dag-processor"):
    env = [{"name": "GITSYNC_REPO", "value": repository}] if repository else []
    volumes = [{"name": "dags", "persistentVolumeClaim": {"claimName": volume}}] if volume else []
    mounts = [{"name": "dags", "mountPath": "/opt/airflow/dags"}]
    return workload(component, container_env=env, volumes=volumes, container_volumeMounts=mounts)


def folder(path):
    return airflow_cfg(f"[core]\ndags_folder = {path}\n")


@pytest.mark.parametrize(
    ("base", "head", "words"),
    [
        ([reader("g/a")], [reader("g/b")], "from git repository g/b (/opt/airflow/dags) instead"),
        ([reader("g/a")], [reader()], "from the image alone instead of git repository g/a"),
        ([reader(volume="d")], [reader(volume="e")], "from claim e (/opt/airflow/dags) instead"),
        ([reader(volume="d")], [reader()], "from the image alone instead of claim d"),
        ([reader("g/a"), folder("/d/a")], [reader("g/a"), folder("/d/b")], "(/d/b) instead"),
    ],
)
def test_dags_from_another_place_or_none_are_told(base, head, words):
    (item,) = found(base, head, "dag-source")
    assert item.severity == "warning" and words in item.message


def test_dags_from_the_same_place_or_a_first_one_are_not_told():
    assert found([reader("g/a")], [reader("g/a")], "dag-source") == []
    assert found([reader()], [reader("g/a")], "dag-source") == []
    none = [workload("statsd")]
    assert found([reader("g/a", component="x")], none, "dag-source") == []


@pytest.mark.parametrize("url", ["https://b:new@g.example/a.git", "git@g.example:a.git"])
def test_dags_of_the_same_repository_reached_otherwise_are_not_told(url):
    base = [reader("https://b:old@g.example/a")]
    assert found(base, [reader(url)], "dag-source") == []
    assert found(base, [reader(f"{url}.other")], "dag-source")


def test_a_dag_processor_takes_the_reading_from_the_scheduler():
    def both(repository):
        return [reader(repository), workload("scheduler")]

    base = [reader("g/a", component="scheduler")]
    assert found(base, both("g/a"), "dag-source") == []
    assert found(both("g/a"), base, "dag-source") == []
    (item,) = found(base, both("g/b"), "dag-source")
    assert item.message.startswith("dag-processor reads DAGs from git repository g/b")
    local = {"executor": "LocalExecutor"}
    (item,) = found(base, both("g/a"), "dag-source", local, local)
    assert item.message.startswith("scheduler reads DAGs from the image alone")


def test_unreadable_bundles_are_left_to_validation():
    broken = airflow_cfg("[dag_processor]\ndag_bundle_config_list = [{\n")
    assert found([broken], [bundles(a="1")], "dag-bundle") == []
