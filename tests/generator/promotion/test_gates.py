import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from generator.model.sync import Window
from generator.pipeline import rehearsals
from generator.promotion import gates
from generator.promotion.evidence import Evidence, Standing
from generator.promotion.gates import Facts, State

NOW = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
SHA = "4c1f0b7e2d9a8c6b5f3e1d0a9b8c7d6e5f4a3b2c"
GOOD = Facts(
    source="staging",
    target="production",
    paths={"main": ("dev", "staging", "production")},
    evidence=Evidence(Standing.VERIFIED, SHA, NOW - timedelta(hours=30), "gen-env-bot"),
)
FROZEN = Window(kind="deny", schedule="0 10 3 6 *", duration="4h")
ALWAYS = Window(kind="deny", schedule="* * * * *", duration="24h")


def found(**more):
    facts = dataclasses.replace(GOOD, **more)
    return {gate.name: gate for gate in gates.evaluate(facts, NOW)}


def proof(standing, **more):
    return Evidence(standing, SHA, **more)


def test_all_open():
    listed = gates.evaluate(GOOD, NOW)
    assert [gate.name for gate in listed] == ["order", "verified", "soak", "freeze", "current"]
    assert gates.open_now(listed)
    assert gates.blocked(listed, forced=False) == ()


@pytest.mark.parametrize(
    ("gate", "facts", "state", "word"),
    [
        ("order", {"source": "dev"}, State.BLOCKED, "staging lies between dev and production"),
        ("order", {"source": "production", "target": "staging"}, State.BLOCKED, "never goes back"),
        ("order", {"target": "staging"}, State.BLOCKED, "to itself"),
        ("order", {"source": "lab"}, State.BLOCKED, "no path of promotion.paths leads"),
        ("order", {"paths": {}}, State.BLOCKED, "is empty"),
        (
            "verified",
            {"evidence": proof(Standing.FAILED, reason="2 pods")},
            State.BLOCKED,
            "2 pods",
        ),
        ("verified", {"evidence": proof(Standing.RUNNING)}, State.WAITING, "is being verified"),
        ("verified", {"evidence": proof(Standing.ABSENT)}, State.BLOCKED, "is not verified"),
        (
            "verified",
            {"evidence": proof(Standing.UNREADABLE, reason="the forge failed with 503")},
            State.BLOCKED,
            "no evidence for staging at 4c1f0b7e2d9a can be read: the forge failed with 503",
        ),
        ("soak", {"soak": "24h"}, State.PASSED, "healthy for 30 h"),
        ("soak", {"soak": "30h"}, State.PASSED, "30h"),
        ("soak", {"soak": "30h30m"}, State.WAITING, "30 h of 30h30m"),
        ("soak", {"soak": "1h", "evidence": proof(Standing.FAILED)}, State.BLOCKED, "begin when"),
        ("soak", {"soak": "1h", "evidence": proof(Standing.RUNNING)}, State.WAITING, "begin when"),
        ("freeze", {"windows": (FROZEN,)}, State.WAITING, "denies"),
        ("freeze", {"windows": (ALWAYS,)}, State.BLOCKED, "without an end"),
        (
            "freeze",
            {"windows": (Window(kind="deny", schedule="nonsense", duration="1h"),)},
            State.BLOCKED,
            "not a cron expression",
        ),
        ("current", {"outdated": ("image.tag",)}, State.BLOCKED, "moved on: image.tag"),
        (
            "promotion-only",
            {"promotion_only": True, "branch": "promote/production-0123abcd"},
            State.PASSED,
            "nothing but",
        ),
        (
            "promotion-only",
            {"promotion_only": True, "branch": "fix/typo"},
            State.BLOCKED,
            "promotion only",
        ),
        (
            "promotion-only",
            {
                "promotion_only": True,
                "branch": "promote/production-0123abcd",
                "other_changes": ("workers.replicas",),
            },
            State.BLOCKED,
            "workers.replicas",
        ),
        ("rehearsal", {"rehearsal": rehearsals.Standing("", "none")}, State.BLOCKED, "none"),
        ("rehearsal", {"rehearsal": rehearsals.Standing("9 s")}, State.PASSED, "9 s"),
        ("labels", {"required_labels": ("approved",)}, State.WAITING, "lacks the label approved"),
        (
            "statuses",
            {"required_statuses": ("ci/dags", "ci/x"), "statuses": frozenset({"ci/x"})},
            State.WAITING,
            "newest commit: ci/dags",
        ),
        (
            "statuses",
            {"required_statuses": ("ci/x",), "statuses": frozenset({"ci/x"})},
            State.PASSED,
            "a success: ci/x",
        ),
        (
            "labels",
            {"required_labels": ("approved",), "labels": frozenset({"approved"})},
            State.PASSED,
            "has approved",
        ),
    ],
)
def test_each_gate(gate, facts, state, word):
    assert found(**facts)[gate].state is state
    assert word in found(**facts)[gate].reason


def test_what_waits_says_until_when():
    assert found(soak="48h")["soak"].until == NOW + timedelta(hours=18)
    assert found(windows=(FROZEN,))["freeze"].until == datetime(2026, 6, 3, 14, 0, tzinfo=UTC)


def test_the_same_facts_are_open_later():
    facts = dataclasses.replace(GOOD, soak="48h", windows=(FROZEN,))
    assert not gates.open_now(gates.evaluate(facts, NOW))
    assert gates.open_now(gates.evaluate(facts, NOW + timedelta(hours=18)))


def test_a_reason_opens_what_is_blocked():
    listed = gates.evaluate(dataclasses.replace(GOOD, source="dev", outdated=("x",)), NOW)
    assert [gate.name for gate in gates.blocked(listed, forced=False)] == ["order", "current"]
    assert gates.blocked(listed, forced=True) == ()


@pytest.mark.parametrize(
    "pair", [{"source": "production", "target": "staging"}, {"target": "staging"}]
)
def test_no_reason_opens_the_way_back_or_to_itself(pair):
    listed = gates.evaluate(dataclasses.replace(GOOD, **pair), NOW)
    assert [gate.name for gate in gates.blocked(listed, forced=True)] == ["order"]


def test_waiting_blocks_nothing_but_the_merge():
    listed = gates.evaluate(dataclasses.replace(GOOD, soak="48h"), NOW)
    assert gates.blocked(listed, forced=False) == ()
    assert not gates.open_now(listed)


def test_each_path_has_its_own_order():
    paths = {"a": ("one", "two"), "b": ("two", "one", "three")}
    assert found(paths=paths, source="two", target="one")["order"].state is State.PASSED
    assert found(paths=paths, source="one", target="three")["order"].state is State.PASSED


@pytest.mark.parametrize(
    ("branch", "fits"),
    [
        ("promote/a-b-0123abcd", True),
        ("promote/a-b-c-0123abcd", False),
        ("promote/a-0123abcd", False),
        ("promote/a-b-0123ABCD", False),
        ("promote/a-b-0123abcde", False),
        ("rollback/a-b-0123abcd", False),
    ],
)
def test_a_branch_belongs_to_one_target(branch, fits):
    assert bool(gates.branch_pattern("a/b").fullmatch(branch)) is fits


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-5, "0 min"), (59, "59 min"), (60, "1 h"), (2879, "47 h"), (2880, "2 days 0 h")],
)
def test_lengths_of_time_are_for_people(minutes, words):
    assert gates.lasting(timedelta(minutes=minutes)) == words
