import dataclasses
import io
import re

import pytest
from rich.console import Console

from generator.core.problem import Problem, Severity
from generator.diff.model import Side
from generator.report import terminal
from generator.report.assemble import environment_diff
from generator.report.model import Report
from tests.generator.report.samples import REPORTS
from tests.golden_cases import report_of


def shown(report, **options):
    out = io.StringIO()
    terminal.show(report, Console(file=out, width=100, **options))
    return out.getvalue()


@pytest.mark.few(1)
@pytest.mark.parametrize("name", REPORTS)
def test_no_control_sequence_of_the_report_reaches_the_terminal(name):
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", shown(REPORTS[name]()))


def test_nothing_is_read_as_markup():
    report = Report("[bold]base[/bold]", "[/]", ())
    assert "[bold]base[/bold] → [/]" in shown(report)


def test_colours_help_but_are_not_needed():
    report = report_of("rights-widened")
    coloured = shown(report, force_terminal=True, color_system="standard")
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == shown(report)


def test_summary_impact_and_diff_are_there_in_this_order():
    text = shown(report_of("rights-widened"))
    marks = [
        "1 warning to read before the merge",
        "payments/production: ServiceAccount airflow-worker",
        "Know before the merge",
        "impact/rbac-widened",
        "Environment",
        "Changes of",
        "+  - secrets",
    ]
    places = [text.index(mark) for mark in marks]
    assert places == sorted(places)


def test_diffs_can_be_left_out():
    out = io.StringIO()
    terminal.show(report_of("rights-widened"), Console(file=out, width=100), diffs=False)
    assert "impact/rbac-widened" in out.getvalue() and "@@" not in out.getvalue()


def test_what_was_folded_and_what_failed_is_told():
    assert "Folded in payments/production: label chart in 1 object" in shown(
        report_of("chart-version-alone")
    )
    assert "error   render/failed" in shown(report_of("head-does-not-render"))


def test_notes_have_one_heading_whether_they_are_findings_or_effects():
    note = Problem("tree/missing", Severity.INFO, "this file is missing", environment="dev")
    same = Side("r", ())
    alone = Report("b", "h", (environment_diff("dev", same, same, problems=[note]),))
    assert "\n\nNotes\ninfo    tree/missing dev this file is missing\n" in shown(alone)
    both = report_of("airflow-minor-release")
    noted = dataclasses.replace(both, problems=(note,))
    assert shown(noted).count("\nNotes\n") == 1


def test_an_empty_report_says_why():
    assert "No changes: this change affects no environment." in shown(Report("b", "h"))
