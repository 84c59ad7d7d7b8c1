"""Real Airflow releases, installed once with the packages of the day they were released."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from generator.airflow import migrations

PLACE = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "gen-env/airflow"
# Later packages that they depend on would not fit.
DAYS = {
    "2.11.2": "2026-03-20", "3.1.8": "2026-03-14", "3.2.2": "2026-06-08", "3.3.2": "2026-09-18",
}  # fmt: skip
# The provider of the official image of Airflow 2.11: its published constraints.
_FAB = {"2.11.2": "1.5.4"}
_EXTRAS = "celery,cncf-kubernetes,common-io"


def fab_of(version):
    """The FAB provider of the official image of that release."""
    official = migrations.of_official_image(version)
    return official["fab"] if official else _FAB[version]


def python_of(version, *providers):
    """The interpreter of an environment with that Airflow; skips where it cannot be had.

    `providers` are installed beside those that every one has, into an environment of its own.
    """
    folder = PLACE / "-".join((version, *providers))
    packages = [
        f"apache-airflow[{_EXTRAS}]=={version}",
        f"apache-airflow-providers-fab=={fab_of(version)}",
        *("psycopg2-binary", "asyncpg"),
        *(f"apache-airflow-providers-{name}" for name in providers),
    ]
    complete, wanted = folder / "complete", "\n".join(packages)
    if not complete.is_file() or complete.read_text() != wanted:
        uv("venv", "--quiet", "--clear", "--python", sys.executable, folder)
        uv("pip", "install", "--quiet", "--exclude-newer", DAYS[version], *packages,
            VIRTUAL_ENV=str(folder))  # fmt: skip
        complete.write_text(wanted)
    return folder / "bin/python"


def uv(*command, **variables):
    """Run uv; skips where it is not there or fails."""
    uv = Path(sys.executable).with_name("uv")
    if not uv.is_file():
        pytest.skip("uv is not installed beside Python: run make setup")
    done = subprocess.run(
        [uv, *command], capture_output=True, text=True, check=False, timeout=900,
        env={**os.environ, **variables},
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"a real package could not be installed: {done.stderr[-300:]}")
