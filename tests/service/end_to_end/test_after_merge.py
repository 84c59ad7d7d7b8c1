"""After a merge, with real processes: a cluster is followed while everything else goes on."""

import json
import threading
import time

import pytest

from service.settings.resolve import load
from tests.fakes.apiserver import FakeApiServer
from tests.service import scene
from tests.service.check.test_run import AUTH
from tests.service.check.world import DEV
from tests.service.end_to_end import stage as stages

CONTEXT = "gen-env/verify/dev"
PATIENCE = 45


@pytest.fixture
def stage(tmp_path, template, caches):
    """The service with a cluster that refuses us: it may yet let us in, so it is asked again."""
    with FakeApiServer() as cluster, stages.made(tmp_path, template, caches) as stage:
        cluster.tokens.clear()
        access = {"context": "fake", "kubeconfig": cluster.kubeconfig(tmp_path)}
        settings = json.loads(stage.config.read_text())
        for connection in settings["connections"]:
            connection["verification"] = {"clusters": {"main": access}, "timeoutSeconds": PATIENCE}
        stage.config.write_text(json.dumps(settings))
        stage.settings = load(stage.config, {})
        stage.start("web")
        stage.start("worker")
        assert stage.ready(), stage.log.read_text()[-3000:]
        yield stage


def opened(stage, capacity):
    text = f"{AUTH}\ntriggerer: {{capacity: {capacity}}}"
    return stage.change(DEV, AUTH, text, branch=f"feature-{capacity}")


def said_of(stage, sha, context):
    found = [s for s in stage.store.statuses if (s["sha"], s["context"]) == (sha, context)]
    return (found[-1]["state"], found[-1]["description"]) if found else ("", "")


def verification(stage):
    return next((row for row in stage.rows() if row["kind"] == "verify"), None)


@pytest.mark.slow
def test_a_verification_holds_nothing_up_and_outlives_its_worker(stage):
    number = opened(stage, 301)
    stage.settle()
    head = stage.store.pulls[number]["sha"]
    assert said_of(stage, head, "gen-env/gates") == ("success", "no gate: nothing is promoted")

    stage.store.merge_pull(stage.store.pulls[number])
    sha = stage.store.pulls[number]["merge_sha"]
    told = scene.wait_for(lambda: said_of(stage, sha, CONTEXT)[1].startswith("unknown"))
    assert told, stage.log.read_text()[-3000:]
    assert verification(stage)["state"] == "running"

    other = opened(stage, 302)
    checked = scene.wait_for(lambda: [row for row in stage.checks(other) if row["ended"]])
    assert checked and verification(stage)["state"] == "running"

    # A check that has begun is waited for, the verification beside it is not.
    busy = threading.Event()
    stage.store.meanwhile("POST", "/statuses/", lambda: (busy.set(), time.sleep(3)))
    opened(stage, 303)
    assert busy.wait(60)
    began = time.monotonic()
    stage.kill("worker", hard=False)
    assert time.monotonic() - began < stage.settings.limits.drain_seconds / 2
    assert "running" not in {row["state"] for row in stage.rows() if row["kind"] == "check"}
    assert verification(stage)["state"] == "queued"

    stage.start("worker")
    stage.settle(PATIENCE * 3)
    run = verification(stage)
    assert (run["state"], run["attempts"]) == ("error", 1)
    assert PATIENCE <= run["ended"] - run["started"] < PATIENCE + 30
    state, said = said_of(stage, sha, CONTEXT)
    assert state == "error" and said.startswith("unknown: ")
    assert len([row for row in stage.rows() if row["kind"] == "merge"]) == 1
    [checked, after] = stage.ours(number)
    assert "gen-env: passed" in checked
    assert "❔ [unknown](" in after and "### gen-env: not verified" in after
    assert stage.store.violations == []
