"""Sequences of what a cluster showed, and what may be said about each moment of them.

Every case is a list of steps: the second, what changed in the scene, and the outcome of the
judgement then. `verified` may appear only where it is true.
"""

import pytest

from generator.verify.result import Outcome
from generator.verify.snapshot import Source
from generator.verify.verdict import conclude, decide
from tests.generator.verify.scene import (
    LATER,
    OLD,
    OURS,
    Scene,
    airflow,
    at,
    crash_loop,
    expected,
    finished_job,
    image_pull,
    operation,
    pod,
    restarted,
)


def nothing(scene):
    pass


def old(scene):
    scene.before_the_commit()


def became_ours(scene):
    fresh = Scene()
    scene.__dict__.update(fresh.__dict__)


def compared_only(scene):
    scene.status["sync"].update(status="OutOfSync", revisions=["1.22.0", OURS])


def syncing(scene):
    compared_only(scene)
    scene.status["operationState"] = operation("Running", OURS, started=10, message="waiting")


def reconciled_at(seconds):
    return lambda scene: scene.status.update(reconciledAt=at(seconds))


def out_of_sync(scene):
    scene.status["sync"]["status"] = "OutOfSync"


def synced(scene):
    scene.status["sync"]["status"] = "Synced"


def gone(scene):
    scene.application = None


def deleting(scene):
    scene.application["metadata"]["deletionTimestamp"] = at(60)


def unreachable(*sources):
    def change(scene):
        scene.unavailable = dict.fromkeys(sources, "the API server does not answer")

    return change


def reachable(scene):
    scene.unavailable = {}


def later(scene):
    scene.status["sync"]["revisions"][1] = LATER


def later_syncs(scene):
    scene.status["operationState"] = operation("Running", LATER, started=50, message="applying")


def auto_sync_off(scene):
    scene.application["spec"]["syncPolicy"] = {}
    compared_only(scene)
    scene.status["operationState"] = operation("Succeeded", OLD, started=-600, finished=-500)


def prune_waits(scene):
    syncing(scene)
    words = "waiting for pruning confirmation of /PersistentVolumeClaim/logs and 1 more resources"
    scene.status["operationState"]["message"] = words


def no_scheduler(scene):
    scene.workloads["scheduler"]["status"]["availableReplicas"] = 0
    scene.pods["scheduler"]["status"]["conditions"] = []


def broken_image(scene):
    no_scheduler(scene)
    scene.pods["scheduler"]["status"]["phase"] = "Pending"
    scene.pods["scheduler"]["status"]["containerStatuses"] = [image_pull()]


def crashing(scene):
    no_scheduler(scene)
    scene.pods["scheduler"]["status"]["containerStatuses"] = [crash_loop()]


def between_crashes(scene):
    no_scheduler(scene)
    status = crash_loop()
    status["state"] = {"running": {}}
    scene.pods["scheduler"]["status"]["containerStatuses"] = [status]


def killed(count, *, ended, ran=25):
    """The scheduler runs at every look; it is killed in between."""

    def change(scene):
        status = restarted(restarts=count, ended=ended, ran=ran)
        scene.pods["scheduler"]["status"]["containerStatuses"] = [status]

    return change


def count_alone(count):
    """A status without times."""

    def change(scene):
        status = {"name": "scheduler", "ready": True, "restartCount": count, "state": {}}
        scene.pods["scheduler"]["status"]["containerStatuses"] = [status]

    return change


def scaled_to_nothing(scene):
    """By hand; Argo CD is told to ignore it, and Airflow knows nothing of it."""
    live = scene.workloads["processor"]
    live["spec"]["replicas"] = 0
    for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"):
        live["status"][name] = 0
    del scene.pods["processor"]


def scaled_back(scene):
    fresh = Scene()
    scene.workloads["processor"] = fresh.workloads["processor"]
    scene.pods["processor"] = fresh.pods["processor"]


def last_beat(second):
    return lambda scene: setattr(scene, "airflow", airflow(second))


def new_scheduler(second):
    return lambda scene: scene.pods.update(scheduler=pod("scheduler", created=second))


def old_scheduler_ends(second):
    """It beats on until its grace period is over."""

    def change(scene):
        scene.pods["old"] = pod("scheduler", created=-600, suffix="old")
        scene.pods["old"]["metadata"]["deletionTimestamp"] = at(second)

    return change


def old_scheduler_gone(scene):
    del scene.pods["old"]


def unsealed_at(second):
    return lambda scene: scene.secrets.update({"airflow-connections": second})


def hook_failed(scene):
    item = {"kind": "Job", "name": "airflow-create-user", "hookType": "Sync", "hookPhase": "Failed"}
    scene.status["operationState"] = operation(
        "Succeeded", OURS, started=10, finished=40, results=[{**item, "message": "backoff limit"}]
    )


def repaired(scene):
    scene.workloads["scheduler"]["status"]["availableReplicas"] = 1
    fresh = Scene()
    scene.pods["scheduler"] = fresh.pods["scheduler"]


def no_job(scene):
    scene.jobs = {}


def unproven(scene):
    no_job(scene)
    no_waiters(scene)


def no_waiters(scene):
    for item in scene.pods.values():
        item["status"]["initContainerStatuses"] = []


RACES = {
    "everything holds: verified only after it has stood for the settle window": [
        (50, nothing, "pending"),
        (79, nothing, "pending"),
        (80, nothing, "verified"),
    ],
    "stale Healthy: the state before the sync is as healthy as can be": [
        (0, old, "pending"),
        (60, nothing, "pending"),
        (600, reconciled_at(590), "pending"),
    ],
    "healthy before the reconciliation: compared with our commit, nothing applied yet": [
        (0, old, "pending"),
        (10, compared_only, "pending"),
        (20, syncing, "pending"),
        (50, became_ours, "pending"),
        (80, nothing, "verified"),
    ],
    "the sync ended, but Argo CD has not looked since": [
        (42, reconciled_at(35), "pending"),
        (80, nothing, "pending"),
        (90, reconciled_at(85), "pending"),
        (125, nothing, "verified"),
    ],
    "flapping: each relapse starts the settle window anew": [
        (50, nothing, "pending"),
        (70, no_scheduler, "pending"),
        (75, repaired, "pending"),
        (100, out_of_sync, "pending"),
        (101, synced, "pending"),
        (130, nothing, "pending"),
        (131, nothing, "verified"),
    ],
    "a failure that mends itself in time is none": [
        (50, crashing, "pending"),
        (105, nothing, "pending"),
        (109, repaired, "pending"),
        (139, nothing, "verified"),
    ],
    "a crash loop is one failure, also while it runs between two crashes": [
        (50, crashing, "pending"),
        (80, between_crashes, "pending"),
        (100, crashing, "pending"),
        (110, nothing, "failed"),
    ],
    "a scheduler that is killed between any two looks": [
        (50, killed(7, ended=44), "pending"),
        (75, killed(8, ended=70), "pending"),
        (100, killed(9, ended=96), "pending"),
        (110, nothing, "failed"),
    ],
    "a count that rises without saying when": [
        (50, count_alone(7), "pending"),
        (75, count_alone(8), "pending"),
        (100, count_alone(9), "pending"),
        (110, nothing, "failed"),
    ],
    "a count that stands still is of before": [
        (50, count_alone(9), "pending"),
        (80, nothing, "pending"),
        (110, nothing, "verified"),
    ],
    "one restart in the settle window starts it anew, once as much time has passed as before": [
        (50, nothing, "pending"),
        (79, killed(1, ended=78, ran=50), "pending"),
        (128, nothing, "pending"),
        (129, nothing, "pending"),
        (159, nothing, "verified"),
    ],
    "pods taken away by hand, and given back": [
        (50, nothing, "pending"),
        (60, scaled_to_nothing, "pending"),
        (600, reconciled_at(590), "pending"),
        (610, scaled_back, "pending"),
        (640, nothing, "verified"),
    ],
    "the last heartbeat of a scheduler that is gone": [
        (45, new_scheduler(36), "pending"),
        (76, last_beat(39), "pending"),
        (100, nothing, "pending"),
        (101, last_beat(100), "pending"),
        (131, last_beat(130), "verified"),
    ],
    "while an old scheduler ends, the heartbeats may be its own": [
        (50, old_scheduler_ends(85), "pending"),
        (80, nothing, "pending"),
        (84, old_scheduler_gone, "pending"),
        (114, nothing, "verified"),
    ],
    "a Secret that is unsealed after its pods started": [
        (50, unsealed_at(49), "pending"),
        (110, nothing, "failed"),
    ],
    "a hook that failed in a sync that succeeded": [
        (50, hook_failed, "pending"),
        (110, nothing, "failed"),
    ],
    "a broken image fails long before the Deployment's own deadline": [
        (50, broken_image, "pending"),
        (109, nothing, "pending"),
        (110, nothing, "failed"),
    ],
    "an Application that is not there yet may still come": [
        (0, gone, "pending"),
        (300, nothing, "pending"),
        (310, became_ours, "pending"),
        (340, nothing, "verified"),
    ],
    "an Application that was there and is gone": [
        (50, nothing, "pending"),
        (60, gone, "pending"),
        (120, nothing, "failed"),
    ],
    "an Application that is being deleted": [
        (50, nothing, "pending"),
        (60, deleting, "pending"),
        (120, nothing, "failed"),
    ],
    "the API server restarts: what cannot be seen is not believed, and the window starts anew": [
        (50, nothing, "pending"),
        (70, unreachable(*Source), "pending"),
        (100, nothing, "pending"),
        (110, reachable, "pending"),
        (139, nothing, "pending"),
        (140, nothing, "verified"),
    ],
    "a part that cannot be read keeps the whole from being verified": [
        (50, unreachable(Source.PODS), "pending"),
        (100, nothing, "pending"),
        (500, nothing, "pending"),
    ],
    "an outage in the middle of a failure does not shorten it": [
        (50, broken_image, "pending"),
        (100, unreachable(*Source), "pending"),
        (115, reachable, "pending"),
        (170, nothing, "pending"),
        (175, nothing, "failed"),
    ],
    "a second merge while the first is syncing": [
        (20, syncing, "pending"),
        (50, later_syncs, "superseded"),
    ],
    "a second merge that is compared before its sync begins": [
        (50, nothing, "pending"),
        (60, later, "superseded"),
    ],
    "automatic sync is off": [
        (50, auto_sync_off, "pending"),
        (80, nothing, "not-synced"),
    ],
    "automatic sync is off, and somebody syncs by hand": [
        (50, auto_sync_off, "pending"),
        (60, became_ours, "pending"),
        (90, nothing, "verified"),
    ],
    "a prune that waits for somebody": [
        (20, prune_waits, "pending"),
        (50, nothing, "prune-confirmation"),
    ],
    "the migration Job's time to live ends after it was seen complete": [
        (50, no_waiters, "pending"),
        (60, no_job, "pending"),
        (80, nothing, "verified"),
    ],
    "the migration Job was never seen, and nothing else proves the migration": [
        (50, unproven, "pending"),
        (500, nothing, "pending"),
    ],
    "the controller stopped: nothing moves, and that is not success": [
        (50, old, "pending"),
        (2000, nothing, "pending"),
    ],
    "the controller stopped after our commit: an old look is not believed": [
        (2000, nothing, "pending"),
        (2100, nothing, "pending"),
    ],
}


@pytest.mark.few(10)
@pytest.mark.parametrize("name", RACES)
def test_a_race_never_ends_in_a_false_verdict(name):
    scene, verdict, seen = Scene(), None, []
    for second, change, _ in RACES[name]:
        change(scene)
        verdict = decide(expected(), scene.look(second), verdict)
        seen.append((second, verdict.outcome.value))
    assert seen == [(second, outcome) for second, _, outcome in RACES[name]], verdict.message


ENDS = {
    "stale state": ([old], "timed-out", "revision"),
    "controller stopped": ([nothing], "timed-out", "application controller"),
    "unreachable": ([unreachable(*Source)], "unknown", "does not answer"),
    "unreachable after a good look": ([nothing, unreachable(*Source)], "unknown", "does not"),
    "no Application": ([gone], "timed-out", "not found"),
    "failing, but not for long": ([nothing, broken_image], "failed", "ImagePullBackOff"),
    "holding, but not for long": ([reconciled_at(2000)], "timed-out", "more time"),
    "waiting for a prune": ([prune_waits], "prune-confirmation", "/PersistentVolumeClaim/logs"),
    "only Airflow out of reach": (
        [reconciled_at(2000), unreachable(Source.AIRFLOW)],
        "unknown",
        "does not answer",
    ),
    "Airflow out of reach, and more": (
        [reconciled_at(2000), unreachable(Source.AIRFLOW), no_scheduler],
        "timed-out",
        "airflow",
    ),
}


@pytest.mark.parametrize("name", ENDS)
def test_when_time_is_up_the_last_word_is_honest(name):
    changes, outcome, words = ENDS[name]
    scene, verdict = Scene(), None
    for second, change in enumerate(changes, start=2000):
        change(scene)
        verdict = decide(expected(), scene.look(second), verdict)
    last = conclude(verdict)
    assert last.outcome.value == outcome
    assert words in last.message
    assert last.is_final


def test_a_final_verdict_is_not_changed_when_time_is_up():
    scene = Scene()
    first = decide(expected(), scene.look(50))
    verified = decide(expected(), scene.look(80), first)
    assert conclude(verified) is verified


def test_the_proof_of_a_migration_does_not_outlive_its_sync():
    scene = Scene()
    no_waiters(scene)
    first = decide(expected(), scene.look(50))
    assert first.memory.migrated is not None

    scene.jobs = {}
    scene.status["operationState"] = operation("Succeeded", OURS, started=60, finished=65)
    scene.status["reconciledAt"] = at(66)
    second = decide(expected(), scene.look(70), first)
    assert state(second, "migration") == "waiting"

    scene.jobs = {"migration": finished_job(created=61, done=64)}
    third = decide(expected(), scene.look(75), second)
    assert state(third, "migration") == "met"


def test_a_later_commit_that_leaves_the_environment_alone_does_not_supersede():
    scene = Scene()
    later(scene)
    scene.status["operationState"] = operation("Succeeded", LATER, started=10, finished=40)
    promise = expected(changes_environment=lambda older, newer: False)

    first = decide(promise, scene.look(50))
    second = decide(promise, scene.look(80), first)

    assert second.outcome is Outcome.VERIFIED
    assert "contains 111111111111" in condition(second, "revision").message


def test_without_knowing_what_a_later_commit_changes_the_workloads_tell():
    promise = expected(changes_environment=None)
    scene = Scene()
    later(scene)
    assert decide(promise, scene.look(50)).memory.candidate is Outcome.VERIFIED

    scene.workloads["scheduler"]["spec"]["template"]["spec"]["containers"][0]["image"] = "other:3"
    assert decide(promise, scene.look(51)).outcome is Outcome.SUPERSEDED

    scene.status["sync"]["revisions"][1] = OURS
    assert decide(promise, scene.look(52)).memory.candidate is Outcome.PENDING


def test_a_failure_from_before_the_commit_is_not_the_commits_failure():
    scene = Scene()
    old(scene)
    scene.sealed["connections"]["status"]["conditions"][0]["status"] = "False"
    scene.workloads["scheduler"]["status"] = {}
    verdict = decide(expected(), scene.look(50))
    assert verdict.memory.candidate is Outcome.PENDING
    assert "before the commit is applied" in condition(verdict, "secrets").message


def test_a_condition_keeps_the_time_since_when_it_stands():
    scene = Scene()
    first = decide(expected(), scene.look(50))
    no_scheduler(scene)
    second = decide(expected(), scene.look(60), first)
    assert condition(second, "operation").time == at(50)
    assert condition(second, "workloads").time == at(60)


def test_no_word_of_a_verdict_holds_a_secret():
    leak = "connection postgresql://airflow:hunter2@pg/airflow refused"
    scene = Scene()
    scene.status["operationState"].update(phase="Failed", message=leak)
    scene.sealed["connections"]["status"]["conditions"] = [
        {"type": "Synced", "status": "False", "message": leak}
    ]
    scene.claims["dags"]["status"]["phase"] = leak
    verdict = decide(expected(), scene.look(50))
    assert verdict.memory.candidate is Outcome.FAILED
    assert "hunter2" not in str(verdict.as_json())
    assert "refused" in verdict.message


def test_the_reason_why_nothing_is_known_of_secrets_is_not_masked():
    scene = Scene()
    scene.unavailable = {Source.MANIFESTS: "forbidden"}
    assert "secrets: forbidden" in decide(expected(), scene.look(50)).message


def condition(verdict, name):
    return next(item for item in verdict.conditions if item.name == name)


def state(verdict, name):
    return condition(verdict, name).state.value
