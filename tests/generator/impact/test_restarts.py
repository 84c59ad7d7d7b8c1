import pytest

from tests.generator.impact.builders import (
    airflow_cfg,
    config,
    found,
    from_secret,
    sealed,
    workload,
)

POD_TEMPLATE = """
apiVersion: v1
kind: Pod
metadata: {labels: {component: worker}}
spec:
  containers:
  - {name: base, image: "r/airflow:%s"}
"""


def restarts(base, head):
    return found([base], [head], "restart")


def test_a_new_image_restarts_and_names_both_tags():
    (item,) = restarts(workload("scheduler"), workload("scheduler", image="r/airflow:3.2.2"))
    assert item.message == "1 pod restarts: image tag 3.2.1 → 3.2.2 of scheduler"
    assert str(item.resource) == "Deployment airflow/airflow-scheduler"


def test_another_registry_is_written_out():
    (item,) = restarts(workload("scheduler"), workload("scheduler", image="other/airflow:3.2.1"))
    assert "image r/airflow:3.2.1 → other/airflow:3.2.1" in item.message


def test_equal_templates_restart_nothing():
    assert restarts(workload("scheduler"), workload("scheduler", replicas=3)) == []


def test_a_changed_checksum_restarts_although_it_is_folded():
    base = workload("scheduler", annotations={"checksum/airflow-config": "1"})
    head = workload("scheduler", annotations={"checksum/airflow-config": "2"})
    (item,) = restarts(base, head)
    assert "what they read at start changes (airflow-config)" in item.message


def test_changed_variables_are_named_and_their_values_are_not():
    base = workload("scheduler", container_env=[{"name": "A", "value": "s3cret"}])
    head = workload("scheduler", container_env=[{"name": "A", "value": "0ther"}])
    (item,) = restarts(base, head)
    assert "environment A of scheduler" in item.message
    assert "s3cret" not in item.message and "0ther" not in item.message


def test_containers_that_come_and_go_are_named():
    base, head = workload("scheduler"), workload("scheduler")
    head["spec"]["template"]["spec"]["containers"].append({"name": "extra", "image": "x:1"})
    assert "container extra is new" in restarts(base, head)[0].message
    assert "container extra is removed" in restarts(head, base)[0].message


def partition(number):
    return {"updateStrategy": {"rollingUpdate": {"partition": number}}}


@pytest.mark.parametrize(
    ("kind", "spec", "words"),
    [
        ("Deployment", {"strategy": {"type": "Recreate"}}, "all stopped before the new ones start"),
        ("StatefulSet", {"replicas": 3}, "3 pods restart one after the other"),
        ("StatefulSet", {"updateStrategy": {"type": "OnDelete"}}, "only when somebody deletes"),
        ("Deployment", {"paused": True}, "only when somebody resumes the roll-out"),
        ("StatefulSet", {"replicas": 3, **partition(3)}, "only when rollingUpdate.partition falls"),
        ("StatefulSet", {"replicas": 3, **partition(1)}, "restart from ordinal 1 on"),
    ],
)
def test_the_strategy_is_told(kind, spec, words):
    base = workload("scheduler", kind, spec=spec)
    head = workload("scheduler", kind, spec=spec, image="r/airflow:3.2.2")
    assert words in restarts(base, head)[0].message


def test_no_pods_no_restart():
    base = workload("scheduler", replicas=0)
    assert restarts(base, workload("scheduler", replicas=0, image="r/airflow:3.2.2")) == []


def test_jobs_are_not_restarted():
    base, head = workload("x", "CronJob"), workload("x", "CronJob", image="r/airflow:3.2.2")
    assert restarts(base, head) == []


def test_task_pods_change_for_later_tasks():
    base, head = (config({"pod_template_file.yaml": POD_TEMPLATE % tag}) for tag in ("1", "2"))
    (item,) = found([base], [head], "task-pods")
    assert "image tag 1 → 2 of base" in item.message
    assert found([base], [base], "task-pods") == []


def test_an_unreadable_pod_template_is_left_to_validation():
    bomb = config({"pod_template_file.yaml": "[" * 5_000})
    assert found([bomb], [config({"pod_template_file.yaml": "- a"})], "task-pods") == []


def test_workers_drain_for_the_grace_they_were_started_with():
    base = workload("worker", "StatefulSet", replicas=3, terminationGracePeriodSeconds=600)
    head = workload("worker", "StatefulSet", replicas=3, terminationGracePeriodSeconds=60)
    (item,) = found([base], [head], "worker-drain")
    assert "has 10 min to finish" in item.message
    assert "3 pods one after the other take up to 30 min" in item.message


def test_only_workers_drain():
    head = workload("scheduler", image="r/airflow:3.2.2")
    assert found([workload("scheduler")], [head], "worker-drain") == []


@pytest.mark.parametrize(("new", "severity"), [(60, "warning"), (1200, "info")])
def test_a_new_grace_is_told(new, severity):
    base = workload("worker", terminationGracePeriodSeconds=600)
    (item,) = found([base], [workload("worker", terminationGracePeriodSeconds=new)], "drain-time")
    assert item.severity == severity


def test_an_equal_grace_is_not_told():
    base = workload("worker", terminationGracePeriodSeconds=600)
    head = workload("worker", terminationGracePeriodSeconds=600, image="r/airflow:3.2.2")
    assert found([base], [head], "drain-time") == []


MOUNTED = {
    "container_volumeMounts": [{"name": "c", "mountPath": "/x", "subPath": "airflow.cfg"}],
    "volumes": [{"name": "c", "configMap": {"name": "airflow-config"}}],
}


def test_configuration_that_no_restart_follows_is_stale():
    pod = workload("scheduler", **MOUNTED)
    base, head = [pod, airflow_cfg("[a]\nb=1")], [pod, airflow_cfg("[a]\nb=2")]
    (item,) = found(base, head, "not-restarted")
    assert "scheduler reads it at the start and is not restarted" in item.message


def test_a_sealed_secret_that_no_restart_follows_is_stale():
    pod = workload("scheduler", container_env=[from_secret("X", "s", "k")])
    assert found([pod, sealed("s", k="Ag1")], [pod, sealed("s", k="Ag2")], "not-restarted")


def test_a_restart_reads_the_new_configuration():
    base = [workload("scheduler", **MOUNTED), airflow_cfg("[a]\nb=1")]
    head = [workload("scheduler", annotations={"x": "y"}, **MOUNTED), airflow_cfg("[a]\nb=2")]
    assert found(base, head, "not-restarted") == []


def test_a_mounted_folder_is_updated_by_the_kubelet():
    pod = workload("scheduler", volumes=MOUNTED["volumes"])
    base, head = [pod, airflow_cfg("[a]\nb=1")], [pod, airflow_cfg("[a]\nb=2")]
    assert found(base, head, "not-restarted") == []


def test_workers_of_another_kind_all_stop_at_once():
    base = workload("worker", "StatefulSet", replicas=3, terminationGracePeriodSeconds=600)
    (item,) = found([base], [workload("worker", replicas=3)], "worker-drain")
    assert "has 10 min to finish" in item.message
    assert "3 pods of the StatefulSet stop all at once" in item.message


def test_a_local_executor_runs_its_tasks_in_the_scheduler_that_restarts():
    local = {"executor": "LocalExecutor"}
    base, head = workload("scheduler"), workload("scheduler", image="r/airflow:3.2.2")
    (item,) = found([base], [head], "worker-drain", local, local)
    assert "tasks run inside the scheduler, which has 30 s to stop" in item.message
    assert found([base], [head], "worker-drain") == []
