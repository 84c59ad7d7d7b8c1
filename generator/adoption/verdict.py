"""The verdict of an adoption: both sides rendered from the second reading and compared.

Only a verdict "same" may be written. It is made through `core.basis.Assurance`, so it cannot be
given while anything was not read.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from generator.adoption import application_change, helm_yaml, release_change
from generator.adoption.application_change import Setting
from generator.adoption.raw_release import Data, Release
from generator.chart.archive import pack
from generator.chart.chart import ChartArchive
from generator.core.basis import Assurance, Basis, NotRead
from generator.kube.resource import Key, key_of
from generator.render.engine import choose_engine
from generator.render.request import Renderer, RenderFailure, RenderRequest

STATEMENT = "the same objects before and after"
_SECRET_CHECKSUM = ("secret", "fernet")
Manifests = Sequence[Mapping[str, Any]]
Field = tuple[str | int, ...]
Named = tuple[tuple[str, Key], Field]
"""A field of one object: its API version and key, and the path."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the second reading found; `settings` are those of the engine's object that change.

    `differences` are objects, fields and settings that no one decided to change; `random` is what
    both sides draw again on every render.
    """

    engine: str
    basis: Basis
    differences: tuple[str, ...] = ()
    random: tuple[str, ...] = ()
    settings: tuple[Setting, ...] = ()

    @property
    def assurance(self) -> Assurance | None:
        """Leave to say that nothing changes; None where something differs or was not read."""
        return None if self.differences else self.basis.assure(STATEMENT)

    @property
    def verdict(self) -> Literal["same", "not proven", "differs"]:
        """One word for it."""
        if self.differences:
            return "differs"
        return "same" if self.assurance is not None else "not proven"

    def as_json(self) -> dict[str, Any]:
        """The documented shape of `proof`."""
        return {
            "verdict": self.verdict,
            "engine": self.engine,
            "notProven": [item.as_json() for item in self.basis.not_read],
            "differences": list(self.differences),
            "random": list(self.random),
            "settings": [item.as_json() for item in self.settings],
        }


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What both sides are rendered for, where a release itself says nothing else."""

    kube_version: str
    api_versions: tuple[str, ...]


def judged(
    before: Release,
    after: Release,
    archive: ChartArchive,
    cluster: Cluster,
    engine: Renderer,
    basis: Basis,
    gone: frozenset[str] = frozenset(),
) -> Verdict:
    """Render both sides and compare every field of every object, if both were read whole.

    `archive` is the chart of the tree; `gone` are Secrets that people said exist elsewhere.
    """
    settings = _settings(before.application, after.application)
    kind = after.application.get("kind")
    differences = [f"{kind}: {item}" for item in settings if not item.expected]
    if before.version and after.version and before.version != after.version:
        differences.append(f"chart version: {before.version} before, {after.version} after")
    random: list[str] = []
    not_read = [*before.not_read, *after.not_read, *_other_repository(before, after)]
    if not not_read:
        with tempfile.TemporaryDirectory(prefix="gen-env-proof-") as name:
            render = _Render(archive, cluster, engine, Path(name))
            try:
                found = _compared(render, before, after, gone)
                differences += found.differences
                random += found.random
            except _NotRendered as error:
                not_read.append(error.entry)
    return Verdict(
        engine.engine_version(),
        basis.without(not_read),
        tuple(differences),
        tuple(random),
        tuple(settings),
    )


def _settings(before: Data, after: Data) -> tuple[Setting, ...]:
    """What changes in the engine's object; none where another engine takes over."""
    if before.get("kind", "Application") != after.get("kind"):
        return ()
    if after.get("kind") == "HelmRelease":
        return release_change.between(before, after)
    return application_change.between(before, after)


def engine(helm: str | None) -> Renderer:
    """What the verdict is rendered with: the binary that is named, by `helm` or GEN_ENV_HELM, or a
    `helm` on PATH; else the library. Never a cache. Raises UserError for what is not Helm."""
    return choose_engine(helm or os.environ.get("GEN_ENV_HELM") or shutil.which("helm"))


def _other_repository(before: Release, after: Release) -> Iterator[NotRead]:
    if before.repository and after.repository and before.repository != after.repository:
        reason = (
            f"the tree takes the chart from {after.repository}, and whether both hold the same"
            " archive is not known: name the same address in gen-env.yaml (chart.url)"
        )
        yield NotRead(f"chart of {before.repository}", "", reason)


class _NotRendered(Exception):
    def __init__(self, what: str, reason: str) -> None:
        super().__init__(what)
        self.entry = NotRead(what, "", reason)


class _Render:
    """Renders one side at a time, never from a cache."""

    def __init__(
        self, archive: ChartArchive, cluster: Cluster, engine: Renderer, folder: Path
    ) -> None:
        self._archive = archive
        self._cluster = cluster
        self._engine = engine
        self._folder = folder

    def __call__(self, side: Release, what: str) -> Manifests:
        """All objects of a side; raises _NotRendered."""
        if not side.has_chart:
            return side.objects
        try:
            request = RenderRequest(
                chart=self._chart(side),
                release=side.name,
                namespace=side.namespace,
                values=_values(side),
                kube_version=side.kube_version or self._cluster.kube_version,
                api_versions=side.api_versions or self._cluster.api_versions,
                value_files=() if side.parameters else side.texts,
            )
        except ValueError as error:
            raise _NotRendered(what, str(error)) from None
        answer = self._engine.render(request)
        if isinstance(answer, RenderFailure):
            raise _NotRendered(what, str(answer))
        return (*answer.manifests, *side.objects)

    def _chart(self, side: Release) -> Path:
        """The chart's archive; a chart in the repository with Airflow's chart in its `charts/`."""
        if not side.folder:
            return self._archive.path
        files = dict(side.folder)
        about = helm_yaml.loads(files["Chart.yaml"].decode())[0]
        if about["name"] != "airflow" and not any(n.startswith("charts/airflow") for n in files):
            content = self._archive.path.read_bytes()
            files[f"charts/airflow-{self._archive.version}.tgz"] = content
        target = self._folder / "parent.tgz"
        target.write_bytes(pack(str(about["name"]), files))
        return target


def _values(side: Release) -> dict[str, Any]:
    values = copy.deepcopy(helm_yaml.values_of(side.texts))
    for item in side.parameters:
        try:
            helm_yaml.put(values, item.name, item.value, forced=item.forced)
        except ValueError as error:
            raise ValueError(f"parameter {item.name}: {error}") from None
    return values


@dataclasses.dataclass(frozen=True)
class _Compared:
    differences: tuple[str, ...]
    random: tuple[str, ...]


def _compared(render: _Render, before: Release, after: Release, gone: frozenset[str]) -> _Compared:
    base = _fields(render(before, "the original release"), before.namespace)
    head = _fields(render(after, "the written tree"), after.namespace)
    different = _different(base, head)
    if not different:
        return _Compared((), ())
    # What differs may be drawn anew on every render: a second render of each side shows it.
    unsteady = _different(base, _fields(render(before, "the original"), before.namespace))
    unsteady &= _different(head, _fields(render(after, "the tree"), after.namespace))
    left = {item for item in different - unsteady if not _follows(item, gone)}
    return _Compared(_texts(left), _texts(different & unsteady))


def _follows(item: Named, gone: frozenset[str]) -> bool:
    """Whether a field goes with a Secret that is only named from now on, or is its checksum."""
    (_, key), path = item
    if key.kind == "Secret" and key.name in gone:
        return True
    name = str(path[-1]) if path else ""
    checksum = name.startswith("checksum/") and any(word in name for word in _SECRET_CHECKSUM)
    return bool(gone) and checksum and path[-2:-1] == ("annotations",)


def _texts(items: set[Named]) -> tuple[str, ...]:
    return tuple(sorted(f"{key}: {_dotted(path)}" for (_, key), path in items))


def _dotted(path: Field) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.lstrip(".") or "the object"


def _fields(manifests: Manifests, namespace: str) -> dict[Named, str]:
    """Every scalar of every object, typed: `1` is neither `"1"` nor `true`."""
    found: dict[Named, str] = {}
    for item in manifests:
        metadata = item["metadata"]
        place = str(metadata.get("namespace") or namespace)
        identity = (str(item["apiVersion"]), key_of(item, namespace))
        # A namespace that is written out says the same as the release's own.
        whole = {**item, "metadata": {**metadata, "namespace": place}}
        for path, text in _leaves(whole, ()):
            while (identity, path) in found:
                path = (*path, "again")
            found[identity, path] = text
    return found


def _leaves(value: Any, path: Field) -> Iterator[tuple[Field, str]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, json.dumps(value, sort_keys=True)


def _different(one: Mapping[Named, str], two: Mapping[Named, str]) -> set[Named]:
    return {item for item in {*one, *two} if one.get(item) != two.get(item)}
