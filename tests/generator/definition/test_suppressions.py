"""Findings that are accepted: for a reason, for a time, and only where policy allows."""

import datetime

import pytest

from generator.core.problem import Problem, Severity
from generator.definition import suppressions
from tests.repositories import DEV, SETTINGS, release

TODAY = datetime.date(2026, 6, 1)
KNOWN = ("dags/unpinned-ref", "dags/host-not-verified", "monitoring/no-metrics")


def resolved(*items, policy=""):
    rows = ", ".join(f"{{rule: '{rule}', reason: r, expires: {day}}}" for rule, day in items)
    return release(DEV + f"suppress: [{rows}]\n", settings=SETTINGS + policy).resolved


def found(rule):
    return Problem(rule, Severity.WARNING, "m", "dev")


def test_a_pattern_accepts_what_it_matches_until_its_day():
    subject = resolved(("dags/*", "2026-06-01"))
    problems = [found("dags/unpinned-ref"), found("monitoring/no-metrics")]
    standing, accepted = suppressions.apply(subject, problems, TODAY)
    assert [item.rule for item in standing] == ["monitoring/no-metrics"]
    assert [(item.rule, why.reason) for item, why in accepted] == [("dags/unpinned-ref", "r")]
    standing, accepted = suppressions.apply(subject, problems, TODAY + datetime.timedelta(days=1))
    assert standing == problems and accepted == []


@pytest.mark.parametrize(
    "rule",
    ["yaml/syntax", "definition/schema", "settings/place", "tree/out-of-date", "lock/frozen",
     "policy/team", "suppress/expired", "values/owned-key", "chart/archive", "secrets/plain"],
)  # fmt: skip
def test_what_says_that_the_tree_is_wrong_can_never_be_accepted(rule):
    standing, accepted = suppressions.apply(resolved(("*", "2027-01-01")), [found(rule)], TODAY)
    assert standing and not accepted


@pytest.mark.parametrize(
    ("item", "used", "rule"),
    [
        (("dags/*", "2026-05-31"), {"dags/*"}, "suppress/expired"),
        (("dags/nosuch", "2027-01-01"), set(), "suppress/unknown-rule"),
        (("dags/*", "2027-01-01"), set(), "suppress/unused"),
        (("dags/*", "2027-01-01"), {"dags/*"}, None),
    ],
)
def test_what_is_wrong_with_a_suppression_is_told_at_its_line(item, used, rule):
    problems = list(suppressions.faults(resolved(item), KNOWN, used, TODAY))
    assert [problem.rule for problem in problems] == ([rule] if rule else [])
    assert all(problem.line == 10 for problem in problems)


def test_a_tier_accepts_only_what_its_policy_allows():
    policy = "policy: {tiers: {development: {maySuppress: ['dags/*']}}}\n"
    subject = resolved(("dags/*", "2027-01-01"), ("monitoring/*", "2027-01-01"), policy=policy)
    problems = [found("dags/unpinned-ref"), found("monitoring/no-metrics")]
    standing, _ = suppressions.apply(subject, problems, TODAY)
    assert [item.rule for item in standing] == ["monitoring/no-metrics"]
    (refused,) = suppressions.faults(subject, KNOWN, {"dags/*"}, TODAY)
    assert (refused.rule, refused.severity) == ("suppress/not-allowed", Severity.ERROR)
