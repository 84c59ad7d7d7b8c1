"""The loop: look, judge, wait for a change, until the answer is final or time is up."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable

from generator.verify.airflow_probe import Get, http_get
from generator.verify.diagnosis import wanted_logs
from generator.verify.live_feed import Feed, LiveFeed
from generator.verify.port import ClusterPort
from generator.verify.result import Outcome, Verdict
from generator.verify.snapshot import Snapshot
from generator.verify.target import Expected
from generator.verify.verdict import conclude, decide

_TICK = 1.0
"""Seconds at most between two judgements: windows end although nothing changes."""

Clock = Callable[[], datetime.datetime]


def utc_now() -> datetime.datetime:
    """The wall clock, with its zone."""
    return datetime.datetime.now(datetime.UTC)


def watch(
    cluster: ClusterPort,
    expected: Expected,
    *,
    hub: ClusterPort | None = None,
    timeout: float = 900.0,
    clock: Clock = utc_now,
    sleep: Callable[[float], object] | None = None,
    get: Get = http_get,
    report: Callable[[Verdict], object] | None = None,
    tick: Callable[[], object] | None = None,
) -> Verdict:
    """Follow one commit into one environment and say how it ended; never raises ClusterError.

    `cluster` is where the environment runs, `hub` where Argo CD does (None: the same). `sleep`
    waits out the pauses between tries after a failure (None: as long as the watch runs). `report`
    is called with every verdict that says something new, the last one included. `tick` is called
    before every look; what it raises ends the watch and reaches the caller.
    """
    with LiveFeed(expected, cluster, hub or cluster, pause=sleep, get=get) as feed:
        return follow(feed, expected, timeout=timeout, clock=clock, report=report, tick=tick)


def follow(
    feed: Feed,
    expected: Expected,
    *,
    timeout: float,
    clock: Clock = utc_now,
    report: Callable[[Verdict], object] | None = None,
    tick: Callable[[], object] | None = None,
) -> Verdict:
    """The loop over any feed."""
    deadline = clock() + datetime.timedelta(seconds=timeout)
    previous: Verdict | None = None
    while True:
        if tick is not None:
            tick()
        snapshot = feed.snapshot(clock())
        verdict = decide(expected, snapshot, previous)
        if verdict.outcome is Outcome.VERIFIED:
            snapshot = feed.fresh(clock())
            verdict = decide(expected, snapshot, verdict)
        remaining = (deadline - clock()).total_seconds()
        if verdict.is_final or remaining <= 0:
            verdict = conclude(_explained(expected, feed, snapshot, verdict, previous))
            if report is not None:
                report(verdict)
            return verdict
        if report is not None and _says_something_new(verdict, previous):
            report(verdict)
        previous = verdict
        feed.wait(min(_TICK, remaining))


def _explained(
    expected: Expected, feed: Feed, snapshot: Snapshot, verdict: Verdict, previous: Verdict | None
) -> Verdict:
    """The same verdict with the last lines of the containers that failed."""
    if verdict.outcome is Outcome.VERIFIED:
        return verdict
    found = feed.logs(wanted_logs(snapshot))
    if not found:
        return verdict
    return dataclasses.replace(
        verdict, causes=decide(expected, dataclasses.replace(snapshot, logs=found), previous).causes
    )


def _says_something_new(verdict: Verdict, previous: Verdict | None) -> bool:
    if previous is None:
        return True
    return [(it.name, it.state, it.message) for it in verdict.conditions] != [
        (it.name, it.state, it.message) for it in previous.conditions
    ]
