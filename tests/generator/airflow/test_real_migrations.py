"""The ways back that gen-env prints, executed by real Airflow releases on a real PostgreSQL."""

import os
import re
import subprocess
import time

import pytest

from generator.diff.what_runs import Reference, Runs, Source
from generator.impact.migration import Class, classify
from generator.model.image import ImageFacts
from tests import postgresql
from tests.generator.airflow import installed

pytestmark = pytest.mark.nightly

FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
COMMAND = re.compile(r"`(airflow [^`]*downgrade[^`]*)`")


class Real:
    """Commands of real releases against one database; how long each took is printed."""

    def __init__(self, url, home):
        self.url, self.home = url, home

    def run(self, version, command, *, fails=False):
        python = installed.python_of(version)
        home = self.home / version
        home.mkdir(exist_ok=True)
        environment = {
            "AIRFLOW_HOME": str(home), "HOME": str(home), "COLUMNS": "200",
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.url.replace("://", "+psycopg2://", 1),
            **({} if version.startswith("2.") else {"AIRFLOW__CORE__AUTH_MANAGER": FAB}),
        }  # fmt: skip
        start = time.monotonic()
        done = subprocess.run(
            command.split(), env=environment, cwd=home, capture_output=True, text=True,
            check=False, timeout=1200,
        )  # fmt: skip
        print(f"{version}: {command}: {time.monotonic() - start:.0f} s")
        assert bool(done.returncode) is fails, done.stderr[-3000:]

    def check(self, version, *, fails=False):
        """Whether a pod of that release would start: it waits for its migrations first."""
        self.run(version, "airflow db check-migrations --migration-wait-timeout 0", fails=fails)

    def query(self, text):
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            done = connection.execute(text)
            return done.fetchall() if done.description else []


@pytest.fixture(scope="module")
def server():
    with postgresql.server() as url:
        yield url


@pytest.fixture
def real(server, tmp_path):
    with postgresql.fresh_database(server, "airflow_real") as url:
        yield Real(url, tmp_path)


def runs(version):
    """An image with that release and the provider of the official one, both known."""
    written = {"airflow": version, "providers": {"fab": installed.fab_of(version)}, "of": version}
    facts = ImageFacts.model_validate(written)
    return Runs(Reference("r/airflow", version), version, Source.FACTS, facts)


@pytest.mark.parametrize(("old", "new"), [("3.1.8", "3.2.2"), ("3.2.2", "3.3.2")])
def test_the_printed_steps_lead_back_to_an_image_that_starts(real, old, new):
    there, back = classify(runs(old), runs(new)), classify(runs(new), runs(old))
    assert (there.kind, back.kind) == (Class.DOWNGRADE, Class.BACKWARD)
    commands = COMMAND.findall(back.reason)
    assert commands == COMMAND.findall(there.reason) != []
    real.run(old, "airflow db migrate")
    real.query("insert into slot_pool (pool, slots, include_deferred) values ('kept', 3, false)")
    real.run(new, "airflow db migrate")
    real.check(new)
    real.check(old, fails=True)
    for command in commands:
        real.check(old, fails=True)
        real.run(new, command)
    real.check(old)
    assert real.query("select slots from slot_pool where pool = 'kept'") == [(3,)]


def test_from_airflow_2_only_the_backup_leads_back(real, server, tmp_path):
    there, back = (classify(*pair) for pair in _both(runs("2.11.2"), runs("3.2.2")))
    assert {there.kind, back.kind} == {Class.ONE_WAY}
    assert "only a backup of the database brings all of it back" in there.reason
    backup = tmp_path / "backup.dump"
    real.run("2.11.2", "airflow db migrate")
    subprocess.run(["pg_dump", "-Fc", "-f", backup, real.url], check=True)
    real.run("3.2.2", "airflow db migrate")
    real.check("3.2.2")
    with postgresql.fresh_database(server, "airflow_restored") as url:
        subprocess.run(["pg_restore", "--no-owner", "-d", url, backup], check=True)
        Real(url, tmp_path).check("2.11.2")


def _both(one, other):
    return (one, other), (other, one)
