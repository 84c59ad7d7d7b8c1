"""Real Airflow releases, installed once with the packages of the day they were released."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PLACE = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "gen-env/airflow"
# Later packages that they depend on would not fit.
DAYS = {"3.1.8": "2026-03-14", "3.2.2": "2026-06-08", "3.3.2": "2026-09-18"}
_EXTRAS = "fab,celery,cncf-kubernetes,common-io"


def python_of(version):
    """The interpreter of an environment with that Airflow; skips where it cannot be had."""
    folder = PLACE / version
    if not (folder / "complete").is_file():
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, folder)
        _uv("pip", "install", "--quiet", "--exclude-newer", DAYS[version],
            f"apache-airflow[{_EXTRAS}]=={version}", VIRTUAL_ENV=str(folder))  # fmt: skip
        (folder / "complete").touch()
    return folder / "bin/python"


def _uv(*command, **variables):
    uv = Path(sys.executable).with_name("uv")
    if not uv.is_file():
        pytest.skip("uv is not installed beside Python: run make setup")
    done = subprocess.run(
        [uv, *command], capture_output=True, text=True, check=False, timeout=900,
        env={**os.environ, **variables},
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"real Airflow could not be installed: {done.stderr[-300:]}")
