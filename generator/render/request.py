"""A render: what the cluster would be given for one chart and one set of values."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule

SCHEMA = Rule(
    "chart/schema",
    Severity.ERROR,
    "Values that Helm refuses",
    "Argo CD refuses them as well.",
    "the chart's values.schema.json",
)
_REQUEST = Rule(
    "render/request",
    Severity.ERROR,
    "A name that Helm refuses",
    "Nothing can be rendered.",
    "Helm",
)
_CHART = Rule(
    "render/chart",
    Severity.ERROR,
    "A chart that Helm refuses",
    "Nothing can be rendered.",
    "Helm",
)
_TEMPLATE = Rule(
    "render/template",
    Severity.ERROR,
    "A template that fails",
    "Argo CD fails at it as well.",
    "Helm",
)
_YAML = Rule(
    "render/yaml",
    Severity.ERROR,
    "A template whose output is not a Kubernetes object",
    "A value broke its layout.",
    "Helm",
)
_LIMIT = Rule(
    "render/limit",
    Severity.ERROR,
    "A render that takes too much time or memory",
    "A value makes a template run for ever.",
)
_ENGINE = Rule(
    "render/engine",
    Severity.ERROR,
    "A Helm engine that broke down",
    "Whether the chart renders is not known.",
)

FailureKind = Literal["request", "chart", "schema", "template", "yaml", "limit", "engine"]


_RULES: Mapping[FailureKind, Rule] = {
    "request": _REQUEST,
    "chart": _CHART,
    "schema": SCHEMA,
    "template": _TEMPLATE,
    "yaml": _YAML,
    "limit": _LIMIT,
    "engine": _ENGINE,
}


@dataclasses.dataclass(frozen=True)
class RenderRequest:
    """Everything that a render depends on, besides the engine.

    `chart` is an archive (.tgz), `values` what a values file would hold, `kube_version` such as
    `1.34.2`, `api_versions` what the cluster offers beyond Kubernetes' own (`keda.sh/v1alpha1`).
    """

    chart: Path
    release: str
    namespace: str
    values: Mapping[str, Any] = dataclasses.field(repr=False)
    kube_version: str
    api_versions: tuple[str, ...] = ()
    include_crds: bool = False
    value_files: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    """The same values as files, which a `helm` binary then gets as they stand, the last one
    winning."""

    def values_json(self) -> str:
        """The values as canonical JSON: equal values give equal text."""
        return canonical(self.values)


@dataclasses.dataclass(frozen=True)
class RenderResult:
    """What the chart renders to.

    `manifests` stand in their one order (`resource.ordered`), without test hooks. `notes` is the
    chart's NOTES.txt, which may quote passwords: never show it. `problems` are its warnings.
    """

    manifests: tuple[dict[str, Any], ...] = dataclasses.field(repr=False)
    notes: str = dataclasses.field(repr=False)
    problems: tuple[Problem, ...]
    engine: str


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One thing that the chart's schema refuses: where in the values, and why."""

    values_key: str
    message: str


@dataclasses.dataclass(frozen=True, slots=True)
class RenderFailure:
    """Why there is no result. Nothing in it quotes a value.

    `template` and `line` name the chart's template, `values_key` the value at fault, both as far
    as Helm's message tells; `faults` lists all that a schema refuses.
    """

    kind: FailureKind
    message: str
    template: str = ""
    line: int | None = None
    values_key: str | None = None
    hint: str = ""
    faults: tuple[Fault, ...] = ()

    def problems(self, *, environment: str = "", path: str = "") -> tuple[Problem, ...]:
        """The failure as errors: one for each schema fault, else one in all."""
        if self.faults:
            return tuple(
                SCHEMA.problem(
                    f"{fault.values_key}: {fault.message}",
                    environment=environment,
                    path=path,
                    hint=self.hint,
                )
                for fault in self.faults
            )
        rule = _RULES[self.kind]
        return (rule.problem(str(self), environment=environment, path=path, hint=self.hint),)

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        places = [self.values_key or "", f"{self.template}{line}" if self.template else ""]
        return ": ".join([*filter(None, places), self.message])


Rendered = RenderResult | RenderFailure


class Renderer(Protocol):
    """Turns requests into results; safe to use from several threads."""

    def engine_version(self) -> str:
        """Names engine and version: part of every cache key."""
        ...

    def render(self, request: RenderRequest) -> Rendered:
        """Render once. A chart that does not render is a RenderFailure, not an exception."""
        ...


def canonical(value: Any) -> str:
    """Compact JSON with sorted keys. Raises ValueError or TypeError for what JSON cannot hold."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar in values with its dotted key, as in `env[0].value`."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from leaves(item, f"{key}[{index}]")
    else:
        yield key, value
