"""The ways back that gen-env prints, executed by real Airflow releases on a real PostgreSQL."""

import os
import re
import subprocess
import time

import pytest

from generator.airflow import managers
from generator.airflow.image_release import Reference, Runs, Source
from generator.airflow.managers import FAB_AUTH, SIMPLE_AUTH, Options
from generator.impact.migration import Class, classify
from generator.model.image import ImageFacts
from tests import postgresql
from tests.generator.airflow import installed

pytestmark = pytest.mark.nightly

COMMAND = re.compile(r"`(airflow [^`]*downgrade[^`]*)`")


class Real:
    """Commands of real releases against one database; how long each took is printed."""

    def __init__(self, url, home, auth=FAB_AUTH):
        self.url, self.home, self.auth = url, home, auth

    def run(self, version, command, *, fails=False):
        python = installed.python_of(version)
        home = self.home / version
        home.mkdir(exist_ok=True)
        environment = {
            "AIRFLOW_HOME": str(home), "HOME": str(home), "COLUMNS": "200",
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.url.replace("://", "+psycopg2://", 1),
            **({} if version.startswith("2.") else {"AIRFLOW__CORE__AUTH_MANAGER": self.auth}),
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


def runs(version, auth=FAB_AUTH):
    """An image with that release and the provider of the official one, both known."""
    written = {"airflow": version, "providers": {"fab": installed.fab_of(version)}, "of": version}
    facts = ImageFacts.model_validate(written)
    image = Reference("r/airflow", version)
    return Runs(image, version, Source.FACTS, facts, options=Options(auth))


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


def test_without_fab_as_auth_manager_the_older_image_does_not_look_at_its_tables(server, tmp_path):
    old, new = runs("3.1.8", SIMPLE_AUTH), runs("3.2.2", SIMPLE_AUTH)
    there = classify(old, new)
    commands = COMMAND.findall(there.reason)
    assert commands == ["airflow db downgrade --to-version 3.1.8 --yes"]
    assert "the chain of fab has no step" in there.reason
    with postgresql.fresh_database(server, "airflow_simple") as url:
        real = Real(url, tmp_path, SIMPLE_AUTH)
        real.run("3.1.8", "airflow db migrate")
        assert not real.query("select 1 from pg_tables where tablename = 'alembic_version_fab'")
        real.run("3.1.8", "airflow fab-db downgrade --to-version 3.4.0 --yes", fails=True)
        real.run("3.2.2", "airflow db migrate")
        assert real.query("select version_num from alembic_version_fab") == [("02ca36b0235b",)]
        real.check("3.2.2")
        for command in commands:
            real.run("3.2.2", command)
        real.check("3.1.8")
        assert real.query("select version_num from alembic_version_fab") == [("02ca36b0235b",)]


@pytest.mark.parametrize(
    ("provider", "version", "named", "commands"),
    [
        ("fab", "3.1.1", False, False),
        ("fab", "3.3.0", False, True),
        ("fab", "3.4.0", True, True),
        ("edge3", "3.0.0", False, True),
        ("edge3", "3.1.0", True, True),
    ],
)
def test_releases_of_providers_name_their_manager_and_commands(
    tmp_path, provider, version, named, commands
):
    """What `airflow/managers` holds of the releases that first do."""
    requirement = f"apache-airflow-providers-{provider}=={version}"
    installed.uv("pip", "install", "--quiet", "--no-deps", "--python-version", "3.11",
                 "--target", tmp_path, requirement)  # fmt: skip
    (path,) = tmp_path.rglob("get_provider_info.py")
    text = path.read_text()
    assert ('"db-managers"' in text, '"cli"' in text) == (named, commands)
    answer = managers.answer(provider, version, "3.2.0", managers.Options(managers.SIMPLE_AUTH))
    assert answer.runs is named
    if provider == "fab":
        assert bool(answer.down) is commands


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
