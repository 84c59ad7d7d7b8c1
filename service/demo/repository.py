"""The repository of the demo: three environments, and three branches that change them."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.pipeline import toolchain

_CHART = "1.22.0"
_HERE = Path(__file__).parent
_COMMAND = "from generator.cli.main import run; run()"
_PATHS = "\npromotion: {paths: {main: [dev, staging, production]}}\n"


@dataclasses.dataclass(frozen=True)
class Work:
    """A person's clone."""

    folder: Path

    def git(self, *arguments: str) -> None:
        """One command of git."""
        named = ("-c", "user.name=you", "-c", "user.email=you@example.com")
        self._run("git", *named, *arguments)

    def gen_env(self, *arguments: str) -> None:
        """One command of gen-env."""
        self._run(sys.executable, "-c", _COMMAND, *arguments)

    def _run(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        if done.returncode:
            words = " ".join(command).replace(f"{sys.executable} -c {_COMMAND}", "gen-env")
            why = done.stderr or done.stdout or f"it ended with {done.returncode}"
            raise UserError(f"{words} failed: {why}")

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text in a file."""
        file = self.folder / path
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


@dataclasses.dataclass(frozen=True)
class Proposal:
    """A branch with a change, and what to look at in its check."""

    branch: str
    title: str
    look: str
    change: Callable[[Work], None]


def _fine(work: Work) -> None:
    work.edit("environments/staging/environment.yaml", "replicas: 2", "replicas: 3")
    work.gen_env("generate", "staging")


def _trap(work: Work) -> None:
    folder = work.folder / "environments/staging/generated/manifests"
    shutil.copy(_HERE / "helper.yaml", folder)


def _loss(work: Work) -> None:
    moved = "{host: pg-dev.example.com, cidrs: [10.21.0.0/24]}"
    work.edit("environments/dev/environment.yaml", "{embedded: true}", moved)
    work.gen_env("generate", "dev")


PROPOSALS = (
    Proposal(
        "more-workers", "Staging: a third worker",
        "passes; the report says what it costs and what restarts", _fine,
    ),
    Proposal(
        "helper", "Staging: a helper for the workers",
        "fails: Argo CD would apply the file, which makes a ServiceAccount cluster-admin", _trap,
    ),
    Proposal(
        "own-database", "Dev: a database of its own",
        "fails: the data of the old database stays behind; a person may accept that", _loss,
    ),
)  # fmt: skip


def make(folder: Path, gitdir: Path) -> Work:
    """A bare repository with main and the proposals' branches, and a clone of it."""
    if shutil.which("git") is None:
        raise UserError("git not found", hint="install git")
    charts = toolchain.charts(Snapshot({}))
    if charts.meant(_CHART, None) is None:
        raise UserError(charts.missing(_CHART), hint=f"gen-env chart pull {_CHART}")
    Work(folder).gen_env(
        "init", "work", "--url", "https://git.example.com/demo/airflow-gitops.git",
        "--forge", "gitea", "--server", "https://10.0.0.1:6443", "--no-commit",
    )  # fmt: skip
    work = Work(folder / "work")
    shutil.copytree(_HERE / "environments", work.folder / "environments", dirs_exist_ok=True)
    with (work.folder / "gen-env.yaml").open("a", encoding="utf-8") as file:
        file.write(_PATHS)
    work.gen_env("generate")
    if not (work.folder / ".git").exists():
        work.git("init", "--quiet", "--initial-branch=main")
    work.git("add", "--all")
    work.git("commit", "--quiet", "-m", "Three environments")
    for item in PROPOSALS:
        work.git("switch", "--quiet", "--create", item.branch, "main")
        item.change(work)
        work.git("add", "--all")
        work.git("commit", "--quiet", "-m", item.title)
    work.git("clone", "--quiet", "--bare", str(work.folder), str(gitdir))
    for key in ("uploadpack.allowAnySHA1InWant", "http.receivepack"):
        work.git(f"--git-dir={gitdir}", "config", key, "true")
    return work
