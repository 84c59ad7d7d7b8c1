"""What a change brings, what it finds there, and what it ends."""

import dataclasses

import pytest

from generator.core.files import Snapshot
from generator.core.problem import Problem, Severity, State
from generator.diff.model import Action, Change
from generator.kube.resource import Key
from generator.pipeline import novelty
from generator.render.helm_notes import WARNED
from generator.report import json_report, markdown, phrases
from generator.report.model import EnvironmentDiff, Report

PATH = "environments/dev/environment.yaml"
TEXT = b"workers:\n  resources:\n    memory: 1Gi\ndatabase:\n  host: a\n"
STUB = Problem("a/stub", Severity.ERROR, "not sealed", "dev", "environments/dev/secrets/x.yaml", 9)
FIELD = Problem("a/field", Severity.ERROR, "the host is wrong", "dev", PATH, 4)
OBJECT = Problem(
    "a/object", Severity.ERROR, "Deployment a/web: bad", "dev", PATH, about="Deployment a/web"
)
TREE = Problem(
    "tree/out-of-date", Severity.ERROR, "differs", "dev", "environments/dev/generated/v.yaml"
)


def change(text=TEXT, *, paths=(PATH,)):
    return novelty.Change(Snapshot({PATH: TEXT}), Snapshot({PATH: text}), frozenset(paths))


def compared(*problems, before=(), by=None, **more):
    report = Report("b", "h", (EnvironmentDiff("dev", problems=problems, **more),))
    return novelty.marked(report, before, by or change())


def states(report):
    return [(p.rule, p.state, p.fails) for p in report.every_problem]


def test_only_what_the_base_does_not_have_is_new():
    report = compared(STUB, FIELD, before=[STUB])
    assert states(report) == [("a/field", State.NEW, True), ("a/stub", State.OLD, False)]


def test_a_line_that_moves_makes_nothing_new_and_a_graver_severity_does():
    moved = dataclasses.replace(STUB, line=30)
    assert states(compared(moved, before=[STUB])) == [("a/stub", State.OLD, False)]
    named, later = (
        dataclasses.replace(STUB, message=f"8Gi, above the limit of {PATH}:{line}")
        for line in (3, 4)
    )
    assert states(compared(later, before=[named])) == [("a/stub", State.OLD, False)]
    weak = dataclasses.replace(STUB, severity=Severity.WARNING)
    assert ("a/stub", State.NEW, True) in states(compared(STUB, before=[weak]))


def test_one_more_of_the_same_makes_both_new():
    report = compared(STUB, dataclasses.replace(STUB, line=30), before=[STUB])
    assert [state for _, state, _ in states(report)] == [State.NEW, State.NEW]


def test_what_is_gone_never_fails_and_is_not_claimed_of_what_was_not_rendered():
    assert states(compared(before=[STUB])) == [("a/stub", State.GONE, False)]
    assert states(compared(before=[STUB], rendered=False, reason="x")) == []


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        (TEXT.replace(b"1Gi", b"2Gi"), False),
        (TEXT.replace(b"host: a", b"host: b"), True),
        (TEXT.replace(b"  host: a\n", b""), True),
        (b"x: y\n" + TEXT, False),
    ],
    ids=["another field", "the field", "removed from it", "moved"],
)
def test_an_old_error_of_a_definition_fails_where_its_field_is_changed(text, fails):
    line = text.splitlines().index(b"database:") + 1
    report = compared(dataclasses.replace(FIELD, line=line), before=[FIELD], by=change(text))
    assert states(report) == [("a/field", State.OLD, fails)]


def test_an_old_error_of_an_object_fails_where_that_object_changes():
    web, other = (
        Change(Action.MODIFIED, Key("apps", "Deployment", "a", name), "apps/v1", "-a\n+b")
        for name in ("web", "other")
    )
    assert states(compared(OBJECT, before=[OBJECT], changes=(web,)))[0][2]
    assert not states(compared(OBJECT, before=[OBJECT], changes=(other,)))[0][2]
    unknown = compared(OBJECT, before=[OBJECT], rendered=False, reason="x")
    assert states(unknown)[0][2], "what was not compared may have changed"


def test_an_old_error_of_a_file_fails_where_that_file_changes():
    assert not states(compared(STUB, before=[STUB]))[0][2]
    assert states(compared(STUB, before=[STUB], by=change(paths=[STUB.path])))[0][2]


def test_an_old_warning_of_the_charts_notes_is_no_part_of_a_change():
    note = Problem(WARNED.id, Severity.WARNING, "You should set a.b", "dev", PATH)
    by = change(TEXT + b"x: 1\n")
    (old,) = compared(note, before=[note], by=by).every_problem
    assert (old.state, old.touched) == (State.OLD, False)
    (new,) = compared(note, by=by).every_problem
    assert (new.state, new.touched) == (State.NEW, True)


def test_a_tree_that_was_out_of_date_fails_whoever_changes_the_environment():
    assert states(compared(TREE, before=[TREE]))[0][2]
    elsewhere = change(paths=["environments/other/environment.yaml"])
    assert not states(compared(TREE, before=[TREE], by=elsewhere))[0][2]


def test_a_report_counts_what_was_there_and_lists_the_rest():
    old = [dataclasses.replace(STUB, line=line) for line in range(9)]
    report = compared(FIELD, *old, before=[*old, OBJECT])
    text = markdown.render(report, budget=9_000)
    assert "9 errors were there before this change. 1 error is gone with it." in text
    assert "not sealed" not in text and "the host is wrong" in text
    assert phrases.remark_of(report.environments[0]) == "1 problem"
    found = json_report.as_json(report)["environments"][0]["problems"]
    assert {(p["rule"], p["state"]) for p in found} == {
        ("a/field", "new"),
        ("a/stub", "old"),
        ("a/object", "gone"),
    }
    assert "state" not in STUB.as_json()


def test_findings_of_validation_join_their_environments_once():
    report = Report("b", "h", (EnvironmentDiff("dev", problems=(STUB,)),))
    weak = dataclasses.replace(STUB, severity=Severity.INFO)
    alone = Problem("a/b", Severity.ERROR, "x", "other")
    joined = novelty.joined(report, ["dev", "other"], [weak, FIELD, alone])
    assert {p.rule: p.severity for p in joined.environments[0].problems} == {
        "a/stub": Severity.ERROR,
        "a/field": Severity.ERROR,
    }
    assert joined.environments[1].name == "other"
    assert joined.environments[1].problems == (alone,)
