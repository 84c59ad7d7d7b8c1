"""What a shell offers for a word: environments, fields, secrets, rules, charts; never an error.

It is asked at each press of a key, so nothing is rendered, and no definition is read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path

import click

_Complete = Callable[[click.Context, click.Parameter, str], list[str]]
_DEPTHS = ("*", "*/*")


def _offered(find: Callable[[click.Context], Iterable[str]]) -> _Complete:
    """Of what is found the names that begin with the word; nothing where that fails."""

    @functools.wraps(find)
    def complete(ctx: click.Context, _: click.Parameter, word: str) -> list[str]:
        try:
            return [name for name in find(ctx) if name.startswith(word)]
        except Exception:  # a traceback in the middle of a command line helps nobody
            return []

    return complete


@_offered
def environments(ctx: click.Context) -> Iterable[str]:
    """The folders below environments/ that hold a definition."""
    top = _root(ctx) / "environments"
    found = (path for depth in _DEPTHS for path in top.glob(f"{depth}/environment.yaml"))
    return sorted(path.parent.relative_to(top).as_posix() for path in found)


@_offered
def secrets(ctx: click.Context) -> Iterable[str]:
    """The secrets that the environment before it on the line has a file of."""
    name = str(ctx.params.get("environment") or "")
    folder = _root(ctx) / "environments" / name / "secrets"
    return sorted(path.stem for path in folder.glob("*.yaml"))


@_offered
def fields(ctx: click.Context) -> Iterable[str]:
    """The fields of a definition, and what `explain` takes in place of one."""
    from generator.actions.field_words import fields as known
    from generator.actions.flows import FIELD

    return sorted({*known(), FIELD})


@_offered
def accepted_rules(ctx: click.Context) -> Iterable[str]:
    """The rules of impacts that somebody can accept."""
    import generator.impact.registry  # noqa: F401  registers them
    from generator.actions.change_findings import acceptable

    return sorted(acceptable())


@_offered
def charts(ctx: click.Context) -> Iterable[str]:
    """The chart versions in the cache."""
    from generator.pipeline import toolchain

    return [chart.version for chart in toolchain.charts().cache.list()]


def _root(ctx: click.Context) -> Path:
    start = Path((ctx.find_root().params or {}).get("folder") or ".").resolve()
    places = (start, *start.parents)
    return next((place for place in places if (place / "gen-env.yaml").is_file()), start)
