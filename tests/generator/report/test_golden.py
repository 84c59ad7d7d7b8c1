import pytest

from generator.report import markdown
from tests.golden_cases import NAMES, REWRITE, ROOT, report_of

BUDGET = 60_000


@pytest.mark.golden
@pytest.mark.parametrize("name", NAMES)
def test_report_is_as_reviewed(name):
    path = ROOT / name / "report.md"
    text = markdown.render(report_of(name), budget=BUDGET)
    if REWRITE:
        path.write_text(text, "utf-8")
    assert path.exists(), f"{path} is missing: make golden writes it"
    assert text == path.read_text("utf-8"), "make golden rewrites it; then review the difference"


def test_there_are_at_least_25_cases():
    assert len(NAMES) >= 25


def test_no_file_is_surplus():
    for name in NAMES:
        for path in (ROOT / name).rglob("*"):
            parts = path.relative_to(ROOT / name).parts
            assert path.is_dir() or _belongs(parts), f"{path} belongs to no case"


def test_every_case_shows_something():
    for name in NAMES:
        assert report_of(name).environments[0].name in (ROOT / name / "report.md").read_text()


def _belongs(parts):
    if len(parts) == 1:
        return parts[0] in ("facts.yaml", "report.md")
    return len(parts) == 2 and parts[0] in ("base", "head") and parts[1].endswith(".yaml")
