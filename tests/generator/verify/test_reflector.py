import threading

import pytest

from generator.cluster import ClusterError, Event, Listing, Trouble
from generator.cluster.kinds import EVENTS, PODS
from generator.verify.reflector import Reflector
from generator.verify.snapshot import Source
from generator.verify.subscriptions import Subscription


def pod(name, version="1"):
    return {"metadata": {"name": name, "namespace": "data", "resourceVersion": version}}


class Script:
    """A cluster that plays lists and watches from a script, then asks the reflector to stop."""

    def __init__(self, *steps):
        self.steps = list(steps)
        self.stop = threading.Event()
        self.calls = []
        self.states = []
        self.pauses = []
        self.reflector = None

    def list(self, resource, namespace, *, selector="", fields=""):
        self.calls.append("list")
        return self._next()

    def watch(self, resource, namespace, *, version, opened=None, **_):
        self.calls.append(f"watch {version}")
        yield from self._next()

    def pause(self, seconds):
        self.pauses.append(round(seconds, 2))
        self.note()

    def note(self):
        items, problem = self.reflector.read()
        self.states.append(([item["metadata"]["name"] for item in items], problem))

    def _next(self):
        if not self.steps:
            self.stop.set()
            raise ClusterError(Trouble.UNREACHABLE, "the script is over")
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def play(*steps, source=Source.PODS, resource=PODS, chance=lambda: 0.0):
    script = Script(*steps)
    script.reflector = Reflector(
        Subscription(source, script, resource, "data"),
        changed=threading.Event(),
        stop=script.stop,
        pause=script.pause,
        chance=chance,
    )
    script.reflector.run()
    return script


def error(trouble, retry_after=None):
    return ClusterError(trouble, f"it is {trouble.value}", retry_after=retry_after)


def test_the_list_is_kept_up_to_date_by_the_watch():
    seen = []

    def events():
        yield Event("ADDED", pod("b", "11"))
        yield Event("MODIFIED", pod("a", "12"))
        yield Event("DELETED", pod("a", "13"))
        yield Event("BOOKMARK", {"metadata": {"resourceVersion": "20"}})
        seen.append(script.reflector.read())

    script = Script(Listing((pod("a"),), "10"), events())
    script.reflector = Reflector(
        Subscription(Source.PODS, script, PODS, "data"),
        changed=threading.Event(),
        stop=script.stop,
        pause=script.pause,
    )
    script.reflector.run()
    ((items, problem),) = seen
    assert ([item["metadata"]["name"] for item in items], problem) == (["b"], "")
    assert script.calls == ["list", "watch 10", "watch 20"], "the next watch goes on from there"


def test_before_the_first_list_nothing_may_be_believed():
    reflector = Reflector(
        Subscription(Source.PODS, Script(), PODS, "data"),
        changed=threading.Event(),
        stop=threading.Event(),
    )
    assert reflector.read() == ((), "not read yet")


def test_when_it_ends_nothing_may_be_believed_any_more():
    script = play(Listing((pod("a"),), "10"))
    assert script.reflector.read()[1] == "reading stopped"


@pytest.mark.parametrize(
    "trouble", [Trouble.UNREACHABLE, Trouble.UNAUTHORIZED, Trouble.THROTTLED, Trouble.SERVER]
)
def test_a_broken_watch_makes_the_source_unavailable_until_it_is_listed_again(trouble):
    script = play(Listing((pod("a"),), "10"), error(trouble), Listing((pod("b"),), "12"), [])
    assert script.states == [(["a"], f"it is {trouble.value}")]
    assert script.calls == ["list", "watch 10", "list", "watch 12", "watch 12"]


def test_a_version_that_is_gone_is_listed_anew_at_once():
    script = play(Listing((pod("a"),), "10"), error(Trouble.GONE), Listing((pod("b"),), "50"), [])
    assert script.states == [(["a"], "")]
    assert script.calls[:3] == ["list", "watch 10", "list"]


def test_each_failure_doubles_the_pause_and_jitter_spreads_it():
    failures = [error(Trouble.UNREACHABLE) for _ in range(10)]
    assert play(*failures).pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0]
    assert play(*failures, chance=lambda: 1.0).pauses[:3] == [1.0, 1.0, 2.0]


def test_the_pause_is_no_shorter_than_the_server_asked_for():
    assert play(error(Trouble.THROTTLED, retry_after=7.0)).pauses == [7.0]
    assert play(error(Trouble.THROTTLED, retry_after=9999.0)).pauses == [120.0]


def test_a_missing_right_or_kind_is_asked_for_rarely():
    assert play(error(Trouble.FORBIDDEN), error(Trouble.NOT_FOUND)).pauses == [5.0, 5.0]


def test_an_orderly_end_of_a_watch_forgets_the_failures():
    first, second = error(Trouble.UNREACHABLE), error(Trouble.UNREACHABLE)
    listing = Listing((), "10")
    script = play(first, second, listing, [], error(Trouble.UNREACHABLE), listing)
    assert script.pauses == [0.25, 0.5, 0.25]


def test_only_the_newest_events_are_kept():
    events = tuple(
        {"metadata": {"name": f"e{n}", "namespace": "data"}, "lastTimestamp": f"2026-01-05T{n:05}"}
        for n in range(1000)
    )
    script = Script(Listing(events, "10"))
    kept = []
    script.watch = lambda *_, **__: kept.append(script.reflector.read()[0]) or script._next()
    script.reflector = Reflector(
        Subscription(Source.EVENTS, script, EVENTS, "data"),
        changed=threading.Event(),
        stop=script.stop,
        pause=script.pause,
    )
    script.reflector.run()
    assert len(kept[0]) == 300
    assert "e999" in str(kept[0]) and "'e699'" not in str(kept[0])


def test_a_fresh_read_leaves_the_watch_alone():
    script = Script(Listing((pod("z"),), "99"), error(Trouble.FORBIDDEN))
    reflector = Reflector(
        Subscription(Source.PODS, script, PODS, "data"),
        changed=threading.Event(),
        stop=threading.Event(),
    )
    assert reflector.read_anew()[0][0]["metadata"]["name"] == "z"
    assert reflector.read_anew() == ((), "it is forbidden")
    assert reflector.read() == ((), "not read yet")
