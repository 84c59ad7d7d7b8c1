"""What the cluster differs in is told at night: by a status, a number, one issue and a message."""

import copy
import dataclasses
import json

import pytest

from generator.redaction.secret import Secret
from service.model.job import Kind
from service.settings.schema import Route
from service.store import overview, reports, runs, tables
from service.telemetry.meter import METER
from service.worker.process import compare_nightly
from tests.fakes import apiserver
from tests.fakes.forge import BOT
from tests.service import scene
from tests.service.follow_up import as_in_git
from tests.service.follow_up.test_doctor import findings
from tests.service.follow_up.world import VERIFIED, access

pytestmark = pytest.mark.thorough
CONTEXT = "gen-env/drift/staging"
DAY = 86_400.0


@pytest.fixture
def cluster(world, tmp_path, monkeypatch):
    """A cluster that was given what the branch says of staging, and serves every kind of it."""
    METER.flush(lambda *_: None)
    found = as_in_git.objects(world.work.root, "staging")
    as_in_git.serve(found, monkeypatch)
    with apiserver.FakeApiServer() as fake:
        fake.put(*found)
        world.verifying("main", drift_hour=2)
        place = access("fake", fake.kubeconfig(tmp_path))
        known = scene.changed(world.connection.verification, clusters={"main": place})
        world.connection = scene.changed(world.connection, verification=known)
        route = Route.model_construct(name="chat", url=Secret("json://127.0.0.1:9/x"))
        settings = scene.changed(world.here.settings, notifications=(route,))
        world.here = dataclasses.replace(world.here, settings=settings)
        fake.given = found
        world.follow()
        yield fake


def compared(world):
    return world.run(Kind.DRIFT, environment="staging")


def scaled(cluster, replicas):
    """Somebody changes a Deployment by hand; its name."""
    [item] = [it for it in copy.deepcopy(cluster.given) if it["metadata"]["name"].endswith("statsd")
              and it["kind"] == "Deployment"]  # fmt: skip
    item["spec"]["replicas"] = replicas
    cluster.put(item)
    return f"Deployment airflow-staging/{item['metadata']['name']}"


def numbers(world):
    METER.flush(runs.writer(world.here.engine))
    with world.here.engine.connect() as connection:
        return {name: value for name, labels, value in runs.tallies(connection)
                if name.startswith("drift_") and 'environment="staging"' in labels}  # fmt: skip


def notices(world):
    with world.here.engine.connect() as connection:
        return [row.title for row in connection.execute(tables.notice.select())]


@pytest.mark.always
def test_drift_is_a_status_a_number_one_issue_and_a_message_until_it_is_gone(world, cluster):
    head = world.head("main")
    row = compared(world)
    assert row.state == "success", (row.summary, row.environments)
    assert world.shown(head, CONTEXT) == ("success", "the cluster is as git says")
    assert numbers(world)["drift_objects"] == 0 and not world.store.issues

    name = scaled(cluster, 7)
    for _ in range(2):
        row = compared(world)
    assert row.state == "failure"
    state, said = world.shown(head, CONTEXT)
    assert state == "failure" and said.startswith("1 object not as in git: ") and name in said
    assert numbers(world)["drift_objects"] == 1
    assert numbers(world)["drift_compared_timestamp_seconds"] == world.now
    [issue] = world.store.open_issues()
    assert (issue["author"], issue["title"]) == (BOT, "staging differs from git")
    assert name in issue["body"] and row.report in issue["body"]
    assert notices(world) == ["gen-env: staging differs from git"]
    with world.here.engine.connect() as connection:
        report = reports.read(connection, row.report)
        [shown] = overview.comparisons(connection).values()
    assert shown["id"] == row.id
    [environment] = json.loads(report.json)["environments"]
    assert "+  replicas:" in environment["drift"][0]["diff"] and "statsd" in report.html

    scaled(cluster, 1)
    assert compared(world).state == "success"
    assert world.store.open_issues() == [] and len(world.store.issues) == 1
    assert numbers(world)["drift_objects"] == 0


def test_what_was_not_read_is_never_as_git_says(world, cluster):
    name = scaled(cluster, 7)
    compared(world)
    scaled(cluster, 1)
    before = numbers(world)
    world.now += 10
    cluster.fail("deployments/airflow-statsd", 403, times=10)
    row = compared(world)
    assert row.state == "error" and "not read: " in row.summary and name in row.summary
    assert world.shown(world.head("main"), CONTEXT)[0] == "error"
    assert len(world.store.open_issues()) == 1 and numbers(world) == before


def test_the_issue_names_what_was_not_read_beside_what_differs(world, cluster):
    name = scaled(cluster, 7)
    cluster.fail("services/airflow-statsd", 403, times=10)
    assert compared(world).state == "failure"
    [issue] = world.store.open_issues()
    differs, left = issue["body"].split("Not read, and so not known:")
    assert name in differs and "Service airflow-staging/airflow-statsd" in left


def test_where_the_forge_has_no_issues_the_report_is_kept_and_says_so(world, cluster, tmp_path):
    head = world.head("main")
    for replicas, state in ((7, "failure"), (1, "success")):
        scaled(cluster, replicas)
        world.store.fail(410, path=".*/issues")
        row = compared(world)
        assert row.state == state
        assert "; no issue is kept: not found on the forge" in row.summary
        assert world.shown(head, CONTEXT)[0] == state
        with world.here.engine.connect() as connection:
            assert reports.read(connection, row.report) is not None
    folder = tmp_path / "doctor"
    folder.mkdir()
    world.store.fail(410, path=".*/issues")
    problem = findings(world, folder, world.connection.verification)["issues"].problem
    assert problem.startswith("drift is reported without an issue: not found on the forge")


def test_a_cluster_that_is_away_is_an_error_and_no_drift(world, cluster, tmp_path):
    place = access("fake", tmp_path / "none")
    known = scene.changed(world.connection.verification, clusters={"main": place})
    world.connection = scene.changed(world.connection, verification=known)
    row = compared(world)
    assert row.state == "error" and row.summary.startswith("not compared: not read: cluster")
    assert not world.store.issues and numbers(world) == {}


def test_each_night_one_run_for_each_environment_whoever_looks(world, cluster):
    settings = scene.changed(world.here.settings, connections=(world.connection,))
    at_noon = VERIFIED
    for _ in range(3):
        compare_nightly(settings, world.here.jobs, at_noon)
    assert world.queued() == [("drift", 0)]
    world.drain()
    done = world.rows(Kind.DRIFT)
    assert sorted(row.details.get("environment", "") for row in done) == [
        "", "production", "staging"
    ]  # fmt: skip
    assert done[0].summary == "compares production, staging"
    compare_nightly(settings, world.here.jobs, at_noon + 13 * 3600)  # 01:00
    assert world.queued() == []
    for _ in range(2):
        compare_nightly(settings, world.here.jobs, at_noon + 14 * 3600 + 5)  # 02:00:05
    assert world.queued() == [("drift", 0)]


def test_what_nobody_compares_is_named(world, cluster):
    world.work.git("switch", "--quiet", "main")
    world.work.edit("environments/production/environment.yaml", "tier: production", "tier: [")
    world.work.commit("Broken")
    world.merge()
    row = world.run(Kind.DRIFT)
    assert row.summary == "compares staging; not compared: production"


def test_without_an_hour_nothing_is_compared(world, cluster):
    world.verifying("main")
    settings = scene.changed(world.here.settings, connections=(world.connection,))
    compare_nightly(settings, world.here.jobs, VERIFIED)
    assert world.queued() == []
    assert compared(world).summary == "driftHour is not set"


def test_a_run_that_dies_leaves_its_status(world, cluster):
    sha = world.head("main")
    identity = world.submit(Kind.DRIFT, environment="staging", sha=sha)
    world.runner.give_up(identity, "the forge was away", transient=False)
    assert world.shown(sha, CONTEXT) == ("error", "not compared: the forge was away")


def test_the_doctor_names_the_rights_that_the_comparison_lacks(world, cluster, tmp_path):
    folder = tmp_path / "doctor"
    folder.mkdir()
    cluster.denied = {("get", "deployments"), ("get", "configmaps")}
    found = findings(world, folder, world.connection.verification)
    assert not found["cluster main"].problem
    for name, namespace in (("staging", "airflow-staging"), ("production", "airflow")):
        assert found[f"drift of {name}"].problem == (
            f"cannot get configmaps in namespace {namespace}; "
            f"cannot get deployments.apps in namespace {namespace}"
        )
