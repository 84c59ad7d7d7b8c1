"""Preparing the database: by many at once, by the killed, and where it cannot be done."""

import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from generator.core.errors import UserError
from service.cli import migrate
from service.settings.resolve import load
from service.store import database, tables
from tests.loopback import free_port
from tests.service import scene

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
    with pytest.raises(UserError, match="cannot create the data folder: File exists"):
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
        connection.exec_driver_sql("ALTER TABLE gen_env_run DROP COLUMN origin")
        connection.exec_driver_sql("DROP TABLE gen_env_timer")
        connection.execute(tables.version.update().values(version=1))
    migrate.prepare(settings)
    with engine.connect() as connection:
        assert connection.execute(tables.version.select()).scalar() == tables.VERSION
        connection.execute(tables.run.select())
        connection.execute(tables.timer.select())
    engine.dispose()
