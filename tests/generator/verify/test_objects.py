"""Workloads, migration, Airflow, secrets, storage and autoscaling, each judged on one snapshot."""

import dataclasses
import datetime

import pytest

from generator.core.basis import Origin, Version
from generator.verify.airflow_health import assess_airflow
from generator.verify.application import read_application
from generator.verify.dependencies import (
    assess_autoscalers,
    assess_claims,
    assess_fresh,
    assess_unsealed,
)
from generator.verify.migration import assess_migration
from generator.verify.rollout import assess_workloads, resources
from generator.verify.snapshot import SecretMeta, Source
from tests.generator.verify.scene import (
    BASIS,
    IMAGE,
    OURS,
    REPOSITORY,
    START,
    Scene,
    airflow,
    at,
    bound,
    claim,
    crash_loop,
    expected,
    finished_job,
    operation,
    pod,
    ready,
    rendered,
    scaled_object,
    sealed_secret,
    unsealed,
)

REFUSED = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}


def of_operation(scene):
    return read_application(scene.application, REPOSITORY).operation


def workloads(scene):
    return assess_workloads(expected(), scene.look(50))


def change_image(scene):
    scene.workloads["scheduler"]["spec"]["template"]["spec"]["containers"][0]["image"] = "x:1"


def change_checksum(scene):
    own = scene.workloads["scheduler"]["spec"]["template"]["metadata"]
    own["annotations"]["checksum/airflow-config"] = "a"


def remove(scene):
    del scene.workloads["triggerer"]


def unobserved(scene):
    scene.workloads["scheduler"]["metadata"]["generation"] = 3


def refuse(scene):
    scene.workloads["scheduler"]["status"].update(availableReplicas=0, conditions=[dict(REFUSED)])


def pause(scene):
    scene.workloads["scheduler"]["spec"]["paused"] = True


def on_delete(scene):
    live = scene.workloads["triggerer"]
    live["spec"]["updateStrategy"] = {"type": "OnDelete"}
    live["status"].update(updatedReplicas=0, updateRevision="r3")


def first_crash(scene):
    scene.workloads["scheduler"]["status"]["availableReplicas"] = 0
    scene.pods["scheduler"]["status"]["conditions"] = []
    scene.pods["scheduler"]["status"]["containerStatuses"] = [crash_loop(restarts=1)]


def crashing_task(scene):
    """A task that fails is the DAG's business."""
    scene.workloads["scheduler"]["status"]["availableReplicas"] = 0
    task = pod("scheduler", suffix="task")
    task["metadata"]["labels"]["dag_id"] = "etl"
    del task["metadata"]["ownerReferences"]
    task["status"]["containerStatuses"] = [crash_loop("base")]
    scene.pods["task"] = task


def leaving_pod(scene):
    old = pod("scheduler", suffix="old", image="x:0")
    old["metadata"]["deletionTimestamp"] = at(40)
    old["status"]["containerStatuses"] = [crash_loop()]
    scene.pods["old"] = old


def stuck_pod(scene, component, kind, image, revision, created=15):
    """A pod of the workload that cannot run, beside one of the present template."""
    scene.workloads[component]["status"].update(availableReplicas=0, readyReplicas=0)
    old = pod(component, kind=kind, suffix="old", image=image, created=created)
    if kind == "Deployment":
        name = f"airflow-{component}-{revision}"
        old["metadata"]["ownerReferences"][0]["name"] = name
        old["metadata"]["labels"]["pod-template-hash"] = revision
    old["status"]["containerStatuses"] = [crash_loop()]
    scene.pods["old"] = old


def stuck_before(scene):
    """What an earlier commit broke ends on its own while the Deployment rolls out."""
    stuck_pod(scene, "scheduler", "Deployment", "x:0", "def")


def stuck_before_in_set(scene):
    """A StatefulSet does not go on before somebody deletes such a pod."""
    stuck_pod(scene, "triggerer", "StatefulSet", "x:0", "")


def stuck_behind_webhook(scene):
    """Every image is another than in the template: a webhook has them from a mirror."""
    for each in scene.pods.values():
        each["spec"]["containers"][0]["image"] = "mirror/x:1"
    stuck_pod(scene, "scheduler", "Deployment", "mirror/x:2", "def", created=30)


@pytest.mark.parametrize(
    ("change", "state", "words"),
    [
        (lambda scene: None, "met", "3 of 3"),
        (stuck_before, "waiting", "0 of 1 new replicas"),
        (stuck_before_in_set, "failed", "airflow-triggerer-old"),
        (stuck_behind_webhook, "failed", "airflow-scheduler-old"),
        (change_image, "waiting", f"scheduler has image x:1, not {IMAGE}"),
        (change_checksum, "waiting", "checksum/airflow-config"),
        (remove, "waiting", "airflow-triggerer: not found in the cluster"),
        (unobserved, "waiting", "current spec"),
        (refuse, "failed", "pods cannot be created: FailedCreate: quota"),
        (pause, "failed", "paused"),
        (on_delete, "waiting", "1 of 1 pods are old"),
        (first_crash, "waiting", "0 of 1 new replicas"),
        (crashing_task, "waiting", "0 of 1 new replicas"),
        (leaving_pod, "met", "3 of 3"),
    ],
)
def test_workloads_run_what_was_rendered(change, state, words):
    scene = Scene()
    change(scene)
    found = workloads(scene)
    assert (found.state.value, words in found.message) == (state, True), found


def test_the_message_of_a_refused_pod_holds_no_secret():
    scene = Scene()
    refuse(scene)
    scene.workloads["scheduler"]["status"]["conditions"][0]["message"] = "password=hunter2 is weak"
    assert "hunter2" not in workloads(scene).message


def test_every_rendered_object_is_listed_with_its_health():
    scene = Scene()
    scene.jobs = {}
    scene.unavailable = {Source.CLAIMS: "no right to list claims"}
    found = {str(item.key): item.health for item in resources(expected(), scene.look(50))}
    assert found["Job data/airflow-run-airflow-migrations"].status == "Missing"
    assert found["PersistentVolumeClaim data/airflow-dags"].message == "no right to list claims"
    assert found["Deployment data/airflow-scheduler"].status == "Healthy"
    assert len(found) == len(rendered())


def migration(scene, proven=None, **changes):
    return assess_migration(expected(**changes), scene.look(50), of_operation(scene), proven)


def hook(phase, **more):
    job = {"kind": "Job", "name": "airflow-run-airflow-migrations", "hookType": "Sync"}
    return {**job, "hookPhase": phase, **more}


def without_waiters(scene):
    for item in scene.pods.values():
        item["status"]["initContainerStatuses"] = []
    return scene


def test_a_complete_job_proves_the_migration():
    found = migration(without_waiters(Scene()))
    assert found.state == "met"
    assert at(20) in found.evidence


def test_a_job_of_an_earlier_sync_or_another_image_proves_nothing():
    scene = without_waiters(Scene())
    scene.jobs = {"migration": finished_job(created=-100, done=-90)}
    assert migration(scene).state == "waiting"
    scene.jobs = {"migration": finished_job()}
    scene.jobs["migration"]["spec"]["template"]["spec"]["containers"][0]["image"] = "x:1"
    assert migration(scene).state == "waiting"


def test_a_plain_job_of_an_earlier_sync_stands_if_its_image_does():
    scene = without_waiters(Scene())
    scene.jobs = {"migration": finished_job(created=-100, done=-90)}
    scene.jobs["migration"]["metadata"]["annotations"] = {}
    assert migration(scene).state == "met"


@pytest.mark.parametrize(
    ("phase", "state"),
    [("Succeeded", "met"), ("Failed", "failed"), ("Error", "failed"), ("Running", "waiting")],
)
def test_argo_cd_remembers_the_hook_when_the_job_is_gone(phase, state):
    scene = without_waiters(Scene())
    scene.jobs = {}
    results = [hook(phase, message="Job has reached the specified backoff limit")]
    scene.status["operationState"] = operation(
        "Succeeded", OURS, started=10, finished=40, results=results
    )
    assert migration(scene).state == state


def test_a_new_pod_that_passed_its_waiter_proves_the_migration():
    scene = Scene()
    scene.jobs = {}
    found = migration(scene)
    assert found.state == "met"
    assert "wait-for-airflow-migrations ended with 0" in found.evidence


def test_a_waiter_of_another_image_or_of_a_leaving_pod_proves_nothing():
    scene = Scene()
    scene.jobs = {}
    for item in scene.pods.values():
        item["spec"]["initContainers"][0]["image"] = "x:1"
    assert migration(scene).state == "waiting"
    scene.pods = {"only": pod("scheduler")}
    scene.pods["only"]["metadata"]["deletionTimestamp"] = at(40)
    assert migration(scene).state == "waiting"


def test_a_failed_job_overrules_every_proof():
    scene = Scene()
    proven = migration(scene)
    failure = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    scene.jobs["migration"]["status"] = {"conditions": [failure]}
    found = migration(scene, proven)
    assert (found.state, "BackoffLimitExceeded" in found.message) == ("failed", True)


def test_without_a_migration_job_there_is_nothing_to_prove():
    assert migration(Scene(), migration_job="").state == "skipped"


def test_jobs_that_cannot_be_read_leave_an_earlier_proof_standing():
    scene = without_waiters(Scene())
    proven = migration(scene)
    scene.jobs = {}
    scene.unavailable = {Source.JOBS: "no answer"}
    assert migration(scene, proven).state == "met"
    assert migration(scene).state == "unknown"


def asked(scene, **changes):
    return assess_airflow(expected(**changes), scene.look(50), of_operation(scene))


@pytest.mark.parametrize(
    ("document", "state", "words"),
    [
        (airflow(50), "met", "healthy: metadata database, scheduler, triggerer, dag-processor"),
        (airflow(50, metadatabase="unhealthy"), "waiting", "metadata database: unhealthy"),
        (airflow(50, scheduler="unhealthy"), "waiting", "scheduler: unhealthy"),
        (airflow(50, triggerer=None), "waiting", "triggerer: no status"),
        (airflow(-3), "waiting", "no heartbeat since the sync began"),
        (airflow(23), "waiting", "no heartbeat since pod airflow-"),
        (airflow(25), "met", "healthy"),
        (airflow(-41), "waiting", "the last heartbeat is of"),
        (airflow(139), "met", "healthy"),
        (airflow(141), "waiting", "which is in the future: the clocks differ"),
        ({}, "waiting", "metadata database: no status"),
    ],
)
def test_airflow_is_healthy_when_each_component_beats_since_the_sync(document, state, words):
    scene = Scene()
    scene.airflow = document
    found = asked(scene)
    assert (found.state.value, words in found.message) == (state, True), found


def test_rare_heartbeats_are_waited_for_as_long_as_they_are_rendered_to_take():
    """A raised threshold alone does not make an old heartbeat a new one."""

    def judged(*more, **env):
        objects = rendered()
        own = objects[0]["spec"]["template"]["spec"]["containers"][0]
        own["env"] = [{"name": name, "value": value} for name, value in env.items()]
        scene = Scene()
        scene.airflow = airflow(60)
        promise = expected(manifests=(*objects, *more))
        return assess_airflow(promise, scene.look(160), of_operation(scene)).message

    every = {"AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "60"}
    assert "scheduler: the last heartbeat" in judged()
    assert "scheduler: the last heartbeat" not in judged(**every)
    assert "triggerer: the last heartbeat" in judged(**every)
    threshold = {"AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "600"}
    assert "scheduler: the last heartbeat" in judged(**threshold)
    text = "[triggerer]\njob_heartbeat_sec = 60\n[scheduler]\njob_heartbeat_sec = soon\n"
    config = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"airflow.cfg": text}}
    found = judged(config, **every)
    assert "triggerer" not in found
    assert "dag-processor: the last heartbeat" in found


@pytest.mark.parametrize(
    ("version", "state"),
    [("2.6.1", "met"), ("2.6.2", "waiting"), ("2.7.0", "waiting"), ("", "waiting")],
)
def test_a_component_that_this_airflow_does_not_report_is_named_not_waited_for(version, state):
    scene = Scene()
    scene.airflow = {key: part for key, part in airflow(50).items() if key != "triggerer"}
    basis = dataclasses.replace(BASIS, airflow=Version(version, Origin.NAMED))
    found = asked(scene, basis=basis)
    assert found.state.value == state, found
    silent = "; not reported by Airflow 2.6.1: triggerer"
    assert found.message.endswith(silent) is (state == "met")


def test_only_rendered_components_are_asked_for():
    scene = Scene()
    scene.airflow = airflow(50, triggerer=None)
    promise = tuple(item for item in rendered() if item["metadata"]["name"] != "airflow-triggerer")
    assert asked(scene, manifests=promise).state == "met"


def test_an_endpoint_that_is_not_there_not_reachable_or_broken_says_so():
    scene = Scene()
    assert asked(scene, endpoint=None).state == "skipped"
    scene.airflow, scene.airflow_problem = None, "https://x answered 503"
    assert asked(scene).message == "https://x answered 503"
    scene.airflow_problem = ""
    assert asked(scene).state == "waiting"
    scene.unavailable = {Source.AIRFLOW: "no way to it"}
    assert asked(scene).state == "unknown"


def test_a_sealed_secret_must_be_unsealed_as_rendered():
    scene = Scene()

    def judged(**changes):
        return assess_unsealed(expected(**changes), scene.look(50)).state.value

    assert judged() == "met"
    scene.sealed["connections"]["status"]["conditions"][0]["status"] = "False"
    assert judged() == "failed"
    scene.sealed["connections"]["spec"]["encryptedData"] = {"AIRFLOW_CONN_X": "AgB0"}
    assert judged() == "waiting", "a refusal of the ciphertext before is no failure of this one"
    scene.sealed = {}
    assert judged() == "waiting"
    assert judged(manifests=()) == "skipped"
    scene.unavailable = {Source.MANIFESTS: "no right"}
    assert judged() == "unknown"


def test_a_pod_older_than_its_secret_is_named():
    scene = Scene()
    scene.secrets = {"airflow-connections": 30}
    found = assess_fresh(expected(), scene.look(50))
    assert found.state == "failed"
    words = "container scheduler of pod airflow-scheduler-x is older than SealedSecret airflow-conn"
    assert words in found.message
    assert "airflow-triggerer" not in found.message, "it does not read that Secret"
    scene.secrets = {"unused": 30}
    assert assess_fresh(expected(), scene.look(50)).state == "met"
    scene.secrets = {}
    assert assess_fresh(expected(), scene.look(50)).state == "skipped"


def test_a_container_is_measured_by_its_own_start_and_not_by_its_pods():
    """It waited for a Secret that came late, or was restarted since: it has the contents of now."""
    scene = Scene()
    scene.secrets = {"airflow-connections": 30}
    (status,) = scene.pods["scheduler"]["status"]["containerStatuses"]
    status["state"]["running"]["startedAt"] = at(31)
    assert assess_fresh(expected(), scene.look(50)).state == "met"
    status["state"] = {"waiting": {"reason": "CreateContainerConfigError"}}
    assert assess_fresh(expected(), scene.look(50)).state == "met", "it is still to read it"


def test_what_is_not_unsealed_yet_is_waited_for():
    applied = SecretMeta("airflow-connections", START + datetime.timedelta(seconds=30), "x", False)
    look = dataclasses.replace(Scene().look(50), secrets=(applied,))
    found = assess_fresh(expected(), look)
    assert (found.state, found.message) == ("waiting", "not unsealed yet: airflow-connections")


def test_a_pod_is_fresh_only_if_it_began_after_the_last_refresh_from_the_store():
    def judged(second):
        moment = START + datetime.timedelta(seconds=second)
        meta = SecretMeta("airflow-connections", moment, "ExternalSecret", at_latest=True)
        return assess_fresh(expected(), dataclasses.replace(Scene().look(50), secrets=(meta,)))

    assert judged(5).message == "every container has the present Secrets"
    found = judged(30)
    assert found.state == "met"
    assert "of those that were compared; not compared, as a refresh does not say" in found.message
    assert "airflow-scheduler-x is older than ExternalSecret airflow-connections" in found.message


def test_the_secrets_of_a_containers_files_count():
    scene = Scene()
    scene.secrets = {"airflow-fernet": 30, "airflow-connections": 5}
    own = scene.pods["triggerer"]["spec"]
    keys = {"sources": [{"secret": {"name": "airflow-fernet"}}]}
    own["volumes"] = [{"name": "keys", "projected": keys}]
    assert assess_fresh(expected(), scene.look(50)).state == "met", "no container mounts it"
    own["containers"][0]["volumeMounts"] = [{"name": "keys"}]
    assert "airflow-fernet" in assess_fresh(expected(), scene.look(50)).message


def test_every_claim_of_the_release_must_be_bound():
    scene = Scene()

    def judged():
        return assess_claims(expected(), scene.look(50)).state.value

    assert judged() == "met"
    scene.claims["logs"] = {**claim("logs-airflow-triggerer-0"), "status": {"phase": "Pending"}}
    assert judged() == "waiting"
    scene.claims["logs"]["status"]["phase"] = "Lost"
    assert judged() == "failed"
    scene.claims = {"logs": bound(claim("logs-airflow-triggerer-0"))}
    assert judged() == "waiting", "the rendered one is missing"


def test_every_rendered_autoscaler_must_be_ready():
    scene = Scene()

    def judged(**changes):
        return assess_autoscalers(expected(**changes), scene.look(50)).state.value

    assert judged() == "met"
    scene.scaled["worker"]["status"]["conditions"][0]["status"] = "False"
    assert judged() == "failed"
    scene.scaled = {}
    assert judged() == "waiting"
    scene.scaled = {"worker": ready(scaled_object())}
    scene.unavailable = {Source.SCALED_OBJECTS: "no right"}
    assert judged() == "unknown"
    assert judged(manifests=()) == "skipped"


def test_an_unsealed_secret_of_an_older_generation_is_waited_for():
    scene = Scene()
    live = unsealed(sealed_secret())
    live["metadata"]["generation"] = 2
    scene.sealed = {"connections": live}
    assert assess_unsealed(expected(), scene.look(50)).state == "waiting"
