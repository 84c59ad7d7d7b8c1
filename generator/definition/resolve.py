"""From a definition as written to an environment with every default applied."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pydantic

from generator.core.layered import Layer, Merged, Path, lookup, merge
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition import default_layers, url_secrets
from generator.definition.definition import SETTINGS, Definition, Settings, faults
from generator.model.environment import Engine, Environment
from generator.model.repository import Cluster
from generator.yaml.scalars import as_helm

SCHEMA = Rule(
    "definition/schema",
    Severity.ERROR,
    "A wrong field or value in a definition",
    "What is not understood is never guessed.",
)
IDENTITY = Rule(
    "definition/identity",
    Severity.ERROR,
    "metadata does not match the folder, or its namespace is too long",
    "The path below environments/ is the identity.",
)
CLUSTER = Rule(
    "definition/cluster",
    Severity.ERROR,
    "A cluster that gen-env.yaml does not name",
    "All facts about a cluster come from the cluster catalogue.",
)
AMBIGUOUS = Rule(
    "values/ambiguous-scalar",
    Severity.ERROR,
    "A value that programs read differently",
    "YAML 1.1 and 1.2 disagree on unquoted words and numbers such as y, on and 010.",
    "yaml.org",
    tiers=(("", Severity.WARNING),),
)

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
        self,
        rule: Rule,
        message: str,
        *path: str | int,
        hint: str = "",
        severity: Severity | None = None,
    ) -> Problem:
        """A finding about the value at `path`."""
        file, line = self.place(*path)
        return rule.problem(
            message, environment=self.name, path=file, line=line, hint=hint, severity=severity
        )


def resolve(
    definition: Definition, settings: Settings
) -> tuple[Resolved | None, tuple[Problem, ...]]:
    """Apply the defaults and validate: the environment, or every problem with file and line."""
    if not definition.data:
        return None, (_nothing(definition),)
    merged = merge(_layers(definition, settings))
    written = [
        *url_secrets.problems(definition.document, definition.path, definition.name),
        *_plain_values(definition, settings, merged),
    ]
    try:
        environment = Environment.model_validate(merged.data)
    except pydantic.ValidationError as error:
        return None, (*_schema_problems(error, definition, settings, merged), *written)
    problems = [*_identity_problems(definition, environment), *written]
    cluster = settings.repository.clusters.get(environment.destination.cluster)
    if cluster is None:
        problems.append(_unknown_cluster(definition, settings, environment))
        return None, tuple(problems)
    if any(problem.severity is Severity.ERROR for problem in problems):
        return None, tuple(problems)
    return Resolved(definition, environment, merged, cluster, settings), tuple(problems)


def _nothing(definition: Definition) -> Problem:
    return SCHEMA.problem(
        "not a definition: expected a mapping with metadata, destination, airflow, chart, "
        "database and dags",
        environment=definition.name,
        path=definition.path,
        line=1,
        hint="create one with: gen-env new NAME",
    )


def _layers(definition: Definition, settings: Settings) -> list[Layer]:
    chain = list(default_layers.layers(definition.tier))
    chain += _engines(definition, settings)
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


def deployed(definition: Definition, settings: Settings) -> tuple[Engine, str]:
    """The engine that applies an environment, and its cluster's name ('' if none is named)."""
    named = [
        layer.data["engine"] for layer in _layers(definition, settings) if "engine" in layer.data
    ]
    engine: Engine = "flux" if named and named[-1] == "flux" else "argocd"
    return engine, _cluster_name(definition, settings)


def _engines(definition: Definition, settings: Settings) -> list[Layer]:
    """The engine that gen-env.yaml names: for the repository, and over it for the cluster."""
    name = _cluster_name(definition, settings)
    cluster = settings.repository.clusters.get(name)
    found = []
    if "engine" in settings.document.data:
        found.append(Layer(f"{SETTINGS} engine", {"engine": settings.repository.engine}, SETTINGS))
    if cluster is not None and cluster.engine is not None:
        prefix = ("clusters", name)
        source = f"{SETTINGS} {'.'.join(prefix)}"
        found.append(Layer(source, {"engine": cluster.engine}, SETTINGS, prefix))
    return found


def _cluster_name(definition: Definition, settings: Settings) -> str:
    """The cluster that the definition names, else one of the defaults that apply to it."""
    defaults = settings.repository.defaults
    team = defaults.teams.get(str(definition.part("metadata", "team")), {})
    tiers: Mapping[str, Any] = {str(tier): data for tier, data in defaults.tiers.items()}
    for data in (definition.data, team, tiers.get(definition.tier, {})):
        if name := lookup(data, ("destination", "cluster")):
            return str(name)
    return ""


def _plain_values(definition: Definition, settings: Settings, merged: Merged) -> list[Problem]:
    """Resolve the scalars inside `values:` as Helm will; name those that are ambiguous."""
    if "values" not in merged.data:
        return []
    merged.data["values"], ambiguities = as_helm(merged.data["values"])
    problems = []
    for path, message in ambiguities:
        file, line = _place(definition, settings, merged, ("values", *path))
        problems.append(
            AMBIGUOUS.problem(
                message,
                environment=definition.name,
                path=file,
                line=line,
                hint="quote it if it is text; otherwise write true, false or a decimal number",
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
            SCHEMA.problem(message, environment=definition.name, path=file, line=line, hint=hint)
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
                IDENTITY.problem(
                    f"metadata.{field} is {says}, but the folder is {definition.folder}",
                    environment=definition.name,
                    path=definition.path,
                    line=definition.document.line(("metadata", field)),
                    hint=f"write {field}: {expected}" if expected else "remove team",
                )
            )
    if len(environment.namespace) > _LONGEST:
        found.append(
            IDENTITY.problem(
                f"its namespace would be longer than {_LONGEST} characters",
                environment=definition.name,
                path=definition.path,
                line=definition.document.line(("destination", "namespace")),
                hint="give it a shorter destination.namespace",
            )
        )
    return found


def _unknown_cluster(
    definition: Definition, settings: Settings, environment: Environment
) -> Problem:
    known = ", ".join(sorted(settings.repository.clusters)) or "none"
    return CLUSTER.problem(
        f"destination.cluster '{environment.destination.cluster}' is not in {SETTINGS}",
        environment=definition.name,
        path=definition.path,
        line=definition.document.line(("destination", "cluster")),
        hint=f"known clusters: {known}",
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
