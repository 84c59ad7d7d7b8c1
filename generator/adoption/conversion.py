"""Values that become fields when a hardening step takes their chart keys over."""

from __future__ import annotations

import dataclasses
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

import pydantic

from generator.adoption import simplify, values_to_fields
from generator.adoption.values_to_fields import Proposal
from generator.chart.traits import ChartTraits
from generator.core.errors import UserError
from generator.core.layered import Path, alternatives, dotted, lookup
from generator.helmvalues.values import ValuesInput
from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.release import chart_lines
from generator.release.adopted_settings import field_of
from generator.release.fit import fitted, reached
from generator.release.setting import copied
from generator.yaml import reader
from generator.yaml.scalars import as_json_types

Key = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Conversion:
    """New fields with their values, and the chart keys that they decide with what they say."""

    fields: tuple[Proposal, ...]
    keys: Mapping[Key, Any]


def convert(
    data: Mapping[str, Any],
    values: ValuesInput,
    wanted: Sequence[Path],
    cluster: Cluster,
    traits: ChartTraits | None,
) -> Conversion:
    """The fields that say what stands at the `wanted` paths of `values:`.

    `data` is the definition as its own words; a field that it has already stays as it is, and one
    that the chart cannot express is none.
    """
    present: dict[str, Any] = copied(data)
    fields: list[Proposal] = []
    keys: dict[Key, Any] = {}
    for path, value in (*values_to_fields.proposals(values), *_environment(values)):
        if value is None or lookup(present, path) not in (None, {}):
            continue
        if any(lookup(present, other) is not None for other in alternatives(path)):
            continue
        tried = copied(present)
        simplify.put(tried, path, copied(value))
        decided = _decided(tried, path, cluster, traits)
        if any(below(item, decided) for item in wanted):
            present = tried
            fields.append((path, value))
            keys |= decided
    return Conversion(tuple(fields), keys)


def below(path: Path, keys: Container[Key]) -> Key | None:
    """The key at or above a path of `values:`, if one of these is."""
    parts = tuple(str(part) for part in path)
    prefixes = (parts[:length] for length in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in keys), None)


def _decided(
    data: Mapping[str, Any], path: Path, cluster: Cluster, traits: ChartTraits | None
) -> dict[Key, Any]:
    """The chart keys that the field at `path` sets; none where the definition is not valid."""
    try:
        environment = Environment.model_validate(data)
    except pydantic.ValidationError:
        return {}
    line = chart_lines.line_for(environment.chart.version)
    if line is None:
        return {}
    name = dotted(path)
    # `secrets.extra` is one field for the chart, whichever Secret it names.
    owners = {name, ".".join(str(part) for part in path[:2])}
    own = [
        item
        for item in line.settings(environment, cluster)
        if field_of(item) in owners or field_of(item).startswith(f"{name}.")
    ]
    fits = fitted(own, traits)
    if any(item.lost for item in fits):
        return {}
    return {item.key: item.value for item in reached(fits)}


def _environment(values: ValuesInput) -> Iterator[Proposal]:
    """Variables by value, and Secrets by name."""
    for field, key in (("airflow", "env"), ("apiServer", "apiServer.env")):
        rows = lookup(values.user, key)
        if _plain(rows):
            yield (field, "env"), {str(row["name"]): str(row["value"]) for row in rows}
    for name, variables in sorted(_secrets(values).items()):
        held = sorted(set(variables.values()))
        yield ("secrets", "extra", name), {"keys": held, "env": variables}
    for name in _whole_secrets(values.user.get("extraEnvFrom")):
        yield ("secrets", "extra", name), {"keys": [], "envFrom": True}


def _plain(rows: Any) -> bool:
    """Whether every row is a name with a text, and none a template of the chart."""
    return isinstance(rows, list) and all(
        isinstance(row, Mapping)
        and set(row) == {"name", "value"}
        and isinstance(row["value"], str)
        and "{{" not in row["value"]
        for row in rows
    )


def _secrets(values: ValuesInput) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    rows = values.user.get("secret")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and row.get("secretName") and row.get("envName"):
            variables = found.setdefault(str(row["secretName"]), {})
            variables[str(row["envName"])] = str(row.get("secretKey") or "value")
    return found


def _whole_secrets(text: Any) -> list[str]:
    """The names in `extraEnvFrom`, where it lists nothing but Secrets."""
    if not isinstance(text, str):
        return []
    try:
        rows = as_json_types(reader.read(text, "extraEnvFrom").data)
    except UserError:
        return []
    names = [lookup(row, "secretRef.name") for row in rows] if isinstance(rows, list) else []
    return [str(name) for name in names] if names and all(names) else []
