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
from generator.redaction.text import redact
from generator.yaml.errors import YamlError
from generator.yaml.reader import read

CHART = "airflow"
EXACT = re.compile(r"v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")
COPY = "chart copy "
"""What is not read of a chart that the repository holds itself: its templates and its values."""
_COPY_REASON = "Helm renders this copy; the released chart of its version is judged"
_OWN = re.compile(r"https://([\w-]+\.)*apache\.org(/|\Z)")
_ELSEWHERE = "it is not Airflow's own repository; the cached archive of its version is judged"
_VERSIONED = re.compile(r"(.+)-v?\d+\.\d+[^/]*\.tgz")
_ARCHIVE = re.compile(rf"charts/{CHART}-(\d[^/]*)\.tgz")


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
    twins: tuple[Parent, ...] = ()
    """The folder's other dependencies on Airflow's chart."""
    address: str = ""
    """The repository or registry that the engine takes the chart from; '' for a folder."""

    def elsewhere(self, known: str) -> tuple[NotRead, ...]:
        """The archive of another repository than Airflow's own and the `known` one: it may differ
        from that of the same version, which is judged."""
        own = _OWN.match(self.address) or _plain(self.address) == _plain(known)
        if not self.address or own or self.publisher in ("community", "bitnami"):
            return ()  # other publishers' charts are not judged at all
        what = f"chart of {redact(self.address)}"
        return (NotRead(what, self.path, _ELSEWHERE, "name it in gen-env.yaml (chart.url)"),)

    def running(self, values: Mapping[str, Any]) -> Parent:
        """The first dependency on Airflow's chart that these values leave on, else this one."""
        on = [item for item in (self, *self.twins) if not item.switched_off(values)]
        if not on:
            return self
        reason = f"the release has Airflow's chart twice; only `{on[0].key}` is judged"
        others = tuple(NotRead(f"dependency {item.key}", item.path, reason) for item in on[1:])
        return dataclasses.replace(on[0], not_read=(*on[0].not_read, *others))

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
    others = [item for item in listed if not _is_airflow(item)]
    names = {str(item.get("name")) for item in listed}
    beside = (*_beside(files, folder, path, others), *_undeclared(files, folder, path, names))
    first, *twins = (_dependency(files, folder, path, item, listed, beside) for item in airflow)
    return dataclasses.replace(first, twins=tuple(twins))


def _dependency(
    files: Files,
    folder: str,
    path: str,
    item: Mapping[str, Any],
    listed: list[Mapping[str, Any]],
    beside: tuple[NotRead, ...],
) -> Parent:
    version, not_read = _version(files, folder, path, item)
    address = str(item.get("repository") or "")
    copied = address.startswith("file:") or any(part.what.startswith(COPY) for part in not_read)
    tags = item.get("tags")
    return Parent(
        path,
        _key(item),
        publisher(address),
        version,
        tuple(part.strip() for part in str(item.get("condition") or "").split(",") if part),
        tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        tuple(_key(other) for other in listed if other is not item),
        "" if version.version else str(item.get("version") or ""),
        (*not_read, *beside),
        address="" if copied else address,
    )


def _beside(
    files: Files, folder: str, path: str, others: list[Mapping[str, Any]]
) -> Iterator[NotRead]:
    """What the parent chart deploys beside Airflow's chart."""
    for item in others:
        reason = "another part of the parent chart: its objects are not checked"
        yield NotRead(f"dependency {_key(item)}", path, reason)
    for part, what in (("templates", "templates"), ("crds", "CustomResourceDefinitions")):
        if _has_templates(files, folder, part):
            where = posixpath.join(folder, part)
            yield NotRead(f"{what} of the parent chart", where, "their objects are not checked")


def _undeclared(files: Files, folder: str, path: str, names: set[str]) -> Iterator[NotRead]:
    """What of `charts/` is a chart that no dependency names, and rendered too, or is not read."""
    base = "" if folder in ("", ".") else f"{posixpath.normpath(folder)}/"
    parts = set()
    for entry, fault in files.entries(f"{base}charts"):
        inside = entry.removeprefix(base)
        parts.add("/".join(inside.split("/")[:2]))
        if fault:
            yield NotRead(inside, path, f"{fault}: what Helm renders of it is not checked")
    for part in sorted(parts):
        if not _is_named(files, f"{base}{part}", names):
            reason = "Chart.yaml does not name it, and Helm renders it: its objects are not checked"
            yield NotRead(f"chart {part}", path, reason)


def _is_named(files: Files, part: str, names: set[str]) -> bool:
    """Whether an entry of `charts/` is a dependency, or nothing that Helm takes for a chart."""
    file = posixpath.basename(part)
    if archive := _VERSIONED.fullmatch(file):
        return archive[1] in names
    about = section(_data(files.read(f"{part}/Chart.yaml"), part))
    ignored = file.startswith(("_", ".")) or not (about or file.endswith(".tgz"))
    return ignored or about.get("name") in names


def _has_templates(files: Files, folder: str, part: str) -> bool:
    below = files.below(posixpath.normpath(posixpath.join(folder, part)))
    return any(name.endswith((".yaml", ".yml", ".tpl", ".json")) for name in below)


def _itself(path: str, about: Mapping[str, Any], listed: list[Mapping[str, Any]]) -> Parent:
    """The folder is Airflow's own chart, or a chart that has nothing to do with Airflow."""
    name = str(about.get("name") or "")
    parts = {str(item.get("name")) for item in listed}
    # The official chart and the others that are called so bring a database of their own.
    if name == CHART and "postgresql" in parts:
        version = Version(str(about.get("version") or ""), Origin.CHART_YAML)
        copy = NotRead(f"{COPY}{posixpath.dirname(path) or '.'}", path, _COPY_REASON)
        return Parent(path, "", "", version, not_read=(copy,))
    return Parent(path, "", "other", Version(), siblings=tuple(sorted(parts)))


def _version(
    files: Files, folder: str, path: str, item: Mapping[str, Any]
) -> tuple[Version, tuple[NotRead, ...]]:
    """Which version of the dependency Helm renders: a copy's, else the locked or the exact one."""
    copy, place = _copy(files, folder)
    if place:
        return copy, (NotRead(f"{COPY}{place}", path, _COPY_REASON),)
    address, stated = str(item.get("repository") or ""), str(item.get("version") or "")
    if address.startswith("file:"):
        reason = f"it is in {address}: {_COPY_REASON}"
        return _exact(stated, Origin.CHART_YAML), (NotRead(f"dependency {CHART}", path, reason),)
    lock, locked = _locked(files, folder, item)
    if not EXACT.fullmatch(stated):
        if locked.version:
            return locked, ()
        return Version(), (NotRead("chart version", path, _open(stated, lock)),)
    exact = _exact(stated, Origin.CHART_YAML)
    if locked.version and locked.version != exact.version:
        reason = f"{lock} has {locked.version}, and Chart.yaml asks for {exact.version}"
        return Version(), (NotRead("chart version", path, reason),)
    return exact, ()


def _exact(text: str, origin: Origin) -> Version:
    return Version(text.removeprefix("v"), origin) if EXACT.fullmatch(text) else Version()


def _open(stated: str, lock: str) -> str:
    return f"{not_exact(stated)}, and no {lock} says which version it is"


def not_exact(version: str) -> str:
    """Why the requested version does not determine which one runs."""
    return f"`{version}` is not one exact version" if version else "no version is named"


def _locked(files: Files, folder: str, item: Mapping[str, Any]) -> tuple[str, Version]:
    """The lock file of the chart, and the version of the dependency in it."""
    old = files.read(posixpath.normpath(posixpath.join(folder, "requirements.yaml"))) is not None
    name = "requirements.lock" if old else "Chart.lock"
    lock = posixpath.normpath(posixpath.join(folder, name))
    wanted = (item.get("name"), item.get("repository"))
    rows = [
        str(entry.get("version") or "")
        for entry in entries(section(_data(files.read(lock), lock)).get("dependencies"))
        if (entry.get("name"), entry.get("repository")) == wanted
    ]
    return name, _exact(rows[0], Origin.CHART_LOCK) if rows else Version()


def _copy(files: Files, folder: str) -> tuple[Version, str]:
    """The copy of Airflow's chart in `charts/`, which Helm prefers to any other; '' for none."""
    base = "" if folder in ("", ".") else f"{posixpath.normpath(folder)}/"
    for path, _ in files.entries(f"{base}charts"):
        inside = path.removeprefix(base)
        if archive := _ARCHIVE.fullmatch(inside):
            return _exact(archive[1], Origin.CHART_YAML), inside
        if inside.count("/") == 2 and inside.endswith("/Chart.yaml"):
            about = section(_data(files.read(path), path))
            if about.get("name") == CHART:
                version = _exact(str(about.get("version") or ""), Origin.CHART_YAML)
                return version, posixpath.dirname(inside)
    return Version(), ""


def _requirements(files: Files, folder: str) -> Iterator[Mapping[str, Any]]:
    """Dependencies as charts of apiVersion v1 list them."""
    path = posixpath.normpath(posixpath.join(folder, "requirements.yaml"))
    yield from entries(section(_data(files.read(path), path)).get("dependencies"))


def _data(content: bytes | None, path: str) -> Any:
    if content is None:
        return None
    try:
        return read(content, path).data
    except YamlError:
        return None


def _plain(address: str) -> str:
    """An address without what makes no difference: a registry has no scheme in Argo CD."""
    return address.removeprefix("oci://").rstrip("/")


def _is_airflow(item: Mapping[str, Any]) -> bool:
    return str(item.get("name")) == CHART


def _key(item: Mapping[str, Any]) -> str:
    return str(item.get("alias") or item.get("name") or "")
