"""Effective values of an environment, with the source of each."""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pydantic

from generator.actions.field_words import fields
from generator.core.errors import UserError
from generator.core.layered import Path, dotted, leaves
from generator.definition.resolve import effective
from generator.model import documentation
from generator.model.environment import Environment
from generator.pipeline.generate import Built
from generator.redaction.manifests import mask
from generator.release import leaving


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One field: its value and where it was decided."""

    field: str
    value: Any
    source: str

    @property
    def shown(self) -> str:
        """The value on one line."""
        if isinstance(self.value, str):
            return self.value if len(self.value) <= 60 else self.value[:57] + "..."
        return json.dumps(self.value, ensure_ascii=False)

    def as_json(self) -> dict[str, Any]:
        """Field, value, source."""
        return dataclasses.asdict(self)


def rows(built: Built, field: str | None) -> list[Row]:
    """Every leaf of the environment, or those at and below `field`; UserError for an unknown."""
    assert built.resolved is not None
    found = []
    _, shown = mask(None, effective(built.resolved.environment))
    for path, value in leaves(shown):
        name = dotted(path)
        if field and not (name == field or name.startswith((f"{field}.", f"{field}["))):
            continue
        if value in (None, {}, []) and not field:
            continue
        found.append(Row(name, value, _source(built, path)))
    if not found:
        raise UserError(f"field '{field}' not found", hint=_near(str(field)))
    return found


def _near(field: str) -> str:
    """Fields of nearly that name; else those at the top."""
    known = fields()
    if field in known:
        return f"{field} has no value here"
    if close := difflib.get_close_matches(field, known, 3):
        return f"did you mean {' or '.join(close)}?"
    return f"fields: {', '.join(sorted(name for name in known if '.' not in name))}"


def _source(built: Built, path: Path) -> str:
    assert built.resolved is not None
    merged = built.resolved.merged
    exact = any(place in merged.origins for place in (path[:n] for n in range(1, len(path) + 1)))
    if not exact:
        return "built-in"
    layer = merged.origin(path)
    if layer is None:
        return "built-in"
    # An empty mapping that a layer opened says nothing about the fields that it left out.
    node: Any = layer.data
    for part in path:
        if isinstance(node, dict) and part in node:
            node = node[part]
        elif not isinstance(node, dict):
            break
        else:
            return "built-in"
    _, line = built.resolved.place(*path)
    return f"{layer.source}:{line}" if layer.path and line else layer.source


def notes(built: Built, field: str | None) -> list[str]:
    """What a field is for and the chart values that it decides, or what the chart makes of all."""
    if not field:
        return list(_of_the_chart(built))
    found = []
    purpose = _purpose(Environment, field.split("."))
    if purpose:
        found += ["", purpose]
    if built.release is not None:
        keys = sorted(
            ".".join(setting.key)
            for setting in built.release.settings
            if setting.field == field or setting.field.startswith(f"{field}.")
        )
        if keys:
            found += ["", f"chart values: {', '.join(keys)}"]
    found += [line for about, words in _TRADE_OFFS if about(field) for line in ("", words)]
    return found


def _of_the_chart(built: Built) -> Iterator[str]:
    """The settings that the chart reads under another name, and those that it has no key for."""
    fits = built.release.fits if built.release else ()
    version = built.release.environment.chart.version if built.release else ""
    renamed = [(item.setting.key, item.spelled.key) for item in fits if item.spelled]
    rows = sorted(f"{'.'.join(new)} as {'.'.join(old)}" for new, old in renamed if new != old)
    lost = sorted(".".join(item.setting.key) for item in fits if item.lost)
    ahead: list[str] = []
    if built.release is not None and leaving.is_announced(built.release.environment):
        advice = leaving.advice(built.release.environment, built.name)
        ahead = [f"{part}: {what}" for part, what in advice]
    sections = (
        (f"chart {version} reads", rows),
        (f"chart {version} has no", lost),
        ("leaves with chart 2.0, which is not released", ahead),
    )
    for title, names in sections:
        if names:
            yield from ("", f"{title}:", *(f"  {name}" for name in names))


_TRADE_OFFS: tuple[tuple[Callable[[str], object], str], ...] = (
    (
        re.compile(r"dags(\.|$)").match,
        "gitSync: a push is live within the period, no image build; every pod pulls from git, and"
        " history of a DAG is not kept.\n"
        "bundles (Airflow 3): DAG processor and workers fetch for themselves and runs keep the"
        " version they began with; every worker needs git access.\n"
        "image: what was tested is what runs, and rolls back with it; each DAG change restarts"
        " everything.\n"
        "persistence: something else fills the volume; it must be readable on every node.",
    ),
    (
        re.compile(r"workers(\.replicas|\.autoscaling(\..*)?)?$").match,
        "replicas: a fixed number. keda: follows queued and running tasks, down to zero; needs"
        " PostgreSQL and KEDA. hpa: follows CPU, which idle-waiting tasks do not use.",
    ),
)
"""Of which fields, and what to weigh there."""


def _purpose(model: type[pydantic.BaseModel], parts: list[str]) -> str:
    """The documentation of a field, or of the model behind it."""
    by_alias = {item.alias or name: name for name, item in model.model_fields.items()}
    name = by_alias.get(parts[0].partition("[")[0])
    if name is None:
        return ""
    text = documentation.texts(model).get(name)
    inner = _model_in(model.model_fields[name].annotation)
    if len(parts) > 1:
        return _purpose(inner, parts[1:]) if inner else ""
    return text or (inner.__doc__ or "" if inner else "")


def _model_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    import typing

    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    for part in typing.get_args(annotation):
        found = _model_in(part)
        if found:
            return found
    return None
