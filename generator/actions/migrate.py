"""`gen-env migrate` as steps: files of an older apiVersion become files of today's, comments kept.

A migration edits text through `yamledit`, so that everything it does not name stays as it is.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.definition import FILE_NAME, ROOT, SETTINGS
from generator.definition.lock_file import version
from generator.model.environment import API_VERSION
from generator.tree.plan import Plan
from generator.yaml import edit as yaml_edit
from generator.yaml import reader
from generator.yaml.errors import YamlError
from generator.yaml.reader import Document

UNKNOWN_VERSION = Rule(
    "migrate/unknown-version",
    Severity.ERROR,
    "An apiVersion that this gen-env does not know",
    "No migration leads from it to the current one.",
    command="migrate",
)

_VERSION = re.compile(r"gen-env\.dev/v(\d+)")
Edit = Callable[[str, str], str]
"""Text and path of a file → the text for the next version, `apiVersion` aside."""


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    """One step from an apiVersion to the next, for each kind of file that it touches."""

    source: str
    target: str
    environment: Edit = lambda text, _: text
    repository: Edit = lambda text, _: text

    def edited(self, text: str, path: str) -> str:
        """The file after this step."""
        edit = self.repository if path == SETTINGS else self.environment
        return yaml_edit.set_value(edit(text, path), ("apiVersion",), self.target, file=path)


MIGRATIONS: tuple[Migration, ...] = ()
"""v1 is the first version: there is nothing to migrate from yet."""


@dataclasses.dataclass(frozen=True)
class Migrated:
    """The plan, the versions that each file goes through, and files that cannot be migrated."""

    plan: Plan
    moves: Mapping[str, tuple[str, ...]]
    problems: tuple[Problem, ...]
    looked_at: int


def prepare(
    files: Files, migrations: Sequence[Migration] = MIGRATIONS, current: str = API_VERSION
) -> Migrated:
    """Every file that people write, on its way to the current apiVersion; nothing is written."""
    writes: dict[str, str] = {}
    moves: dict[str, tuple[str, ...]] = {}
    problems: list[Problem] = []
    paths = list(_paths(files))
    for path in paths:
        try:
            document = reader.read(files.read(path) or b"", path)
            found = _chain(document, migrations, current)
        except YamlError as error:
            problems.append(_problem(path, error.line, error.message, error.hint))
            continue
        if isinstance(found, Problem):
            problems.append(found)
        elif found:
            text = document.text
            for step in found:
                text = step.edited(text, path)
            writes[path] = text
            moves[path] = (found[0].source, *(step.target for step in found))
    return Migrated(Plan(writes), moves, tuple(problems), len(paths))


def _paths(files: Files) -> Iterator[str]:
    if files.read(SETTINGS) is not None:
        yield SETTINGS
    yield from (path for path in files.below(ROOT) if path.endswith(f"/{FILE_NAME}"))


def _chain(
    document: Document, migrations: Sequence[Migration], current: str
) -> list[Migration] | Problem:
    """The steps to the current version, or why there is no way."""
    data = document.data if isinstance(document.data, Mapping) else {}
    written = str(data.get("apiVersion") or current)
    line = document.line(("apiVersion",))
    chain: list[Migration] = []
    now = written
    while now != current:
        step = next((item for item in migrations if item.source == now), None)
        if step is None:
            return _no_way(document.path, line, written, current)
        chain.append(step)
        now = step.target
    return chain


def _no_way(path: str, line: int | None, written: str, current: str) -> Problem:
    number, known = _VERSION.fullmatch(written), _VERSION.fullmatch(current)
    if number and known and int(number[1]) > int(known[1]):
        message = f"apiVersion {written} is newer than {current}, which gen-env {version()} knows"
        return _problem(path, line, message, "install the gen-env that wrote it, or a newer one")
    hint = f"write apiVersion: {current}, and see what gen-env validate says"
    return _problem(path, line, f"apiVersion {written} is unknown", hint)


def _problem(path: str, line: int | None, message: str, hint: str) -> Problem:
    name = path.removeprefix(f"{ROOT}/").removesuffix(f"/{FILE_NAME}") if path != SETTINGS else ""
    return UNKNOWN_VERSION.problem(message, environment=name, path=path, line=line, hint=hint)
