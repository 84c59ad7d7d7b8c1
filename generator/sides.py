"""One side of a comparison: what the cluster is given at a revision, read from its files."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from generator import catalogue, locks, pipeline, yamlio
from generator.chart import ChartError
from generator.definition import ROOT, Settings
from generator.diff.model import Facts, Side
from generator.files import Files
from generator.manifests.application import CHART_FOLDER, GENERATED
from generator.model.repository import Cluster
from generator.pipeline import Built, Charts
from generator.problem import Problem, Severity
from generator.render import Renderer, RenderFailure, RenderRequest


@dataclasses.dataclass(frozen=True)
class Inputs:
    """Everything of one environment that decides what its cluster is given."""

    name: str
    files: Mapping[str, bytes]
    cluster: Cluster | None
    built: Built | None

    @property
    def identity(self) -> str:
        """A hash of all of it: equal inputs need no comparison."""
        digest = hashlib.sha256()
        for path in sorted(self.files):
            relative = path.removeprefix(f"{ROOT}/{self.name}/")
            if relative.startswith((GENERATED, "secrets/")) or relative == locks.FILE_NAME:
                digest.update(relative.encode() + b"\0" + self.files[path] + b"\0")
        if self.cluster is not None:
            digest.update(
                repr((self.cluster.kubernetes_version, self.cluster.api_versions)).encode()
            )
        return digest.hexdigest()

    def text(self, path: str) -> bytes | None:
        """A file below the environment's folder."""
        return self.files.get(f"{ROOT}/{self.name}/{path}")

    @property
    def target(self) -> tuple[str, str, str] | None:
        """Server, namespace and release: what makes it the same deployment under another name."""
        application = _application(self)
        if application is None:
            return None
        spec = application.get("spec") or {}
        destination = spec.get("destination") or {}
        return (str(destination.get("server")), str(destination.get("namespace")), _release(spec))


def inputs(files: Files, name: str, settings: Settings | None) -> Inputs | None:
    """The inputs of an environment on one side, or None where it is not there."""
    folder = f"{ROOT}/{name}"
    found = {path: files.read(path) or b"" for path in files.below(folder)}
    if not any(path.startswith(f"{folder}/{GENERATED}/") for path in found):
        return None
    built = None
    if settings is not None and f"{folder}/environment.yaml" in found:
        definition = catalogue.one(files, name)
        built = pipeline.build(files, settings, definition) if definition else None
    cluster = built.resolved.cluster if built and built.resolved else None
    if cluster is None and settings is not None:
        cluster = _cluster_by_server(found, name, settings)
    return Inputs(name, found, cluster, built)


def _cluster_by_server(found: Mapping[str, bytes], name: str, settings: Settings) -> Cluster | None:
    target = Inputs(name, found, None, None).target
    clusters = settings.repository.clusters.values()
    return next((item for item in clusters if target and item.server == target[0]), None)


def _application(item: Inputs) -> Mapping[str, Any] | None:
    text = item.text(f"{GENERATED}/application.yaml")
    if text is None:
        return None
    try:
        found = yamlio.load_manifests(text)
    except yamlio.YamlError:
        return None
    return found[0] if found else None


def _release(spec: Mapping[str, Any]) -> str:
    for source in spec.get("sources") or []:
        name = (source.get("helm") or {}).get("releaseName")
        if name:
            return str(name)
    return ""


def side(revision: str, item: Inputs, charts: Charts, renderer: Renderer) -> Side:
    """Render the environment: its chart, the objects beside it, its Application.

    What stands in the way becomes the side's failure; the other side and the other environments
    go on.
    """
    try:
        own = _own_manifests(item)
        application = _application(item)
        values = _values(item)
    except yamlio.YamlError as error:
        return _failed(revision, item, error.message, error.path, error.line, error.hint)
    if application is None or item.cluster is None:
        return _failed(
            revision,
            item,
            "its Application is missing or names no known cluster",
            hint=f"gen-env generate {item.name}",
        )
    spec = application.get("spec") or {}
    namespace = str((spec.get("destination") or {}).get("namespace") or "")
    manifests = [*own, application]
    notes = None
    facts = _facts(item, values, spec, renderer)
    if not any(_is_chart_file(path) for path in item.files):
        lock = _lock(item)
        rendered = _chart(item, spec, namespace, values, lock, charts, renderer)
        if isinstance(rendered, Problem):
            return Side(revision, (), facts, namespace, rendered)
        manifests += rendered.manifests
        notes = rendered.notes
    return Side(revision, tuple(manifests), dataclasses.replace(facts, notes=notes), namespace)


def _is_chart_file(path: str) -> bool:
    return f"/{GENERATED}/manifests/{CHART_FOLDER}/" in path


def _own_manifests(item: Inputs) -> list[dict[str, Any]]:
    """Objects in git: those Argo CD applies from the folder of the environment."""
    found: list[dict[str, Any]] = []
    prefix = f"{ROOT}/{item.name}/"
    for path, content in sorted(item.files.items()):
        place = PurePosixPath(path.removeprefix(prefix))
        if place.suffix == ".yaml" and str(place).startswith(
            (f"{GENERATED}/manifests/", "secrets/")
        ):
            found += yamlio.load_manifests(content)
    return found


def _values(item: Inputs) -> dict[str, Any]:
    text = item.text(f"{GENERATED}/values.yaml")
    loaded = yamlio.load_manifests(text) if text else []
    return loaded[0] if loaded else {}


def _lock(item: Inputs) -> locks.Lock | None:
    text = item.text(locks.FILE_NAME)
    try:
        return locks.read(text, f"{ROOT}/{item.name}/{locks.FILE_NAME}") if text else None
    except yamlio.YamlError:
        return None


def _chart(
    item: Inputs,
    spec: Mapping[str, Any],
    namespace: str,
    values: Mapping[str, Any],
    lock: locks.Lock | None,
    charts: Charts,
    renderer: Renderer,
) -> Any:
    version = _chart_version(spec) or (lock.chart_version if lock else "")
    digest = lock.chart_digest if lock and lock.chart_version == version else None
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
    answer = renderer.render(
        RenderRequest(
            chart=chart,
            release=_release(spec),
            namespace=namespace,
            values=values,
            kube_version=item.cluster.kubernetes_version,
            api_versions=tuple(sorted(item.cluster.api_versions)),
        )
    )
    if isinstance(answer, RenderFailure):
        return answer.problems(environment=item.name, path=_values_path(item))[0]
    return answer


def _values_path(item: Inputs) -> str:
    return f"{ROOT}/{item.name}/{GENERATED}/values.yaml"


def _chart_version(spec: Mapping[str, Any]) -> str:
    for source in spec.get("sources") or []:
        if source.get("chart"):
            return str(source.get("targetRevision") or "")
    return ""


def _facts(
    item: Inputs, values: Mapping[str, Any], spec: Mapping[str, Any], renderer: Renderer
) -> Facts:
    release = item.built.release if item.built else None
    environment = release.environment if release else None
    lock = _lock(item)
    declared = frozenset[str]()
    if release is not None and release.environment.secrets.provider != "sealed-secrets":
        declared = frozenset(need.name for need in release.needs)
    return Facts(
        airflow_version=str(values.get("airflowVersion") or "") or None,
        chart_version=_chart_version(spec) or (lock.chart_version if lock else None),
        kubernetes_version=item.cluster.kubernetes_version if item.cluster else None,
        engine=renderer.engine_version(),
        executor=str(values.get("executor") or "") or None,
        database_host=environment.database.host if environment else None,
        connection_limit=environment.database.max_connections if environment else None,
        declared_secrets=declared,
        values=values,
    )


def _failed(
    revision: str,
    item: Inputs,
    message: str,
    path: str = "",
    line: int | None = None,
    hint: str = "",
) -> Side:
    return Side(revision, failure=_problem(item, message, path, line, hint))


def _problem(
    item: Inputs, message: str, path: str = "", line: int | None = None, hint: str = ""
) -> Problem:
    return Problem(
        "render/not-possible",
        Severity.ERROR,
        message,
        item.name,
        path or _values_path(item),
        line,
        hint,
    )
