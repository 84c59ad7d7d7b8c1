import functools
import re

import pytest
from markdown_it import MarkdownIt

from generator.diff.model import Side
from generator.report import markdown
from generator.report.assemble import environment_diff
from generator.report.escape import code, fence, prose
from generator.report.model import Report
from tests.generator.report.samples import HOSTILE, REPORTS, config

BUDGETS = [300, 301, 350, 400, 500, 700, 1_000, 1_500, 2_500, 4_000, 8_000, 16_000, 30_000,
           60_000, 65_536, 200_000, 1_000_000]  # fmt: skip
COMMONMARK = MarkdownIt("commonmark", {"linkify": False}).enable("table")


@functools.cache
def report(name):
    return REPORTS[name]()


@functools.cache
def rendered(name, budget):
    return markdown.render(report(name), budget=budget)


everywhere = pytest.mark.parametrize(
    ("name", "budget"), [(name, budget) for name in REPORTS for budget in BUDGETS]
)


@pytest.mark.few(3)
@everywhere
def test_the_budget_holds_in_characters_and_bytes(name, budget):
    text = rendered(name, budget)
    assert 0 < len(text) <= budget
    assert len(text.encode("utf-8")) <= budget


@pytest.mark.few(4)
@everywhere
def test_every_fence_is_closed_and_every_block_of_details_as_well(name, budget):
    text = rendered(name, budget)
    blocks = [token for token in COMMONMARK.parse(text) if token.type == "fence"]
    lines = text.split("\n")
    for token in blocks:
        assert token.info == "diff"
        assert lines[token.map[1] - 1] == token.markup, "a fence without its end"
    outside = "\n".join(outside_fences(text))
    assert outside.count("<details>") == outside.count("</details>")


@pytest.mark.few(2)
@everywhere
def test_only_our_own_html_and_no_link_comes_of_it(name, budget):
    for token in COMMONMARK.parse(rendered(name, budget)):
        assert token.type != "html_block" or re.fullmatch(
            r"<details><summary>[^<>]*</summary>\n|</details>\n", token.content
        )
        for child in token.children or ():
            assert child.type not in ("image", "link_open")
            assert child.type != "html_inline" or child.content in ("<code>", "</code>")


@pytest.mark.few(12)
@everywhere
def test_nothing_becomes_a_mention_or_a_reference(name, budget):
    for token in COMMONMARK.parse(rendered(name, budget)):
        inside = 0
        for child in token.children or ():
            inside += {"<code>": 1, "</code>": -1}.get(child.content, 0)
            if child.type == "text" and not inside:
                assert not re.search(r"[@#!$~%&]\w", child.content)
                assert "://" not in child.content and "www." not in child.content


@pytest.mark.few(20)
@everywhere
def test_no_hidden_character_is_left(name, budget):
    text = rendered(name, budget)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text)


@pytest.mark.few(12)
@pytest.mark.parametrize("name", ["golden", "large", "hostile"])
@pytest.mark.parametrize("budget", BUDGETS)
def test_nothing_is_left_out_without_a_word(name, budget):
    """Every change stands there whole, stands there cut, or is counted as left out."""
    text = rendered(name, budget)
    total = sum(len(environment.changes) for environment in report(name).environments)
    shown = sum(1 for token in COMMONMARK.parse(text) if token.type == "fence")
    missing = re.search(r"(?:^|, |: )([\d,]+) diffs(?:[.,]| left out)", text, re.MULTILINE)
    alike = re.findall(r"^The same image lines in (\d+) more object", text, re.MULTILINE)
    shown += sum(map(int, alike))
    assert shown + (int(missing[1].replace(",", "")) if missing else 0) == total


@pytest.mark.parametrize("name", ["golden", "large"])
def test_verdict_impact_and_summary_stand_open_before_all_that_is_folded(name):
    text = rendered(name, 65_536)
    marks = (
        "**Needs a decision:",
        "Judged by",
        "**Needs a decision**",
        "**Know before the merge**",
        "**New findings**",
        "| Environment",
        "<details>",
    )
    places = [text.find(mark) for mark in marks]
    present = [place for place in places if place >= 0]
    assert present == sorted(present) and "| Environment" in text


def test_errors_of_all_environments_come_before_the_first_warning_and_notes_are_folded():
    text = rendered("golden", 60_000)
    severities = re.findall(r"^- .*?\*\*(error|warning|info)\*\* `impact/", text, re.MULTILINE)
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert "**info**" not in text.partition("<details>")[0]


@pytest.mark.thorough
def test_more_room_never_shows_fewer_environments():
    rows = [
        len(re.findall(r"^\| `", rendered("large", budget), re.MULTILINE)) for budget in BUDGETS
    ]
    assert rows == sorted(rows) and rows[-1] == 20


def test_a_cut_object_says_how_much_is_missing():
    base, head = config("c", ""), config("c", "\n".join(f"line {n}" for n in range(500)))
    environment = environment_diff("e", Side("b", (base,)), Side("h", (head,)))
    text = markdown.render(Report("b", "h", (environment,)), budget=2_000)
    assert re.search(r"^Cut for length: \d+ more lines of this object\.$", text, re.MULTILINE)
    assert "line 10" in text and "line 499" not in text


def test_the_riskiest_objects_are_shown_first():
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "z"}}
    base = [config("a", "1"), claim]
    environment = environment_diff("e", Side("b", tuple(base)), Side("h", (config("a", "2"),)))
    text = markdown.render(Report("b", "h", (environment,)), budget=60_000)
    assert text.index("removed `PersistentVolumeClaim z`") < text.index("modified `ConfigMap a`")


def test_a_report_is_the_same_every_time():
    first = markdown.render(REPORTS["golden"](), budget=60_000)
    assert first == markdown.render(REPORTS["golden"](), budget=60_000)


def test_an_empty_report_says_why():
    assert "No changes: this change affects no environment." in rendered("empty", 1_000)
    given = Report("b", "h", reason="both revisions are the same commit")
    assert "No changes: both revisions are the same commit." in markdown.render(given, budget=300)


def test_drift_stands_apart():
    drifted = environment_diff("e", Side("b", (config("a", "1"),)), Side("h", (config("a", "2"),)))
    given = environment_diff("e", None, Side("h"), drift=drifted.changes)
    text = markdown.render(Report("b", "h", (given,)), budget=60_000)
    assert "Already different in the cluster, not by this change: 1 object" in text
    assert "1 drifted" in text


def test_the_same_exchange_of_an_image_is_shown_once_and_names_the_other_objects():
    def side(tag, other="x"):
        return Side("s", (*(deployment(name, tag) for name in "abc"), deployment("d", other)))

    report = Report("b", "h", (environment_diff("e", side("1"), side("2", "y")),))
    text = markdown.render(report, budget=60_000)
    assert text.count("+        image: r/i:2") == 1
    assert "The same image lines in 2 more objects: `Deployment b` (+1 −1)" in text
    assert text.count("```diff") == 2 and "+        image: r/i:y" in text


def deployment(name, tag):
    pods = {"spec": {"containers": [{"image": f"r/i:{tag}", "command": [name]}]}}
    metadata = {"name": name}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata,
            "spec": {"template": pods}}  # fmt: skip


def test_too_small_a_budget_is_refused():
    with pytest.raises(ValueError, match="at least 300"):
        markdown.render(report("empty"), budget=299)


@pytest.mark.parametrize("text", [*HOSTILE, "", " ", "`", "a|b", "\\", "plain"])
def test_inline_code_is_one_code_element_with_the_text(text):
    (paragraph,) = [t for t in COMMONMARK.parse(code(text, 10_000)) if t.type == "inline"]
    kinds = {child.type for child in paragraph.children}
    assert kinds == {"code_inline"} or kinds <= {"html_inline", "text"}


def test_backticks_in_a_sentence_stay_code_and_a_lone_one_does_no_harm():
    assert prose("run `airflow db downgrade` now") == "run `airflow db downgrade` now"
    assert "`" not in prose("a lone ` here").replace("'", "")
    assert (
        prose("AIRFLOW__CORE__X and sql_alchemy _a_") == "AIRFLOW__CORE__X and sql_alchemy \\_a\\_"
    )


def test_a_fence_is_longer_than_what_it_holds():
    assert fence("no ticks") == "```"
    assert fence("```` and `") == "`````"


def outside_fences(text):
    inside = ""
    for line in text.split("\n"):
        if inside:
            inside = "" if line == inside else inside
        elif line.startswith("```"):
            inside = line.removesuffix("diff")
        else:
            yield line
