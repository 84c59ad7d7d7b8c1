"""What stands in a hardening step's way and no field says: named, and what to do about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pydantic

from generator.core.layered import Path, dotted, leaves, lookup
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.definition import Definition
from generator.model.environment import Environment

NO_FIELD = Rule(
    "adoption/no-field",
    Severity.ERROR,
    "A value that no field of the definition can express",
    "After the hardening step a field decides it.",
    command="harden",
)

_SHOWN = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Obstacle:
    """A path of `values:` that means something, and the field that decides it after the step."""

    path: Path
    field: str


def problems(
    found: Sequence[Obstacle], item: Definition, values: Mapping[str, Any]
) -> tuple[Problem, ...]:
    """One problem for each field: what must make way for it, why, and both ways out."""
    by_field: dict[str, list[Obstacle]] = {}
    for obstacle in found:
        by_field.setdefault(obstacle.field.split(".")[0], []).append(obstacle)
    return tuple(_problem(group, item, values) for group in by_field.values())


def names(paths: Sequence[Path], values: Mapping[str, Any]) -> tuple[str, ...]:
    """These paths as `--drop` takes them: `values.a.b`, a mapping where it is all of it."""
    return tuple(f"values.{dotted(path)}" for path in _tops(paths, values))


def _problem(group: Sequence[Obstacle], item: Definition, values: Mapping[str, Any]) -> Problem:
    field = group[0].field if len({one.field for one in group}) == 1 else _common(group)
    going = names([one.path for one in group], values)
    listed = ", ".join(going[:_SHOWN]) + (" …" if len(going) > _SHOWN else "")
    why = "; ".join(dict.fromkeys(_reasons(group, values)))
    known = ", ".join(_subfields(field))
    written = f"write {field}" + (f" ({known})" if known else "")
    return NO_FIELD.problem(
        f"{listed} must be removed: after this step {field} decides it"
        + (f"; {why}" if why else ""),
        environment=item.name,
        path=item.path,
        line=item.document.line(("values", *group[0].path)),
        hint=f"{written} for what you need of it and remove it from values, or let it go with"
        " --drop",
    )


def _common(group: Sequence[Obstacle]) -> str:
    return group[0].field.split(".")[0]


def _tops(paths: Sequence[Path], values: Mapping[str, Any]) -> list[Path]:
    """As few paths as cover exactly these: a whole mapping where several of it, and all, go."""
    everything = [path for path, _ in leaves(values) if path]
    found: list[Path] = []
    for path in paths:
        covers = (
            path[:length]
            for length in range(2, len(path) + 1)
            if all(one in paths for one in everything if one[:length] == path[:length])
        )
        top = next(covers, path)
        below = [one for one in paths if one[: len(top)] == top]
        while all(one[: len(top) + 1] == path[: len(top) + 1] for one in below) and top != path:
            top = path[: len(top) + 1]
        found.append(top)
    return list(dict.fromkeys(found))


def _reasons(group: Sequence[Obstacle], values: Mapping[str, Any]) -> Iterator[str]:
    for one in group:
        names = [str(part) for part in one.path]
        value = lookup(values, one.path)
        if names[-1] == "hosts" and isinstance(value, list) and len(value) > 1:
            yield "ingress has TLS for all of its hosts or for none"
        elif "topologySpreadConstraints" in names:
            yield "spread generates one constraint"
        elif _is_template(value):
            yield "a field cannot contain a chart template"


def _is_template(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_template(part) for part in value.values())
    if isinstance(value, list):
        return any(_is_template(part) for part in value)
    return isinstance(value, str) and "{{" in value


def _subfields(field: str) -> list[str]:
    """The names below a field, from the definition's own schema; none for a plain value."""
    model: Any = Environment
    for part in field.split("."):
        model = next(
            (
                _model(info.annotation)
                for name, info in model.model_fields.items()
                if part in (name, info.alias)
            ),
            None,
        )
        if model is None:
            return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _model(annotation: Any) -> type[pydantic.BaseModel] | None:
    """The model in an annotation, `X | None` and `Annotated[X, …]` included."""
    if isinstance(annotation, type):
        return annotation if issubclass(annotation, pydantic.BaseModel) else None
    parts = (*getattr(annotation, "__args__", ()), getattr(annotation, "__origin__", None))
    found = [model for part in parts if part is not None and (model := _model(part)) is not None]
    return found[0] if len(found) == 1 else None
