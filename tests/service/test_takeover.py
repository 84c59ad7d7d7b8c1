"""Workers that stop and come back, and a database that goes away: nothing lost, nothing twice."""

import os
import signal
import sqlite3
import time

import psycopg
import pytest

from service.settings.resolve import load
from tests.loopback import free_port
from tests.service import scene
from tests.service.test_processes import all_over, began, post, rows

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request):
    return None if request.param == "sqlite" else request.getfixturevalue("postgresql")


class Stage:
    """A web process and workers, started one by one over one database."""

    def __init__(self, folder, forge, url):
        self.forge, self.port, self.url = forge, free_port(), url
        self.config = scene.write_settings(folder, forge.url, self.port, url, leaseSeconds=8)
        self.settings, self.log = load(self.config, {}), folder / "log.txt"
        self.processes = []

    def start(self, role, **environment):
        self.processes.append(scene.start(role, self.config, self.log, **environment))
        return self.processes[-1]

    def post(self, number):
        post(self.port, scene.pull_body("team/one", number, scene.sha_of(number)), f"d{number}")

    def is_free(self):
        """Whether nobody has the file's one lock: a process may be stopped in a transaction."""
        if self.url:
            return True
        path = self.settings.database_url.text().removeprefix("sqlite:///")
        with sqlite3.connect(path, timeout=1, isolation_level=None) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            connection.execute("ROLLBACK")
        return True


@pytest.fixture
def stage(tmp_path, url):
    with scene.forge() as forge:
        made = Stage(tmp_path, forge, url)
        try:
            yield made
        finally:
            for process in made.processes:
                scene.kill(process)


def stop(stage, process):
    process.send_signal(signal.SIGSTOP)
    while not stage.is_free():
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
        process.send_signal(signal.SIGSTOP)


def ran(stage):
    return (stage.settings.data_dir / "ran.log").read_text().splitlines()


def test_a_worker_that_was_stopped_writes_nothing_when_it_comes_back(stage, tmp_path):
    stage.start("web")
    gates = [tmp_path / "late", tmp_path / "other"]
    late = stage.start("worker", CHECK_GATE=str(gates[0]))
    stage.post(1)
    assert scene.wait_for(lambda: began(stage.settings))
    stop(stage, late)
    stage.start("worker", CHECK_GATE=str(gates[1]))
    assert scene.wait_for(lambda: len(ran(stage)) == 2, 60), stage.log.read_text()
    # It ends what it began, and then itself; the other one is at work.
    gates[0].touch()
    late.terminate()
    late.send_signal(signal.SIGCONT)
    late.wait(120)
    [check] = rows(stage.settings, ())
    assert (late.returncode, check["state"], check["summary"]) == (0, "running", "")
    gates[1].touch()
    assert scene.wait_for(lambda: all_over(stage.settings), 60), stage.log.read_text()
    assert {row["kind"] for row in rows(stage.settings, ())} == {"check", "gates"}
    [check] = rows(stage.settings)
    assert (check["state"], check["attempts"], check["lost"]) == ("success", 2, 1)
    assert len(ran(stage)) == 2


def test_a_database_that_is_away_in_between_loses_nothing(stage):
    if not stage.url:
        pytest.skip("a file does not go away")
    stage.start("web")
    for _ in range(2):
        stage.start("worker", CHECK_SECONDS="0.3")
    assert scene.wait_for(lambda: stage.log.read_text().count("worker is ready") == 2)
    server, _, name = stage.url.rpartition("/")
    for number in range(1, 21):
        stage.post(number)
        if number in (7, 14):
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f"alter database {name} allow_connections false")
                connection.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                    [name],
                )
                time.sleep(3)
                connection.execute(f"alter database {name} allow_connections true")
    assert scene.wait_for(lambda: all_over(stage.settings), 120), stage.log.read_text()
    found = rows(stage.settings)
    assert sorted(row["number"] for row in found) == list(range(1, 21))
    assert {row["state"] for row in found} == {"success"}
    assert not any(os.waitpid(process.pid, os.WNOHANG)[0] for process in stage.processes)
