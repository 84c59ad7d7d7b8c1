"""Verdicts and comments from findings alone."""

import dataclasses

import pytest

from generator.actions.validate import NotDone
from generator.core.basis import NOTHING, NotRead
from generator.core.problem import Problem, Severity
from generator.diff.model import Action, Change
from generator.impact.rules.data import DATA_LOSS
from generator.impact.rules.immutable import IMMUTABLE
from generator.impact.rules.versions import VERSION
from generator.kube.resource import Key
from generator.report.model import EnvironmentDiff, Report
from service.check import publish
from service.check.assess import CHART, Findings
from service.check.verdict import decide
from service.model.job import Grants, Override, State

LOSS = DATA_LOSS.finding(None, "is pruned")
ERROR = Problem("a/b", Severity.ERROR, "wrong", "dev", "x.yaml", 3)
WARNING = Problem("a/c", Severity.WARNING, "odd", "dev")
UNDONE = NotDone("dev", CHART, "no chart")


def found(*, impact=(), problems=(), own=(), not_done=(), reason="", rendered=True):
    diff = EnvironmentDiff(
        "dev", rendered=rendered, reason=reason, impact=tuple(impact), problems=tuple(problems)
    )
    return Findings(Report("b", "h", (diff,), tuple(own)), tuple(not_done))


@pytest.mark.parametrize(
    ("findings", "state"),
    [
        (found(), "success"),
        (found(problems=[WARNING]), "success"),
        (found(problems=[ERROR]), "failure"),
        (found(own=[ERROR]), "failure"),
        (found(impact=[LOSS]), "failure"),
        (found(impact=[VERSION.finding(None, "y")]), "success"),
        (found(not_done=[UNDONE]), "error"),
        (found(not_done=[UNDONE], problems=[ERROR]), "failure"),
        (found(not_done=[NotDone("dev", "crd/schema", "none")]), "success"),
        (found(rendered=False, reason="the base does not render"), "failure"),
    ],
)
def test_each_kind_of_finding_has_its_verdict(findings, state):
    assert decide(findings, Grants()).state.value == state


@pytest.mark.parametrize("side", ["basis", "base_basis"])
def test_no_check_passes_over_what_was_not_read(side):
    unread = NOTHING.without([NotRead("spec.sources[2]", "application.yaml", "a plugin")])
    whole = EnvironmentDiff("prod")
    part = EnvironmentDiff("dev", **{side: unread})
    verdict = decide(Findings(Report("b", "h", (part, whole))), Grants())
    assert verdict.state is State.ERROR
    assert verdict.summary == "not read: spec.sources[2] in application.yaml: a plugin"
    assert verdict.environments == {"dev": "error", "prod": "success"}


def test_a_check_that_was_not_made_is_counted_in_the_summary():
    undone = NotDone("dev", "crd/schema", "none")
    assert decide(found(not_done=[undone]), Grants()).summary == "dev: none; 1 check not done"


def test_only_what_was_accepted_is_accepted():
    grants = Grants(accepted={"impact/data-loss": "alice"})
    assert decide(found(impact=[LOSS]), grants).state is State.SUCCESS
    both = found(impact=[LOSS, IMMUTABLE.finding(None, "x")])
    verdict = decide(both, grants)
    assert (verdict.state, verdict.refused) == (State.FAILURE, ("impact/immutable",))
    assert decide(found(problems=[ERROR], impact=[LOSS]), grants).state is State.FAILURE


def test_who_accepted_stands_first():
    verdict = decide(found(impact=[LOSS]), Grants(accepted={"impact/data-loss": "alice"}))
    assert verdict.summary.startswith("accepted by @alice: impact/data-loss; ")
    unneeded = decide(found(), Grants(accepted={"impact/data-loss": "alice"}))
    assert "alice" not in unneeded.summary


def test_where_policy_asks_for_another_person_the_authors_word_counts_for_nothing():
    strict = dataclasses.replace(found(impact=[LOSS]), another=True)
    own = Grants({"impact/data-loss": "Alice"}, Override("alice", "because"))
    verdict = decide(strict, own, author="alice")
    assert (verdict.state, verdict.refused) == (State.FAILURE, ("impact/data-loss",))
    assert "override by the author does not count" in " ".join(
        note.message for note in verdict.notes
    )
    assert decide(strict, own, author="bob").state is State.SUCCESS
    assert decide(found(impact=[LOSS]), own, author="alice").state is State.SUCCESS


def test_an_impact_of_no_environment_fails_until_it_is_accepted():
    loosened = dataclasses.replace(found().report, impact=(LOSS,))
    verdict = decide(Findings(loosened), Grants())
    assert (verdict.state, verdict.refused) == (State.FAILURE, ("impact/data-loss",))
    given = Grants(accepted={"impact/data-loss": "alice"})
    assert decide(Findings(loosened), given).state is State.SUCCESS


def test_an_override_covers_failures_and_errors_and_leaves_success_as_it_is():
    grants = Grants(override=Override("alice", "because"))
    for findings in (found(problems=[ERROR]), found(not_done=[UNDONE])):
        verdict = decide(findings, grants)
        assert verdict.state is State.SUCCESS
        assert verdict.summary.startswith("overridden by @alice: because (")
    assert "overridden" not in decide(found(), grants).summary


def test_who_waits_does_not_pass():
    verdict = decide(found(), Grants(), waiting="later")
    assert (verdict.state, verdict.waiting) == (State.NEUTRAL, "later")
    assert decide(found(problems=[ERROR]), Grants(), waiting="later").waiting == ""


def test_an_impact_in_a_merge_group_was_judged_before():
    assert decide(found(impact=[LOSS]), Grants(), group=True).state is State.SUCCESS
    assert decide(found(problems=[ERROR]), Grants(), group=True).state is State.FAILURE


def many(count):
    keys = [Key("", "ConfigMap", "ns", f"cm-{number}") for number in range(count)]
    changes = tuple(Change(Action.MODIFIED, key, "v1", "-a\n+é\n" * 40, 40, 40) for key in keys)
    return Report("b", "h", (EnvironmentDiff("dev", changes=changes),))


@pytest.mark.parametrize("budget", [1_200, 5_000, 60_000])
@pytest.mark.parametrize("patch", ["", "+x\n" * 100, "+x ``` y\n" * 30_000])
def test_a_comment_never_outgrows_its_budget(budget, patch):
    text = publish.compose(
        State.FAILURE, "s" * 2_000, many(400), budget=budget, url="https://r", patch=patch,
        remarks=["it is so"], commands=["/gen-env accept a/b " + "f" * 40],
    )  # fmt: skip
    assert len(text.encode()) <= budget + (0 if budget > 1_200 else 200)
    assert text.count("<details>") == text.count("</details>")
    if patch.count("\n") > 1000:
        assert "left out" in text


def test_a_comment_quotes_and_mentions_nobody():
    text = publish.compose(
        State.ERROR, "@everyone <img src=x> [a](b)", Report("b", "h"), budget=9_000,
        remarks=["#1 `x`"],
    )  # fmt: skip
    assert "@everyone" not in text and "<img" not in text and r"[a\](b)" in text


def test_what_people_and_the_check_decided_is_noted():
    grants = Grants({"impact/data-loss": "alice"}, Override("bob", "because"), "carol")
    stopped = found(impact=[LOSS, IMMUTABLE.finding(None, "x")], not_done=[UNDONE])
    verdict = decide(dataclasses.replace(stopped, suppressed=1), grants)
    assert {note.rule for note in verdict.notes} == {
        "check/accepted",
        "check/override",
        "check/trusted",
        "check/not-done",
        "check/suppressed",
        "check/accept",
    }
    assert {note.severity for note in verdict.notes} == {Severity.INFO}
