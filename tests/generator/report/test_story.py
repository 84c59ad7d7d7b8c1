"""The first words of a report: they cover what was read, and nothing more."""

import dataclasses

import pytest

from generator.actions.change_findings import NOT_CHECKED
from generator.core.basis import Basis, NotRead
from generator.core.problem import Problem, Severity, State
from generator.diff.model import Action, Change
from generator.impact.finding import Finding
from generator.kube.resource import Key
from generator.report import story
from generator.report.model import EnvironmentDiff, FieldChange, Report
from service.check.verdict import NOT_DONE

KEY = Key("", "ConfigMap", "airflow", "airflow-config")
CHANGE = Change(Action.MODIFIED, KEY, "v1", "-a\n+b", 1, 1)
UNREAD = Basis(not_read=(NotRead("values.yaml", "Application x", "another repository"),))


def environment(*impact, name="staging", **given):
    return EnvironmentDiff(name, changes=(CHANGE,), impact=impact, **given)


def report(*impact, **given):
    return Report("b", "h", (environment(*impact, **given),))


def finding(severity, message="x happens", brief="", rule="impact/x"):
    return Finding(rule, severity, KEY, message, brief=brief)


def words(given):
    return [text for _, text in story.sentences(given)]


def test_what_must_be_accepted_is_named_before_what_is_to_be_read():
    given = report(finding(Severity.ERROR, rule="impact/grave"), finding(Severity.WARNING))
    expected = "Needs a decision: impact/grave. 1 warning to read before the merge"
    assert story.verdict(given) == expected


def test_nothing_found_is_said_of_all_only_where_all_was_read():
    assert story.verdict(report()) == "No errors and no warnings"
    partly = report(basis=UNREAD)
    assert story.verdict(partly) == "No errors and no warnings in what was read"
    assert story.not_read(partly) == ("Not read: values.yaml in Application x: another repository")


@pytest.mark.parametrize("rule", [NOT_CHECKED, NOT_DONE], ids=lambda rule: rule.id)
def test_a_check_that_was_not_made_is_counted_in_the_verdict(rule):
    given = dataclasses.replace(report(), problems=(rule.problem("crd/schema not checked"),))
    assert story.verdict(given) == "No errors and no warnings in what was checked. 1 check not done"


def test_old_errors_are_none_to_fix_and_new_ones_are():
    old = Problem("x/y", Severity.ERROR, "m", state=State.OLD)
    given = dataclasses.replace(report(), problems=(old,))
    assert story.verdict(given) == "No new errors and no new warnings"
    new = dataclasses.replace(old, state=State.NEW)
    assert story.verdict(dataclasses.replace(given, problems=(old, new))) == "1 error to fix"


def test_a_side_that_was_not_compared_comes_first():
    failed = EnvironmentDiff("production", rendered=False, reason="the head does not render")
    given = Report("b", "h", (environment(finding(Severity.WARNING)), failed))
    assert story.verdict(given).startswith("Not compared: production: the head does not render. ")
    assert [names for names, _ in story.sentences(given)] == [("staging",)]


def test_no_rendered_object_changes_is_no_promise_that_nothing_happens():
    same = EnvironmentDiff("staging", impact=(finding(Severity.WARNING),))
    verdict = story.verdict(Report("b", "h", (same,)))
    assert verdict == "No rendered object changes. 1 warning to read before the merge"


def test_causes_come_before_their_effects_whatever_their_severity():
    given = report(
        finding(Severity.WARNING, brief="all five workloads restart", rule="impact/effect"),
        finding(Severity.INFO, brief="Airflow 3.1.8 → 3.2.2: …", rule=story._CAUSES[0]),
    )
    assert words(given) == ["Airflow 3.1.8 → 3.2.2: …; all five workloads restart"]


def test_without_a_cause_that_a_rule_knows_the_definition_says_it():
    fields = (FieldChange("workers.replicas", "2", "4"), FieldChange("quota", "", "{pods: 9}"))
    assert words(report(finding(Severity.WARNING), fields=fields)) == [
        "workers.replicas 2 → 4, quota not set → {pods: 9}; ConfigMap airflow-config: x happens"
    ]


def test_an_error_without_brief_words_is_quoted_with_its_consequence():
    given = report(finding(Severity.ERROR, "will be pruned; its volume is deleted"))
    assert words(given) == ["ConfigMap airflow-config: will be pruned, its volume is deleted"]
    assert words(report(finding(Severity.WARNING, "a; b."))) == ["ConfigMap airflow-config: a"]


def test_more_findings_than_fit_are_counted():
    given = report(*(finding(Severity.WARNING, f"n{number}") for number in range(9)))
    assert words(given)[0].endswith("ConfigMap airflow-config: n3; and 5 more")


def test_what_no_rule_knows_an_effect_of_is_not_called_harmless():
    assert words(report()) == ["1 object changes (ConfigMap); no impact is known"]
    noted = report(finding(Severity.INFO, "the way is open"))
    assert "no impact" not in words(noted)[0] and "the way is open" in words(noted)[0]
    old = report(finding(Severity.INFO, "bad (already so before this change)"))
    assert words(old) == ["1 object changes (ConfigMap)"]


def test_of_a_definition_alone_it_says_no_more_than_what_was_read():
    same = EnvironmentDiff("staging", fields=(FieldChange("quota", "", "{pods: 9}"),))
    assert words(Report("b", "h", (same,))) == [
        "quota not set → {pods: 9}; no rendered object changes"
    ]
    partly = dataclasses.replace(same, base_basis=UNREAD)
    assert words(Report("b", "h", (partly,)))[0].endswith("; no difference in what was read")


def test_the_gravest_environment_comes_first_and_the_same_story_is_told_once():
    grave = environment(finding(Severity.ERROR), name="z")
    given = Report("b", "h", (environment(name="a"), environment(name="b"), grave))
    assert [names for names, _ in story.sentences(given)] == [("z",), ("a", "b")]


@pytest.mark.parametrize(("count", "expected"), [(3, "c"), (4, "and 1 more")])
def test_what_was_not_read_is_named_up_to_three(count, expected):
    items = tuple(NotRead("abcd"[index]) for index in range(count))
    assert expected in story.not_read(report(basis=Basis(not_read=items)))
