"""The demo as a newcomer runs it, to its end."""

import os
import subprocess
import sys

import pytest

from tests.service.scene import ROOT


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
