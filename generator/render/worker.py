"""A process that renders: asked again and again, bounded in time, memory and output."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.core import process
from generator.render import death

RENDERS = 16
"""How many renders a worker serves before another takes its place."""

_CHILD = "import sys; sys.path += sys.argv[1:]; from generator.render.child import main; main()"
_DIED = "the render ended abnormally"
_ENOMEM = "cannot allocate memory"  # Go's text of the error, at the end of what it failed at
_PIECE = 1 << 16
_HEADER = 32
_ANSWER = re.compile(rb"(\d+) (more|last)")
_GRACE = 2.0


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
    """What a worker sent back: the objects and the notes, or the kind of failure and a message.

    Kinds are `helm` and `yaml` (the message is theirs, unredacted), `timeout`, `size`, those of
    `death.cause`, and `died` when it gives none.
    """

    documents: tuple[tuple[str, dict[str, Any]], ...] = ()
    notes: str = ""
    kind: str = ""
    message: str = ""


class Worker:
    """One process, for one job at a time. Raises UserError when it cannot start."""

    def __init__(self, limits: Limits, site: Path) -> None:
        self.limits = limits
        self.is_fresh = True
        self.is_spent = False
        self._folder = tempfile.TemporaryDirectory(prefix="gen-env-render-")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `end`)
        folder = Path(self._folder.name)
        source = Path(__file__).resolve().parent.parent.parent
        argv = [sys.executable, "-I", "-S", "-c", _CHILD, str(source), str(site)]
        try:
            self._process = process.start(
                argv, cwd=folder, env=_environment(folder), errors=self._errors
            )
        except BaseException:
            self._tidy()
            raise

    def ask(self, job: Mapping[str, Any], files: Mapping[str, bytes], *, renders: int) -> Answer:
        """Give it a job, with files in its folder, and return its answer.

        Whatever happens to the process is an answer too. It is spent after `renders` jobs, after
        a failure, and after a render that took much memory.
        """
        self.is_fresh, self.is_spent = False, True
        for name, data in files.items():
            # In a file, never an argument: other users see the arguments of every process.
            place = Path(self._folder.name) / name
            with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(data)
        bounds = {**dataclasses.asdict(self.limits), "cpu": self.limits.cpu}
        asked = json.dumps({**job, "limits": bounds, "renders": renders}).encode() + b"\n"
        killed_before = death.oom_kills()
        said_before = os.fstat(self._errors.fileno()).st_size
        try:
            sent = self._exchange(asked)
        except TimeoutError:
            return Answer(kind="timeout")
        if sent is None:
            return self._death(said_before, killed_before)
        return _answer(sent, killed_before)

    def end(self) -> None:
        """End the process and all that it started; it has nothing to save."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                assert pipe is not None
                pipe.close()
        self._tidy()

    def _tidy(self) -> None:
        self._errors.close()
        self._folder.cleanup()

    def _exchange(self, asked: bytes) -> bytes | None:
        """Send a job and read the answer; None where the process ends before that.

        Raises TimeoutError when it takes longer than it may.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        until = time.monotonic() + self.limits.timeout
        if not _send(self._process.stdin.fileno(), asked, until):
            return None
        source = self._process.stdout.fileno()
        found = bytearray()
        while b"\n" not in found[:_HEADER] and (piece := _receive(source, until)):
            found += piece
        header, _, begin = bytes(found).partition(b"\n")
        if not (match := _ANSWER.fullmatch(header)):
            return None
        parts, left = [begin], int(match[1]) - len(begin)
        while left > 0:
            if not (piece := _receive(source, until)):
                return None
            parts.append(piece)
            left -= len(piece)
        self.is_spent = match[2] != b"more"
        return b"".join(parts)

    def _death(self, said_before: int, killed_before: int) -> Answer:
        """Why it died; nothing of what it wrote is passed on, since it may quote values."""
        try:
            status = self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return Answer(kind="died", message=_DIED)
        words = os.pread(self._errors.fileno(), 1 << 20, said_before)
        return _cause(status, words, killed_before)


def _send(target: int, data: bytes, until: float) -> bool:
    """Write all of it; False where nobody reads any more."""
    os.set_blocking(target, False)
    view = memoryview(data)
    while view:
        _wait(target, select.POLLOUT, until)
        try:
            view = view[os.write(target, view) :]
        except BlockingIOError:
            continue
        except BrokenPipeError:
            return False
    return True


def _receive(source: int, until: float) -> bytes:
    _wait(source, select.POLLIN, until)
    return os.read(source, _PIECE)


def _wait(descriptor: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours: no proxies, no kubeconfig, no plugins, no repositories.

    A lazier garbage collector than Go's own (100) takes a third less time; a still lazier one (400)
    gains nothing more and takes 27 MiB more (measured on chart 1.22.0).
    """
    return {
        "GOGC": "200",
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


def _answer(text: bytes, killed_before: int) -> Answer:
    try:
        sent = json.loads(text)
    except (ValueError, RecursionError):
        return Answer(kind="died", message="its output cannot be read")
    if crash := sent.get("crash"):
        return _cause(crash["status"], crash["stderr"].encode(), killed_before)
    if failure := sent.get("failure"):
        refused = failure["kind"] == "helm" and failure["message"].rstrip().endswith(_ENOMEM)
        return Answer(kind="memory" if refused else failure["kind"], message=failure["message"])
    documents = tuple((template, document) for template, document in sent["documents"])
    return Answer(documents=documents, notes=sent["notes"])


def _cause(status: int, stderr: bytes, killed_before: int) -> Answer:
    out_of_memory = death.oom_kills() > killed_before
    if kind := death.cause(status, stderr, machine_out_of_memory=out_of_memory):
        return Answer(kind=kind)
    how = f"signal {-status}" if status < 0 else f"status {status}"
    return Answer(kind="died", message=f"{_DIED} ({how})")
