"""One Helm release of an environment: its chart values, what they run, the Secrets they need."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from generator.airflow import image_release
from generator.chart.traits import ChartTraits
from generator.core.layered import dotted, leaves
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.resolve import Resolved
from generator.model.adoption import Adoption
from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.release import adopted, adopted_settings, chart_lines, expressed
from generator.release.chart_line import ChartLine
from generator.release.expressed import Expression
from generator.release.fit import Fit, fitted, reached, running
from generator.release.secret import SecretNeed
from generator.release.setting import PROMISE, Setting
from generator.release.topology import Topology

UNKNOWN_LINE = Rule(
    "chart/unknown-line",
    Severity.ERROR,
    "A chart version that the official chart does not have",
    "Other charts of Airflow have other keys and objects.",
)
OWNED_KEY = Rule(
    "values/owned-key",
    Severity.ERROR,
    "A key in values: that a field sets, or that gen-env guarantees",
    "One value has one source.",
)

UNKNOWN_SECRET = Rule(
    "secrets/unknown-secret",
    Severity.WARNING,
    "A provider of a Secret that does not take it",
    "What the definition says of the Secret has no effect.",
)

HASH_ANNOTATION = "gen-env.dev/secret-hash."


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """Everything that follows from a resolved environment before objects are written.

    `values` are the merged chart values, `settings` the same as decisions with their fields,
    both under the names of the chart at hand; `topology` is what will run, `needs` the Secrets
    that it reads.
    """

    resolved: Resolved
    values: Mapping[str, Any]
    settings: tuple[Setting, ...]
    topology: Topology
    needs: tuple[SecretNeed, ...]
    fits: tuple[Fit, ...] = ()
    """What the chart makes of every setting."""
    traits: ChartTraits | None = None
    """What the chart does with keys; None for a chart that takes the settings as they are."""
    routed_by_chart: bool = False
    """Whether the chart makes the HTTPRoute of `gateway`."""

    @property
    def environment(self) -> Environment:
        """The resolved definition."""
        return self.resolved.environment

    @property
    def sealed(self) -> tuple[SecretNeed, ...]:
        """The Secrets that are sealed in git."""
        return tuple(need for need in self.needs if need.provider == "sealed-secrets")

    @property
    def brought(self) -> dict[str, frozenset[str] | None]:
        """The other Secrets that are said to exist, by name: their keys, or None."""
        known = {need.name: frozenset(need.key_names) for need in self.needs}
        given = dict.fromkeys(self.environment.existing.secrets)
        own = {need.name for need in self.sealed}
        return given | {name: keys for name, keys in known.items() if name not in own}

    @property
    def runs(self) -> image_release.Runs:
        """The Airflow that runs: by `image.facts`, else the image's tag, else `airflow.version`."""
        environment = self.environment
        image = image_release.of_values(self.values)
        version, facts = environment.airflow.version, environment.image.facts
        return image_release.known(image, version, facts, self.values)

    @property
    def line(self) -> ChartLine:
        """What is known of its chart."""
        return chart_lines.closest(self.environment.chart.version)

    @property
    def application(self) -> str:
        """Name of the Argo CD Application, unique in the repository."""
        return application_name(self.resolved)

    @property
    def owns_namespace(self) -> bool:
        """Whether the namespace is gen-env's: an adopted one is left alone at first."""
        adoption = self.environment.adoption
        return adoption is None or "namespace" in adoption.steps


def application_name(resolved: Resolved) -> str:
    """The name that the definition gives its Application, else one from the environment's path."""
    default = "airflow-" + resolved.name.replace("/", "-")
    return resolved.environment.destination.application or default


def build(
    resolved: Resolved,
    hashes: Mapping[str, str],
    traits: ChartTraits | None = None,
) -> tuple[Release | None, tuple[Problem, ...]]:
    """The release and notes on it, or the problems that stand in its way.

    `hashes` maps the name of each sealed Secret to a hash of its ciphertext; it lands in the pod
    annotations of the components that read that Secret at start, so that a rotation restarts them.
    `traits` are those of the chart, where its version needs them (`chart_lines.needs_traits`).
    """
    line = chart_lines.line_for(resolved.environment.chart.version)
    if line is None:
        return None, (_unknown_line(resolved),)
    obstacles = (
        *adopted.foreign_names(resolved),
        *(expressed.airflow_problems(resolved, traits) if traits else ()),
    )
    if obstacles:
        return None, obstacles
    settings, closed = line.settings(resolved.environment, resolved.cluster), line.closed
    if resolved.environment.adoption is not None:
        narrow, problems = adopted.narrowed(resolved)
        if narrow is None:
            return None, problems
        resolved, settings = narrow, _of_adopted(line, narrow, settings)
        closed = adopted_settings.owner
    routes = _routes(line, resolved, traits)
    fits = (*fitted(settings, traits), *routes)
    expression = Expression(resolved, traits, fits) if traits else None
    errors = (
        *(expression.errors() if expression else ()),
        *_overlaps(resolved, line, reached(fits), closed),
    )
    if errors:
        return None, errors
    built = _built(resolved, line, fits, traits, hashes)
    built = dataclasses.replace(built, routed_by_chart=bool(routes))
    notes = (*(expression.notes() if expression else ()), *_without_effect(built))
    return built, notes


def by_chart(
    line: ChartLine, environment: Environment, cluster: Cluster, traits: ChartTraits | None
) -> tuple[Fit, ...]:
    """The settings of an HTTPRoute of the chart's own; nothing where it cannot express them all."""
    wanted = list(line.http_route(environment, cluster)) if traits else []
    found = fitted(wanted, traits)
    return () if any(item.lost for item in found) else found


def _routes(line: ChartLine, resolved: Resolved, traits: ChartTraits | None) -> list[Fit]:
    """As `by_chart`; of an adopted environment what its own words and its steps ask for."""
    routes = by_chart(line, resolved.environment, resolved.cluster, traits)
    adoption = resolved.environment.adoption
    if adoption is None:
        return list(routes)
    every = [item.setting for item in routes]
    kept = adopted_settings.kept(every, every, adoption, adopted.written(resolved.definition))
    return [item for item in routes if item.setting in kept]


def _built(
    resolved: Resolved,
    line: ChartLine,
    fits: tuple[Fit, ...],
    traits: ChartTraits | None,
    hashes: Mapping[str, str],
) -> Release:
    """The release of settings that the chart takes, with the restarts that its Secrets ask for."""
    environment, adoption = resolved.environment, resolved.environment.adoption
    values = line.merged(environment, reached(fits))
    topology = line.topology(*_running(values, adoption, traits), environment)
    needs = tuple(
        dataclasses.replace(need, provider=environment.provider_of(need.name))
        for need in line.needs(topology, environment.secrets.extra)
    )
    restarts = fitted(line.restart_annotations(topology, _annotations(needs, hashes)), traits)
    if restarts and (adoption is None or "secrets" in adoption.steps):
        fits += restarts
        values = line.merged(environment, reached(fits))
        now, _ = _running(values, adoption, traits)
        topology = dataclasses.replace(topology, values=now)
    return Release(resolved, values, tuple(reached(fits)), topology, needs, fits, traits)


def _without_effect(release: Release) -> Iterator[Problem]:
    """Secrets that `providers` names and nothing needs: misspelled, or of another executor."""
    needed = [need.name for need in release.needs]
    for name in release.environment.secrets.providers:
        if name not in needed:
            yield release.resolved.problem(
                UNKNOWN_SECRET,
                f"nothing needs Secret {name}",
                *("secrets", "providers", name),
                hint=f"correct the name, or remove it; needed are {', '.join(needed)}",
            )
        elif name in release.environment.existing.secrets:
            yield release.resolved.problem(
                UNKNOWN_SECRET,
                f"Secret {name} is also among existing.secrets, which decides",
                *("secrets", "providers", name),
                hint="remove one of the two",
            )


def _unknown_line(resolved: Resolved) -> Problem:
    hint = "the official chart of Apache Airflow has versions 1.x, and 2.x to come"
    version = resolved.environment.chart.version
    message = f"chart {version} is not a version of the official chart that gen-env supports"
    return resolved.problem(UNKNOWN_LINE, message, "chart", "version", hint=hint)


def _of_adopted(line: ChartLine, narrow: Resolved, full: list[Setting]) -> list[Setting]:
    """What an adopted environment's own words ask for, and what its steps took from `full`."""
    own = line.settings(narrow.environment, narrow.cluster)
    adoption = narrow.environment.adoption
    assert adoption is not None
    return adopted_settings.kept(own, full, adoption, adopted.written(narrow.definition))


def _running(
    values: Mapping[str, Any], adoption: Adoption | None, traits: ChartTraits | None
) -> tuple[Mapping[str, Any], frozenset[str]]:
    """What will run with these values, under today's names, and which of these are older ones.

    An adopted environment leaves switches to the chart.
    """
    known, older = running(values, traits) if traits else (values, frozenset())
    return (known if adoption is None else adopted_settings.with_switches(known)), older


def _overlaps(
    resolved: Resolved, line: ChartLine, settings: list[Setting], closed: Any
) -> Iterator[Problem]:
    """Keys of `values:` that a field owns: two sources for one value is one too many.

    A section with settings in it, those of an idle field too, stays a section.
    """
    decided = line.decided([item for item in settings if item.firm])
    every = line.decided(settings)
    for path, value in leaves(resolved.environment.values):
        if not path:
            continue
        key = tuple(str(part) for part in path)
        field = closed(key, decided)
        below = sorted({by for place, by in every.items() if place[: len(key)] == key != place})
        if field is None and not below:
            continue
        if field is None and not isinstance(value, Mapping):
            field = below[0]
        if field is None:
            continue
        promise = field == PROMISE
        advice = "remove it: gen-env guarantees its value" if promise else f"set {field} instead"
        yield resolved.problem(
            OWNED_KEY,
            f"values.{dotted(path)} is decided by "
            + ("gen-env itself" if promise else f"the field {field}"),
            "values",
            *path,
            hint=advice,
        )


def _annotations(
    needs: tuple[SecretNeed, ...], hashes: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """Component → pod annotations with the hashes of the Secrets that it reads at start."""
    found: dict[str, dict[str, str]] = {}
    for need in needs:
        if need.name in hashes:
            for component in need.restarts:
                found.setdefault(component, {})[annotation(need.name)] = hashes[need.name]
    return found


def annotation(secret: str) -> str:
    """The annotation for one Secret; its last part may hold 63 characters (Kubernetes)."""
    prefix, _, tail = HASH_ANNOTATION.partition("/")
    room = 63 - len(tail)
    if len(secret) > room:
        digest = hashlib.sha256(secret.encode()).hexdigest()[:8]
        secret = f"{secret[: room - 9]}-{digest}"
    return f"{prefix}/{tail}{secret}"
