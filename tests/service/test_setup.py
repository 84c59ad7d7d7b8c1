"""Preparing the database: by many at once, by the killed, and where it cannot be done."""

import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from generator.core.errors import UserError
from service.cli import migrate
from service.model.job import Job, Kind, State
from service.queue.claims import Claims
from service.queue.jobs import Jobs
from service.settings.resolve import load
from service.store import database, runs, tables
from tests.loopback import free_port
from tests.service import scene

ONE = ("forge", "team/one")
ROUNDS = os.environ.get("GEN_ENV_START_ROUNDS", "6")


def settings_in(folder, url=None, **limits):
    return load(scene.write_settings(folder, "http://127.0.0.1:9", 8080, url, **limits), {})


def starts(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "tests.service.starts", folder / "settings.yaml", *arguments],
        env=scene.environment(),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.thorough
def test_processes_that_start_together_and_are_killed_never_disturb_each_other(tmp_path):
    settings_in(tmp_path)
    assert starts(tmp_path, ROUNDS, "4", "1", "fresh") == "end\n"


@pytest.mark.thorough
def test_nor_do_they_where_the_database_is_there_already(tmp_path):
    settings_in(tmp_path)
    assert starts(tmp_path, ROUNDS, "4", "2") == "end\n"


@pytest.mark.thorough
def test_processes_that_start_together_over_postgresql(tmp_path, postgresql):
    settings_in(tmp_path, postgresql)
    assert starts(tmp_path, "3", "3", "3") == "end\n"


def test_a_process_that_only_holds_the_file_for_a_moment_is_waited_for(tmp_path):
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    held = sqlite3.connect(settings.data_dir / "service.sqlite", check_same_thread=False)
    held.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(0.5, held.rollback)
    timer.start()
    migrate.prepare(settings)
    timer.join()
    held.close()
    engine = tables.engine(settings.database_url.text())
    with engine.connect() as connection:
        assert connection.execute(tables.version.select()).scalar() == tables.VERSION
    engine.dispose()


def test_the_reason_is_told_in_sqlites_own_words(tmp_path):
    settings = settings_in(tmp_path)
    settings.data_dir.mkdir()
    (settings.data_dir / "service.sqlite").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(UserError) as caught:
        migrate.prepare(settings)
    assert caught.value.message == "the database cannot be used: file is not a database"


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    settings = settings_in(tmp_path)
    settings.data_dir.write_text("a file")
    with pytest.raises(UserError, match=r"cannot create the data folder .*: File exists"):
        migrate.prepare(settings)


def test_a_missing_folder_of_the_database_is_told(tmp_path):
    settings = settings_in(tmp_path, f"sqlite:///{tmp_path}/nowhere/service.sqlite")
    with pytest.raises(UserError, match="cannot be used: No such file or directory"):
        migrate.prepare(settings)


def test_a_server_that_is_away_is_told_without_the_address(tmp_path):
    url = f"postgresql://owner:canary-password@127.0.0.1:{free_port()}/gen_env"
    with pytest.raises(UserError) as caught:
        migrate.prepare(settings_in(tmp_path, url))
    assert caught.value.message == "the database cannot be used: connection refused"
    assert caught.value.__context__ is None


def test_a_server_that_refuses_is_quoted(tmp_path, postgresql):
    url = postgresql.replace("owner@", "nobody:canary-password@")
    with pytest.raises(UserError) as caught:
        migrate.prepare(settings_in(tmp_path, url))
    assert caught.value.message == 'the database cannot be used: role "nobody" does not exist'


def test_a_database_without_an_encoding_is_refused_and_says_how_to_make_one(tmp_path, ascii_url):
    with pytest.raises(UserError) as caught:
        migrate.prepare(settings_in(tmp_path, ascii_url))
    assert caught.value.message == "the database's encoding is SQL_ASCII; it must be UTF8"
    assert caught.value.hint == "create a database with: createdb -E UTF8 -T template0 NAME"


def test_a_database_that_has_yet_to_be_made_gets_the_encoding_of_the_server(tmp_path, postgresql):
    settings = settings_in(tmp_path, postgresql + "_new")
    migrate.prepare(settings)
    assert database.encoding_fault(settings.database_url.text()) == ""


def test_a_database_of_the_first_version_is_led_up(tmp_path):
    settings = settings_in(tmp_path)
    migrate.prepare(settings)
    engine = tables.engine(settings.database_url.text())
    with engine.begin() as connection:
        for column in ("origin", "due", "owner", "lost"):
            connection.exec_driver_sql(f"ALTER TABLE gen_env_run DROP COLUMN {column}")
        connection.exec_driver_sql("DROP TABLE gen_env_timer")
        connection.execute(tables.version.update().values(version=1))
    migrate.prepare(settings)
    with engine.connect() as connection:
        assert connection.execute(tables.version.select()).scalar() == tables.VERSION
        connection.execute(tables.run.select())
        connection.execute(tables.timer.select())
    engine.dispose()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_what_the_former_queue_had_is_taken_over_and_not_done_twice(request, tmp_path, database):
    sqlite = database == "sqlite"
    url = None if sqlite else request.getfixturevalue(database)
    settings = settings_in(tmp_path, url)
    migrate.prepare(settings)
    engine = tables.engine(settings.database_url.text())
    jobs, former = Jobs(engine), "workflow_status" if sqlite else "dbos.workflow_status"
    found = {number: jobs.submit(Job(Kind.CHECK, *ONE, number)) for number in (1, 2, 3)}
    names = ("due", "owner", "lost")
    with engine.begin() as connection:
        runs.begin(connection, found[2], 1.0)
        runs.finish(connection, found[3], runs.Outcome(State.SUCCESS, "fine"), 2.0)
        for name in names:
            connection.exec_driver_sql(f"ALTER TABLE gen_env_run DROP COLUMN {name}")
        if not sqlite:
            connection.exec_driver_sql("CREATE SCHEMA dbos")
        connection.exec_driver_sql(f"CREATE TABLE {former} (id TEXT, status TEXT, name TEXT)")
        for row in (f"'{found[1]}', 'ENQUEUED', 'gen_env_job'", "'x', 'PENDING', 'other'",
                    f"'{found[2]}', 'PENDING', 'gen_env_wait'",
                    f"'{found[3]}', 'SUCCESS', 'gen_env_job'"):  # fmt: skip
            connection.exec_driver_sql(f"INSERT INTO {former} VALUES ({row})")
        connection.execute(tables.version.update().values(version=5))
    migrate.prepare(settings)
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT id, status FROM {former}").all()
    assert dict(map(tuple, rows)) == {
        found[1]: "CANCELLED", found[2]: "CANCELLED", found[3]: "SUCCESS", "x": "PENDING",
    }  # fmt: skip
    worker = Claims(engine, "w", 60.0)
    assert {worker.take([ONE], waits=False).run for _ in range(2)} == {found[1], found[2]}
    assert worker.take([ONE], waits=False) is None
    engine.dispose()
