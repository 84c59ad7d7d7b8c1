import importlib.metadata
import json
import os

import pytest
from click.testing import CliRunner

from service.cli import main as cli
from tests.loopback import free_port
from tests.service import scene


def run(*arguments, **environment):
    return CliRunner(env=environment).invoke(cli.main, arguments)


def test_the_version_is_the_packages():
    result = run("--version")
    assert result.output == f"gen-env-service {importlib.metadata.version('gen-env')}\n"


def test_the_doctor_says_what_is_missing_and_shows_no_secret(tmp_path):
    path = scene.write_settings(tmp_path, f"http://127.0.0.1:{free_port()}", 8080)
    settings = json.loads(path.read_text())
    settings["connections"][0]["webhookSecrets"] = []
    settings["connections"][0]["token"] = None
    path.write_text(json.dumps(settings))
    result = run("doctor", "--config", str(path))
    assert result.exit_code == 1
    assert "ok   database" in result.output
    for word in ("forge: webhook secret: not set", "has no credentials", "team/two: git: cannot"):
        assert word in result.output
    assert scene.API not in result.output


@pytest.mark.thorough
def test_the_doctor_names_a_database_without_an_encoding(tmp_path, ascii_url):
    path = scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080, ascii_url)
    result = run("doctor", "--config", str(path))
    assert result.exit_code == 1
    assert "FAIL database: the database's encoding is SQL_ASCII; it must be UTF8" in result.output
    assert "createdb -E UTF8" in result.output


def test_faulty_settings_end_with_the_faults_and_no_traceback(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("connections: []\nodd: 1\n")
    log = tmp_path / "log"
    process = scene.start("worker", path, log)
    assert process.wait(60) == 1
    assert "2 faults" in log.read_text() and "Traceback" not in log.read_text()


@pytest.mark.thorough
def test_a_newer_database_is_left_alone(tmp_path):
    from service.settings.resolve import load
    from service.store import tables

    path = scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080)
    settings = load(path, dict(os.environ))
    settings.data_dir.mkdir()
    engine = tables.engine(settings.database_url.text())
    tables.migrate(engine)
    with engine.begin() as connection:
        connection.execute(tables.version.update().values(version=99))
    engine.dispose()
    result = run("doctor", "--config", str(path))
    assert "the database has version 99" in result.output
