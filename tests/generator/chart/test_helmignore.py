import pytest

from generator.chart.helmignore import kept

FILES = ["Chart.yaml", "a.md", "templates/a.md", "templates/b.yaml", "tests/x.py", ".git/config"]


@pytest.mark.parametrize(
    ("rules", "gone"),
    [
        ("", []),
        ("# a comment\n\n", []),
        ("*.md", ["a.md", "templates/a.md"]),
        ("/*.md", ["a.md"]),
        ("templates/*.md", ["templates/a.md"]),
        ("tests/", ["tests/x.py"]),
        (".git", [".git/config"]),
        ("*.md\n!a.md", []),
        ("*.md\n!templates/a.md", ["a.md"]),
        ("b.yaml/", []),
    ],
)
def test_rules_leave_out_what_they_name(rules, gone):
    files = dict.fromkeys(FILES, b"") | {".helmignore": rules.encode()}
    assert sorted(set(files) - set(kept(files))) == sorted(gone)


def test_without_rules_everything_stays():
    files = dict.fromkeys(FILES, b"")
    assert kept(files) == files
