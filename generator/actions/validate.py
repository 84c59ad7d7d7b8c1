"""`gen-env validate` as steps: every check that can be done, and which could not."""

from __future__ import annotations

import dataclasses
import datetime
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.actions import validate_sealed_secrets, validate_shared
from generator.actions.field_words import Words, fields
from generator.chart import traits_cache
from generator.chart.chart import ChartArchive, ChartError
from generator.core.basis import Basis, NotRead, together
from generator.core.files import Files
from generator.core.layered import Path as KeyPath
from generator.core.layered import lookup
from generator.core.parallel import mapped
from generator.core.problem import NotDone as UndoneCheck
from generator.core.problem import Problem, Severity, ordered
from generator.core.rule import registered
from generator.definition import location, suppressions
from generator.helmvalues.values import Engine, ValuesInput, merged
from generator.kube.pods import title_of
from generator.lint import registry
from generator.lint.definition import all as definition_rules
from generator.lint.definition import repository
from generator.lint.objects import (
    consistency,
    crd_schema,
    kubernetes_schema,
    openshift,
    pod_security,
)
from generator.lint.objects.context import Context
from generator.lint.objects.old_chart_advice import advised
from generator.lint.values import deprecated, unknown_keys
from generator.lint.values.schema import SCHEMA, schema_problems
from generator.model.suppression import Suppression
from generator.pipeline import generate, judged
from generator.pipeline.generate import Built, Charts
from generator.pipeline.stale import is_stale
from generator.release import adopted
from generator.release.release import Release
from generator.render import nondeterminism, normalise
from generator.render.request import SCHEMA as CHART_SCHEMA
from generator.render.request import Rendered, Renderer, RenderFailure, RenderRequest, RenderResult
from generator.tree import catalogue, plan

SHARED = "repository"
"""How a check of what all environments share is named among those that were not made."""


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
    silencing: Mapping[str, tuple[Suppression, ...]] = dataclasses.field(default_factory=dict)
    """By environment, its suppressions that hold now."""
    bases: Mapping[str, Basis] = dataclasses.field(default_factory=dict)
    """By environment, what it was judged by, and the checks that were not made."""

    @property
    def basis(self) -> Basis:
        """That of all environments together."""
        return together(self.bases.values())

    def as_json(self) -> dict[str, Any]:
        """`{"environments", "problems", "notDone", "suppressed", "basis", "releases"}`."""
        return {
            "environments": list(self.environments),
            "problems": [problem.as_json() for problem in self.problems],
            "notDone": [item.as_json() for item in self.not_done],
            "suppressed": [
                {**problem.as_json(), "reason": item.reason, "expires": item.expires}
                for problem, item in self.suppressed
            ],
            "basis": self.basis.as_json(),
            "releases": [
                {"environment": name, "basis": basis.as_json()}
                for name, basis in self.bases.items()
            ],
        }


@dataclasses.dataclass(frozen=True)
class Toolchain:
    """What checks need from outside: files, charts, Helm, CRDs, the day."""

    files: Files
    charts: Charts
    renderer: Renderer | None
    now: datetime.datetime
    crds: Path | None = None
    again: Callable[[RenderRequest], Rendered] | None = None
    progress: Callable[[str], None] = lambda _: None
    root: Path | None = None
    """The work tree that `files` are in, where they are in one."""
    unrendered: str = ""
    """Why nothing may be rendered; checks that need it are then not done. Empty: it may."""


def _of(environment: str, item: UndoneCheck) -> NotDone:
    return NotDone(environment, item.check, f"{item.reason}; {item.hint}")


def crd_folder(root: Path, configured: str | None) -> Path | None:
    """Where CustomResourceDefinitions are: GEN_ENV_CRDS, or `crds:` in gen-env.yaml."""
    given = os.environ.get("GEN_ENV_CRDS")
    if given:
        return Path(given)
    return root / configured if configured else None


def validate(names: Sequence[str], tools: Toolchain) -> Validation:
    """Check these environments, or all; raises UserError for an unknown name."""
    files = tools.files
    loaded, policy = judged.trusted(tools.root, catalogue.load(files))
    generation = generate.generate(
        files, names, tools.charts, tools.renderer, loaded, may_render=not tools.unrendered
    )
    problems = list(generation.catalogue.problems)
    if tools.root is not None:
        problems += location.problems(tools.root, generation.catalogue.settings)
    accepted: list[tuple[Problem, Suppression]] = []
    not_done: list[NotDone] = []
    silencing: dict[str, tuple[Suppression, ...]] = {}
    problems += _estate(files, generation, names, tools.charts)
    shared, left = validate_shared.problems(generation, tools.crds)
    problems += shared
    not_done += [_of(SHARED, item) for item in left]
    named = tuple(item.name for item in generation.outcomes if item.name)
    known = [generation.built.get(outcome.name) for outcome in generation.outcomes]
    checked = mapped(lambda built: _release_problems(built, tools), known)
    for outcome, built, (more, undone) in zip(generation.outcomes, known, checked, strict=True):
        stale = is_stale(tools.root, outcome.name, outcome.plan.paths)
        found = judged.of_this_change(tools.root, loaded.settings, outcome.problems)
        found += plan.drift(files, outcome.plan, outcome.name, stale=stale)
        if built is None or built.release is None or built.resolved is None:
            problems += found
            continue
        tools.progress(f"checked {outcome.name}")
        more = adopted.softened(more, built.release.environment)
        not_done += undone
        # What keeps `generate` from writing the tree cannot be accepted: nothing would be deployed.
        firm = [item for item in outcome.problems if item.severity is Severity.ERROR]
        soft = [item for item in (*found, *more) if item not in firm]
        standing, dropped = suppressions.apply(built.resolved, soft, tools.now.date())
        standing += firm
        used = {item.rule for _, item in dropped}
        standing += suppressions.faults(built.resolved, known_rules(), used, tools.now.date())
        problems += standing
        accepted += dropped
        silencing[outcome.name] = suppressions.active(built.resolved, tools.now.date())
    bases = {
        name: judged.basis(
            generation.built[name],
            policy,
            [
                NotRead(item.check, item.environment, item.reason)
                for item in not_done
                if item.environment in (name, SHARED)
            ],
        )
        for name in named
    }
    return Validation(named, ordered(problems), tuple(accepted), tuple(not_done), silencing, bases)


def known_rules() -> tuple[str, ...]:
    """The id of every rule that can be suppressed."""
    return tuple(rule.id for rule in registered() if suppressions.is_suppressible(rule))


def _estate(
    files: Files, generation: generate.Generation, names: Sequence[str], charts: Charts
) -> Iterator[Problem]:
    """Duplicates, of ciphertexts too, are looked for among all, and told for the chosen ones."""
    found = generation.catalogue
    if found.settings is None:
        return
    chosen = set(names) or set(found.definitions)
    # A finding stands at the later of two: the chosen ones come last.
    everybody = [
        generation.built.get(item.name) or generate.build(files, found.settings, item, charts)
        for item in sorted(found.definitions.values(), key=lambda item: item.name in chosen)
    ]
    resolved = [item.resolved for item in everybody if item.resolved is not None]
    twice = (*repository.problems(resolved), *validate_sealed_secrets.reused(everybody))
    yield from (item for item in twice if item.environment in chosen)


def _release_problems(built: Built | None, tools: Toolchain) -> tuple[list[Problem], list[NotDone]]:
    """Every check of one environment's release, and those that could not be made."""
    if built is None or built.release is None:
        return [], []
    release = built.release
    sealed, undone = validate_sealed_secrets.problems(built, release, tools.files, tools.now)
    problems = [*definition_rules.problems(release), *sealed]
    not_done = [_of(built.name, item) for item in undone]
    try:
        archive = generate.archive_for(built, tools.charts)
    except ChartError as error:
        return [*problems, generate.chart_problem(built, error)], not_done
    if archive is None:
        version = release.environment.chart.version
        reason = f"{tools.charts.missing(version)}: gen-env chart pull {version}, or chart add"
        not_done.append(NotDone(built.name, "chart values and rendered objects", reason))
        return problems, not_done
    told = list(_value_problems(built, release, archive))
    if tools.unrendered:
        checks = ["rendered objects"]
        if release.resolved.settings.repository.chart.source == "rendered":
            checks.append("generated tree")
        not_done += [NotDone(built.name, check, tools.unrendered) for check in checks]
        return [*problems, *told], not_done
    objects = _rendered_problems(built, release, archive, tools, not_done)
    if any(item.rule == SCHEMA.id for item in told):
        # Helm refuses the same values once more, without a line.
        objects = [item for item in objects if item.rule != CHART_SCHEMA.id]
    return [*problems, *told, *objects], not_done


def _value_problems(built: Built, release: Release, archive: ChartArchive) -> Iterator[Problem]:
    """The values that Helm will get: the chart's schema, and every check of values."""
    values = inputs(built, release, archive)
    found = [
        *schema_problems(values, archive.schema()),
        *unknown_keys.unknown_key_problems(values),
        *deprecated.deprecated_problems(values),
        *map(words(built, release, archive).problem, registry.value_problems(values)),
    ]
    yield from (dataclasses.replace(item, environment=built.name) for item in found)


def words(built: Built, release: Release, archive: ChartArchive) -> Words:
    """How the definition calls the chart's keys."""
    decided = release.line.decided(list(release.settings))
    return Words(built.name, lambda key: release.line.owner(key, decided), archive.values())


def inputs(built: Built, release: Release, archive: ChartArchive) -> ValuesInput:
    """The merged values as the checks see them, each key traced back to the definition."""
    assert built.resolved is not None
    decided = {setting.key: setting.field for setting in release.settings}
    resolved = built.resolved
    called = words(built, release, archive)

    def field_of(path: KeyPath) -> KeyPath | None:
        """The field of the definition behind a chart's key; empty for a default of gen-env's."""
        key = tuple(str(part) for part in path)
        for length in range(len(key), 0, -1):
            field = decided.get(key[:length])
            if field is not None:
                whole = (*field.split("."), *key[length:]) if field else ()
                part = whole[: len(whole) - len(key) + length]
                return whole if lookup(resolved.merged.data, whole) is not None else part
        if lookup(resolved.merged.data, ("values", *path)) is None and (
            unset := called.field(key) or _section(key)
        ):
            return tuple(unset.split("."))
        return ("values", *path)

    def locate(path: KeyPath) -> tuple[str, int | None]:
        return resolved.place(*(field_of(path) or ("values",)))

    def built_in(path: KeyPath) -> bool:
        field = field_of(path)
        layer = resolved.merged.origin(field) if field else None
        return layer is None or not layer.path

    return ValuesInput(
        user=release.values,
        merged=merged(archive.values(), release.values),
        chart_version=archive.version,
        engine=_installed_by(release),
        release=release.environment.release,
        namespace=release.environment.namespace,
        kube_version=resolved.cluster.kubernetes_version,
        tier=release.environment.metadata.tier,
        locate=locate,
        built_in=built_in,
        defaults=archive.values(),
        traits=traits_cache.traits(archive),
    )


def _installed_by(release: Release) -> Engine:
    """What the checks go by: under Flux it is Helm, which is told not to wait for pods."""
    return "helm" if release.environment.engine == "flux" else "argocd"


def _section(key: tuple[str, ...]) -> str:
    """The part of a definition in which a person looks for a component's key."""
    return key[0] if key and key[0] in fields() else ""


def _rendered_problems(
    built: Built,
    release: Release,
    archive: ChartArchive,
    tools: Toolchain,
    not_done: list[NotDone],
) -> list[Problem]:
    problems: list[Problem] = []
    result = generate.render_release(built, tools.charts, tools.renderer, problems)
    if result is None:
        return problems
    everything: list[Any] = [*generate.written(built), *result.manifests]
    environment = release.environment
    version = release.resolved.cluster.kubernetes_version
    problems += _random(built, archive, result, tools)
    found = list(kubernetes_schema.problems(everything, version))
    crds = crd_schema.check(everything, tools.crds)
    found += crds.problems
    not_done += [_of(built.name, item) for item in crds.not_done]
    found += pod_security.problems(everything, environment.security.pod_security)
    if environment.security.openshift or release.resolved.cluster.openshift:
        found += openshift.problems(everything)
    found += repository.hosts_of_objects(release.resolved, everything)
    found += consistency.problems(everything, _context(release, inputs(built, release, archive)))
    place = built.definition.path
    titles = sorted(map(title_of, everything), key=len, reverse=True)
    problems += [
        dataclasses.replace(
            advised(item, release),
            environment=built.name,
            path=item.path or place,
            about=next((title for title in titles if item.message.startswith(title)), ""),
        )
        for item in found
    ]
    return problems


def _random(
    built: Built, archive: ChartArchive, first: RenderResult, tools: Toolchain
) -> Iterator[Problem]:
    """What a second render makes differently: each sync would change it."""
    if tools.again is None or built.resolved is None or built.release is None:
        return
    request = generate.request(built, archive)
    second = tools.again(request)
    if isinstance(second, RenderFailure):
        return
    pins = built.release.line.pins
    for field in nondeterminism.compare(first, second, request.namespace, pins):
        hint = f"set {' or '.join(field.pinned_by)}" if field.pinned_by else ""
        yield built.resolved.problem(
            normalise.RANDOM,
            f"{field.resource}: {field.field} is generated again by every render",
            "values",
            hint=hint,
        )


def _context(release: Release, values: ValuesInput) -> Context:
    """Secrets that come from outside, and those that cert-manager makes, count as known."""
    environment = release.environment
    known = release.brought | dict.fromkeys(release.line.tls_secrets(environment))
    settings = release.resolved.settings.repository
    hub = settings.flux if environment.engine == "flux" else settings.argocd
    return Context(
        namespace=environment.namespace,
        secrets=known,
        config_maps=environment.expected_config_maps,
        engine=_installed_by(release),
        tier=environment.metadata.tier,
        other_namespaces=(hub.namespace,),
        values=values,
        # Generated Applications ask for it; helm-controller does it by default.
        server_side=True,
    )
