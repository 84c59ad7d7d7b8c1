"""One side of a comparison: what the cluster is given at a revision, read from its files."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.airflow.image_release import Runs
from generator.chart.chart import ChartError
from generator.core.basis import NOTHING, Basis, NotRead, Origin, Version
from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition import lock_file
from generator.definition.definition import ROOT, Settings
from generator.diff.equality import plain
from generator.diff.model import UNKNOWN as NO_FACTS
from generator.diff.model import Facts, Side
from generator.engine import argocd_reach, deployment, flux_reach, flux_unread
from generator.engine.argocd import CHART_FOLDER, GENERATED
from generator.engine.deployment import Deployment
from generator.kube import fields
from generator.kube.resource import Object, key_of
from generator.kube.workload import workloads
from generator.model.image import ImageFacts
from generator.model.repository import Cluster, Repository
from generator.pipeline import generate, governing
from generator.pipeline.generate import Built, Charts
from generator.release import chart_lines
from generator.release.secret import SealedConnection
from generator.render.request import Renderer, RenderFailure, RenderRequest
from generator.tree import catalogue
from generator.yaml.errors import YamlError
from generator.yaml.manifests import load_manifests

if TYPE_CHECKING:
    from generator.render.nondeterminism import RandomField
    from generator.render.normalise import Normalised

# What renders and judges is imported where it is done: a kept comparison needs none of it.

NOT_POSSIBLE = Rule(
    "render/not-possible",
    Severity.ERROR,
    "A side of a comparison that cannot be rendered",
    "The effect of the change is then unknown.",
    command="diff",
)

_DEPLOYED = tuple(f"{folder}/" for folder in argocd_reach.CLOSED)


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Everything of one environment that decides what its cluster is given.

    `unreadable` is the first file that could not be read.
    """

    name: str
    files: Mapping[str, bytes]
    cluster: Cluster | None
    built: Built | None
    unreadable: UserError | None = None
    prefix: str = ""
    """What stands before the paths in git."""
    governing: tuple[Object, ...] = ()
    """What governs it from outside its folder."""

    @property
    def identity(self) -> str:
        """A hash of all of it: equal inputs need no comparison."""
        digest = hashlib.sha256()
        for path in sorted(self.files):
            relative = path.removeprefix(f"{ROOT}/{self.name}/")
            if relative.startswith(_DEPLOYED) or relative == lock_file.FILE_NAME:
                digest.update(relative.encode() + b"\0" + self.files[path] + b"\0")
        if self.cluster is not None:
            digest.update(
                repr((self.cluster.kubernetes_version, self.cluster.api_versions)).encode()
            )
        digest.update("".join(map(plain, self.governing)).encode())
        return digest.hexdigest()

    @property
    def promised(self) -> str | None:
        """What the definition says beyond the tree, to compare; None where it cannot be built."""
        if self.built is None or self.built.release is None:
            return None
        return repr(beyond_tree(self))

    def path(self, place: str) -> str:
        """The path of a file below the environment's folder."""
        return f"{ROOT}/{self.name}/{place}"

    def text(self, place: str) -> bytes | None:
        """The content of such a file."""
        return self.files.get(self.path(place))

    @functools.cached_property
    def deployment(self) -> Deployment | None:
        """How it is deployed, or None where nothing says so that can be read."""
        try:
            return deployment.read(self.files, f"{ROOT}/{self.name}")
        except UserError:
            return None

    @property
    def main_file(self) -> str:
        """The path of the file with the Application or HelmRelease."""
        by_flux = self.deployment is not None and self.deployment.engine == "flux"
        return self.path(deployment.HELM_RELEASE if by_flux else deployment.APPLICATION)

    @property
    def target(self) -> tuple[str, str, str] | None:
        """Server, namespace and release: what makes it the same deployment under another name."""
        found, lock = self.deployment, _lock(self)
        if found is None:
            return None
        server = found.server if found.engine == "argocd" or lock is None else lock.server
        return (server, found.namespace, found.release)


def inputs(
    files: Files,
    name: str,
    settings: Settings | None,
    built: Built | None = None,
    charts: Charts | None = None,
) -> Inputs | None:
    """The inputs of an environment on one side, or None where it is not there.

    `built` is what its definition gives, where somebody built it already; `charts` are what it is
    built with otherwise.
    """
    folder = f"{ROOT}/{name}"
    found, unreadable = _contents(files, folder)
    if not any(path.startswith(f"{folder}/{GENERATED}/") for path in found):
        return None
    if unreadable is not None:
        return Inputs(name, found, None, None, unreadable)
    if built is None and settings is not None and f"{folder}/environment.yaml" in found:
        definition = catalogue.one(files, name)
        built = generate.build(files, settings, definition, charts) if definition else None
    cluster = built.resolved.cluster if built and built.resolved else None
    if cluster is None and settings is not None:
        cluster = _cluster_by_server(found, name, settings)
    prefix = settings.repository.repository.prefix if settings is not None else ""
    item = Inputs(name, found, cluster, built, prefix=prefix)
    governed_by = governing.of(files, name, item.deployment, settings)
    unreadable = _beyond_files(files, item, settings)
    return dataclasses.replace(item, governing=governed_by, unreadable=unreadable)


def _beyond_files(files: Files, item: Inputs, settings: Settings | None) -> UserError | None:
    """Why Flux would install something else than an environment's files say, if so."""
    if settings is None or item.deployment is None or item.deployment.engine != "flux":
        return None
    name, folder = fields.name_of(item.deployment.manifest), f"{ROOT}/{item.name}"
    try:
        flux_unread.require_release(item.deployment.objects, settings.repository, item.main_file)
        for path in flux_reach.cluster_files(settings.repository, item.name):
            objects = load_manifests(files.read(path) or b"", path=path)
            flux_unread.require_kustomizations(objects, name, folder, settings.repository, path)
    except UserError as error:
        return error
    return None


def _contents(files: Files, folder: str) -> tuple[dict[str, bytes], UserError | None]:
    found: dict[str, bytes] = {}
    unreadable = None
    for path in files.below(folder):
        try:
            found[path] = files.read(path) or b""
        except UserError as error:
            found[path] = b""
            unreadable = unreadable or error
    for path, fault in files.entries(folder):
        if fault and path.removeprefix(f"{folder}/").startswith(_DEPLOYED):
            unreadable = unreadable or UserError(f"gen-env does not read it: {fault}", path=path)
    return found, unreadable


def _cluster_by_server(found: Mapping[str, bytes], name: str, settings: Settings) -> Cluster | None:
    target = Inputs(name, found, None, None).target
    clusters = settings.repository.clusters.values()
    return next((item for item in clusters if target and item.server == target[0]), None)


def cluster_name(repository: Repository, inputs: Inputs) -> str:
    """How the settings call the cluster of an environment."""
    if inputs.built is not None and inputs.built.resolved is not None:
        return inputs.built.resolved.environment.destination.cluster
    known = repository.clusters.items()
    return next((name for name, item in known if item == inputs.cluster), "")


def _promises(item: Inputs) -> tuple[str | None, int | None, tuple[str, ...]]:
    """What the definition says beyond its tree: database host, its connections, known Secrets."""
    release = item.built.release if item.built else None
    if release is None:
        return None, None, ()
    database = release.environment.database
    return database.host, database.max_connections, tuple(sorted(release.brought))


def _image_facts(item: Inputs) -> ImageFacts | None:
    release = item.built.release if item.built else None
    return release.environment.image.facts if release else None


def beyond_tree(item: Inputs) -> tuple[object, ...]:
    """All that a comparison takes from the definition and not from the tree."""
    return (_promises(item), _connections(item), _image_facts(item))


def _connections(item: Inputs) -> tuple[SealedConnection, ...]:
    """Where the connections lead that the definition has sealed."""
    release = item.built.release if item.built else None
    if release is None:
        return ()
    from generator.seal import derived_values

    connections = (derived_values.expected_connections(release, need) for need in release.sealed)
    return tuple(itertools.chain.from_iterable(connections))


def render(revision: str, item: Inputs, charts: Charts, renderer: Renderer) -> Side:
    """Render the environment: its chart, the objects beside it, those of its engine.

    What stands in the way becomes the side's failure; the other side and the other environments
    go on.
    """
    from generator.impact.context import View
    from generator.render import normalise

    try:
        if item.unreadable is not None:
            raise item.unreadable
        own = own_manifests(item)
        values = _values(item)
        found = item.deployment or deployment.read(item.files, f"{ROOT}/{item.name}")
        if found is not None and found.engine == "flux":
            flux_unread.require_values(item.files, f"{ROOT}/{item.name}", found.manifest)
            flux_unread.require_objects((*own, *item.governing), item.main_file)
    except UserError as error:
        return _failed(revision, item, error.message, error.path, error.line, error.hint)
    if found is None or item.cluster is None:
        return _failed(
            revision,
            item,
            "its Application or HelmRelease is missing or names no known cluster",
            hint=f"gen-env generate {item.name}",
        )
    namespace = found.namespace
    # The files that Flux applies have them already.
    manifests = [*own, *(map(dict, found.objects) if found.engine == "argocd" else ())]
    warnings: tuple[Problem, ...] = ()
    random: tuple[RandomField, ...] = ()
    facts = _facts(item, values, found, renderer)
    if not is_rendered(item):
        rendered = _chart(item, found, values, charts, renderer)
        if isinstance(rendered, Problem):
            return _unrendered(revision, item, rendered, facts, namespace)
        manifests += rendered.manifests
        warnings, random = rendered.warnings, rendered.random
        if found.engine == "flux":
            by_helm = frozenset(key_of(manifest, namespace) for manifest in rendered.manifests)
            facts = dataclasses.replace(facts, by_helm=by_helm)
    facts = dataclasses.replace(facts, warnings=warnings)
    problems = normalise.problems(random, environment=item.name, path=_values_path(item))
    made = Side(revision, tuple(manifests), facts, namespace, problems=tuple(problems))
    return dataclasses.replace(made, basis=_basis(item, View(made).runs, found))


def governed(rendered: Side, item: Inputs) -> Side:
    """The side with the objects that govern it, to compare with another such side."""
    if rendered.failure is not None or not item.governing:
        return rendered
    keys = frozenset(key_of(manifest, rendered.namespace) for manifest in item.governing)
    return dataclasses.replace(
        rendered,
        manifests=(*rendered.manifests, *item.governing),
        facts=dataclasses.replace(rendered.facts, governing=keys),
    )


def is_rendered(item: Inputs) -> bool:
    """Whether git holds its chart rendered."""
    return any(f"/{GENERATED}/manifests/{CHART_FOLDER}/" in path for path in item.files)


def own_manifests(item: Inputs) -> list[dict[str, Any]]:
    """Objects in git: those that the engine applies from the folder of the environment.

    Raises UserError for a file that does not parse.
    """
    if item.deployment is None:
        return []
    if item.deployment.engine == "flux":
        read = flux_reach.manifests(item.files, f"{ROOT}/{item.name}")
    else:
        paths = argocd_reach.manifests(item.deployment.manifest, sorted(item.files), item.prefix)
        read = [path for path in paths if argocd_reach.SKIPPED not in item.files[path]]
    return [manifest for path in read for manifest in load_manifests(item.files[path], path=path)]


def _values(item: Inputs) -> dict[str, Any]:
    text = item.text(f"{GENERATED}/values.yaml")
    loaded = load_manifests(text, path=_values_path(item)) if text else []
    if len(loaded) > 1:
        raise UserError("more than one YAML document: Helm reads one", path=_values_path(item))
    return loaded[0] if loaded else {}


def _lock(item: Inputs) -> lock_file.Lock | None:
    text = item.text(lock_file.FILE_NAME)
    try:
        return lock_file.read(text, item.path(lock_file.FILE_NAME)) if text else None
    except YamlError:
        return None


def _chart(
    item: Inputs,
    deployed: Deployment,
    values: Mapping[str, Any],
    charts: Charts,
    renderer: Renderer,
) -> Normalised | Problem:
    from generator.render import normalise

    version, digest = _chart_meant(item, deployed)
    try:
        chart = charts.locate(version, digest)
    except ChartError as error:
        return _problem(item, error.message, error.path, None, error.hint)
    if chart is None:
        return _problem(
            item,
            charts.missing(version),
            hint=f"gen-env chart pull {version}, or gen-env chart add FILE.tgz",
        )
    assert item.cluster is not None
    request = RenderRequest(
        chart=chart,
        release=deployed.release,
        namespace=deployed.namespace,
        values=values,
        kube_version=item.cluster.kubernetes_version,
        api_versions=tuple(sorted(item.cluster.api_versions)),
    )
    answer = normalise.render(renderer, request, chart_lines.closest(version).pins)
    if isinstance(answer, RenderFailure):
        return answer.problems(environment=item.name, path=_values_path(item))[0]
    return answer


def _chart_meant(item: Inputs, deployed: Deployment) -> tuple[str, str | None]:
    """Version and, where it is locked, digest."""
    lock = _lock(item)
    version = deployed.chart_version or (lock.chart_version if lock else "")
    return version, lock.chart_digest if lock and lock.chart_version == version else None


def archive(item: Inputs, charts: Charts) -> Path | None:
    """The chart archive that a side is rendered with, if there is one; raises ChartError."""
    return charts.locate(*_chart_meant(item, item.deployment)) if item.deployment else None


def _values_path(item: Inputs) -> str:
    return item.path(f"{GENERATED}/values.yaml")


def _facts(
    item: Inputs, values: Mapping[str, Any], deployed: Deployment, renderer: Renderer
) -> Facts:
    from generator.diff import what_runs

    lock = _lock(item)
    host, connections, declared = _promises(item)
    namespace = deployed.namespace
    return dataclasses.replace(
        what_runs.claims(values, _image_facts(item)),
        chart_version=deployed.chart_version or (lock.chart_version if lock else None),
        kubernetes_version=item.cluster.kubernetes_version if item.cluster else None,
        engine=renderer.engine_version(),
        executor=str(values.get("executor") or "") or None,
        database_host=host,
        connection_limit=connections,
        application=key_of(deployed.manifest, namespace),
        deployers=frozenset(key_of(manifest, namespace) for manifest in deployed.objects),
        connections=_connections(item),
        declared_secrets=frozenset(declared),
    )


def runs(item: Inputs) -> Runs:
    """The Airflow of an environment, by its values and its objects in git, without a render.

    Raises UserError for files that cannot be read.
    """
    from generator.diff import what_runs

    if item.unreadable is not None:
        raise item.unreadable
    values = _values(item)
    objects = {key_of(manifest, ""): manifest for manifest in own_manifests(item)}
    claims = what_runs.claims(values, _image_facts(item))
    return what_runs.of(workloads(objects), claims, objects)


def _basis(item: Inputs, runs: Runs, deployed: Deployment) -> Basis:
    """By which versions a side is judged: of its engine's objects, lock, image and cluster."""
    lock, named = _lock(item), deployed.chart_version
    locked = lock if lock and lock.chart_version == (named or lock.chart_version) else None
    return Basis(
        chart_lines.judged(
            Version(
                named or (lock.chart_version if lock else ""),
                Origin.LOCK if locked else Origin.NAMED,
                (locked.chart_digest or "") if locked else "",
            )
        ),
        runs.version,
        Version(item.cluster.kubernetes_version, Origin.CLUSTER) if item.cluster else Version(),
    )


def _failed(
    revision: str,
    item: Inputs,
    message: str,
    path: str = "",
    line: int | None = None,
    hint: str = "",
) -> Side:
    return _unrendered(revision, item, _problem(item, message, path, line, hint))


def _unrendered(
    revision: str, item: Inputs, failure: Problem, facts: Facts = NO_FACTS, namespace: str = ""
) -> Side:
    """A side of which nothing is known but why."""
    basis = NOTHING.without([NotRead(f"objects of {item.name}", failure.path, failure.message)])
    return Side(revision, (), facts, namespace, failure, basis=basis)


def _problem(
    item: Inputs, message: str, path: str = "", line: int | None = None, hint: str = ""
) -> Problem:
    return NOT_POSSIBLE.problem(
        message,
        environment=item.name,
        path=path or _values_path(item),
        line=line,
        hint=hint,
    )
