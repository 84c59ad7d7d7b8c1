"""Keys in advice, by the names that the chart at hand reads; nothing else advises a key.

A rule writes `{key:workers.celery.replicas}`, the newest name. What people read is the name of the
chart that is judged, or that this chart has no key for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from generator.chart import key_table
from generator.chart.traits import Reading
from generator.core.layered import Path, dotted, lookup
from generator.helmvalues.values import ValuesInput
from generator.release import spelling

_KEY = re.compile(r"\{key:([^{}]+)\}")

Advice = str | tuple[str, ...]
"""A hint, or several of which the first counts that the chart has the keys for."""


def advice(hint: Advice, values: ValuesInput) -> str:
    """The hint with the names that the chart reads, else which chart has a key for it."""
    options = (hint,) if isinstance(hint, str) else hint
    for option in options:
        text = _spelled(option, values)
        if text is not None:
            return text
    return lacking(_lacking_key(options[0], values), values)


def lacking(key: str, values: ValuesInput) -> str:
    """That the chart has no key for a setting, and which charts have one, where that is known."""
    since, name = _first(key)
    later = f"; {since} and later have {name}" if _is_newer(since, values) else ""
    return f"chart {values.chart_version} has no key for it{later}"


def _first(key: str) -> tuple[str, str]:
    """The oldest release from which on every one has a key for a setting, and its name there."""
    since = ("", key)
    for version in reversed(key_table.versions()):
        known = key_table.traits(version)
        name = spelling.spelled(key, known) if known else None
        if name is None:
            break
        since = (version, name)
    return since


def other_name(path: Path, values: ValuesInput) -> str:
    """What to write instead of a key that the chart does not read, by what other charts call it.

    Empty where no release has a key of that name either, and it is none that Kubernetes has there.
    """
    key = dotted(path)
    name = values.spelled(key)
    if name is not None and name != key:
        return f"chart {values.chart_version} reads {name} instead"
    since = key_table.first(key)
    if _is_newer(since, values):
        if path[-1] == "valueFrom" and _is_refused_source(path, values):
            return f"use extraEnv: chart {since} takes only secretKeyRef and configMapKeyRef here"
        return f"remove it, or use chart {since} or later"
    if path[-1] == "valueFrom":
        instead = "; use extraEnv, or secret for a Secret's key" if path[0] == "env" else ""
        return f"{dotted(path[:-2])} takes only name and value{instead}"
    return ""


def _is_refused_source(path: Path, values: ValuesInput) -> bool:
    """Whether a variable's source is one that the schemas of newer charts refuse as well."""
    source = lookup(values.merged, path)
    return isinstance(source, Mapping) and not source.keys() & {"secretKeyRef", "configMapKeyRef"}


def is_read(path: Path, values: ValuesInput) -> bool:
    """Whether a value at that key counts, at least for a part of what is rendered."""
    return values.chart.reading(path) in (Reading.READ, Reading.PARTLY)


def _is_newer(since: str, values: ValuesInput) -> bool:
    newer = key_table.traits(since)
    return newer is not None and newer.release > values.chart.release


def _spelled(text: str, values: ValuesInput) -> str | None:
    names: dict[str, str | None] = {key: values.spelled(key) for key in _KEY.findall(text)}
    if None in names.values():
        return None
    return _KEY.sub(lambda match: names[match[1]] or "", text)


def _lacking_key(text: str, values: ValuesInput) -> str:
    keys: list[str] = _KEY.findall(text)
    return next(key for key in keys if values.spelled(key) is None)
