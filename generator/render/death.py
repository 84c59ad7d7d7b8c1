"""Why a render's process died: what it used up, as far as its end gives evidence of that."""

from __future__ import annotations

import re
import signal
from pathlib import Path

_VMSTAT = Path("/proc/vmstat")

# Go's runtime dies of the first thing it is refused, whichever that is: a mapping, its own
# bookkeeping (it then faults on its own stack: SIGSEGV, which in a template's code is a panic), or
# the stack of a thread, for which glibc reports a lack of memory as EAGAIN. Each mark starts a
# line, so that a value quoted in a message is none.
_MARKS = (
    (
        "memory",
        re.compile(
            rb"^(fatal error: .*(out of memory|cannot allocate memory|stack overflow)"
            rb"|runtime: (out of memory|cannot allocate)|runtime\.sysMap|SIGSEGV: |MemoryError)",
            re.MULTILINE,
        ),
    ),
    (
        "thread",
        re.compile(
            rb"^(runtime/cgo: pthread_create failed|runtime: failed to create new OS thread)",
            re.MULTILINE,
        ),
    ),
    ("cpu", re.compile(rb"^SIGXCPU: ", re.MULTILINE)),
)


def cause(status: int, stderr: bytes, *, machine_out_of_memory: bool = False) -> str:
    """`memory`, `thread`, `cpu` or `machine` (its memory); empty when nothing tells.

    `status` is an exit status, or a signal's number below zero.
    """
    if -status == signal.SIGXCPU:
        return "cpu"
    if -status == signal.SIGKILL:
        return "machine" if machine_out_of_memory else ""
    return next((kind for kind, mark in _MARKS if mark.search(stderr)), "")


def oom_kills() -> int:
    """How many processes the kernel has killed for lack of memory since it started.

    Linux counts them in /proc/vmstat (mm/vmstat.c), those of full containers too; elsewhere 0.
    """
    try:
        match = re.search(r"^oom_kill (\d+)$", _VMSTAT.read_text("ascii"), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) if match else 0
