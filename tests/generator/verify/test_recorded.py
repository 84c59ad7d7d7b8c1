"""Races played again on sequences of objects that a real cluster with Argo CD showed.

`tests/cluster/recording.py` writes them; here time, order and losses are ours.
"""

import dataclasses
import datetime
import json
from pathlib import Path

import pytest

from generator.engine import deployment
from generator.verify.expectation import expectation
from generator.verify.result import Outcome
from generator.verify.snapshot import Snapshot
from generator.verify.verdict import conclude, decide
from tests.generator.verify.scene import BASIS

pytestmark = pytest.mark.thorough

RECORDED = Path(__file__).parent / "recorded"
ENDS = {
    "merge": Outcome.VERIFIED,
    "broken": Outcome.FAILED,
    "overtaken": Outcome.SUPERSEDED,
}
KINDS = ("workloads", "pods", "jobs")
WINDOWS = {"settle_seconds": 5.0, "failure_seconds": 4.0}


class Record:
    """One sequence: the commits in order, what the second of them promises, and the steps."""

    def __init__(self, name):
        found = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
        self.steps, self.commits = found["steps"], found["commits"]
        self.expected = expectation(
            environment="staging",
            revision=self.commits[1],
            deployed=deployment.of([found["application"]]),
            manifests=found["manifests"],
            basis=BASIS,
            is_ancestor=self._is_ancestor,
            changes_environment=lambda older, newer: older != newer,
            repository=found["repository"],
        )

    def _is_ancestor(self, older, newer):
        if older not in self.commits or newer not in self.commits:
            return None
        return self.commits.index(older) <= self.commits.index(newer)

    def verdicts(self, steps, *, after=30.0, tick=1.0):
        """The verdict at each step, every second between two of them, and for a while after."""
        expected = dataclasses.replace(self.expected, **WINDOWS)
        known, previous = {}, None
        for at, changed, gone in _moments(steps, after, tick):
            known = {key: item for key, item in {**known, **changed}.items() if key not in gone}
            previous = decide(expected, _snapshot(at, known), previous)
            yield known, previous
            if previous.is_final:
                return


def _moments(steps, after, tick):
    times = [datetime.datetime.fromisoformat(step["at"]) for step in steps]
    ends = [*times[1:], times[-1] + datetime.timedelta(seconds=after)]
    for step, start, end in zip(steps, times, ends, strict=True):
        yield start, step["changed"], step["gone"]
        while (start := start + datetime.timedelta(seconds=tick)) < end:
            yield start, {}, ()


def _snapshot(at, known):
    return Snapshot(
        taken_at=at,
        application=known.get("application"),
        **{
            kind: tuple(item for key, item in sorted(known.items()) if key.startswith(f"{kind}|"))
            for kind in KINDS
        },
    )


def shown(known):
    """The commit that Argo CD says it has compared with."""
    return known["application"]["status"]["sync"]["revisions"][-1]


@pytest.fixture(params=sorted(ENDS))
def record(request):
    return Record(request.param), ENDS[request.param]


@pytest.mark.always
def test_every_sequence_ends_as_it_did_in_the_cluster(record):
    played, end = record
    *_, (_, last) = played.verdicts(played.steps)
    assert last.outcome is end, last.message


def test_the_healthy_state_of_before_is_never_taken_for_ours(record):
    played, _ = record
    seen = list(played.verdicts(played.steps))
    before = [verdict for known, verdict in seen if shown(known) == played.commits[0]]
    assert before, "the sequence begins before the merge"
    assert {verdict.outcome for verdict in before} == {Outcome.PENDING}
    assert Outcome.VERIFIED not in {conclude(verdict).outcome for verdict in before}


@pytest.mark.few(1)
def test_wherever_the_sequence_breaks_off_there_is_no_false_green(record):
    played, end = record
    for length in range(1, len(played.steps)):
        *_, (known, last) = played.verdicts(played.steps[:length])
        if conclude(last).outcome is Outcome.VERIFIED:
            assert end is not Outcome.FAILED
            assert shown(known) == played.commits[1]
            assert known["application"]["status"]["operationState"]["phase"] == "Succeeded"


@pytest.mark.few(1)
def test_a_lost_step_changes_no_verdict_for_good(record):
    """A watch may miss what happened between two lists; what it sees later makes up for it."""
    played, end = record
    for lost in range(1, len(played.steps) - 1):
        first, second = played.steps[lost], played.steps[lost + 1]
        joined = {
            "at": second["at"],
            "changed": {
                key: item
                for key, item in {**first["changed"], **second["changed"]}.items()
                if key not in second["gone"]
            },
            "gone": [
                *(key for key in first["gone"] if key not in second["changed"]),
                *second["gone"],
            ],
        }
        steps = [*played.steps[:lost], joined, *played.steps[lost + 2 :]]
        *_, (_, last) = played.verdicts(steps)
        assert last.outcome is end, f"without step {lost}: {last.message}"


@pytest.mark.few(1)
def test_an_application_that_vanishes_in_the_middle_is_no_success(record):
    played, _ = record
    for length in range(2, len(played.steps)):
        cut = played.steps[length]
        gone = {"at": cut["at"], "changed": {}, "gone": ["application"]}
        *_, (known, last) = played.verdicts([*played.steps[:length], gone])
        if "application" not in known:  # else the sequence had ended before
            assert last.outcome is Outcome.FAILED
            assert "was deleted during verification" in last.message
