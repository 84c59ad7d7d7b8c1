import pytest

from generator.kube.resource import key_of
from tests.generator.impact.builders import (
    NAMESPACE,
    airflow_cfg,
    found,
    manifest,
    scaler,
    workload,
)

SCHEDULER = workload("scheduler")


def workers(count, kind="StatefulSet", name="worker", queues=None, **pod):
    words = "exec \\\nairflow celery worker" + (f" -q {queues}" if queues else "")
    item = workload("worker", kind, replicas=count, container_args=["bash", "-c", words], **pod)
    item["metadata"]["name"] = f"airflow-{name}"
    return item


def autoscaled(low, high):
    item = workers(1)
    del item["spec"]["replicas"]
    return [item, scaler("worker", low, high, "StatefulSet")]


@pytest.mark.parametrize(
    ("component", "words"),
    [
        ("scheduler", "no task starts"),
        ("api-server", "do not respond"),
        ("worker", "what is queued waits"),
        ("triggerer", "do not wake up"),
        ("dag-processor", "not read"),
        ("redis", "no task is queued"),
        ("pgbouncer", "no database"),
    ],
)
def test_a_component_in_no_pod_is_an_outage(component, words):
    base, none = [workload(component), workload("x")], workload(component, replicas=0)
    (item,) = found(base, [none, workload("x")], "scaled-to-zero")
    assert item.severity == "error" and "is scaled to 0" in item.message
    assert words in item.message
    assert found([none, workload("x")], [none, workload("x")], "scaled-to-zero") == []


def test_a_component_that_is_not_deployed_any_more_is_an_outage():
    (item,) = found([SCHEDULER, workload("triggerer")], [SCHEDULER], "scaled-to-zero")
    assert "is no longer deployed" in item.message
    (item,) = found([SCHEDULER, workload("statsd")], [SCHEDULER], "scaled-to-zero")
    assert item.severity == "warning"


def test_a_component_whose_work_another_one_does_is_missed_by_nobody():
    web, api = workload("webserver"), workload("api-server")
    assert found([SCHEDULER, web], [SCHEDULER, api], "scaled-to-zero") == []
    assert found([SCHEDULER, workers(2)], [SCHEDULER], "scaled-to-zero",
                 head_facts={"executor": "KubernetesExecutor"}) == []  # fmt: skip
    older = workload("scheduler", image="r/airflow:2.11.0")
    assert found([older, workload("dag-processor")], [older], "scaled-to-zero") == []


def test_an_autoscaler_that_may_reach_zero_is_no_outage():
    assert found([SCHEDULER, workers(2)], [SCHEDULER, *autoscaled(0, 5)], "scaled-to-zero") == []


def test_an_autoscaler_that_is_paused_at_a_number_keeps_to_it():
    stopped = autoscaled(2, 5)
    stopped[1]["metadata"]["annotations"] = {"autoscaling.keda.sh/paused-replicas": "0"}
    (item,) = found([SCHEDULER, *autoscaled(2, 5)], [SCHEDULER, *stopped], "scaled-to-zero")
    assert "worker is scaled to 0" in item.message


def test_workers_that_are_taken_away_have_their_grace():
    pods = {"terminationGracePeriodSeconds": 600}
    (item,) = found([workers(4, **pods)], [workers(1, **pods)], "pods-removed")
    assert "3 pods of it are taken away" in item.message and "10 min to finish" in item.message
    assert found([workers(1)], [workers(4)], "pods-removed") == []


def test_an_autoscaler_with_a_lower_maximum_takes_pods_away():
    (item,) = found(autoscaled(2, 20), autoscaled(2, 3), "pods-removed")
    assert "up to 17 pods" in item.message
    (item,) = found(autoscaled(2, 20), [workers(3)], "pods-removed")
    assert "up to 17 pods" in item.message


def test_a_worker_set_that_goes_takes_its_pods_and_queues_with_it():
    base = [workers(2), workers(3, name="big", queues="big,huge")]
    (item,) = found(base, [workers(2)], "pods-removed")
    assert "3 pods" in item.message and "the workload is removed" in item.message
    (item,) = found(base, [workers(2)], "queue")
    assert item.severity == "error" and "queues big and huge" in item.message


def test_a_queue_that_others_still_serve_stays():
    base = [workers(2), workers(3, name="big", queues="big,default")]
    assert found(base, [workers(2, queues="big,default")], "queue") == []


def test_another_default_queue_leaves_the_old_one_alone():
    other = airflow_cfg("[operators]\ndefault_queue = fast\n")
    (item,) = found([workers(2)], [workers(2), other], "queue")
    assert "queue default" in item.message


def test_pods_without_work_in_progress_are_taken_away_silently():
    assert (
        found([workload("api-server", replicas=3)], [workload("api-server")], "pods-removed") == []
    )


def test_a_local_executor_runs_tasks_in_the_scheduler():
    local = {"executor": "LocalExecutor"}
    (item,) = found([workload("scheduler", replicas=2)], [SCHEDULER], "pods-removed", local, local)
    assert "tasks that run there have 30 s to finish" in item.message
    assert found([workload("scheduler", replicas=2)], [SCHEDULER], "pods-removed") == []


def test_fixed_replicas_fall_to_one_when_an_autoscaler_takes_over():
    (item,) = found([workers(3)], autoscaled(2, 20), "autoscaler-starts")
    assert "the stored number is not kept" in item.message
    assert "sets 1, and 2 of 3 pods are stopped at once" in item.message
    kept = [workers(3), scaler("worker", 2, 20, "StatefulSet")]
    assert found([workers(3)], kept, "autoscaler-starts") == []
    assert found([workers(1)], autoscaled(2, 20), "autoscaler-starts") == []
    assert found(autoscaled(1, 5), autoscaled(2, 20), "autoscaler-starts") == []


@pytest.mark.parametrize(
    ("rule", "option", "falls"),
    [
        ({"kind": "StatefulSet", "jsonPointers": ["/spec/replicas"]}, True, False),
        ({"kind": "StatefulSet", "jqPathExpressions": [".spec.replicas"]}, True, False),
        ({"kind": "StatefulSet", "jsonPointers": ["/spec/replicas"]}, False, True),
        ({"kind": "StatefulSet", "jsonPointers": ["/spec/template"]}, True, True),
        ({"kind": "Deployment", "jsonPointers": ["/spec/replicas"]}, True, True),
        ({"kind": "StatefulSet", "name": "other", "jsonPointers": ["/spec/replicas"]}, True, True),
    ],
)
def test_replicas_that_argo_cd_leaves_alone_do_not_fall(rule, option, falls):
    """argo-cd/controller/sync.go: normalizeTargetResources."""
    options = ["ServerSideApply=true", *(["RespectIgnoreDifferences=true"] if option else [])]
    spec = {
        "ignoreDifferences": [{"group": "apps", **rule}],
        "syncPolicy": {"syncOptions": options},
    }
    own = manifest("argoproj.io/v1alpha1", "Application", "own", spec=spec)
    facts = {"application": key_of(own, NAMESPACE)}
    head = [own, *autoscaled(2, 20)]
    assert bool(found([own, workers(3)], head, "autoscaler-starts", facts, facts)) is falls
