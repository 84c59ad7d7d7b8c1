"""What commands share: where they run, how they print findings and data."""

from __future__ import annotations

import collections
import contextlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.problem import Problem, Severity, ordered

if TYPE_CHECKING:
    from generator.core.basis import Basis
    from generator.core.files import Files
    from generator.pipeline.generate import Built

_Command = TypeVar("_Command", bound=Callable[..., Any])

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}


def folder() -> Path:
    """The folder that `-C` names."""
    obj = click.get_current_context().find_root().obj or {}
    path = Path(obj.get("folder", "."))
    if not path.is_dir():
        raise UserError(f"{path} is not a folder")
    return path.resolve()


def root() -> Path:
    """The repository's root: the nearest folder upwards with gen-env.yaml."""
    start = folder()
    for place in (start, *start.parents):
        if (place / "gen-env.yaml").is_file():
            return place
    raise UserError(
        f"gen-env.yaml not found in {start} or its parent folders",
        hint="run gen-env inside a GitOps repository, use -C DIR, or create one: gen-env init PATH",
    )


def built(files: Files, environment: str) -> Built | None:
    """One environment, generated in memory; where there is none, why is printed."""
    from generator.pipeline import generate, toolchain
    from generator.tree.catalogue import load

    found = load(files)
    (item,) = found.chosen([environment]) or (None,)
    if item is None or found.settings is None:
        tell(found.problems, err=True)
        return None
    return generate.build(files, found.settings, item, toolchain.charts(files, root()))


def output(*formats: str) -> Callable[[_Command], _Command]:
    """The `-o` option with these formats; the first is the default."""
    return click.option(
        "-o",
        "--output",
        "form",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Output format.",
    )


def emit(data: Any, form: str) -> None:
    """Print data as JSON or YAML, its texts without secrets."""
    data = _masked(data)
    if form == "json":
        click.echo(json.dumps(data, indent=2, ensure_ascii=False))
        return
    from generator.yaml.writer import dump

    click.echo(dump(data), nl=False)


def _masked(data: Any) -> Any:
    from generator.redaction.text import redact_prose

    if isinstance(data, str):
        return redact_prose(data)
    if isinstance(data, dict):
        return {key: _masked(value) for key, value in data.items()}
    return [_masked(item) for item in data] if isinstance(data, list | tuple) else data


def progress(text: str) -> None:
    """A word on what is going on: standard error, and only for a person at a terminal."""
    obj = click.get_current_context().find_root().obj or {}
    if obj.get("verbose") or sys.stderr.isatty():
        click.secho(text, dim=True, err=True)


def say(text: str) -> None:
    """A summary for the person: standard error."""
    click.echo(text, err=True)


def tell(problems: Iterable[Problem], *, err: bool = False, named: bool = False) -> None:
    """Print findings for people: severity, rule, place, message, hint.

    `named` says which release a finding is about, beside its place.
    """
    from generator.redaction.text import redact_prose

    for problem in ordered(problems):
        severity = problem.severity
        click.secho(f"{severity.value:<8}", fg=_COLOURS[severity], bold=True, nl=False, err=err)
        name = f" ({problem.environment})" if named and problem.environment else ""
        place = problem.place or problem.environment or "repository"
        click.echo(f"{place}{name}", nl=False, err=err)
        click.secho(f"  [{problem.rule}]", dim=True, err=err)
        for line in redact_prose(problem.message).splitlines():
            click.echo(f"        {line}", err=err)
        for line in redact_prose(problem.hint).splitlines():
            click.secho(f"        → {line}", fg="green", err=err)


def summary(problems: Sequence[Problem]) -> str:
    """`2 errors, 1 warning, 7 notes`, or `no problems found`."""
    counts = collections.Counter(problem.severity for problem in problems)
    parts = [counted(counts[severity], severity.noun) for severity in Severity if counts[severity]]
    return ", ".join(parts) or "no problems found"


def outcome(problems: Sequence[Problem], basis: Basis) -> str:
    """As `summary`, but "no problems" only where everything was read."""
    if problems:
        return summary(problems)
    assured = basis.assure(summary(problems))
    return str(assured) if assured else f"{summary(problems)} in what was read"


def pairs(values: Sequence[str]) -> Mapping[str, str]:
    """`key=value` words as a mapping; raises UsageError for anything else."""
    found = {}
    for value in values:
        key, sign, text = value.partition("=")
        if not sign or not key:
            raise click.UsageError(f"'{value}' is not KEY=VALUE")
        found[key] = text
    return found


def columns(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> None:
    """Print a plain table whose columns line up."""
    table = [list(heads), *[list(row) for row in rows]]
    widths = [max(len(row[index]) for row in table) for index in range(len(heads))]
    for number, row in enumerate(table):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.secho("  ".join(cells).rstrip(), bold=number == 0)


@contextlib.contextmanager
def bar(label: str) -> Iterator[Callable[[int, int, str], None]]:
    """A progress bar on standard error, for a person at a terminal; silent otherwise."""
    if not sys.stderr.isatty():
        yield lambda done, total, name: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)

        def advance(done: int, total: int, name: str) -> None:
            progress.update(task, completed=done, total=total, description=f"{label} {name}")

        yield advance
