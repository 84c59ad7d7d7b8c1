"""From a definition as written to an environment with every default applied."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pydantic

from generator.core.layered import Layer, Merged, Path, merge
from generator.core.problem import Problem, Severity
from generator.definition import default_layers
from generator.definition.definition import SETTINGS, Definition, Settings, faults
from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.yaml.scalars import as_helm

_LONGEST = 63  # of a namespace: a DNS label


@dataclasses.dataclass(frozen=True, slots=True)
class Resolved:
    """An environment: its definition, every value, where each came from, and its cluster."""

    definition: Definition
    environment: Environment
    merged: Merged
    cluster: Cluster
    settings: Settings

    @property
    def name(self) -> str:
        """The path below environments/."""
        return self.definition.name

    def place(self, *path: str | int) -> tuple[str, int | None]:
        """File and line at which the value at `path` was written, or its nearest neighbour."""
        return _place(self.definition, self.settings, self.merged, path)

    def problem(
        self, rule: str, severity: Severity, message: str, *path: str | int, hint: str = ""
    ) -> Problem:
        """A finding about the value at `path`."""
        file, line = self.place(*path)
        return Problem(rule, severity, message, self.name, file, line, hint)


def resolve(
    definition: Definition, settings: Settings
) -> tuple[Resolved | None, tuple[Problem, ...]]:
    """Apply the defaults and validate: the environment, or every problem with file and line."""
    if not definition.data:
        return None, (_nothing(definition),)
    merged = merge(_layers(definition, settings))
    ambiguous = list(_plain_values(definition, settings, merged))
    try:
        environment = Environment.model_validate(merged.data)
    except pydantic.ValidationError as error:
        return None, (*_schema_problems(error, definition, settings, merged), *ambiguous)
    problems = [*_identity_problems(definition, environment), *ambiguous]
    cluster = settings.repository.clusters.get(environment.destination.cluster)
    if cluster is None:
        problems.append(_unknown_cluster(definition, settings, environment))
        return None, tuple(problems)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None, tuple(problems)
    return Resolved(definition, environment, merged, cluster, settings), tuple(problems)


def _nothing(definition: Definition) -> Problem:
    return Problem(
        "definition/schema",
        Severity.ERROR,
        "this is no definition: a mapping with metadata, destination, airflow, chart, database and"
        " dags is expected",
        definition.name,
        definition.path,
        1,
        "gen-env new NAME makes one to begin with",
    )


def _layers(definition: Definition, settings: Settings) -> list[Layer]:
    chain = default_layers.layers(definition.tier)
    defaults = settings.repository.defaults
    for kind, name in (
        ("tiers", definition.tier),
        ("clusters", definition.part("destination", "cluster")),
        ("teams", definition.part("metadata", "team")),
    ):
        data = getattr(defaults, kind).get(name)
        if data:
            prefix = ("defaults", kind, name)
            chain.append(Layer(f"{SETTINGS} {'.'.join(prefix)}", data, SETTINGS, prefix))
    chain.append(Layer(definition.path, definition.data, definition.path))
    return chain


def _plain_values(definition: Definition, settings: Settings, merged: Merged) -> list[Problem]:
    """Resolve the scalars inside `values:` as Helm will; name those that are ambiguous."""
    if "values" not in merged.data:
        return []
    merged.data["values"], ambiguities = as_helm(merged.data["values"])
    problems = []
    for path, message in ambiguities:
        file, line = _place(definition, settings, merged, ("values", *path))
        problems.append(
            Problem(
                "values/ambiguous-scalar",
                Severity.ERROR,
                message,
                definition.name,
                file,
                line,
                "quote it if it is text; otherwise write true, false or a decimal number",
            )
        )
    return problems


def _schema_problems(
    error: pydantic.ValidationError, definition: Definition, settings: Settings, merged: Merged
) -> list[Problem]:
    problems = []
    for place, message, hint in faults(error, merged.data, Environment):
        file, line = _place(definition, settings, merged, place)
        problems.append(
            Problem("definition/schema", Severity.ERROR, message, definition.name, file, line, hint)
        )
    return problems


def _identity_problems(definition: Definition, environment: Environment) -> list[Problem]:
    """The path below environments/ is the identity; metadata repeats it."""
    team, _, name = definition.name.rpartition("/")
    found = []
    for field, written, expected in (
        ("name", environment.metadata.name, name),
        ("team", environment.team, team),
    ):
        if written != expected:
            says = f"'{written}'" if written else "nothing"
            found.append(
                Problem(
                    "definition/identity",
                    Severity.ERROR,
                    f"metadata.{field} says {says}, but the folder is {definition.folder}",
                    definition.name,
                    definition.path,
                    definition.document.line(("metadata", field)),
                    f"write {field}: {expected}" if expected else "remove team",
                )
            )
    if len(environment.namespace) > _LONGEST:
        found.append(
            Problem(
                "definition/identity",
                Severity.ERROR,
                f"its namespace would be longer than {_LONGEST} characters",
                definition.name,
                definition.path,
                definition.document.line(("destination", "namespace")),
                "give it a shorter destination.namespace",
            )
        )
    return found


def _unknown_cluster(
    definition: Definition, settings: Settings, environment: Environment
) -> Problem:
    known = ", ".join(sorted(settings.repository.clusters)) or "none"
    return Problem(
        "definition/cluster",
        Severity.ERROR,
        f"destination.cluster '{environment.destination.cluster}' is not in {SETTINGS}",
        definition.name,
        definition.path,
        definition.document.line(("destination", "cluster")),
        f"known clusters: {known}",
    )


def _place(
    definition: Definition, settings: Settings, merged: Merged, path: Path
) -> tuple[str, int | None]:
    layer = merged.origin(path)
    if layer is None or not layer.path:
        return definition.path, definition.document.line(path)
    document = settings.document if layer.path == SETTINGS else definition.document
    return layer.path, document.line((*layer.prefix, *path))


def effective(environment: Environment) -> Mapping[str, Any]:
    """Every field with its effective value, in the words of the definition."""
    return environment.model_dump(mode="json", by_alias=True)
