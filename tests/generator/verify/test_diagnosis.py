from generator.verify.application import read_application
from generator.verify.diagnosis import diagnose, stuck, wanted_logs
from generator.verify.verdict import decide
from tests.generator.verify.scene import (
    OURS,
    REPOSITORY,
    Scene,
    at,
    crash_loop,
    expected,
    image_pull,
    operation,
    pod,
)


def causes(scene):
    app = read_application(scene.application, REPOSITORY)
    return diagnose(expected(), scene.look(50), app.operation)


def with_status(status, *, init=False):
    scene = Scene()
    key = "initContainerStatuses" if init else "containerStatuses"
    scene.pods["scheduler"]["status"][key] = [status]
    return scene


def test_a_healthy_environment_has_no_causes():
    assert causes(Scene()) == ()


def test_an_image_that_cannot_be_pulled_is_named():
    (cause,) = causes(with_status(image_pull()))
    assert (cause.reason, cause.resource) == ("ImagePullBackOff", "Pod/airflow-scheduler-x")
    assert "container scheduler cannot start" in cause.message
    assert "registry.example.com/airflow:2" in cause.message


def test_a_crash_loop_has_its_exit_code_and_the_last_lines_of_its_log():
    scene = with_status(crash_loop(restarts=4, code=137))
    scene.logs = {
        ("airflow-scheduler-x", "scheduler"): (
            "starting",
            "cannot connect: postgresql://airflow:hunter2@pg:5432/airflow",
        )
    }
    (cause,) = causes(scene)
    assert cause.reason == "CrashLoopBackOff"
    assert "exit code 137 and was restarted 4 times" in cause.message
    assert cause.log[0] == "starting"
    assert "hunter2" not in "".join(cause.log)
    assert "cannot connect" in cause.log[1]


def test_an_out_of_memory_end_is_called_by_its_name():
    status = crash_loop(code=137)
    status["lastState"]["terminated"]["reason"] = "OOMKilled"
    (cause,) = causes(with_status(status))
    assert "(OOMKilled)" in cause.message


def test_the_schedulers_words_are_repeated():
    scene = Scene()
    words = "0/3 nodes are available: 3 Insufficient memory."
    unscheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": words,
    }
    scene.pods["scheduler"]["status"] = {"phase": "Pending", "conditions": [unscheduled]}
    (cause,) = causes(scene)
    assert (cause.reason, cause.message) == ("Unschedulable", words)


def test_a_quota_that_refuses_pods_is_named():
    scene = Scene()
    words = 'pods "airflow-scheduler-1" is forbidden: exceeded quota: airflow-resource-quota'
    refusal = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": words,
    }
    scene.workloads["scheduler"]["status"]["conditions"] = [refusal]
    (cause,) = causes(scene)
    assert (cause.resource, cause.message) == ("Deployment/airflow-scheduler", words)


def test_failed_hooks_and_refused_objects_come_first():
    scene = with_status(image_pull())
    results = [
        {"kind": "Job", "name": "m", "hookType": "Sync", "hookPhase": "Failed", "message": "limit"},
        {"kind": "Job", "name": "ok", "hookType": "Sync", "hookPhase": "Succeeded"},
        {"kind": "StatefulSet", "name": "w", "status": "SyncFailed", "message": "forbidden"},
    ]
    scene.status["operationState"] = operation("Failed", OURS, started=10, results=results)
    found = [(cause.reason, cause.resource) for cause in causes(scene)]
    assert found == [
        ("Sync hook Failed", "Job/m"),
        ("SyncFailed", "StatefulSet/w"),
        ("ImagePullBackOff", "Pod/airflow-scheduler-x"),
    ]


def event(name, reason="FailedMount", *, kind="Warning", second=45, message="no such secret"):
    return {
        "metadata": {"name": f"{name}.{reason}"},
        "type": kind,
        "reason": reason,
        "message": message,
        "lastTimestamp": at(second),
        "involvedObject": {"kind": "Pod", "name": name},
    }


def test_recent_warnings_about_the_release_are_told_newest_first():
    scene = Scene()
    task = pod("worker", suffix="task")
    task["metadata"]["labels"]["dag_id"] = "etl"
    scene.pods["task"] = task
    scene.events = [
        event("airflow-scheduler-x", second=30, message="older"),
        event("airflow-scheduler-x", second=45, message="newer"),
        event("airflow-scheduler-x", second=45, message="newer"),
        event("airflow-scheduler-x", second=5, message="before the sync"),
        event("airflow-scheduler-x", kind="Normal", message="routine"),
        event("airflow-scheduler-x", "Unhealthy", message="a probe failed once"),
        event("somebody-else", message="foreign"),
        event("airflow-worker-task", message="a task"),
    ]
    assert [cause.message for cause in causes(scene)] == ["newer", "older"]


def test_what_a_pod_complained_of_before_it_was_ready_is_over():
    scene = Scene()
    (ready,) = [
        it for it in scene.pods["scheduler"]["status"]["conditions"] if it["type"] == "Ready"
    ]
    ready["lastTransitionTime"] = at(40)
    scene.events = [
        event("airflow-scheduler-x", "FailedScheduling", second=40, message="unbound claims"),
        event("airflow-scheduler-x", second=50, message="since then"),
    ]
    assert [cause.message for cause in causes(scene)] == ["since then"]


def test_new_style_events_are_read_too():
    scene = Scene()
    scene.events = [
        {
            "metadata": {"name": "x"},
            "type": "Warning",
            "reason": "FailedScheduling",
            "note": "no node",
            "eventTime": at(44),
            "regarding": {"kind": "Pod", "name": "airflow-scheduler-x"},
        }
    ]
    assert [cause.message for cause in causes(scene)] == ["no node"]


def test_causes_are_bounded():
    scene = Scene()
    scene.events = [event(f"airflow-{n}", message=f"{n} " + "x" * 5000) for n in range(100)]
    found = causes(scene)
    assert len(found) == 20
    assert max(len(cause.message) for cause in found) <= 600


def test_only_what_waiting_will_not_mend_is_stuck():
    assert "ImagePullBackOff" in stuck(with_status(image_pull()).pods["scheduler"])
    assert "exit code 1" in stuck(with_status(crash_loop()).pods["scheduler"])
    assert stuck(with_status(crash_loop(restarts=1)).pods["scheduler"]) == ""
    waiter = crash_loop("wait-for-airflow-migrations")
    assert stuck(with_status(waiter, init=True).pods["scheduler"]) == ""
    assert stuck(with_status(image_pull("x"), init=True).pods["scheduler"])
    assert stuck(Scene().pods["scheduler"]) == ""


def test_the_logs_that_would_explain_it_are_asked_for():
    scene = with_status(crash_loop())
    first = {"name": "dag-processor", "state": {"terminated": {"exitCode": 2}}}
    scene.pods["processor"]["status"]["containerStatuses"] = [first]
    assert wanted_logs(scene.look(50)) == [
        ("airflow-dag-processor-x", "dag-processor", False),
        ("airflow-scheduler-x", "scheduler", True),
    ]


def test_the_verdict_is_written_in_its_documented_shape():
    scene = with_status(crash_loop())
    scene.workloads["scheduler"]["status"]["availableReplicas"] = 0
    written = decide(expected(), scene.look(50)).as_json()
    assert list(written) == [
        "environment",
        "revision",
        "verdict",
        "message",
        "basis",
        "conditions",
        "resources",
        "diagnosis",
    ]
    assert written["verdict"] == "pending"
    assert set(written["conditions"][0]) == {"name", "status", "message", "evidence", "time"}
    assert set(written["resources"][0]) == {
        "apiVersion",
        "kind",
        "namespace",
        "name",
        "status",
        "message",
    }
    assert written["diagnosis"][0]["log"] == []
