"""The loop, over a scripted feed and then live against an API server on loopback."""

import datetime
import threading
import time

import pytest

from generator.cluster import Cluster
from generator.verify.live_feed import secret_ages
from generator.verify.result import Outcome
from generator.verify.snapshot import Source
from generator.verify.subscriptions import subscriptions
from generator.verify.watch import follow, watch
from tests.effort import marks
from tests.fakes.apiserver import FakeApiServer
from tests.generator.verify.scene import START, Scene, airflow, crash_loop, expected, rendered

pytestmark = pytest.mark.thorough


class ScriptedFeed:
    """Snapshots of a scene by a clock that only waiting moves; `script` changes the scene."""

    def __init__(self, script=None, fresh=None):
        self.scene = Scene()
        self.second = 50.0
        self.script = dict(script or {})
        self.change_fresh = fresh
        self.asked_logs = []
        self.fresh_looks = 0

    def clock(self):
        return START + datetime.timedelta(seconds=self.second)

    def snapshot(self, now):
        for second in sorted(self.script):
            if second <= self.second:
                self.script.pop(second)(self.scene)
        return self.scene.look(self.second)

    def fresh(self, now):
        self.fresh_looks += 1
        if self.change_fresh:
            self.change_fresh(self.scene)
            self.change_fresh = None
        return self.scene.look(self.second)

    def wait(self, seconds):
        self.second += seconds

    def logs(self, wanted):
        self.asked_logs.append(list(wanted))
        return {(pod, container): ("boom",) for pod, container, _ in wanted}


def crash(scene):
    scene.workloads["scheduler"]["status"]["availableReplicas"] = 0
    scene.pods["scheduler"]["status"]["conditions"] = []
    scene.pods["scheduler"]["status"]["containerStatuses"] = [crash_loop()]


def heal(scene):
    fresh = Scene()
    scene.workloads, scene.pods = fresh.workloads, fresh.pods


def ran(feed, timeout=600, **changes):
    return follow(feed, expected(**changes), timeout=timeout, clock=feed.clock)


@pytest.mark.always
def test_success_is_confirmed_by_a_fresh_look():
    feed = ScriptedFeed()
    assert ran(feed).outcome is Outcome.VERIFIED
    assert (feed.second, feed.fresh_looks) == (80.0, 1)
    assert feed.asked_logs == []


def test_a_fresh_look_that_disagrees_starts_the_window_anew():
    feed = ScriptedFeed(fresh=crash, script={100: heal})
    assert ran(feed).outcome is Outcome.VERIFIED
    assert (feed.second, feed.fresh_looks) == (130.0, 2)


@pytest.mark.always
def test_a_failure_comes_with_the_last_lines_of_the_log():
    feed = ScriptedFeed({55: crash})
    verdict = ran(feed)
    assert (verdict.outcome, feed.second) == (Outcome.FAILED, 115.0)
    assert verdict.causes[0].log == ("boom",)
    assert feed.asked_logs == [[("airflow-scheduler-x", "scheduler", True)]]


@pytest.mark.always
def test_time_runs_out():
    feed = ScriptedFeed({0: lambda scene: scene.before_the_commit()})
    verdict = ran(feed, timeout=100)
    assert (verdict.outcome, feed.second) == (Outcome.TIMED_OUT, 150.0)
    assert "revision" in verdict.message


def test_progress_is_told_once_per_change_and_at_the_end():
    feed, told = ScriptedFeed({60: crash, 70: heal}), []
    follow(feed, expected(), timeout=600, clock=feed.clock, report=told.append)
    assert [verdict.outcome.value for verdict in told] == ["pending"] * 3 + ["verified"]


@pytest.mark.always
def test_only_what_is_rendered_is_read():
    def read(*manifests):
        found = subscriptions(expected(manifests=manifests), None, None)
        return {(item.source.value, item.resource.plural): item for item in found}

    everything = read(*rendered())
    assert everything["application", "applications"].fields == "metadata.name=staging"
    assert everything["application", "applications"].namespace == "argocd"
    assert everything["manifests", "sealedsecrets"].namespace == "data"
    assert ("autoscalers", "horizontalpodautoscalers") not in everything
    assert ("workloads", "daemonsets") not in everything
    assert everything["pods", "pods"].selector == "tier=airflow,release=airflow,!dag_id"
    assert everything["workloads", "deployments"].selector == ""
    postgres = rendered()[0]
    postgres["spec"]["template"]["metadata"]["labels"] = {"app": "postgresql"}
    assert read(postgres)["pods", "pods"].selector == "!dag_id"


def test_the_age_of_a_secret_is_that_of_its_ciphertext():
    def owner(time, **more):
        return {"manager": "argocd-controller", "time": f"2026-01-05T10:00:{time}Z", **more}

    sealed = {
        "kind": "SealedSecret",
        "metadata": {
            "name": "a",
            "generation": 2,
            "creationTimestamp": "2026-01-05T09:00:00Z",
            "managedFields": [owner("10"), owner("05"), owner("59", subresource="status")],
        },
        "spec": {"template": {"metadata": {"name": "b"}}},
    }
    (meta,) = secret_ages([sealed])
    assert (meta.name, meta.changed_at.second, meta.is_unsealed) == ("b", 10, False)
    del sealed["metadata"]["managedFields"]
    assert next(secret_ages([sealed])).changed_at.hour == 9


def test_a_secret_is_as_old_as_the_unsealing_of_its_present_generation():
    synced = {"type": "Synced", "status": "True", "lastUpdateTime": "2026-01-05T10:00:55Z"}
    sealed = {
        "kind": "SealedSecret",
        "metadata": {"name": "a", "generation": 2, "creationTimestamp": "2026-01-05T09:00:00Z"},
        "status": {"observedGeneration": 2, "conditions": [synced]},
    }
    (meta,) = secret_ages([sealed])
    assert (meta.changed_at.second, meta.is_unsealed) == (55, True)
    sealed["status"]["observedGeneration"] = 1
    assert not next(secret_ages([sealed])).is_unsealed
    sealed["status"] = {"observedGeneration": 2, "conditions": [{**synced, "status": "False"}]}
    assert not next(secret_ages([sealed])).is_unsealed


def test_an_external_secret_is_at_most_as_new_as_its_refresh_unless_that_means_a_change():
    def ages(**spec):
        external = {
            "kind": "ExternalSecret",
            "metadata": {"name": "a"},
            "spec": {"target": {"name": "b"}, **spec},
            "status": {"refreshTime": "2026-01-05T10:00:30Z"},
        }
        (meta,) = secret_ages([external])
        return meta.name, meta.changed_at.second, meta.at_latest

    periodic = ages(), ages(refreshInterval="1h"), ages(refreshInterval="10m0s")
    assert {*periodic} == {("b", 30, True)}
    assert ages(refreshInterval="0s") == ages(refreshPolicy="OnChange") == ("b", 30, False)


# From here on: real threads, real HTTP, real time; windows of half a second.


@pytest.fixture
def server():
    with FakeApiServer() as fake:
        yield fake


@pytest.fixture
def cluster(server, tmp_path):
    found = Cluster.connect(kubeconfig=server.kubeconfig(tmp_path))
    yield found
    found.close()


def show(server, scene):
    """Put the scene into the API server, its clock moved to now."""
    moved = now_instead_of_start(
        [
            scene.application,
            *scene.workloads.values(),
            *scene.pods.values(),
            *scene.jobs.values(),
            *scene.sealed.values(),
            *scene.claims.values(),
            *scene.scaled.values(),
        ]
    )
    server.put(*moved)
    now = datetime.datetime.now(datetime.UTC)
    beat = (now - START).total_seconds()
    server.services["airflow-api-server:api-server", "/api/v2/monitor/health"] = (
        200,
        airflow(beat),
    )


def now_instead_of_start(value):
    if isinstance(value, dict):
        return {name: now_instead_of_start(item) for name, item in value.items()}
    if isinstance(value, list):
        return [now_instead_of_start(item) for item in value]
    if isinstance(value, str) and value.startswith("2026-01-05T"):
        offset = datetime.datetime.now(datetime.UTC) - START - datetime.timedelta(seconds=60)
        moved = datetime.datetime.fromisoformat(value) + offset
        return moved.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value


def no_ingress(url):
    raise ConnectionError("no ingress in this test")


def verify(cluster, timeout=120.0, **changes):
    promise = expected(settle_seconds=0.5, failure_seconds=0.5, **changes)
    return watch(cluster, promise, timeout=timeout, get=no_ingress, sleep=briefly)


def briefly(seconds):
    """The pauses themselves are tested with the reflector."""
    time.sleep(min(seconds, 0.05))


@pytest.mark.always
def test_a_healthy_environment_is_verified_live(server, cluster):
    show(server, Scene())
    verdict = verify(cluster)
    assert verdict.outcome is Outcome.VERIFIED, verdict.message
    airflow_condition = next(item for item in verdict.conditions if item.name == "airflow")
    assert "proxy" in airflow_condition.evidence
    assert len(server.asked("watch=true")) == 9, "one watch each, no polling"
    assert not server.asked("/secrets")


@pytest.mark.thorough
def test_argo_cd_may_run_in_another_cluster(server, cluster, tmp_path):
    scene = Scene()
    show(server, scene)
    with FakeApiServer() as hub:
        moved = now_instead_of_start(scene.application)
        hub.put(moved)
        server.delete(moved)
        (tmp_path / "hub").mkdir()
        other = Cluster.connect(kubeconfig=hub.kubeconfig(tmp_path / "hub"))
        promise = expected(settle_seconds=0.5)
        verdict = watch(cluster, promise, hub=other, timeout=120, get=no_ingress)
        other.close()
    assert verdict.outcome is Outcome.VERIFIED, verdict.message


def during(action):
    """Run while the watch goes on; joined at the end of the test."""
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def until(predicate, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def test_a_roll_out_is_followed_by_watches(server, cluster):
    show(server, Scene().before_the_commit())

    def sync():
        until(lambda: server.streams >= 9)
        show(server, Scene())

    thread = during(sync)
    verdict = verify(cluster)
    thread.join()
    assert verdict.outcome is Outcome.VERIFIED, verdict.message
    assert len([path for path in server.asked("deployments") if "watch" not in path]) == 2


FAULTS = {
    "410 on the watch": lambda server: server.fail("watch=true", 410, times=9),
    "410 within the watch": lambda server: server.fail("watch=true", "watch-error", times=9),
    "connection reset": lambda server: server.fail("limit=500", 0, times=9),
    "401": lambda server: server.fail("limit=500", 401, times=9),
    "429": lambda server: server.fail("limit=500", 429, times=9, headers={"Retry-After": "1"}),
    "500": lambda server: server.fail("watch=true", 500, times=9),
    "an answer that is no JSON": lambda server: server.fail("limit=500", "garbage", times=9),
}


# An answer of 401 or 500 is told from the others by the client: tests/generator/cluster.
OFTEN = [name for name in FAULTS if name not in ("401", "500")]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=marks(name, test=OFTEN)) for name in FAULTS]
)
def test_faults_of_the_api_server_are_outlasted(server, cluster, name):
    show(server, Scene())
    FAULTS[name](server)
    verdict = verify(cluster)
    assert verdict.outcome is Outcome.VERIFIED, verdict.message
    assert all(fault[2] == 0 for fault in server.faults), "the fault was met"


@pytest.mark.thorough
def test_a_restart_of_the_api_server_in_the_middle_is_outlasted(server, cluster):
    show(server, Scene().before_the_commit())

    def restart():
        until(lambda: server.streams >= 9)
        server.compact()
        server.drop_watches()
        server.fail("/api", 0, times=12)
        show(server, Scene())

    thread = during(restart)
    verdict = verify(cluster)
    thread.join()
    assert verdict.outcome is Outcome.VERIFIED, verdict.message


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "status",
    [pytest.param(status, marks=marks(status, test=(0, 429))) for status in (0, 401, 429, 500)],
)
def test_an_api_server_that_does_not_come_back_ends_in_unknown(server, cluster, status):
    show(server, Scene())
    server.fail("/api", status, times=10_000)
    verdict = verify(cluster, timeout=1.5)
    assert verdict.outcome is Outcome.UNKNOWN
    seen = {item.name: item.state.value for item in verdict.conditions if item.name != "airflow"}
    assert seen.pop("jobs") == "skipped", "but for the migration none is rendered"
    assert set(seen.values()) == {"unknown"}


def test_an_outage_after_everything_held_is_not_success(server, cluster):
    show(server, Scene())
    later = []

    def clock():
        return datetime.datetime.now(datetime.UTC) + sum(later, datetime.timedelta())

    def outage():
        until(lambda: server.streams >= 9)
        server.fail("/api", 0, times=10_000)
        server.drop_watches()
        until(lambda: server.faults[0][2] < 10_000)
        later.append(datetime.timedelta(minutes=10))

    thread = during(outage)
    promise = expected(settle_seconds=300)
    verdict = watch(cluster, promise, timeout=400, get=no_ingress, clock=clock)
    thread.join()
    assert verdict.outcome is Outcome.UNKNOWN


def test_a_missing_right_is_named_and_is_not_success(server, cluster):
    show(server, Scene())
    server.denied = {("list", "pods")}
    verdict = verify(cluster, timeout=2)
    assert verdict.outcome is Outcome.UNKNOWN
    workloads = next(item for item in verdict.conditions if item.name == "workloads")
    assert "cannot list" in workloads.message
    assert "bootstrap/" in workloads.message


@pytest.mark.thorough
def test_a_live_failure_has_its_log(server, cluster):
    scene = Scene()
    crash(scene)
    show(server, scene)
    server.logs["airflow-scheduler-x", "scheduler", True] = ["token=abcdef0123456789 is bad"]
    verdict = verify(cluster)
    assert verdict.outcome is Outcome.FAILED
    (cause,) = verdict.causes
    assert cause.log and "abcdef0123456789" not in cause.log[0]


@pytest.mark.thorough
def test_the_threads_end_with_the_watch(server, cluster):
    show(server, Scene())
    verify(cluster)
    left = [it for it in threading.enumerate() if it.name == "gen-env verify" and it.is_alive()]
    assert left == []


@pytest.mark.always
def test_sources_have_names_that_are_stable():
    assert [source.value for source in Source][:3] == ["application", "workloads", "pods"]
