import json

import pytest

from tests.generator.impact.builders import found, manifest, scaler, workload

SCHEDULER = workload("scheduler")
TEMPLATES = [{"metadata": {"name": "data"}, "spec": {}}]
EMPTY = {"volumes": [{"name": "data", "emptyDir": {}}]}


def store(component="postgresql", memory="1Gi", replicas=1, **rest):
    resources = {"requests": {"memory": memory}}
    return workload(
        component, "StatefulSet", replicas=replicas, container_resources=resources, **rest
    )


@pytest.mark.parametrize(
    "head", [store(memory="2Gi", **EMPTY), store(replicas=0, **EMPTY), workload("x")]
)
def test_a_database_without_a_volume_loses_all_with_its_pod(head):
    (item,) = found([store(**EMPTY), SCHEDULER], [head, SCHEDULER], "data-loss")
    assert item.severity == "error" and "gone with the pod" in item.message


def test_a_database_by_its_image_is_one():
    base = workload("store", image="docker.io/bitnami/postgresql:16", **EMPTY)
    head = workload("store", image="docker.io/bitnami/postgresql:17", **EMPTY)
    assert found([base, SCHEDULER], [head, SCHEDULER], "data-loss")
    exporter = (
        workload("e", image="q/postgres-exporter:1"),
        workload("e", image="q/postgres-exporter:2"),
    )
    assert found([exporter[0]], [exporter[1]], "data-loss") == []


def test_a_database_with_a_volume_or_that_stays_keeps_its_data():
    claims = {"spec": {"volumeClaimTemplates": TEMPLATES}}
    assert found([store(**claims)], [store(memory="2Gi", **claims)], "data-loss") == []
    volume = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "c"}}]}
    assert found([store(**volume)], [store(memory="2Gi", **volume)], "data-loss") == []
    assert found([store(**EMPTY), SCHEDULER], [store(**EMPTY), workload("y")], "data-loss") == []
    by_hand = {"spec": {"updateStrategy": {"type": "OnDelete"}}}
    assert found([store(**by_hand)], [store(memory="2Gi", **by_hand)], "data-loss") == []


@pytest.mark.parametrize("path", ["/var/lib/postgresql/data", "/somewhere/data"])
def test_a_volume_beside_the_data_keeps_none_of_it(path):
    """What counts is the folder of the data, by the image or by PGDATA."""
    volumes = [
        {"name": "data", "emptyDir": {}},
        {"name": "dumps", "persistentVolumeClaim": {"claimName": "dumps"}},
    ]
    mounts = [{"name": "data", "mountPath": path}, {"name": "dumps", "mountPath": "/dumps"}]
    env = [{"name": "PGDATA", "value": f"{path}/pg"}]
    pod = {"container_volumeMounts": mounts, "container_env": env, "volumes": volumes}
    assert found([store(**pod)], [store(memory="2Gi", **pod)], "data-loss")
    volumes[0] = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    assert found([store(**pod)], [store(memory="2Gi", **pod)], "data-loss") == []


CLAIMS = {"spec": {"volumeClaimTemplates": TEMPLATES}}
OTHER_CLAIM = {"volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "other"}}]}


@pytest.mark.parametrize(
    ("head", "words"), [(EMPTY, "in an emptyDir instead"), (OTHER_CLAIM, "in claim other instead")]
)
def test_a_database_with_another_volume_starts_empty(head, words):
    (item,) = found([store(**CLAIMS)], [store(**head)], "database")
    assert item.severity == "error" and words in item.message
    assert found([store(**CLAIMS)], [store(**CLAIMS)], "database") == []
    assert found([store(**EMPTY)], [store(**head)], "database") == []


def postgresql(image, volume=CLAIMS):
    return [store(image=f"docker.io/{image}", **volume)]


def test_postgresql_of_another_major_version_cannot_read_the_files_of_the_old_one():
    old, new = "bitnami/postgresql:11", "bitnamilegacy/postgresql:16.1.0-debian-11-r15"
    (item,) = found(postgresql(old), postgresql(new), "database")
    assert item.severity == "error" and "PostgreSQL 16, which cannot read" in item.message
    for image in ("bitnami/postgresql:11.9", "b/postgresql:latest", "b/postgresql-ha:16", "p/x:16"):
        assert found(postgresql(old), postgresql(image), "database") == []
    assert found(postgresql(old, EMPTY), postgresql(new, EMPTY), "database") == []


def test_a_broker_with_another_volume_leaves_its_queue_behind():
    celery = {"executor": "CeleryExecutor"}
    (item,) = found([store("redis", **CLAIMS)], [store("redis", **EMPTY)], "broker", celery, celery)
    assert "in no volume instead of the claims data-airflow-redis-N" in item.message


def test_a_broker_without_a_volume_loses_its_queue():
    (item,) = found([store("redis", **EMPTY)], [store("redis", memory="2Gi", **EMPTY)],
                    "broker-emptied")  # fmt: skip
    assert item.severity == "warning" and "queued tasks are lost" in item.message
    kept = {"spec": {"volumeClaimTemplates": TEMPLATES}}
    assert found([store("redis", **kept)], [store("redis", memory="2Gi", **kept)],
                 "broker-emptied") == []  # fmt: skip


def scaled(replicas, policy="Delete"):
    spec = {
        "volumeClaimTemplates": TEMPLATES,
        "persistentVolumeClaimRetentionPolicy": {"whenScaled": policy},
    }
    return workload("worker", "StatefulSet", replicas=replicas, spec=spec)


def test_claims_of_replicas_that_go_are_deleted():
    (item,) = found([scaled(3)], [scaled(1)], "data-loss")
    assert item.severity == "error" and "2 replicas" in item.message
    assert found([scaled(3)], [scaled(1, "Retain")], "data-loss") == []
    assert found([scaled(1)], [scaled(3)], "data-loss") == []


def test_an_autoscaler_over_deleted_claims_is_a_warning_once():
    auto = [scaled(1), scaler("worker", 1, 9, "StatefulSet")]
    (item,) = found([scaled(1)], auto, "data-loss")
    assert item.severity == "warning"
    assert found(auto, auto, "data-loss") == []


def clean_up(days, *options, suspend=False):
    words = (
        f'CLEAN_TS=$(date -d "-{days} days" +"%Y"); '
        f'exec airflow db clean --clean-before-timestamp "$CLEAN_TS" --yes {" ".join(options)}'
    )
    pod = {"spec": {"containers": [{"name": "c", "args": ["bash", "-c", words]}]}}
    spec = {"suspend": suspend, "jobTemplate": {"spec": {"template": pod}}}
    return manifest("batch/v1", "CronJob", "clean", spec=spec)


def hours(manifest):
    return json.loads(json.dumps(manifest).replace(" days", " hours"))


@pytest.mark.parametrize(
    ("base", "head", "severity", "words"),
    [
        (
            clean_up(90, "--skip-archive"),
            clean_up(1, "--skip-archive"),
            "error",
            "older than 1 day",
        ),
        (clean_up(90), clean_up(1), "warning", "into archive tables"),
        (clean_up(90), clean_up(90, "--skip-archive"), "warning", "no longer archived"),
        (workload("y"), clean_up(30), "warning", "older than 30 days"),
        (clean_up(30, suspend=True), clean_up(30), "warning", "older than 30 days"),
        (clean_up("x"), clean_up("y"), "warning", "cannot be read"),
        (clean_up(90), hours(clean_up(48)), "warning", "older than 48 hours"),
        (clean_up(9, "--dry-run"), clean_up(9), "warning", "older than 9 days"),
        (clean_up(9, "-t log"), clean_up(9, "-t log,dag_run"), "warning", "cleans dag_run too"),
        (
            clean_up(9, "--skip-archive --tables log"),
            clean_up(9, "--skip-archive"),
            "error",
            "cleans all other tables too: rows are deleted for good",
        ),
        (clean_up(9, "--dag-ids a"), clean_up(9), "warning", "after other DAGs"),
    ],
)
def test_a_shorter_retention_deletes_history(base, head, severity, words):
    (item,) = found([base, SCHEDULER], [head, SCHEDULER], "data-loss")
    assert item.severity == severity and words in item.message


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (clean_up(1), clean_up(90)),
        (clean_up(9), clean_up(9)),
        (clean_up(9), clean_up(1, suspend=True)),
        (clean_up(9, "--skip-archive"), clean_up(9)),
        (clean_up(2), hours(clean_up(48))),
        (clean_up(9), clean_up(9, "--tables log")),
        (clean_up(9), clean_up(1, "--dry-run")),
    ],
)
def test_a_longer_or_equal_retention_deletes_nothing_more(base, head):
    assert found([base, SCHEDULER], [head, SCHEDULER], "data-loss") == []


def test_a_command_that_changes_otherwise_is_told():
    base, head = clean_up(30), clean_up(30)
    pod = head["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    pod["containers"][0]["command"] = ["bash", "-c", "airflow db clean --yes"]
    (item,) = found([base, SCHEDULER], [head, SCHEDULER], "data-loss")
    assert item.severity == "warning" and "changes otherwise" in item.message


def logs(days, volume=None):
    env = [{"name": "AIRFLOW__LOG_RETENTION_DAYS", "value": str(days)}]
    volumes = [{"name": "logs", **(volume or {"persistentVolumeClaim": {"claimName": "l"}})}]
    mounts = [{"name": "logs", "mountPath": "/opt/airflow/logs"}]
    pod = {"container_env": env, "container_volumeMounts": mounts, "volumes": volumes}
    return workload("scheduler", **pod)


def test_log_files_that_are_kept_for_less_time_are_told():
    (item,) = found([logs(15)], [logs(2)], "data-loss")
    assert item.severity == "warning" and "after 2 days instead of 15 days" in item.message
    assert found([logs(2)], [logs(15)], "data-loss") == []
    small = logs(15)
    small["spec"]["template"]["spec"]["containers"][0]["env"].append(
        {"name": "AIRFLOW__LOG_MAX_SIZE_BYTES", "value": "1000"}
    )
    (item,) = found([logs(15)], [small], "data-loss")
    assert "beyond 1,000 bytes are deleted" in item.message
    assert found([small], [logs(15)], "data-loss") == []
    assert found([logs(15, {"emptyDir": {}})], [logs(2, {"emptyDir": {}})], "data-loss") == []
