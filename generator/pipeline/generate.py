"""The steps joined: from a repository's files to plans, renders and findings."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Collection, Mapping, Sequence

from generator.chart.chart import ChartArchive, ChartError
from generator.chart.provider import Charts as Charts
from generator.chart.traits import ChartTraits
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.parallel import mapped
from generator.core.problem import Problem, Severity, has_errors
from generator.core.rule import Rule
from generator.definition import lock_file, resolve
from generator.definition.definition import Definition, Settings
from generator.definition.resolve import Resolved
from generator.engine import flux, flux_reach
from generator.engine.argocd import GENERATED, PROJECTS
from generator.engine.argocd_reach import ACCESS
from generator.kube.resource import Object
from generator.model.environment import Engine
from generator.model.repository import Repository
from generator.pipeline import chart_traits
from generator.release import chart_lines, release
from generator.release.release import Release
from generator.render import helm_notes
from generator.render.request import Renderer, RenderFailure, RenderRequest, RenderResult
from generator.tree import (
    catalogue,
    declared,
    editor_schemas,
    foreign,
    image_files,
    objects,
    plan,
    runbook_files,
    tree,
)
from generator.tree.catalogue import NO_SECRETS, Catalogue, SecretFolder
from generator.tree.declared import OwnFile
from generator.tree.objects import SecretFile
from generator.tree.plan import Plan

ARCHIVE = Rule(
    "chart/archive",
    Severity.ERROR,
    "A chart archive that cannot be used",
    "It is corrupt, differs from the locked one, or is not available.",
)


@dataclasses.dataclass(frozen=True)
class Built:
    """One environment on its way: whatever could be made of it, and every finding so far."""

    definition: Definition
    resolved: Resolved | None = None
    release: Release | None = None
    folder: SecretFolder = NO_SECRETS
    own: tuple[OwnFile, ...] = ()
    """The files of manifests/ that the definition declares."""
    lock: lock_file.Lock | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def secrets(self) -> tuple[SecretFile, ...]:
        """Its SealedSecrets."""
        return self.folder.sealed

    @property
    def name(self) -> str:
        """The path below environments/."""
        return self.definition.name


def build(
    files: Files, settings: Settings, definition: Definition, charts: Charts | None = None
) -> Built:
    """Resolve one definition and build its release.

    `charts` are asked for the archive of a chart whose keys gen-env does not know by heart;
    without them such an environment is resolved and has no release.
    """
    secrets = catalogue.secret_files(files, definition)
    resolved, found = resolve.resolve(definition, settings)
    problems = [*secrets.problems, *found]
    lock = None
    try:
        lock = catalogue.lock(files, definition)
    except UserError as error:
        problems.append(
            lock_file.BROKEN.problem(
                error.message,
                environment=definition.name,
                path=error.path,
                line=error.line,
                hint=error.hint,
            )
        )
    if resolved is None:
        return Built(definition, None, None, secrets, (), lock, tuple(problems))
    if lock is not None:
        problems += lock_file.faults(lock, resolved)
    own, faults = declared.load(files, resolved)
    made = Built(definition, resolved, None, secrets, own, lock, (*problems, *faults))
    try:
        traits = _traits(made, charts)
    except ChartError as error:
        return _with_problems(made, chart_problem(made, error))
    if traits is None:
        digest = _known_digest(made)
        if refused := tuple(chart_traits.refusals(resolved, digest, charts)):
            return _with_problems(made, *refused)
    built, found = release.build(resolved, tree.hashes(made.secrets), traits)
    if built is not None and (unknown := flux.problems(built)):
        built, found = None, (*found, *unknown)
    return dataclasses.replace(_with_problems(made, *found), release=built)


def _traits(made: Built, charts: Charts | None) -> ChartTraits | None:
    """What the chart of an environment does with keys; None where gen-env writes for that chart."""
    assert made.resolved is not None
    version = made.resolved.environment.chart.version
    if chart_lines.line_for(version) is None or not chart_lines.needs_traits(version):
        return None
    return chart_traits.of(version, _known_digest(made), charts)


def _with_problems(made: Built, *problems: Problem) -> Built:
    return dataclasses.replace(made, problems=(*made.problems, *problems))


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What `generate` has to do for one environment, or for the repository as a whole."""

    name: str
    plan: Plan
    problems: tuple[Problem, ...]
    planned: bool = True
    """Whether the tree is known; without it the plan is empty and says nothing."""


@dataclasses.dataclass(frozen=True)
class Generation:
    """All outcomes; nothing is written yet."""

    catalogue: Catalogue
    outcomes: tuple[Outcome, ...]
    built: Mapping[str, Built]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every finding, of the repository and of each environment."""
        found = list(self.catalogue.problems)
        for outcome in self.outcomes:
            found += outcome.problems
        return tuple(found)

    def outcome(self, name: str) -> Outcome | None:
        """The outcome of one environment, or of the repository as a whole (no name)."""
        return next((item for item in self.outcomes if item.name == name), None)

    def plan_of(self, *names: str) -> Plan:
        """One plan for these environments; no name is the repository as a whole."""
        plans = (item.plan for item in self.outcomes if item.name in names)
        return functools.reduce(operator.or_, plans, Plan({}))

    def problems_of(self, name: str) -> tuple[Problem, ...]:
        """The findings of one environment, and those of the repository."""
        return tuple(item for item in self.problems if item.environment in ("", name))

    @property
    def failed(self) -> frozenset[str]:
        """Environments that cannot be generated; the others can.

        A foreign file beside the tree is an error of every check, and no reason not to write.
        """
        errors = [item for item in self.problems if item.severity is Severity.ERROR]
        return frozenset(item.environment for item in errors if item.rule != foreign.FOREIGN.id)


def generate(
    files: Files,
    names: Sequence[str],
    charts: Charts,
    renderer: Renderer | None = None,
    loaded: Catalogue | None = None,
    *,
    whole: bool = True,
    may_render: bool = True,
) -> Generation:
    """Plan the trees of these environments, or of all; raises UserError for an unknown name.

    `loaded` is what `files` hold, where somebody read it already. Without `whole`, what belongs to
    the repository as a whole is left out; a managed project needs every environment. Unless it
    `may_render`, an environment whose chart is kept rendered in git has no plan.
    """
    found = loaded or catalogue.load(files)
    chosen = found.chosen(names)
    if found.settings is None:
        return Generation(found, (), {})
    everybody = chosen
    if whole and found.settings.repository.argocd.project.manage:
        everybody = tuple(found.definitions.values())
    built = {item.name: build(files, found.settings, item, charts) for item in everybody}
    kept = found.settings.repository.chart.source == "rendered"
    releases = [built[item.name] for item in chosen]

    def outcome(item: Built) -> Outcome:
        return _outcome(files, item, charts, renderer, found.names)

    if kept and may_render:
        outcomes = list(mapped(outcome, releases))
    elif kept:
        outcomes = [_unrendered(files, item, found.names) for item in releases]
    else:
        outcomes = list(map(outcome, releases))
    if not whole:
        return Generation(found, tuple(outcomes), built)
    broken = any(item.environment for item in found.problems)
    broken = broken or any(has_errors(item.problems) for item in built.values())
    broken = broken or any(has_errors(item.problems) for item in outcomes)
    outcomes.append(_bootstrap(files, found, list(built.values()), complete=not broken))
    return Generation(found, tuple(outcomes), built)


def _unrendered(files: Files, built: Built, names: Collection[str]) -> Outcome:
    """No plan, as the tree cannot be known without a render; what lies beside it is looked at."""
    if built.release is None:
        return Outcome(built.name, Plan({}), built.problems, planned=False)
    made = files.below(f"{built.definition.folder}/{GENERATED}")
    known = {*made, *(item.path for item in built.own)}
    known |= {item.path for item in built.problems if item.severity is Severity.ERROR}
    strangers = foreign.in_environment(files, built.release, built.folder, known, names)
    return Outcome(built.name, Plan({}), (*built.problems, *strangers), planned=False)


def _outcome(
    files: Files,
    built: Built,
    charts: Charts,
    renderer: Renderer | None,
    names: Collection[str],
) -> Outcome:
    if built.release is None:
        return Outcome(built.name, Plan({}), built.problems, planned=False)
    problems = list(built.problems)
    digest = _digest(built, charts, problems)
    render = None
    if built.release.resolved.settings.repository.chart.source == "rendered":
        rendered = render_release(built, charts, renderer, problems)
        if rendered is None:
            return Outcome(built.name, Plan({}), tuple(problems), planned=False)
        render = rendered.manifests
    image = image_files.built(files, built.release.resolved)
    wanted = (
        image
        | runbook_files.built(built.release)
        | tree.build(
            built.release,
            built.secrets,
            chart_digest=digest,
            brought=built.folder.others,
            render=None if render is None else lambda: render,
        )
    )
    kept = [] if image.files else image_files.present(files, built.release.resolved)
    owned = tree.owned_folders(built.name)
    compared = plan.compare(files, wanted.files, owned, built.name, kept=kept)
    problems += (*wanted.problems, *compared.problems)
    known = {*wanted.files, *kept, *compared.removals, *(item.path for item in built.own)}
    known |= {item.path for item in problems if item.severity is Severity.ERROR}
    problems += foreign.in_environment(files, built.release, built.folder, known, names)
    return Outcome(built.name, compared, tuple(problems))


def _digest(built: Built, charts: Charts, problems: list[Problem]) -> str | None:
    """The digest for the lock: the known one while the version stays, else that of the chart here.

    An archive at hand that is another than the known one is a finding, whatever the chart source.
    """
    assert built.release is not None
    known = _known_digest(built)
    version = built.release.environment.chart.version
    try:
        if charts.confirms(version, known):
            return known
        archive = charts.at_hand(version, known)
    except ChartError as error:
        problems.append(chart_problem(built, error))
        return known
    return archive.digest if archive else known


def _known_digest(built: Built) -> str | None:
    """The digest that the definition names, else the one it is locked to."""
    assert built.resolved is not None
    chart = built.resolved.environment.chart
    same = built.lock is not None and built.lock.chart_version == chart.version
    return chart.digest or (built.lock.chart_digest if built.lock and same else None)


def chart_problem(built: Built, error: UserError) -> Problem:
    """A finding about the chart archive, at the definition's chart version."""
    place = built.definition.document.line(("chart", "version"))
    return ARCHIVE.problem(
        error.message,
        environment=built.name,
        path=built.definition.path,
        line=place,
        hint=error.hint,
    )


def _bootstrap(
    files: Files, found: Catalogue, built: Sequence[Built], *, complete: bool
) -> Outcome:
    """Files of the repository as a whole, and no roles of environments that are gone.

    A project lists what its environments use. While one of them has errors (not `complete`) the
    projects stay as they are: without it, its deployed Application would lose its permission.
    """
    assert found.settings is not None
    repository = found.settings.repository
    releases = [item.release for item in built if item.release is not None]
    deployed = found.deployed
    made = tree.bootstrap(repository, releases, deployed.values())
    wanted = {**editor_schemas.files(files), **made}
    names = found.names | set(repository.argocd.root.ejected)
    known = {*wanted, *(objects.access_path(name) for name in names)}
    known |= {path for name in names for path in _cluster_files(repository, name, deployed)}
    owned, unjudged = [ACCESS, PROJECTS, *flux_reach.closed(repository)], []
    if not complete and repository.argocd.project.manage:
        owned.remove(PROJECTS)
        projects = {}
        for path in [path for path in wanted if path.startswith(PROJECTS)]:
            projects[path] = wanted.pop(path)
        unjudged = list(foreign.unjudged(files, projects))
    compared = plan.compare(files, wanted, owned, kept=known)
    known |= {*compared.removals, *(item.path for item in unjudged)}
    strangers = foreign.in_repository(files, repository, known, names, flux=found.uses_flux)
    ejected = foreign.ejected(files, repository)
    return Outcome("", compared, (*compared.problems, *unjudged, *strangers, *ejected))


def _cluster_files(
    repository: Repository, name: str, deployed: Mapping[str, tuple[Engine, str]]
) -> tuple[str, ...]:
    """Where the Flux of a cluster may find an environment; anywhere, if nobody knows it yet."""
    engine, cluster = deployed.get(name, ("flux", ""))
    if engine != "flux":
        return ()
    anywhere = flux_reach.cluster_files(repository, name)
    return (f"{repository.flux.folder(cluster)}/{name}.yaml",) if cluster else anywhere


def archive_for(built: Built, charts: Charts) -> ChartArchive | None:
    """The chart archive of an environment: the version it names, with the digest it is locked to.

    Raises ChartError for a broken archive or another digest; None where none is at hand.
    """
    assert built.release is not None
    return charts.meant(built.release.environment.chart.version, _known_digest(built))


def request(built: Built, archive: ChartArchive) -> RenderRequest:
    """What Helm is asked to render for an environment."""
    assert built.release is not None
    cluster = built.release.resolved.cluster
    return RenderRequest(
        chart=archive.path,
        release=built.release.environment.release,
        namespace=built.release.environment.namespace,
        values=built.release.values,
        kube_version=cluster.kubernetes_version,
        api_versions=tuple(sorted(cluster.api_versions)),
    )


def render_release(
    built: Built, charts: Charts, renderer: Renderer | None, problems: list[Problem]
) -> RenderResult | None:
    """Render one environment's chart; problems get what stood in the way."""
    try:
        archive = archive_for(built, charts)
    except ChartError as error:
        problems.append(chart_problem(built, error))
        return None
    if archive is None or renderer is None:
        version = built.release.environment.chart.version if built.release else ""
        message = f"{charts.missing(version)}, so nothing can be rendered"
        hint = f"gen-env chart pull {version}, or gen-env chart add FILE.tgz"
        problems.append(chart_problem(built, UserError(message, hint=hint)))
        return None
    asked = request(built, archive)
    rendered = renderer.render(asked)
    if isinstance(rendered, RenderFailure):
        problems += rendered.problems(environment=built.name, path=built.definition.path)
        return None
    problems += [
        dataclasses.replace(item, environment=built.name, path=built.definition.path)
        for item in rendered.problems
        if not helm_notes.is_unwritten(item, asked.values)
    ]
    return rendered


def own_manifests(built: Built) -> list[Object]:
    """The objects that gen-env adds to the chart's: what the engine applies beside Helm's."""
    assert built.release is not None
    return [*_flat(objects.beside(built.release, built.secrets)), *_brought(built)]


def written(built: Built) -> list[Object]:
    """Every object that `generate` writes for an environment, and those that people bring."""
    assert built.release is not None
    made = objects.written(built.release, built.secrets, built.folder.others)
    return [*_flat(made), *_brought(built)]


def _brought(built: Built) -> list[Object]:
    """Objects beside SealedSecrets in secrets/, and the declared ones in manifests/."""
    others = [file.manifest for file in built.folder.others]
    return [*others, *(manifest for file in built.own for manifest in file.manifests)]


def _flat(by_path: Mapping[str, Sequence[Object]]) -> list[Object]:
    return [item for objects in by_path.values() for item in objects]
