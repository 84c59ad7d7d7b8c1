import dataclasses
import threading
import time

import pytest

from generator.render.batch import default_jobs, render_each, render_many
from generator.render.engine import SdkEngine
from generator.render.request import RenderFailure, RenderResult
from tests.generator.chart.samples import write
from tests.generator.render.samples import request


class Engine:
    """Answers with the release's name; counts what runs at once and what was asked."""

    def __init__(self, pause=0.0, together=1):
        self.pause = pause
        self.meeting = threading.Barrier(together)
        self.lock = threading.Lock()
        self.running = self.most = self.started = 0

    def engine_version(self):
        return "e"

    def render(self, request):
        with self.lock:
            self.running += 1
            self.started += 1
            self.most = max(self.most, self.running)
        self.meeting.wait(60)
        time.sleep(self.pause)
        with self.lock:
            self.running -= 1
        if request.release == "bad":
            return RenderFailure("template", "no")
        return RenderResult((), request.release, (), "e")


@pytest.fixture
def requests(tmp_path):
    one = request(tmp_path / "x.tgz")
    return [dataclasses.replace(one, release=f"r{n}") for n in range(12)]


def test_outcomes_come_in_the_order_of_the_requests(requests):
    found = render_many(Engine(), requests, jobs=4)
    assert [result.notes for result in found] == [f"r{n}" for n in range(12)]


def test_no_more_run_at_once_than_asked_for(requests):
    engine = Engine(together=3)
    render_many(engine, requests, jobs=3)
    assert engine.most == 3


def test_one_failure_does_not_stop_the_others(requests):
    requests[1] = dataclasses.replace(requests[1], release="bad")
    found = render_many(Engine(), requests)
    assert [index for index, item in enumerate(found) if isinstance(item, RenderFailure)] == [1]


def test_equal_requests_are_rendered_once(requests):
    engine = Engine()
    twice = [*requests, *requests]
    assert len(render_many(engine, twice)) == 24
    assert engine.started == 12


def test_progress_counts_up_to_the_end(requests):
    seen = []
    render_many(Engine(), requests, jobs=3, progress=seen.append)
    assert seen == list(range(1, 13))


def test_only_a_window_of_outcomes_waits_to_be_taken(requests):
    engine = Engine()
    outcomes = render_each(engine, iter(requests), jobs=2)
    next(outcomes)
    time.sleep(0.1)
    assert engine.started <= 5
    outcomes.close()
    assert engine.started <= 5


def test_an_interrupt_drops_what_has_not_begun(requests):
    engine = Engine(pause=0.05)

    def interrupt(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render_many(engine, requests, jobs=1, progress=interrupt)
    assert engine.started < 4


def test_a_bug_in_an_engine_is_not_hidden(requests):
    class Broken(Engine):
        def render(self, request):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        render_many(Broken(), requests)


def test_nothing_to_do_is_done_at_once():
    assert render_many(Engine(), []) == []
    assert default_jobs() >= 1


def test_real_renders_run_side_by_side(tmp_path):
    chart = write(tmp_path)
    found = render_many(SdkEngine(), [request(chart, release=name) for name in ("a", "b", "c")])
    assert [result.manifests[0]["metadata"]["name"] for result in found] == [
        "a-scheduler",
        "b-scheduler",
        "c-scheduler",
    ]
