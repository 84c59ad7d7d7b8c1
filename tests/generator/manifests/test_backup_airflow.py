"""Backups of what real Airflow wrote: proven, restored, read by it again; and of many rows."""

import os
import re
import shutil
import subprocess
import time

import pytest

from tests import postgresql
from tests.generator.airflow import filled, installed
from tests.generator.airflow.test_real_rehearsal import RUNS
from tests.generator.manifests.test_backup_scripts import KEY, jobs_of

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(not shutil.which("age"), reason="needs age (Debian: age)"),
]
URI = "postgresql://user:not-in-the-clear@db.example.com:5432/sales"


def airflow(url, home, *command):
    python = installed.python_of("3.2.2")
    done = subprocess.run(
        [python.parent / "airflow", *command], capture_output=True, text=True, check=False,
        timeout=600, cwd=home, env={
            "AIRFLOW_HOME": str(home), "HOME": str(home), "COLUMNS": "200",
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "AIRFLOW__CORE__FERNET_KEY": KEY,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url.replace("://", "+psycopg2://", 1),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_real_airflow_reads_its_connection_after_a_restore(tmp_path):
    with postgresql.server() as server, jobs_of(server) as jobs:
        jobs.sql("drop table alembic_version, connection, variable, task_instance")
        airflow(jobs.database, tmp_path, "db", "migrate")
        airflow(jobs.database, tmp_path, "connections", "add", "sales", "--conn-uri", URI)
        jobs.good("backup")
        assert "1 of 1 encrypted values decrypt" in jobs.good("drill")
        airflow(jobs.database, tmp_path, "connections", "delete", "sales")
        jobs.good("restore")
        airflow(jobs.database, tmp_path, "db", "check-migrations")
        shown = airflow(jobs.database, tmp_path, "connections", "get", "sales", "-o", "json")
        assert "not-in-the-clear" in shown


def test_a_backup_of_many_rows_is_proven_and_restored(tmp_path):
    """How long each takes is printed: docs/backup.md has what one machine took."""
    with postgresql.server() as server, jobs_of(server) as jobs:
        jobs.sql("drop schema public cascade")
        jobs.sql("create schema public")
        filled.fill(jobs.database, tmp_path, RUNS)
        said = {}
        for name in ("backup", "drill", "restore"):
            start = time.monotonic()
            process = jobs.start(name, EXPECTED_HEADS="")
            output, errors = process.communicate(timeout=1800)
            assert process.returncode == 0, output + errors
            said[name] = output
            print(f"{name}: {time.monotonic() - start:.1f} s; {output.splitlines()[-1]}")
        (size,) = re.findall(r": ([0-9]+) bytes in", said["backup"])
        assert int(size) > 20 * RUNS
        assert "not looked at: heads of the image (not known)" in said["drill"]
        count = jobs.sql("select count(*) from task_instance").fetchone()
        assert count == (4 * RUNS,)
