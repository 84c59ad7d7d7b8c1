"""Messages, docs and help keep to plain technical English: these phrases do not come back.

String literals of the code count except docstrings: people see those only as the help of a command
or in the docs of a field, and both are searched too.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from generator.cli.main import _COMMANDS, _group
from service.cli.main import main as service_main

TOP = Path(__file__).parent.parent
CODE = sorted([*TOP.glob("generator/**/*.py"), *TOP.glob("service/**/*.py")])
TEXTS = sorted(
    [
        *TOP.glob("docs/**/*.md"),
        TOP / "README.md",
        TOP / "CONTRIBUTING.md",
        TOP / "CHANGELOG.md",
        *(path for path in TOP.glob("templates/**/*") if path.is_file()),
    ]
)

# phrase -> what to write instead
FORBIDDEN = {
    r"anew": "again",
    r"(?<!there )(?:is|are) no (?!longer\b|more\b)\w+": "is not a, not found, invalid",
    r"in words": "leave it out, or as text",
    r"stands (?:in|there|below|beside|behind|first|alone)": "is in, appears",
    r"(?<!not-)ours|(?:refuses|lets?|tells?|for) us|we|our(?! ref)": "the thing's name",
    r"(?:is|was|were|are) (?:told|said)(?! to\b| apart\b| from\b)": "is reported",
    r"of nobody's|somebody else's": "foreign, of another owner",
    r"mends?|mended": "fix",
    r"at hand": "available",
    r"there is no such|is there already|exists already": "not found, already exists",
}
_PATTERNS = {name: re.compile(rf"\b(?:{name})\b", re.IGNORECASE) for name in FORBIDDEN}
_ANY = re.compile("|".join(pattern.pattern for pattern in _PATTERNS.values()), re.IGNORECASE)


@functools.cache
def faults(text: str) -> list[str]:
    """The forbidden phrases in a text, each with what to write instead."""
    text = " ".join(text.split())
    if not _ANY.search(text):
        return []
    return [
        f"{match[0]!r}: write {FORBIDDEN[name]!r}"
        for name, pattern in _PATTERNS.items()
        for match in pattern.finditer(text)
    ]


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of each string literal that is not a statement of its own."""
    nodes = list(ast.walk(ast.parse(source)))
    alone = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    parts: set[int] = set()
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts |= {id(part) for part in node.values}
            texts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(map(str, texts))
    for node in nodes:
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in alone | parts:
            yield node.lineno, node.value


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            assert found is not None, f"{name} {sub}"
            yield from _commands(found, f"{name} {sub}")


HELP = {
    name: command
    for top, main in (("gen-env", _group), ("gen-env-service", service_main))
    for name, command in _commands(main, top)
}


def test_no_string_of_the_code_has_a_forbidden_phrase():
    found = [
        f"{path.relative_to(TOP)}:{line}: {fault}"
        for path in CODE
        for line, text in literals(path.read_text("utf-8"))
        for fault in faults(text)
    ]
    assert not found, "\n".join(found)


def _prose(path: Path, line: str) -> str:
    """A line without the names of tests, with which the rows of docs/impact.md end."""
    is_row = path.name == "impact.md" and line.startswith("| ")
    return line.rpartition(" | ")[0] if is_row else line


def test_no_page_and_no_template_has_a_forbidden_phrase():
    found = [
        f"{path.relative_to(TOP)}:{number}: {fault}"
        for path in TEXTS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        for fault in faults(_prose(path, line))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", HELP)
def test_no_help_has_a_forbidden_phrase(name):
    command = HELP[name]
    assert not faults(command.get_help(click.Context(command, info_name=name)))


def test_the_help_of_every_command_is_read():
    assert {f"gen-env {name}" for name in _COMMANDS} <= set(HELP)
    assert "gen-env-service serve" in HELP


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("the key is sealed anew", 1),
        ("`x` is no release name", 1),
        ("the file\n  is no longer read", 0),
        ("the registry refuses us", 1),
        ("there is no such\nfile", 1),
        ("mend the file on the base branch, which stands in git", 2),
        ("a recommended amendment; warehouse, hours, welcome", 0),
    ],
)
def test_the_search_finds_phrases_and_only_those(text, number):
    assert len(faults(text)) == number


def test_the_search_reads_literals_and_parts_of_f_strings_but_no_docstrings():
    source = 'def f(x):\n    """Made anew."""\n    return f"{x} is no " f"port", "at hand"\n'
    found = [(line, fault) for line, text in literals(source) for fault in faults(text)]
    assert [line for line, _ in found] == [3, 3]
    assert found[0][1].startswith("'is no port'") and found[1][1].startswith("'at hand'")
