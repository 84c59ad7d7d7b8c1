"""Work side by side: in order, no more at once than there is room for, the first failure told."""

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


def test_at_least_one_thing_is_done_at_once():
    assert parallel._jobs() >= 1
