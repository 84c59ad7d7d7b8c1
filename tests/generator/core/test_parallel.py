"""Work side by side: in order, no more at once than there is room for, the first failure told."""

import os
import threading

import pytest

from generator.core import parallel


@pytest.fixture(autouse=True)
def three(monkeypatch):
    monkeypatch.setattr(parallel, "JOBS", 3)


def test_results_have_the_order_of_the_items():
    first_may_end = threading.Event()

    def work(number):
        if number == 0:
            assert first_may_end.wait(10)
        else:
            first_may_end.set()
        return number

    assert list(parallel.mapped(work, range(5))) == [0, 1, 2, 3, 4]


def test_the_failure_of_the_first_item_that_fails_is_raised():
    def work(number):
        if number:
            raise ValueError(number)

    with pytest.raises(ValueError, match=r"^1$"):
        list(parallel.mapped(work, range(4)))


@pytest.mark.parametrize("items", [[], [1]])
def test_one_thing_needs_no_thread(items):
    found = list(parallel.mapped(lambda _: threading.current_thread(), items))
    assert found == [threading.main_thread()] * len(items)


@pytest.fixture
def machine(monkeypatch):
    """64 cores and 256 GiB, of which a container may get less."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    sizes = {"SC_PHYS_PAGES": 1 << 26, "SC_PAGE_SIZE": 1 << 12}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)


@pytest.mark.parametrize(
    ("files", "jobs"),
    [
        ({}, 64),
        ({"cpu.max": "max 100000", "memory.max": "max"}, 64),
        ({"cpu.max": "250000 100000"}, 3),
        ({"memory.max": f"{2 << 30}"}, 3),
        ({"memory/memory.limit_in_bytes": f"{2 << 30}"}, 3),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, 64),
        ({"memory.max": f"{64 << 20}", "cpu.max": "1000 100000"}, 1),
    ],
)
def test_a_container_does_no_more_at_once_than_its_own_bounds_allow(machine, tmp_path, files, jobs):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n")
    assert parallel._jobs(tmp_path) == jobs


def test_at_least_one_thing_is_done_at_once(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 1, "SC_PAGE_SIZE": 1}.__getitem__)
    assert parallel._jobs(tmp_path) == 1
