"""docs/tutorial.md, run from the first line to the last; GEN_ENV_GOLDEN=write renews it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.golden_cases import REWRITE

PAGE = Path(__file__).parents[1] / "docs" / "tutorial.md"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.M | re.S)
# Commits hold gen-env's version, so that their names are others with every release.
COMMIT = re.compile(r"\b[0-9a-f]{7,40}\b")
WHEN = "2026-01-05T09:00:00+00:00"


class Reader:
    """Somebody who types every command of the page, one after the other."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "GEN_ENV_CRDS"},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder), "COLUMNS": "100", "GEN_ENV_OFFLINE": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "init.defaultBranch",
            "GIT_CONFIG_VALUE_0": "main",
        }  # fmt: skip
        for role in ("AUTHOR", "COMMITTER"):
            self.environment |= {
                f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.com",
                f"GIT_{role}_DATE": WHEN,
            }  # fmt: skip

    def block(self, text):
        """The block with the outputs that its commands have now."""
        commands = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
        return "".join(f"$ {command}\n{self.output(command)}" for command in commands)

    def output(self, command):
        if command.startswith("cd "):
            self.folder /= command[3:]
            return ""
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.environment, text=True, timeout=300,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        lines = [line.rstrip() for line in done.stdout.splitlines()]
        return "".join(f"{line}\n" for line in lines)


@pytest.mark.thorough
@pytest.mark.golden
def test_the_tutorial_runs_and_prints_what_it_shows(official_chart, tmp_path):
    reader = Reader(tmp_path)
    before = PAGE.read_text("utf-8")
    after = BLOCK.sub(lambda match: reader.block(match[0]), before)
    staging = reader.folder / "environments/staging/environment.yaml"
    assert "3.3.2-r2" in staging.read_text("utf-8"), "the change did not reach staging"
    if COMMIT.sub("", after) != COMMIT.sub("", before) and REWRITE:
        PAGE.write_text(after, "utf-8")
        return
    assert COMMIT.sub("", after) == COMMIT.sub("", before), "make golden renews the page"
