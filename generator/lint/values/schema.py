"""Values against the chart's own `values.schema.json`, as Helm checks them before it renders."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import dotted
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.helmvalues.values import ValuesInput
from generator.lint.key_names import advice, other_name
from generator.lint.objects.schema_errors import Fault, SchemaCheck

SCHEMA = Rule(
    "values/schema",
    Severity.ERROR,
    "Values that the chart's schema refuses",
    "Helm, and Argo CD with it, does not render them.",
    "the chart's values.schema.json",
)


def schema_problems(values: ValuesInput, schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Every error of the merged values, without quoting one; `schema` is the chart's own."""
    for fault in validator(schema).faults(_plain(values.merged)):
        path, line = values.locate(fault.path)
        yield SCHEMA.problem(
            fault.message,
            path=path,
            line=line,
            hint=_hint(fault, values),
        )


def validator(schema: Mapping[str, Any]) -> SchemaCheck:
    """A validator of that schema; the same schema is compiled once."""
    return _compiled(json.dumps(schema, sort_keys=True))


@functools.lru_cache(maxsize=4)
def _compiled(text: str) -> SchemaCheck:
    from jsonschema import Draft7Validator

    return SchemaCheck(Draft7Validator(json.loads(text)))


def _hint(fault: Fault, values: ValuesInput) -> str:
    """What the chart's table says, else the key's name in other charts, a suggestion, or a case."""
    keys, key = values.line.old_keys, dotted(fault.path)
    if known := keys.refused.get(key):
        return advice(known, values)
    if instead := keys.without_effect.get(key):
        return advice(f"use {instead}", values)
    if fault.message.startswith("unknown key"):
        other = other_name(fault.path, values)
        if other:
            return other
    if "valueFrom" in fault.path:
        return "only secretKeyRef and configMapKeyRef are allowed here; use extraEnv for fieldRef"
    if fault.message.endswith("not a number") and "must be text" in fault.message:
        return "put the value in quotes"
    return fault.hint


def _plain(value: Any) -> Any:
    """Without subclasses of str, which the validator takes well but slowly."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
