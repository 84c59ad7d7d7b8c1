"""What only a change's own suppressions or policy hide."""

import dataclasses

import pytest

from generator.core.problem import Problem, Severity
from generator.definition import definition
from generator.model.suppression import Suppression
from generator.pipeline import silenced
from tests.repositories import SETTINGS

STUB = Problem("secrets/stub", Severity.ERROR, "not sealed", "dev", "s.yaml", 3)
PIN = Problem("dags/unpinned-ref", Severity.WARNING, "not pinned", "dev", "e.yaml", 4)


def settings(tiers=""):
    text = f"{SETTINGS}policy: {{tiers: {{{tiers}}}}}\n"
    return definition.load_settings(text.encode())[0].repository


def silence(*problems, found=(), rule="secrets/*", until="2027-03-31", environment="dev"):
    item = Suppression(rule=rule, reason="known", expires=until)
    return silenced.Silence({environment: (item,)}, found, problems)


NOTHING = silenced.Silence({})


def test_what_the_base_silences_is_nothing_new():
    assert silenced.silenced(silence(STUB), silence(STUB)) == {}
    moved = dataclasses.replace(STUB, line=30)
    assert silenced.silenced(silence(STUB), silence(moved)) == {}
    other = silence(environment="other")
    (finding,) = silenced.silenced(other, silence(STUB))["dev"]
    assert (finding.rule, finding.severity) == ("impact/silenced", Severity.ERROR)
    assert (
        "1 error of secrets/stub is silenced by this change, first at s.yaml:3" in finding.message
    )


def test_an_error_that_joins_what_the_base_silences_is_named():
    joined = dataclasses.replace(STUB, message="another", path="t.yaml")
    (finding,) = silenced.silenced(silence(STUB), silence(STUB, joined))["dev"]
    assert finding.severity is Severity.WARNING
    assert (
        "1 error of secrets/stub is silenced by a suppression of the base, and new, first at t"
        in (finding.message)
    )
    assert len(silenced.silenced(silence(STUB), silence(STUB, STUB))["dev"]) == 1


def test_a_suppression_that_lasts_longer_needs_a_persons_word():
    (finding,) = silenced.silenced(silence(STUB), silence(STUB, until="2099-01-01"))["dev"]
    assert finding.severity is Severity.ERROR
    assert "by this change until 2099-01-01, no longer until 2027-03-31" in finding.message
    assert silenced.silenced(silence(STUB), silence(STUB, until="2027-01-01")) == {}


def test_each_silenced_rule_is_named_and_only_an_error_needs_a_persons_word():
    found = silenced.silenced(NOTHING, silence(STUB, STUB, PIN, rule="*"))["dev"]
    assert [item.severity for item in found] == [Severity.WARNING, Severity.ERROR]
    assert "1 finding of dags/unpinned-ref is" in found[0].message
    assert "2 errors of secrets/stub are" in found[1].message


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("", "production: {maySuppress: [dags/*]}", "production may suppress dags/*"),
        ("staging: {maySuppress: []}", "", "staging may suppress *"),
        ("production: {maySuppress: [dags/*]}", "production: {maySuppress: [dags/a, b/c]}", "b/c"),
        ("staging: {accept: anotherPerson}", "", "may accept their own changes"),
    ],
)
def test_a_policy_that_allows_more_is_told(before, after, words):
    (finding,) = silenced.loosened(settings(before), settings(after))
    assert finding.rule == "impact/policy" and words in finding.message
    assert finding.message.count("dags/a") == 0


def test_a_policy_that_allows_less_or_the_same_is_not():
    strict = settings("staging: {accept: anotherPerson, maySuppress: []}")
    assert list(silenced.loosened(settings(), strict)) == []
    assert list(silenced.loosened(strict, strict)) == []


def test_production_may_suppress_nothing_unless_policy_names_it():
    assert settings().policy.may_suppress("production") == ()
    assert settings("production: {soak: 1h}").policy.may_suppress("production") == ()
    assert settings().policy.may_suppress("staging") == ("*",)
