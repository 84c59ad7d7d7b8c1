"""Deprecated values: keys that were renamed, defaults that will change, keys without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from generator.chart import key_table
from generator.chart.traits import Reading
from generator.core.layered import Path, lookup, path_of
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.helmvalues.values import ValuesInput
from generator.kube.resource import without_none
from generator.lint.key_names import advice
from generator.release.chart_line import Renamed

DEPRECATED = Rule(
    "values/deprecated-key",
    Severity.WARNING,
    "A key under its old name",
    "It still works, and goes with chart 2.0; beside the new key it may be ignored silently.",
    "chart 1.22.0, NOTES.txt and values.yaml",
)
DEFAULT = Rule(
    "values/deprecated-default",
    Severity.INFO,
    "A default that will change",
    "Pods change when the chart does, unless the value is written down.",
    "chart 1.22.0, NOTES.txt",
)
IGNORED = Rule(
    "values/ignored-key",
    Severity.WARNING,
    "A key that the chart does not read",
    "It comes from another chart, an old guide or an old version, and changes nothing.",
)


def deprecated_problems(values: ValuesInput) -> Iterator[Problem]:
    """Renamed keys that the user wrote, changing defaults left open, and keys without effect."""
    yield from renamed_key_problems(values)
    yield from _defaults(values)
    for key, instead in values.line.old_keys.without_effect.items():
        # Of a key that it refuses the schema speaks; a newer chart may read what these did not.
        if _written(values, key) and values.chart.reading(key) is Reading.IGNORED:
            yield _problem(values, IGNORED, key, f"{key} changes nothing", f"use {instead}")


def renamed_key_problems(values: ValuesInput) -> Iterator[Problem]:
    """Keys that the user wrote under an old name, where the chart reads the new one."""
    for entry in values.line.old_keys.renamed:
        # A chart that reads a new name in part only is better off with the old one.
        known = values.chart.is_known and all(values.chart.has(key) for key in entry.new)
        if known and (values.airflow3 or not entry.airflow3_only) and _written(values, entry.old):
            since = key_table.first(entry.new[0])
            named = f" (since chart {since})" if since else ""
            yield _problem(
                values,
                DEPRECATED,
                entry.old,
                f"{entry.old} is an old name{named} that chart 2.0 will not know",
                f"{_instead(entry)}{_apart(values, entry)}",
            )


def _instead(entry: Renamed) -> str:
    """What to write for an old name."""
    if entry.form:
        return f"write it as {entry.new[0]}: {entry.form}"
    return f"rename it to {' and '.join(entry.new)}"


def _apart(values: ValuesInput, entry: Renamed) -> str:
    """What the user wrote below the old name and the chart reads elsewhere than below the new."""
    rows = [row for row in values.line.old_keys.older if row.old.startswith(f"{entry.old}.")]
    return "".join(
        f", and {row.old} to {' and '.join(row.new)}"
        for row in rows
        if values.given(row.old) and all(values.chart.has(key) for key in row.new)
    )


def is_named(values: ValuesInput, path: Path) -> bool:
    """Whether this module speaks of the key, so that nobody else has to."""
    return ".".join(str(part) for part in path) in values.line.old_keys.without_effect


def _defaults(values: ValuesInput) -> Iterator[Problem]:
    for key, meaning, hint in values.line.old_keys.defaults:
        relevant = not key.startswith("dags.gitSync") or values.on("dags.gitSync.enabled")
        if (
            relevant
            and values.chart.is_known
            and values.chart.has(key)
            and values.get(key) in (None, False)
            and not (key == "enableServiceLinks" and values.get(key) is False)
        ):
            yield _problem(values, DEFAULT, key, meaning, hint)


def _written(values: ValuesInput, key: str) -> bool:
    """Whether the user wrote it with a value of their own.

    Empty containers, and nulls that only take a default away, say nothing.
    """
    value = without_none(lookup(values.user, key))
    return values.decided(key) and not (isinstance(value, Mapping | list) and not value)


def _problem(values: ValuesInput, rule: Rule, key: str, message: str, hint: str) -> Problem:
    path, line = values.locate(path_of(key))
    return rule.problem(message, path=path, line=line, hint=advice(hint, values))
