"""How much is done at once, and work on many things whose results keep their order."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# A process with Helm and the official chart takes 110 to 150 MiB; all of them together take no
# more than this part of the machine's memory.
_PROCESS_BYTES = 160 << 20
_SHARE = 4


def _jobs(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """One for each core that this process may use, as far as memory goes.

    A container may use less than its machine has: what its control group says counts too
    (Documentation/admin-guide/cgroup-v2.rst; of version 1 the memory alone).
    """
    available = getattr(os, "sched_getaffinity", None)
    cores = len(available(0)) if available else os.cpu_count() or 1
    if len(quota := _numbers(cgroup / "cpu.max")) == 2:
        cores = min(cores, -(-quota[0] // quota[1]))
    memory = [*_numbers(cgroup / "memory.max"), *_numbers(cgroup / "memory/memory.limit_in_bytes")]
    with contextlib.suppress(ValueError, OSError):
        memory.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return max(1, min(cores, *(size // _SHARE // _PROCESS_BYTES for size in memory)))


def _numbers(file: Path) -> list[int]:
    """The numbers in a file; none without it. What has no bound is `max` in it."""
    try:
        return [int(word) for word in file.read_text("ascii").split() if word.isdecimal()]
    except (OSError, ValueError):
        return []


JOBS = _jobs()
"""How many renders, and how much work that waits for them, run at once in this process."""


def mapped(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
    """The results in the order of the items; raises what the first of them that fails raises.

    For work that waits for other processes: threads of Python share one core.
    """
    work = list(items)
    if len(work) < 2 or JOBS < 2:
        yield from map(function, work)
        return
    with ThreadPoolExecutor(JOBS) as pool:
        yield from pool.map(function, work)
