"""Every process we start begins here: argument lists only, bounded time, no inherited surprises."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from generator.core.errors import UserError

_GRACE = 2.0


@dataclasses.dataclass(frozen=True, slots=True)
class Completed:
    """What a process left: exit status, standard output and standard error as bytes."""

    status: int
    stdout: bytes
    stderr: bytes


class CommandError(UserError):
    """A process failed or ran out of time; its last words are the message."""

    def __init__(
        self, message: str, *, status: int | None = None, timed_out: bool = False, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.timed_out = timed_out


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    timeout: float = 60.0,
    check: bool = True,
) -> Completed:
    """Run one process to its end in a session of its own and return what it left.

    `env` replaces the environment (None inherits ours), `timeout` is in seconds and ends the
    whole process group. Raises CommandError when the program is missing, runs out of time, or,
    with `check`, exits with anything but 0. Arguments and environment never reach the message.
    """
    name = Path(argv[0]).name
    completed = finish(start(argv, cwd=cwd, env=env, errors=subprocess.PIPE), name, stdin, timeout)
    if check and completed.status != 0:
        words = completed.stderr.decode("utf-8", "replace").strip()
        words = words or f"exit status {completed.status}"
        raise CommandError(f"{name}: {words}", status=completed.status)
    return completed


def finish(process: subprocess.Popen[bytes], name: str, stdin: bytes, timeout: float) -> Completed:
    """Run a process that leads a session of its own to its end: see `run`."""
    try:
        stdout, stderr = process.communicate(stdin, timeout=timeout)
    except subprocess.TimeoutExpired:
        end_group(process)
        message = f"{name} did not finish within {timeout:g} s"
        raise CommandError(message, timed_out=True) from None
    except BaseException:
        end_group(process)
        raise
    return Completed(process.returncode, stdout, stderr)


def missing(name: str, reason: str | None) -> CommandError:
    """The error for a program that cannot be started."""
    return CommandError(
        f"cannot start {name}: {reason}", hint=f"install {name}, or check your PATH"
    )


def start(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    errors: int | IO[bytes] = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a process that answers on standard output what it is asked on standard input.

    The caller ends it; it ends by itself when its standard input does, so with us at the latest.
    Its standard error goes to `errors`. Raises CommandError when the program is missing.
    """
    name = Path(argv[0]).name
    try:
        return subprocess.Popen(
            [str(part) for part in argv],
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    except OSError as error:
        raise missing(name, error.strerror) from None


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a session of its own, with all that it has started."""
    # git takes its lock files away when it is asked to end, and leaves them when it is killed.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
