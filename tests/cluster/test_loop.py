"""The whole way: a definition is merged, Argo CD syncs it, `verify` says how that ended."""

import contextlib
import os

import pytest

from generator.cluster import Cluster
from generator.manifests.rbac import Subject, self_check
from generator.verify.result import Outcome, State
from generator.yaml.manifests import load_manifests
from tests.cluster import argocd, gitops, process, recording
from tests.cluster.conftest import require
from tests.cluster.plane import ADMIN, READER
from tests.standin_chart import stand_in_archive

pytestmark = pytest.mark.nightly

CONDITIONS = {
    "application",
    "revision",
    "operation",
    "settled",
    "synced",
    "workloads",
    "replicas",
    "pods",
    "restarts",
    "images",
    "migration",
    "jobs",
    "airflow",
    "secrets",
    "fresh-pods",
    "storage",
    "autoscaling",
}
JOB = "/apis/batch/v1/namespaces/airflow-staging/jobs/airflow-run-airflow-migrations"


@pytest.fixture(scope="module")
def argo(bed, tmp_path_factory):
    require(*argocd.PROGRAMS)
    with argocd.running(bed, tmp_path_factory.mktemp("argocd")) as found:
        yield found


@pytest.fixture(scope="module")
def loop(bed, argo, sealing_certificate, tmp_path_factory):
    """The environment `staging`, pushed; Argo CD finds it."""
    folder = tmp_path_factory.mktemp("loop")
    bed.kubeconfig(folder / "kubeconfig", token=ADMIN)
    archive = stand_in_archive(folder)
    with gitops.served(bed, folder, archive, sealing_certificate, surroundings(folder)) as found:
        yield found


def surroundings(folder):
    """Identity, home and chart cache for commands that run before a test's own are set."""
    values = {"HOME": str(folder), "GEN_ENV_CHART_CACHE": str(folder / "charts")}
    for role in ("AUTHOR", "COMMITTER"):
        values |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.com"}

    @contextlib.contextmanager
    def run():
        with pytest.MonkeyPatch.context() as patch:
            for name, value in values.items():
                patch.setenv(name, value)
            yield

    return run


@pytest.fixture(autouse=True)
def _cache(loop, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(loop.repo.root.parent / "charts"))


def states(verdict):
    return {it.name: it.state for it in verdict.conditions}


def told(verdict):
    """The verdict in words, for a test that fails."""
    return "\n".join(
        [f"{verdict.outcome}: {verdict.message}"]
        + [f"{it.name} {it.state}: {it.message}" for it in verdict.conditions]
        + [f"cause {it.reason} {it.resource}: {it.message}" for it in verdict.causes]
    )


def test_what_is_merged_is_synced_and_verified_with_every_condition(loop):
    verdict = loop.verify(loop.merge(loop.base))
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)
    found = states(verdict)
    assert set(found) == CONDITIONS
    assert {name for name, state in found.items() if state is State.SKIPPED} == {
        "autoscaling",
        "images",
        "jobs",
    }
    assert set(found.values()) == {State.MET, State.SKIPPED}
    assert all(it.evidence for it in verdict.conditions if it.state is State.MET), told(verdict)


def test_a_migration_job_that_its_ttl_took_away_leaves_its_proof(loop, bed):
    commit = loop.merge(loop.base)
    assert loop.verify(commit).outcome is Outcome.VERIFIED
    bed.call(
        "PATCH",
        JOB,
        {"spec": {"ttlSecondsAfterFinished": 1}},
        content="application/merge-patch+json",
    )
    process.until(lambda: bed.get(JOB) is None, "the Job gone")
    verdict = loop.verify(commit)
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)


BROKEN = "image: {repository: registry.example.com/airflow, tag: 3.2.2-missing}\n"


def test_a_broken_image_is_failed_with_what_the_kubelet_said(loop):
    broken = loop.merge(loop.base + BROKEN, "Break")
    verdict = loop.verify(broken)
    assert verdict.outcome is Outcome.FAILED, told(verdict)
    causes = [it for it in verdict.causes if it.reason == "ImagePullBackOff"]
    assert causes
    assert all("registry.example.com/airflow:3.2.2-missing" in it.message for it in causes)
    # Argo CD goes on waiting for the broken commit, and begins with no other before that ends.
    repaired = loop.merge(loop.base, "Repair")
    verdict = loop.verify(repaired, timeout=10.0)
    assert verdict.outcome is Outcome.TIMED_OUT, told(verdict)
    (held,) = [it for it in verdict.conditions if it.name == "operation"]
    assert broken[:12] in held.message
    assert "terminate-op airflow-staging" in held.message
    loop.end_sync()
    verdict = loop.verify(repaired)
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)


def replicas(count):
    return f"scheduler: {{replicas: {count}}}\n"


def test_a_commit_that_another_overtakes_is_superseded(loop):
    loop.verify(loop.merge(loop.base))
    first = loop.merge(loop.base + replicas(2), "First")
    process.until(lambda: first in loop.operation()[1], "the first sync")
    second = loop.merge(loop.base + replicas(3), "Second")
    verdict = loop.verify(first, settle_seconds=60.0)
    assert verdict.outcome is Outcome.SUPERSEDED, told(verdict)
    assert second in verdict.message
    verdict = loop.verify(second)
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)


def test_without_its_controller_nothing_is_reconciled_and_nothing_is_green(loop, argo):
    loop.verify(loop.merge(loop.base))
    argo.stop()
    try:
        commit = loop.merge(loop.base + replicas(2), "Unseen")
        verdict = loop.verify(commit, timeout=10.0)
        assert verdict.outcome is Outcome.TIMED_OUT, told(verdict)
        assert states(verdict)["revision"] is State.WAITING
        # Nor is what it synced before, once it has not looked for too long.
        before = loop.repo.git("rev-parse", "HEAD~1")
        verdict = loop.verify(before, timeout=10.0, reconcile_within_seconds=1.0)
        assert verdict.outcome is Outcome.TIMED_OUT, told(verdict)
        assert states(verdict)["settled"] is State.WAITING
    finally:
        argo.start()
    verdict = loop.verify(commit)
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)


def test_an_immutable_change_is_foretold_by_the_diff_and_seen_by_verify(loop):
    loop.verify(loop.merge(loop.base))
    commit = loop.merge(loop.base + "broker: {storage: 3Gi}\n", "Immutable")
    (environment,) = loop.repo.run("diff", "HEAD~1", "HEAD", "-o", "json").json["environments"]
    (foretold,) = [it for it in environment["impact"] if it["rule"] == "impact/immutable"]
    assert foretold["resource"] == "StatefulSet airflow-staging/airflow-redis"
    verdict = loop.verify(commit)
    assert verdict.outcome is Outcome.FAILED, told(verdict)
    assert states(verdict)["operation"] is State.FAILED
    (cause,) = [it for it in verdict.causes if it.reason == "SyncFailed"]
    assert cause.resource == "StatefulSet/airflow-redis"
    repaired = loop.merge(loop.base, "Repair")
    loop.end_sync()
    verdict = loop.verify(repaired)
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)


def test_the_live_diff_finds_planted_drift_and_nothing_else(loop, bed, argo, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(loop.repo.root.parent / "kubeconfig"))
    assert loop.verify(loop.merge(loop.base)).outcome is Outcome.VERIFIED
    scheduler = "/apis/apps/v1/namespaces/airflow-staging/deployments/airflow-scheduler"
    argo.stop()  # it would undo the drift
    try:
        assert live_drift(loop) == []
        bed.merge_patch(scheduler, {"spec": {"replicas": 5}})
        (found,) = live_drift(loop)
        assert (found["kind"], found["name"]) == ("Deployment", "airflow-scheduler")
        assert "-  replicas: 5\n+  replicas: 1" in found["diff"]
    finally:
        argo.start()
    process.until(lambda: bed.get(scheduler)["spec"]["replicas"] == 1, "self-healing")


def test_the_generated_roles_suffice_to_verify(loop, bed, tmp_path):
    commit = loop.merge(loop.base)
    text = loop.repo.read(f"bootstrap/access/{gitops.ENVIRONMENT}.yaml")
    for manifest in load_manifests(text.encode()):
        if manifest["kind"] == "RoleBinding":
            manifest["subjects"] = [Subject("User", "gen-env").as_json()]
        bed.apply(manifest)
    reader = bed.kubeconfig(tmp_path / "config", token=READER)
    verdict = loop.verify(commit, kubeconfig=reader)
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)
    cluster = Cluster.connect("plane", kubeconfig=str(reader))
    try:
        assert self_check(cluster, loop.subject(commit).rules) == []
        for resource in ("secrets", "configmaps"):
            assert not cluster.allowed("get", resource, namespace="airflow-staging")
    finally:
        cluster.close()


def live_drift(loop):
    done = loop.repo.run("diff", "--live", "HEAD", "HEAD", "-o", "json")
    (environment,) = done.json["environments"]
    assert environment["problems"] == []
    return environment["drift"]


@pytest.mark.skipif("GEN_ENV_RECORD" not in os.environ, reason="GEN_ENV_RECORD=1 records anew")
@pytest.mark.parametrize(
    ("name", "texts", "outcome"),
    [
        ("merge", [replicas(2)], Outcome.VERIFIED),
        ("broken", [BROKEN], Outcome.FAILED),
        ("overtaken", [replicas(2), replicas(3)], Outcome.SUPERSEDED),
    ],
)
def test_what_happens_is_recorded(loop, name, texts, outcome):
    before = loop.merge(loop.base)
    assert loop.verify(before).outcome is Outcome.VERIFIED
    cluster = Cluster.connect("plane", kubeconfig=str(loop.repo.root.parent / "kubeconfig"))
    branch = f"prepared-{name}"
    loop.repo.git("switch", "--quiet", "--create", branch)
    commits = [before]
    for text in texts:
        loop.repo.write(gitops.DEFINITION, loop.base + text)
        assert loop.repo.run("generate").code == 0
        loop.repo.commit(name)
        commits.append(loop.repo.git("rev-parse", "HEAD"))
    expected = loop.subject(commits[1]).expected
    with recording.recording(cluster, expected, name, commits):
        process.until(lambda: loop.operation()[0] == "Succeeded", "the state before")
        for commit in commits[1:]:
            loop.repo.git("push", "--quiet", "origin", f"{commit}:main")
            process.until(lambda commit=commit: commit in loop.operation()[1], "the sync")
        assert loop.verify(commits[1], settle_seconds=5.0).outcome is outcome
    cluster.close()
    loop.repo.git("switch", "--quiet", "main")
    loop.repo.git("merge", "--quiet", "--ff-only", branch)
    repaired = loop.merge(loop.base, "Repair")
    if outcome is Outcome.FAILED:
        loop.end_sync()
    assert loop.verify(repaired).outcome is Outcome.VERIFIED
