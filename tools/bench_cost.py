"""What a process takes: wall time, CPU time and memory, of it and of all that it starts."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """What one run took: seconds of wall and CPU time, MiB of gen-env alone and of all together.

    What processes share (the library with Helm is 90 MiB) counts once in the last.
    """

    wall: float
    cpu: float
    own: float
    together: float


def measure(command, folder, env, statuses=(0,)):
    """Run one command to its end; raises SystemExit where its status is none of these."""
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=errors
        )
        peak = _Peak(process.pid)
        peak.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        peak.done.set()
        peak.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in statuses:
            errors.seek(0)
            words = " ".join(str(word) for word in command[:4])
            sys.exit(f"{words} failed:\n{errors.read().decode()[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(wall, cpu, peak.own / 2**20, peak.together / 2**20)


class _Peak(threading.Thread):
    """Looks at a process and its children all the time, and keeps the largest memory it saw."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid = pid
        self.done = threading.Event()
        self.own = self.together = 0

    def run(self):
        while not self.done.wait(0.02):
            self.own = max(self.own, _resident(self.pid))
            family = [self.pid, *_below(self.pid)]
            self.together = max(self.together, sum(map(_proportional, family)))


def _resident(pid):
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * PAGE


def _proportional(pid):
    """Its memory, with its part of what it shares (proc(5), smaps_rollup)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)


def _below(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            children = (task / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            found += [int(child), *_below(int(child))]
    return found
