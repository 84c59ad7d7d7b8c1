"""The demo as a newcomer runs it, to its end."""

import os
import subprocess
import sys

import pytest

from generator.core.errors import UserError
from service.demo import repository
from tests.service.scene import ROOT


def test_the_demo_says_at_once_that_the_chart_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GEN_ENV_OFFLINE", "1")
    with pytest.raises(UserError, match=r"chart airflow 1\.22\.0") as caught:
        repository.make(tmp_path / "demo", tmp_path / "forge")
    assert caught.value.hint == "gen-env chart pull 1.22.0"
    assert not (tmp_path / "demo").exists()


@pytest.mark.thorough
def test_the_demo_shows_a_pull_request_that_passes_and_two_that_fail(own_chart, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "GEN_ENV_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "service.cli.main", "demo", "--once"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "git clone http://127.0.0.1:" in done.stdout and "dashboard" in done.stdout
    states = [line.split(":")[0] for line in done.stdout.splitlines() if line.startswith("#")]
    assert states == ["#1 success", "#2 failure", "#3 failure"], done.stdout
    assert "tree/foreign" in done.stdout and "impact/database" in done.stdout
    assert list(tmp_path.iterdir()) == []
