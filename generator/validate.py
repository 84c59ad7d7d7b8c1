"""`gen-env validate` as steps: every check that can be done, and which could not."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator import pipeline, plan, suppress
from generator.chart import ChartArchive, ChartError
from generator.checks import (
    crd_schema,
    definition,
    deprecated,
    estate,
    kubernetes_schema,
    pod_security,
    registry,
    rendered,
    unknown_keys,
    values_schema,
)
from generator.checks.values_input import ValuesInput, merged
from generator.files import Files
from generator.layers import Path as KeyPath
from generator.model.features import Suppression
from generator.pipeline import Built, Charts
from generator.problem import Problem, ordered
from generator.release import Release
from generator.render import Renderer


@dataclasses.dataclass(frozen=True, slots=True)
class NotDone:
    """A check that could not be made, and what would make it possible."""

    environment: str
    check: str
    reason: str

    def as_json(self) -> dict[str, str]:
        """The documented shape."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Validation:
    """The result: environments looked at, findings, accepted findings, checks not done."""

    environments: tuple[str, ...]
    problems: tuple[Problem, ...]
    suppressed: tuple[tuple[Problem, Suppression], ...]
    not_done: tuple[NotDone, ...]

    def as_json(self) -> dict[str, Any]:
        """`{"environments", "problems", "notDone", "suppressed"}`."""
        return {
            "environments": list(self.environments),
            "problems": [problem.as_json() for problem in self.problems],
            "notDone": [item.as_json() for item in self.not_done],
            "suppressed": [
                {**problem.as_json(), "reason": item.reason, "expires": item.expires}
                for problem, item in self.suppressed
            ],
        }


@dataclasses.dataclass(frozen=True)
class Means:
    """What checks need from outside: charts, Helm, CRDs, the day."""

    charts: Charts
    renderer: Renderer | None
    today: datetime.date
    crds: Path | None = None
    progress: Callable[[str], None] = lambda _: None


def crd_folder(root: Path, configured: str | None) -> Path | None:
    """Where CustomResourceDefinitions are: GEN_ENV_CRDS, or `crds:` in gen-env.yaml."""
    given = os.environ.get("GEN_ENV_CRDS")
    if given:
        return Path(given)
    return root / configured if configured else None


def validate(files: Files, names: Sequence[str], means: Means) -> Validation:
    """Check these environments, or all; raises UserError for an unknown name."""
    generation = pipeline.generate(files, names, means.charts, means.renderer)
    problems = list(generation.catalogue.problems)
    accepted: list[tuple[Problem, Suppression]] = []
    not_done: list[NotDone] = []
    problems += _estate(files, generation, names)
    for outcome in generation.outcomes:
        found = [*outcome.problems, *plan.drift(files, outcome.plan, outcome.name)]
        built = generation.built.get(outcome.name)
        if built is None or built.release is None or built.resolved is None:
            problems += found
            continue
        means.progress(f"checking {outcome.name}")
        more, undone = _release_problems(built, built.release, means)
        not_done += undone
        standing, dropped = suppress.apply(built.resolved, [*found, *more], means.today)
        used = {item.rule for _, item in dropped}
        standing += suppress.faults(built.resolved, known_rules(), used, means.today)
        problems += standing
        accepted += dropped
    named = tuple(item.name for item in generation.outcomes if item.name)
    return Validation(named, ordered(problems), tuple(accepted), tuple(not_done))


def known_rules() -> tuple[str, ...]:
    """The id of every rule that can be suppressed."""
    rules = (*registry.RULES, *definition.rules(), *estate.RULES)
    return tuple(rule.id for rule in rules)


def _estate(
    files: Files, generation: pipeline.Generation, names: Sequence[str]
) -> Iterator[Problem]:
    """Duplicates are looked for among all environments, and told for the chosen ones."""
    found = generation.catalogue
    if found.settings is None:
        return
    everybody = [
        generation.built.get(item.name) or pipeline.build(files, found.settings, item)
        for item in found.definitions.values()
    ]
    resolved = [item.resolved for item in everybody if item.resolved is not None]
    chosen = set(names) or set(found.definitions)
    yield from (item for item in estate.problems(resolved) if item.environment in chosen)


def _release_problems(
    built: Built, release: Release, means: Means
) -> tuple[list[Problem], list[NotDone]]:
    problems = list(definition.problems(release))
    not_done: list[NotDone] = []
    try:
        archive = pipeline.archive_for(built, means.charts)
    except ChartError as error:
        return [*problems, pipeline.chart_problem(built, error)], not_done
    if archive is None:
        version = release.environment.chart.version
        reason = f"chart airflow {version} is not in the cache: gen-env chart pull {version}"
        not_done.append(NotDone(built.name, "chart values and rendered objects", reason))
        return problems, not_done
    problems += _value_problems(built, release, archive)
    problems += _rendered_problems(built, release, archive, means, not_done)
    return problems, not_done


def _value_problems(built: Built, release: Release, archive: ChartArchive) -> Iterator[Problem]:
    """The values that Helm will get, against the chart's schema and against every known trap."""
    values = inputs(built, release, archive)
    schema, defaults = archive.schema(), archive.values()
    found = [
        *values_schema.schema_problems(values, schema),
        *unknown_keys.unknown_key_problems(values, schema, defaults),
        *deprecated.deprecated_problems(values),
        *registry.trap_problems(values),
    ]
    yield from (dataclasses.replace(item, environment=built.name) for item in found)


def inputs(built: Built, release: Release, archive: ChartArchive) -> ValuesInput:
    """The merged values as the traps see them, each key traced back to the definition."""
    assert built.resolved is not None
    fields = {setting.key: setting.field for setting in release.settings}
    resolved = built.resolved

    def locate(path: KeyPath) -> tuple[str, int | None]:
        key = tuple(str(part) for part in path)
        for length in range(len(key), 0, -1):
            field = fields.get(key[:length])
            if field is not None:
                return resolved.place(*field.split(".")) if field else resolved.place("values")
        return resolved.place("values", *path)

    return ValuesInput(
        user=release.values,
        merged=merged(archive.values(), release.values),
        chart_version=archive.version,
        engine="argocd",
        release=release.environment.release,
        namespace=release.environment.namespace,
        kube_version=resolved.cluster.kubernetes_version,
        tier=release.environment.metadata.tier,
        locate=locate,
    )


def _rendered_problems(
    built: Built,
    release: Release,
    archive: ChartArchive,
    means: Means,
    not_done: list[NotDone],
) -> list[Problem]:
    problems: list[Problem] = []
    result = pipeline.render_release(built, means.charts, means.renderer, problems)
    if result is None:
        return problems
    own = pipeline.own_manifests(built)
    everything: list[Mapping[str, Any]] = [*own, *result.manifests]
    cluster = release.resolved.cluster
    found: list[Problem] = []
    found += kubernetes_schema.problems(everything, cluster.kubernetes_version)
    crds = crd_schema.check(everything, means.crds)
    found += crds.problems
    not_done += [NotDone(built.name, item.check, item.reason) for item in crds.not_done]
    level = release.environment.security.pod_security
    if level != "privileged":
        found += pod_security.problems(everything, level)
    found += rendered.problems(everything, rendered_context(release))
    place = built.definition.path
    problems += [
        dataclasses.replace(item, environment=built.name, path=item.path or place) for item in found
    ]
    return problems


def rendered_context(release: Release) -> Any:
    """What the checks of rendered objects must know of the environment."""
    return rendered.Context(
        namespace=release.environment.namespace,
        secrets={need.name: frozenset(need.key_names) for need in release.needs},
        engine="argocd",
    )
