import copy
import dataclasses
import json
import threading
from datetime import UTC, datetime

import pytest

from generator.actions import verify
from generator.cluster.errors import ClusterError, Trouble
from generator.core.basis import NOTHING
from generator.core.errors import UserError
from generator.kube.resource import key_of
from generator.verify.result import Memory, Outcome, Verdict
from service.follow_up import verify as verify_module
from service.model.job import Kind
from service.store import reports
from tests.fakes.apiserver import FakeApiServer
from tests.service import scene
from tests.service.follow_up.world import PRODUCED, STAGING, access

pytestmark = pytest.mark.thorough

CONTEXT = "gen-env/verify/staging"


def answer(outcome, message="said"):
    return Verdict(
        "staging", "", outcome, message, (), (), (), Memory(outcome, datetime.now(UTC)), NOTHING
    )


class Verifier:
    """Gives one answer after the other; an exception is raised, a function called before."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, found, cluster, hub, *, timeout, tick):
        self.asked.append((found, cluster.name, hub.name, timeout))
        item = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(item):
            item = item(tick)
        if isinstance(item, Exception):
            raise item
        return dataclasses.replace(item, revision=found.expected.revision)


@pytest.fixture
def released(world, monkeypatch):
    monkeypatch.setattr(verify_module, "_LONGEST_PAUSE", 0.0)
    world.verifying()
    world.sha = world.release()
    return world


def run(world, *answers, number=0):
    world.verifier = Verifier(*answers)
    return world.run(
        Kind.VERIFY, number, environment="staging", sha=world.sha, cluster="main"
    )  # fmt: skip


@pytest.mark.always
def test_a_verdict_is_written_where_promotions_look_for_it(released):
    row = run(released, answer(Outcome.VERIFIED, "healthy"))
    assert (row.state, row.summary) == ("success", "verified: healthy")
    assert dict(row.environments) == {"staging": "verified"}
    assert released.shown(released.sha, CONTEXT) == ("success", "verified: healthy")
    [(found, cluster, hub, timeout)] = released.verifier.asked
    assert found.expected.revision == released.sha and cluster == hub == "context nowhere"
    assert 59 < timeout <= 60
    with released.here.engine.connect() as connection:
        report = reports.read(connection, row.report)
    assert json.loads(report.json)["verdict"] == "verified" and "verified" in report.html


@pytest.mark.thorough
def test_of_several_commits_the_one_that_brought_the_files_is_told_as_well(released):
    brought = released.sha
    released.sha = released.merged(PRODUCED, ("poolSize: 20", "poolSize: 30"))
    run(released, answer(Outcome.VERIFIED, "healthy"))
    for sha in (brought, released.sha):
        assert released.shown(sha, CONTEXT) == ("success", "verified: healthy")


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("outcome", "state", "shown"),
    [
        (Outcome.FAILED, "failure", "failure"),
        (Outcome.TIMED_OUT, "failure", "failure"),
        (Outcome.SUPERSEDED, "superseded", "error"),
    ],
)
def test_every_other_verdict_is_no_proof(released, outcome, state, shown):
    assert run(released, answer(outcome)).state == state
    assert released.shown(released.sha, CONTEXT) == (shown, f"{outcome.value}: said")


def test_argo_cds_own_cluster_is_asked_where_it_is_another(released):
    released.verifying("main", argocd=access("hub"))
    run(released, answer(Outcome.VERIFIED))
    assert released.verifier.asked[0][1:3] == ("context nowhere", "context hub")


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "first",
    [
        answer(Outcome.UNKNOWN, "no answer"),
        answer(Outcome.NOT_SYNCED, "sync it by hand"),
        answer(Outcome.PRUNE_CONFIRMATION, "confirm it"),
        ClusterError(Trouble.UNREACHABLE, "no answer"),
    ],
)
def test_what_may_still_come_is_looked_at_again_and_told_meanwhile(released, first):
    row = run(released, first, first, answer(Outcome.VERIFIED))
    assert row.state == "success" and len(released.verifier.asked) == 3
    said = [s["description"] for s in released.store.statuses if s["context"] == CONTEXT]
    assert said[0] == "waits until the cluster has applied it"
    assert any(word in said[1] for word in ("no answer", "by hand", "confirm"))
    assert len(said) == 3, "the same words are not sent twice"


def test_the_time_counts_from_the_first_start_and_ends_it(released):
    released.verifying(timeout_seconds=4.0)
    identity = released.submit(Kind.VERIFY, environment="staging", sha=released.sha, cluster="main")
    released.verifier = Verifier(ClusterError(Trouble.UNREACHABLE, "no answer"))
    released.clock_runs(0.5)
    assert released.runner.perform(identity) == "error"
    asked = [timeout for *_, timeout in released.verifier.asked]
    assert len(asked) > 1 and asked == sorted(set(asked), reverse=True)
    assert released.shown(released.sha, CONTEXT) == ("error", "unknown: no answer")


@pytest.mark.always
def test_missing_rights_are_told_at_once(released):
    row = run(released, UserError("rights are missing in the cluster", hint="print the role"))
    assert row.state == "error" and len(released.verifier.asked) == 1
    assert "print the role" in released.shown(released.sha, CONTEXT)[1]


def test_a_chart_that_is_not_to_be_had_is_told(released, monkeypatch, tmp_path):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("GEN_ENV_OFFLINE", "1")
    row = run(released, answer(Outcome.VERIFIED))
    assert row.state == "error" and released.verifier.asked == []
    state, said = released.shown(released.sha, CONTEXT)
    assert state == "error" and "chart airflow 1.22.0" in said


@pytest.mark.always
def test_a_later_commit_of_the_environment_ends_it(released):
    later = released.merged(STAGING, ("replicas: 2", "replicas: 3"))
    row = run(released, answer(Outcome.VERIFIED))
    assert row.state == "superseded" and released.verifier.asked == []
    assert released.shown(released.sha, CONTEXT) == (
        "error", f"superseded: {later[:12]} changes staging again",
    )  # fmt: skip


@pytest.mark.thorough
def test_a_later_commit_that_comes_meanwhile_ends_it(released, monkeypatch):
    monkeypatch.setattr(verify_module, "_FETCH_SECONDS", 0.0)
    monkeypatch.setattr("service.follow_up.branch._BACKOFF", 0.0)

    def meanwhile(tick):
        tick()
        released.merged(STAGING, ("replicas: 2", "replicas: 3"))
        tick()
        raise AssertionError("it was to be ended")

    assert run(released, meanwhile).state == "superseded"


@pytest.mark.thorough
def test_a_later_commit_of_another_environment_does_not(released):
    released.merged(PRODUCED, ("poolSize: 20", "poolSize: 30"))
    assert run(released, answer(Outcome.VERIFIED)).state == "success"


def test_a_run_whose_place_is_taken_says_nothing_more(released):
    def taken(tick):
        with released.here.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE gen_env_run SET state = 'superseded'")
        tick()

    run(released, lambda tick: taken(tick) or answer(Outcome.FAILED))
    assert released.shown(released.sha, CONTEXT)[0] == "pending"


def test_a_cluster_that_is_not_in_the_settings_any_more_is_not_asked(released):
    released.verifying("elsewhere")
    assert run(released, answer(Outcome.VERIFIED)).summary == "verification not configured"


def test_success_brings_the_promotion_and_failure_the_way_back(released):
    run(released, answer(Outcome.VERIFIED), number=0)
    assert released.queued() == [("promote", 0)]
    released.drain()
    # The soak is waited for; the clock brings it.
    [(kind, _, _)] = released.reminders()
    assert kind == "promote"


@pytest.mark.thorough
def test_a_failed_verification_ends_in_an_open_rollback(released):
    run(released, answer(Outcome.FAILED, "2 pods down"))
    released.drain()
    [pull] = released.pulls()
    assert pull["head"].startswith("rollback/staging-")


def test_what_became_of_it_stands_in_one_comment_on_the_merged_pull_request(world, monkeypatch):
    monkeypatch.setattr(verify_module, "_LONGEST_PAUSE", 0.0)
    world.verifying()
    number = world.change(STAGING, "tag: 3.2.2-r1", "tag: 3.2.2-r2")
    world.sha = world.store.pulls[number]["sha"]
    world.merge(world.sha)
    world.store.pulls[number] |= {"state": "closed", "merged": True, "merge_sha": world.sha}
    world.run(Kind.MERGE, number, sha=world.sha)
    world.drain("verify")
    assert world.comment(number).splitlines()[1] == "### gen-env: being verified"
    world.verifier = Verifier(answer(Outcome.FAILED, "scheduler | is @down"))
    world.drain()
    text = world.comment(number)
    assert text.splitlines()[1] == "### gen-env: not healthy after the merge"
    assert f"| `staging` | `{world.sha[:12]}` | ❌ [failed](" in text
    assert "| is @down" not in text
    assert "- Rollback: pull request 2: Roll staging back to" in text


def pod_of(workload, now, number=0):
    """A ready pod that the workload keeps."""
    kind, name = workload["kind"], workload["metadata"]["name"]
    template = copy.deepcopy(workload["spec"]["template"])
    owner = {"kind": kind, "name": name, "controller": True}
    if kind == "Deployment":
        template["metadata"]["labels"]["pod-template-hash"] = "abc"
        owner = {"kind": "ReplicaSet", "name": f"{name}-abc", "controller": True}
    about = {"name": f"{name}-{number}", "namespace": workload["metadata"]["namespace"],
             "ownerReferences": [owner], "creationTimestamp": now}  # fmt: skip
    ready = {"phase": "Running", "startTime": now,
             "conditions": [{"type": "Ready", "status": "True"}]}  # fmt: skip
    return {"apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"] | about,
            "spec": template["spec"], "status": ready}  # fmt: skip


def listed(manifest):
    """The object among those that Argo CD compares."""
    key = key_of(manifest)
    return {"group": key.group, "kind": key.kind, "name": key.name, "status": "Synced"}


def healthy(found):
    """The cluster as it is when all that was rendered runs, and Argo CD has synced it."""
    expected = found.expected
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for manifest in expected.manifests:
        live = copy.deepcopy(manifest)
        live["metadata"].setdefault("namespace", expected.namespace)
        if live["kind"] in ("Deployment", "StatefulSet"):
            count = live["spec"].get("replicas", 1)
            live["metadata"]["generation"] = 1
            names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
            live["status"] = {**dict.fromkeys(names, count), "observedGeneration": 1,
                              "currentRevision": "r1", "updateRevision": "r1"}  # fmt: skip
            yield from (pod_of(live, now, number) for number in range(count))
        elif live["kind"] == "Job":
            live["metadata"]["creationTimestamp"] = now
            live["status"] = {
                "succeeded": 1, "completionTime": now,
                "conditions": [{"type": "Complete", "status": "True"}],
            }  # fmt: skip
        elif live["kind"] == "SealedSecret":
            live["metadata"]["generation"] = 1
            live["status"] = {"observedGeneration": 1,
                              "conditions": [{"type": "Synced", "status": "True"}]}  # fmt: skip
        elif live["kind"] == "PersistentVolumeClaim":
            live["status"] = {"phase": "Bound"}
        elif live["kind"] not in ("HorizontalPodAutoscaler", "ScaledObject"):
            continue
        yield live
    application = copy.deepcopy(expected.application_manifest)
    sources = application["spec"]["sources"]
    order = [
        expected.revision if "chart" not in item else expected.chart_version for item in sources
    ]
    application["status"] = {
        "sync": {"status": "Synced", "revisions": order, "comparedTo": {"sources": sources}},
        "reconciledAt": now,
        "resources": [listed(item) for item in expected.manifests],
        "operationState": {
            "phase": "Succeeded", "message": "", "startedAt": now, "finishedAt": now,
            "operation": {"sync": {"revisions": order}},
            "syncResult": {"sources": sources, "revisions": order, "resources": []},
        },
    }  # fmt: skip
    yield application


def beating():
    """Airflow's own word on its health, of now."""
    now = datetime.now(UTC).isoformat()
    document = {"metadatabase": {"status": "healthy"}}
    for key in ("scheduler", "triggerer", "dag_processor"):
        document[key] = {"status": "healthy", f"latest_{key}_heartbeat": now}
    return 200, document


@pytest.fixture
def cluster(released, tmp_path):
    with FakeApiServer() as fake:
        place = access("fake", fake.kubeconfig(tmp_path))
        released.connection = scene.changed(
            released.connection,
            verification=scene.changed(
                released.connection.verification, clusters={"main": place}, timeout_seconds=60
            ),
        )
        yield fake


def hurried(found, *given, **more):
    """The watch itself, less patient with what stands than it is in earnest."""
    expected = dataclasses.replace(found.expected, settle_seconds=1.0, failure_seconds=1.0)
    return verify.verify_in(dataclasses.replace(found, expected=expected), *given, **more)


@pytest.mark.always
def test_a_real_watch_over_an_api_server_ends_verified(released, cluster):
    synced = threading.Event()

    def verifier(found, *given, **more):
        endpoint = dataclasses.replace(found.expected.endpoint, url="")
        found = dataclasses.replace(
            found, expected=dataclasses.replace(found.expected, endpoint=endpoint)
        )
        if not synced.is_set():
            cluster.put(*healthy(found))
            cluster.services[(f"{endpoint.service}:{endpoint.port}", endpoint.path)] = beating()
            synced.set()
        return hurried(found, *given, **more)

    released.verifier = verifier
    row = released.run(Kind.VERIFY, environment="staging", sha=released.sha, cluster="main")
    assert row.state == "success", row.summary
    assert released.shown(released.sha, CONTEXT)[0] == "success"


@pytest.mark.thorough
def test_a_real_watch_over_an_api_server_that_refuses_is_unknown(released, cluster):
    cluster.tokens.clear()
    released.clock_runs(20.0)
    released.verifier = hurried
    row = released.run(Kind.VERIFY, environment="staging", sha=released.sha, cluster="main")
    assert row.state == "error" and row.summary.startswith("unknown: ")
    assert released.shown(released.sha, CONTEXT)[0] == "error"


def test_rights_that_are_missing_are_named(released, cluster):
    cluster.denied.add(("list", "pods"))
    released.verifier = hurried
    row = released.run(Kind.VERIFY, environment="staging", sha=released.sha, cluster="main")
    assert "cannot list pods in namespace" in row.summary
