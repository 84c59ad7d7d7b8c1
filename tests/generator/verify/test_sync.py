import pytest

from generator.verify.application import read_application, read_revisions, same_version
from generator.verify.ignored import Ignored
from generator.verify.sync import (
    assess_application,
    assess_operation,
    assess_revision,
    assess_settled,
    assess_synced,
    not_synced,
)
from tests.generator.verify.scene import (
    LATER,
    OLD,
    OURS,
    REPOSITORY,
    Scene,
    at,
    expected,
    operation,
    sources,
)

SINGLE = {"repoURL": REPOSITORY, "path": "environments/staging/generated", "targetRevision": "main"}


def read(scene):
    return read_application(scene.application, REPOSITORY)


def revision(scene, **changes):
    return assess_revision(expected(**changes), read(scene))


def test_the_git_source_decides_and_the_charts_revision_is_a_version():
    holder = {"revisions": ["1.22.0", OURS]}
    assert read_revisions(holder, sources(), REPOSITORY).git == (OURS,)
    assert read_revisions(holder, sources(), REPOSITORY).chart == "1.22.0"
    assert read_revisions({"revision": OURS}, [SINGLE], REPOSITORY).git == (OURS,)
    oci = {"repoURL": "oci://ghcr.io/x/airflow", "targetRevision": "1.22.0", "path": "."}
    found = read_revisions({"revisions": ["sha256:abc", OURS]}, [oci, SINGLE], REPOSITORY)
    assert (found.git, found.chart) == ((OURS,), "1.22.0")


def test_a_foreign_git_source_does_not_decide():
    other = {"repoURL": "https://git.example.com/other.git", "path": "x"}
    found = read_revisions({"revisions": [OLD, OURS]}, [other, SINGLE], REPOSITORY + "/")
    assert found.git == (OURS,)


@pytest.mark.parametrize(
    ("git", "state", "words"),
    [
        (OURS, "met", "the commit"),
        (LATER, "met", "contains"),
        (OLD, "waiting", "does not contain"),
        ("f" * 40, "unknown", "fetch"),
        ("", "waiting", "reports no commit"),
    ],
)
def test_the_revision_is_or_contains_the_commit(git, state, words):
    scene = Scene()
    scene.status["sync"]["revisions"][1] = git
    found = revision(scene)
    assert (found.state.value, words in found.message) == (state, True), found


def test_a_single_source_application_has_one_revision():
    scene = Scene()
    scene.application["spec"] = {"source": SINGLE}
    scene.status["sync"] = {"revision": OURS, "comparedTo": {"source": SINGLE}}
    assert revision(scene).state == "met"


def test_another_chart_version_is_waited_for():
    scene = Scene()
    assert "not 1.23.0" in revision(scene, chart_version="1.23.0").message
    assert revision(scene, chart_version="v1.22.0").state == "met"
    assert same_version("1.22.0", "1.22.00") is False


def test_a_comparison_with_an_older_spec_proves_nothing():
    scene = Scene()
    scene.status["sync"]["comparedTo"] = {"sources": sources(chart="1.21.0")}
    found = revision(scene)
    assert (found.state, "older spec" in found.message) == ("waiting", True)


def test_an_error_of_the_comparison_is_told_while_waiting():
    scene = Scene()
    scene.status["sync"]["revisions"][1] = OLD
    error = {"type": "ComparisonError", "message": "values.yaml: no such file"}
    scene.status["conditions"] = [error]
    assert "no such file" in revision(scene).message


def of_application(scene, *, seen=False, **changes):
    promise = expected(**changes)
    app = read(scene) if scene.application else None
    return assess_application(promise, scene.look(50), app, seen=seen)


def test_the_application_must_be_the_one_that_the_commit_gives():
    scene = Scene()
    assert of_application(scene).state == "met"
    newer = {"spec": {"sources": sources(chart="1.23.0")}}
    assert of_application(scene, application_manifest=newer).state == "waiting"
    assert of_application(scene, application_manifest=None).state == "met"
    scene.application["spec"]["sources"][0]["helm"]["parameters"] = []
    assert of_application(scene).state == "met", "an empty field is no difference"
    scene.status["conditions"] = [{"type": "InvalidSpecError", "message": "no such project"}]
    assert of_application(scene).state == "failed"


def of_operation(scene):
    return assess_operation(expected(), read(scene))


def test_a_sync_of_the_commit_must_have_succeeded():
    scene = Scene()
    assert of_operation(scene).state == "met"
    assert at(40) in of_operation(scene).evidence
    scene.status["operationState"]["operation"]["sync"]["dryRun"] = True
    scene.status["sync"]["status"] = "OutOfSync"
    assert of_operation(scene).state == "waiting", "a dry run applies nothing"


def test_a_running_or_requested_sync_is_waited_for():
    scene = Scene()
    scene.status["operationState"] = operation("Running", OURS, started=10, message="hook x")
    assert "hook x" in of_operation(scene).message
    scene = Scene()
    scene.application["operation"] = {"sync": {}}
    assert of_operation(scene).state == "waiting"


def test_the_sync_of_an_earlier_commit_that_holds_ours_up_is_named():
    scene = Scene()
    words = "waiting for healthy state of apps/Deployment/airflow-scheduler"
    scene.status["operationState"] = operation("Running", OLD, started=10, message=words)
    found = of_operation(scene)
    assert found.state == "waiting"
    for part in (OLD[:12], words, "argocd app terminate-op staging"):
        assert part in found.message


def test_a_failed_sync_names_what_was_refused():
    scene = Scene()
    refused = {
        "kind": "StatefulSet",
        "name": "airflow-worker",
        "status": "SyncFailed",
        "message": "updates to statefulset spec are forbidden",
    }
    scene.status["operationState"] = operation(
        "Failed", OURS, started=10, finished=20, message="one object failed", results=[refused]
    )
    found = of_operation(scene)
    assert found.state == "failed"
    assert "one object failed" in found.message
    assert "StatefulSet/airflow-worker: updates" in found.evidence


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ("spec.selector: Invalid value: field is immutable", "failed"),
        ("Forbidden: updates to statefulset spec for fields other than 'replicas'", "failed"),
        ('namespaces "data" not found', "waiting"),
    ],
)
def test_a_sync_that_no_retry_mends_is_failed_while_it_is_retried(message, state):
    scene = Scene()
    refused = {"kind": "StatefulSet", "name": "w", "status": "SyncFailed", "message": message}
    running = operation("Running", OURS, started=10, message="Retrying", results=[refused])
    scene.status["operationState"] = running
    found = of_operation(scene)
    assert found.state == state
    assert (message in found.evidence) == (state == "failed")


def test_no_sync_is_needed_when_nothing_differs():
    scene = Scene()
    scene.status["operationState"] = operation("Failed", OLD, started=-90, finished=-80)
    assert of_operation(scene).state == "met"
    scene.status["sync"]["status"] = "OutOfSync"
    assert of_operation(scene).state == "waiting"


def of_settled(scene, second=50, **changes):
    return assess_settled(expected(**changes), scene.look(second), read(scene)).state.value


def test_argo_cd_must_look_again_after_the_sync():
    scene = Scene()
    assert of_settled(scene) == "met"
    scene.status["reconciledAt"] = at(39)
    assert of_settled(scene) == "waiting"
    scene.status["reconciledAt"] = at(40)
    assert of_settled(scene) == "met"
    assert of_settled(scene, 40 + 901) == "waiting"
    assert of_settled(scene, 40 + 901, reconcile_within_seconds=None) == "met"
    del scene.status["reconciledAt"]
    assert of_settled(scene) == "waiting"


def test_what_is_out_of_sync_is_named():
    scene = Scene()
    scene.status["sync"]["status"] = "OutOfSync"
    scene.status["resources"] = [
        {"kind": "Service", "name": "a", "status": "Synced"},
        {"kind": "ConfigMap", "name": "b", "status": "OutOfSync"},
        {"kind": "Service", "name": "c", "status": "OutOfSync", "requiresPruning": True},
    ]
    assert (
        assess_synced(read(scene), Ignored()).message
        == "OutOfSync: ConfigMap/b, Service/c (to be pruned)"
    )


def test_it_is_said_why_nobody_will_sync():
    scene = Scene()
    scene.status["sync"]["status"] = "OutOfSync"
    surplus = {"kind": "Service", "name": "c", "status": "OutOfSync", "requiresPruning": True}
    scene.status["resources"] = [surplus]
    policy = scene.application["spec"]["syncPolicy"]
    assert not_synced(read(scene)) == ""
    policy["automated"] = {}
    assert "automatic pruning is off and Service/c" in not_synced(read(scene))
    policy["automated"] = {"enabled": False, "prune": True}
    assert "automatic sync is off" in not_synced(read(scene))
    scene.application["operation"] = {"sync": {}}
    assert not_synced(read(scene)) == ""
