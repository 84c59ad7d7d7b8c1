"""One Helm release of an environment: its chart values, what they run, the Secrets they need."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.layered import dotted, leaves
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.resolve import Resolved
from generator.model.adoption import Adoption
from generator.model.environment import Environment
from generator.release import adopted, adopted_settings, chart_lines
from generator.release.chart_line import ChartLine
from generator.release.secret import SecretNeed
from generator.release.setting import PROMISE, Setting
from generator.release.topology import Topology

UNKNOWN_LINE = Rule(
    "chart/unknown-line",
    Severity.ERROR,
    "A chart version that gen-env does not know",
    "Its keys and objects may have other names.",
)
OWNED_KEY = Rule(
    "values/owned-key",
    Severity.ERROR,
    "A key in values: that a field sets, or that gen-env guarantees",
    "One value has one source.",
)

HASH_ANNOTATION = "gen-env.dev/secret-hash."


@dataclasses.dataclass(frozen=True, slots=True)
class Release:
    """Everything that follows from a resolved environment before objects are written.

    `values` are the merged chart values, `settings` the same as decisions with their fields,
    `topology` what will run, `needs` the Secrets that it reads.
    """

    resolved: Resolved
    values: Mapping[str, Any]
    settings: tuple[Setting, ...]
    topology: Topology
    needs: tuple[SecretNeed, ...]

    @property
    def environment(self) -> Environment:
        """The resolved definition."""
        return self.resolved.environment

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
    resolved: Resolved, hashes: Mapping[str, str]
) -> tuple[Release | None, tuple[Problem, ...]]:
    """The release, or the problems that stand in its way.

    `hashes` maps the name of each sealed Secret to a hash of its ciphertext; it lands in the pod
    annotations of the components that read that Secret at start, so that a rotation restarts them.
    """
    adoption = resolved.environment.adoption
    line = chart_lines.line_for(resolved.environment.chart.version)
    if line is None:
        return None, (_unknown_line(resolved),)
    foreign = adopted.foreign_names(resolved)
    if foreign:
        return None, foreign
    settings, owner = line.settings(resolved.environment, resolved.cluster), line.owner
    if adoption is not None:
        narrow, problems = adopted.narrowed(resolved)
        if narrow is None:
            return None, problems
        resolved, settings = narrow, _of_adopted(line, narrow, settings)
        owner = adopted_settings.owner
    environment = resolved.environment
    overlaps = tuple(_overlaps(resolved, line.decided(settings), owner))
    if overlaps:
        return None, overlaps
    values = line.merged(environment, settings)
    topology = line.topology(_running(values, adoption), environment)
    needs = line.needs(topology, environment.secrets.extra)
    restarts = line.restart_annotations(topology, _annotations(needs, hashes))
    if restarts and (adoption is None or "secrets" in adoption.steps):
        settings += restarts
        values = line.merged(environment, settings)
        topology = dataclasses.replace(topology, values=_running(values, adoption))
    return Release(resolved, values, tuple(settings), topology, needs), ()


def _unknown_line(resolved: Resolved) -> Problem:
    hint = f"known chart versions: {chart_lines.known()}"
    message = f"chart {resolved.environment.chart.version} is not supported by this gen-env"
    return resolved.problem(UNKNOWN_LINE, message, "chart", "version", hint=hint)


def _of_adopted(line: ChartLine, narrow: Resolved, full: list[Setting]) -> list[Setting]:
    """What an adopted environment's own words ask for, and what its steps took from `full`."""
    own = line.settings(narrow.environment, narrow.cluster)
    adoption = narrow.environment.adoption
    assert adoption is not None
    return adopted_settings.kept(own, full, adoption, adopted.written(narrow.definition))


def _running(values: Mapping[str, Any], adoption: Adoption | None) -> Mapping[str, Any]:
    """What will run with these values; an adopted environment leaves switches to the chart."""
    return values if adoption is None else adopted_settings.with_switches(values)


def _overlaps(resolved: Resolved, decided: Mapping[Any, str], owner: Any) -> Iterator[Problem]:
    """Keys of `values:` that a field owns: two sources for one value is one too many."""
    for path, value in leaves(resolved.environment.values):
        if not path:
            continue
        key = tuple(str(part) for part in path)
        field = owner(key, decided)
        below = sorted({by for place, by in decided.items() if place[: len(key)] == key})
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
