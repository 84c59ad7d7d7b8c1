"""How much is done at once, and work on many things whose results keep their order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# A process with Helm and the official chart takes 110 to 150 MiB; all of them together take no
# more than this part of the machine's memory.
_PROCESS_BYTES = 160 << 20
_SHARE = 4


def _jobs() -> int:
    """One for each core that this process may use, as far as memory goes."""
    available = getattr(os, "sched_getaffinity", None)
    cores = len(available(0)) if available else os.cpu_count() or 1
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return cores
    return max(1, min(cores, memory // _SHARE // _PROCESS_BYTES))


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
