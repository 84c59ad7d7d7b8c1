"""The chart that a folder is: `Chart.yaml`, `Chart.lock`, and Airflow's chart among them."""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.basis import NotRead, Origin, Version
from generator.core.files import Files
from generator.core.layered import lookup
from generator.helmvalues.chart_kind import Publisher, publisher
from generator.kube.fields import entries, section
from generator.yaml.errors import YamlError
from generator.yaml.reader import read

CHART = "airflow"
EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")


@dataclasses.dataclass(frozen=True, slots=True)
class Parent:
    """What the Chart.yaml of a folder says of Airflow's chart.

    `key` is where its values stand in those of the folder, '' for the folder's own chart.
    `conditions` and `tags` switch it, `siblings` are the keys of the folder's other parts.
    """

    path: str
    key: str
    publisher: Publisher
    version: Version
    conditions: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    siblings: tuple[str, ...] = ()
    range: str = ""
    """What is asked for where that is not one exact version."""
    not_read: tuple[NotRead, ...] = ()

    def unwrapped(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values that the parent chart hands down: its own block, and `global`."""
        if not self.key:
            return dict(values)
        own = values.get(self.key)
        inner = dict(own) if isinstance(own, Mapping) else {}
        shared = values.get("global")
        if isinstance(shared, Mapping) and shared:
            below = inner.get("global")
            inner["global"] = {**(below if isinstance(below, Mapping) else {}), **shared}
        for condition in self.conditions:
            first, _, rest = condition.partition(".")
            if first == self.key and rest and "." not in rest:
                inner.pop(rest, None)  # read by the parent alone
        return inner

    def switched_off(self, values: Mapping[str, Any]) -> str:
        """The key that leaves Airflow's chart out of the release, or ''.

        The first condition that is there decides, then any tag (helm.sh/docs/topics/charts).
        """
        for condition in self.conditions:
            value = lookup(values, condition)
            if isinstance(value, bool):
                return "" if value else condition
        switches = {tag: lookup(values, f"tags.{tag}") for tag in self.tags}
        off = [tag for tag, value in switches.items() if value is False]
        return f"tags.{off[0]}" if off and True not in switches.values() else ""


def parent(files: Files, folder: str) -> Parent | None:
    """What the folder's chart is to Airflow; None where no Chart.yaml stands in it.

    Raises YamlError for a Chart.yaml that is no YAML.
    """
    path = posixpath.normpath(posixpath.join(folder, "Chart.yaml"))
    content = files.read(path)
    if content is None:
        return None
    about = section(read(content, path).data)
    listed = [*entries(about, "dependencies")] or [*_requirements(files, folder)]
    airflow = [item for item in listed if _is_airflow(item)]
    if not airflow:
        return _itself(path, about, listed)
    chosen = airflow[0]
    version, not_read = _version(files, folder, path, chosen)
    stated = "" if version.version else str(chosen.get("version") or "")
    if len(airflow) > 1:
        other = str(airflow[1].get("alias") or airflow[1].get("name"))
        reason = f"the release has Airflow's chart twice; only `{_key(chosen)}` is checked"
        not_read = (*not_read, NotRead(f"dependency {other}", path, reason))
    return Parent(
        path,
        _key(chosen),
        publisher(str(chosen.get("repository") or "")),
        version,
        tuple(part.strip() for part in str(chosen.get("condition") or "").split(",") if part),
        tuple(str(tag) for tag in chosen.get("tags") or ()),
        tuple(_key(item) for item in listed if item is not chosen),
        stated,
        (*not_read, *_beside(files, folder, path, [item for item in listed if item is not chosen])),
    )


def _beside(
    files: Files, folder: str, path: str, others: list[Mapping[str, Any]]
) -> Iterator[NotRead]:
    """What the parent chart deploys beside Airflow's chart."""
    for item in others:
        if not _is_airflow(item):
            reason = "another part of the parent chart: its objects are not checked"
            yield NotRead(f"dependency {_key(item)}", path, reason)
    templates = [*files.below(posixpath.normpath(posixpath.join(folder, "templates")))]
    if any(name.endswith((".yaml", ".yml", ".tpl")) for name in templates):
        where = posixpath.join(folder, "templates")
        yield NotRead("templates of the parent chart", where, "their objects are not checked")


def _itself(path: str, about: Mapping[str, Any], listed: list[Mapping[str, Any]]) -> Parent:
    """The folder is Airflow's own chart, or a chart that has nothing to do with Airflow."""
    name = str(about.get("name") or "")
    parts = {str(item.get("name")) for item in listed}
    # The official chart and the others that are called so bring a database of their own.
    if name == CHART and "postgresql" in parts:
        return Parent(path, "", "", Version(str(about.get("version") or ""), Origin.CHART_YAML))
    return Parent(path, "", "other", Version(), siblings=tuple(sorted(parts)))


def _version(
    files: Files, folder: str, path: str, item: Mapping[str, Any]
) -> tuple[Version, tuple[NotRead, ...]]:
    stated = str(item.get("version") or "")
    if EXACT.fullmatch(stated):
        return Version(stated.removeprefix("v"), Origin.CHART_YAML), ()
    lock = posixpath.join(folder, "Chart.lock")
    content = files.read(lock)
    for entry in entries(section(_data(content, lock)).get("dependencies")):
        locked = str(entry.get("version") or "")
        same = (entry.get("name"), entry.get("repository"))
        if same == (item.get("name"), item.get("repository")) and EXACT.fullmatch(locked):
            return Version(locked.removeprefix("v"), Origin.CHART_LOCK), ()
    reason = f"`{stated}` is a range and no Chart.lock names the version"
    return Version(), (NotRead("chart version", path, reason),)


def _requirements(files: Files, folder: str) -> Iterator[Mapping[str, Any]]:
    """Dependencies as charts of apiVersion v1 list them."""
    path = posixpath.join(folder, "requirements.yaml")
    yield from entries(section(_data(files.read(path), path)).get("dependencies"))


def _data(content: bytes | None, path: str) -> Any:
    if content is None:
        return None
    try:
        return read(content, path).data
    except YamlError:
        return None


def _is_airflow(item: Mapping[str, Any]) -> bool:
    return str(item.get("name")) == CHART


def _key(item: Mapping[str, Any]) -> str:
    return str(item.get("alias") or item.get("name") or "")
