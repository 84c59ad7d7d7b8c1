"""Real processes over a real database: drained, restarted, fair; see end_to_end/test_crash.py."""

import json
import os
import signal
import time
from pathlib import Path

import pytest

from service.settings.resolve import load
from service.store import tables
from tests.loopback import free_port
from tests.service import scene


def post(port, body, delivery):
    """Deliver as a forge with patience would: until there is an answer."""
    raw, headers = scene.signed(body, delivery)
    for _ in range(200):
        try:
            status, _ = scene.request(port, "POST", "/webhooks/forge", raw, headers)
        except OSError:
            status = 0
        if status == 202:
            return
        assert status in (0, 503), status
        time.sleep(0.1)
    raise AssertionError("no answer")


def rows(settings, kinds=("check",)):
    """The runs of these kinds: a check leads to a look at the gates, which is not what is asked."""
    engine = tables.engine(settings.database_url.text())
    query = tables.run.select()
    if kinds:
        query = query.where(tables.run.c.kind.in_(kinds))
    try:
        with engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]
    finally:
        engine.dispose()


def all_over(settings):
    return not [row for row in rows(settings, ()) if row["state"] in ("queued", "running")]


@pytest.fixture
def served(tmp_path):
    """`serve` on SQLite with a forge; gives port, settings, forge and the process."""
    port = free_port()
    with scene.forge() as forge:
        config = scene.write_settings(tmp_path, forge.url, port, drainSeconds=20, starts=2)
        log = tmp_path / "log.txt"
        process = scene.start("serve", config, log, CHECK_SECONDS="1.5")
        try:
            assert scene.wait_for(scene.answers(port, "/readyz")), log.read_text()
            yield port, load(config, {}), forge, process
        finally:
            scene.kill(process, hard=False)
    for canary in (scene.SECRET, scene.TOKEN, scene.API):
        assert canary not in log.read_text()


def began(settings):
    return (settings.data_dir / "ran.log").exists()


@pytest.mark.thorough
def test_sigterm_lets_the_running_check_end(served):
    port, settings, _forge, process = served
    post(port, scene.pull_body("team/one", 1, scene.sha_of(1)), "d1")
    assert scene.wait_for(lambda: began(settings))
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0
    [row] = rows(settings)
    assert (row["state"], row["attempts"]) == ("success", 1)
    text = (settings.data_dir.parent / "log.txt").read_text()
    told = [json.loads(line) for line in text.splitlines()]
    of_run = [line for line in told if line.get("run") == row["id"]]
    # The delivery's own line, and the worker's: beginning and end.
    assert {line["logger"] for line in of_run} == {"gen_env.webhooks", "gen_env.worker"}
    for line in of_run:
        about = {name: line[name] for name in ("delivery", "repository", "number", "connection")}
        assert about == {
            "delivery": "d1", "repository": "team/one", "number": 1, "connection": "forge",
        }  # fmt: skip


def children(pid):
    return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def role(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[3].decode()


@pytest.mark.slow
def test_a_dead_worker_is_started_again_and_its_run_taken_over(served):
    port, settings, _forge, process = served
    post(port, scene.pull_body("team/one", 1, scene.sha_of(1)), "d1")
    assert scene.wait_for(lambda: began(settings))
    [worker] = [pid for pid in children(process.pid) if role(pid) == "worker"]
    os.kill(worker, signal.SIGKILL)
    assert scene.wait_for(lambda: all_over(settings))
    assert [(row["state"], row["attempts"]) for row in rows(settings)] == [("success", 2)]


@pytest.mark.thorough
def test_a_failing_run_ends_in_the_dead_letters_and_can_be_tried_again(served):
    port, settings, forge, _process = served
    for number in (500, 501):
        body = scene.pull_body("team/two", number, scene.sha_of(number))
        post(port, body, f"d{number}")
    assert scene.wait_for(lambda: all_over(settings))
    found = {row["number"]: row for row in rows(settings)}
    assert found[500]["state"] == found[501]["state"] == "dead"
    assert found[500]["attempts"] == 3
    assert found[500]["summary"] == "the forge is away"
    assert found[501]["summary"].startswith("RuntimeError at service/stand_in_check.py:")
    told = scene.wait_for(lambda: {data["state"] for _, data in forge.statuses})
    assert told == {"error"}
    path = f"/api/v1/checks/{found[500]['id']}/retry"
    status, _ = scene.request(port, "POST", path, headers={"Authorization": f"Bearer {scene.API}"})
    assert status == 202
    status, raw = scene.request(
        port, "GET", "/api/v1/checks", headers={"Authorization": f"Bearer {scene.API}"}
    )
    states = [run["state"] for run in json.loads(raw)["checks"] if run["number"] == 500]
    assert status == 200 and len(states) == 2 and "retried" in states


@pytest.mark.thorough
def test_a_busy_repository_does_not_starve_another(served):
    port, settings, _forge, _process = served
    for number in range(1, 13):
        post(port, scene.pull_body("team/one", number, scene.sha_of(number)), f"d{number}")
    post(port, scene.pull_body("team/two", 1, scene.sha_of(1)), "other")

    def other():
        return [row for row in rows(settings) if row["repository"] == "team/two" and row["ended"]]

    assert scene.wait_for(other)
    waiting = [row for row in rows(settings) if row["state"] == "queued"]
    assert len(waiting) >= 6  # first come, first served would have left none or one


@pytest.mark.slow
def test_a_run_that_kills_its_workers_ends_in_the_dead_letters(served):
    port, settings, _forge, _process = served
    post(port, scene.pull_body("team/one", 666, scene.sha_of(666)), "poison")
    assert scene.wait_for(lambda: all_over(settings), every=0.5)
    [row] = rows(settings)
    assert row["state"] == "dead" and 2 <= row["attempts"] <= 3
    post(port, scene.pull_body("team/one", 1, scene.sha_of(1)), "sound")
    assert scene.wait_for(lambda: all_over(settings))
    assert {row["number"]: row["state"] for row in rows(settings)} == {666: "dead", 1: "success"}
