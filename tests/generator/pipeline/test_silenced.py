"""What only a change's own suppressions or policy hide."""

import pytest

from generator.core.problem import Problem, Severity
from generator.definition import definition
from generator.pipeline import silenced
from tests.repositories import SETTINGS

STUB = Problem("secrets/stub", Severity.ERROR, "not sealed", "dev", "s.yaml", 3)
PIN = Problem("dags/unpinned-ref", Severity.WARNING, "not pinned", "dev", "e.yaml", 4)


def settings(tiers=""):
    text = f"{SETTINGS}policy: {{tiers: {{{tiers}}}}}\n"
    return definition.load_settings(text.encode())[0].repository


def test_what_the_base_silences_is_nothing_new():
    assert silenced.silenced([STUB], {"dev": ("secrets/*",)}) == {}
    (finding,) = silenced.silenced([STUB], {"other": ("secrets/*",)})["dev"]
    assert (finding.rule, finding.severity) == ("impact/silenced", Severity.ERROR)
    assert (
        "1 error of secrets/stub is silenced by this change, first at s.yaml:3" in finding.message
    )


def test_each_silenced_rule_is_named_and_only_an_error_needs_a_persons_word():
    found = silenced.silenced([STUB, STUB, PIN], {})["dev"]
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
