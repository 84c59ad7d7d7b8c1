"""A Helm chart archive: what it is, and what it says about itself."""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from generator.chart.archive import MAX_PACKED, ArchiveError, unpack
from generator.chart.version import parse_range, parse_version
from generator.core.errors import UserError

HINT_OBTAIN = (
    "get the official archive with `gen-env chart pull`, or add one you have with "
    "`gen-env chart add FILE.tgz`"
)


class ChartFault(enum.StrEnum):
    """Why an archive was refused."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    UNSAFE = "unsafe"
    NOT_ARCHIVE = "not-archive"
    NOT_CHART = "not-chart"
    NOT_AIRFLOW = "not-airflow"
    DEPENDENCY = "dependency"
    KUBE_VERSION = "kube-version"
    DIGEST = "digest"


class ChartError(UserError):
    """A chart archive that cannot be used; `fault` says which kind of thing is wrong."""

    def __init__(self, fault: ChartFault, message: str, *, path: str = "", hint: str = "") -> None:
        super().__init__(message, path=path, hint=hint)
        self.fault = fault


@dataclasses.dataclass(frozen=True, slots=True)
class Dependency:
    """A subchart that the chart declares; `condition` is the values key that switches it."""

    name: str
    version: str
    repository: str
    condition: str


@dataclasses.dataclass(frozen=True)
class ChartArchive:
    """A chart read from an archive; `digest` is `sha256:…` of the archive's bytes."""

    path: Path
    name: str
    version: str
    app_version: str
    kube_version: str
    digest: str
    dependencies: tuple[Dependency, ...]
    files: Mapping[str, bytes] = dataclasses.field(repr=False, compare=False)

    def values(self) -> dict[str, Any]:
        """The chart's default values, read as Helm reads them."""
        return dict(self._values)

    def schema(self) -> dict[str, Any]:
        """`values.schema.json`; empty when the chart ships none."""
        text = self.text("values.schema.json")
        try:
            schema = json.loads(text) if text else {}
        except (ValueError, RecursionError) as error:
            raise self._error(ChartFault.NOT_CHART, "values.schema.json is not JSON") from error
        return schema if isinstance(schema, dict) else {}

    def oldest_airflow(self) -> tuple[int, int, int] | None:
        """The oldest Airflow that its check-values template lets pass, or None without one."""
        match = _OLDEST.search(self.text("templates/check-values.yaml"))
        return (int(match[1]), int(match[2]), int(match[3])) if match else None

    def crds(self) -> tuple[str, ...]:
        """The files below `crds/` that hold CustomResourceDefinitions."""
        return tuple(
            path
            for path in self.files
            if path.startswith("crds/") and path.endswith((".yaml", ".yml", ".json"))
        )

    def check_kubernetes(self, version: str) -> None:
        """Raise ChartError when the chart's `kubeVersion` rules out this Kubernetes version."""
        kubernetes, wanted = parse_version(version), parse_range(self.kube_version)
        if not self.kube_version:
            return
        if wanted is None:
            message = f"kubeVersion `{self.kube_version}` in Chart.yaml is not a version range"
            raise self._error(ChartFault.KUBE_VERSION, message)
        if kubernetes is None or kubernetes not in wanted:
            raise self._error(
                ChartFault.KUBE_VERSION,
                f"{self.name} {self.version} needs Kubernetes {self.kube_version}, not {version}",
                hint="choose a chart version made for this Kubernetes, or correct "
                "`kubernetesVersion` of the cluster in gen-env.yaml",
            )

    def expect(self, version: str, digest: str) -> None:
        """Raise ChartError when this is not the very archive that a lock names."""
        if self.version != version:
            message = f"holds version {self.version}, the lock says {version}"
            raise self._error(ChartFault.DIGEST, message)
        if digest and self.digest != digest:
            raise self._error(
                ChartFault.DIGEST,
                f"{self.name} {version} has digest {self.digest}, the lock says {digest}",
                hint="a released chart never changes: find out which archive is genuine; to take "
                "this one, run `gen-env upgrade` with this chart version",
            )

    @functools.cached_property
    def _values(self) -> dict[str, Any]:
        return _mapping(self.path, "values.yaml", self.files.get("values.yaml", b""))

    def text(self, name: str) -> str:
        """A file of the chart as text, empty where there is none. Raises ChartError."""
        try:
            return self.files.get(name, b"").decode("utf-8-sig")
        except UnicodeDecodeError as error:
            message = f"{name} in the chart is not UTF-8"
            raise self._error(ChartFault.NOT_CHART, message) from error

    def _error(self, fault: ChartFault, message: str, *, hint: str = "") -> ChartError:
        return ChartError(fault, message, path=str(self.path), hint=hint)


def open_chart(path: Path, *, official: bool = True) -> ChartArchive:
    """The chart in the archive at `path`.

    With `official`, it must be Airflow's official chart. Raises ChartError, whose `fault` tells a
    missing file from a corrupt one, from a chart that lacks a vendored dependency, and so on.
    """
    try:
        if path.stat().st_size > MAX_PACKED:
            message = f"archive exceeds the limit of {MAX_PACKED >> 20} MiB"
            raise ChartError(ChartFault.UNSAFE, message, path=str(path))
        data = path.read_bytes()
    except FileNotFoundError:
        raise ChartError(
            ChartFault.MISSING, "chart archive not found", path=str(path), hint=HINT_OBTAIN
        ) from None
    except OSError as error:
        message = f"cannot read the chart archive: {error.strerror}"
        hint = "a chart is one .tgz file; pack a folder with `helm package`"
        raise ChartError(ChartFault.UNREADABLE, message, path=str(path), hint=hint) from error
    return _opened(data, path, official)


# Unpacking takes as long as everything else about an environment; equal bytes give the same chart.
@functools.lru_cache(maxsize=8)
def _opened(data: bytes, path: Path, official: bool) -> ChartArchive:
    return read_chart(data, path, official=official)


def read_chart(data: bytes, path: Path, *, official: bool = True) -> ChartArchive:
    """As `open_chart`, from bytes; `path` is where they lie or came from, for messages."""
    files = _unpack(data, path)
    if "Chart.yaml" not in files:
        message = "not a Helm chart: it has no Chart.yaml"
        raise ChartError(ChartFault.NOT_CHART, message, path=str(path), hint=HINT_OBTAIN)
    about = _mapping(path, "Chart.yaml", files["Chart.yaml"])
    chart = ChartArchive(
        path=path,
        name=_word(about, "name"),
        version=_word(about, "version"),
        app_version=_word(about, "appVersion"),
        kube_version=_word(about, "kubeVersion"),
        digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        dependencies=_dependencies(about),
        files=files,
    )
    if not chart.name or parse_version(chart.version) is None:
        message = "not a Helm chart: Chart.yaml lacks a name or a semantic version"
        raise ChartError(ChartFault.NOT_CHART, message, path=str(path))
    if official:
        _check_official(chart)
    _check_dependencies(chart)
    return chart


def _unpack(data: bytes, path: Path) -> Mapping[str, bytes]:
    try:
        return unpack(data)
    except ArchiveError as error:
        fault = ChartFault.UNSAFE if error.unsafe else ChartFault.NOT_ARCHIVE
        message = f"not a usable chart archive: {error.message}"
        raise ChartError(fault, message, path=str(path), hint=HINT_OBTAIN) from error


def _check_official(chart: ChartArchive) -> None:
    problem = difference(chart.name, chart.values().keys())
    if problem:
        raise ChartError(
            ChartFault.NOT_AIRFLOW,
            f"not Airflow's official chart: {problem}",
            path=str(chart.path),
            hint="the official one is at https://airflow.apache.org (chart `airflow`)",
        )


def _check_dependencies(chart: ChartArchive) -> None:
    # `helm template` refuses a missing dependency even where its condition is off.
    present = {name for path in chart.files if (name := _subchart(path))}
    present |= {name for path, data in chart.files.items() if (name := _packed(path, data))}
    missing = sorted({d.name for d in chart.dependencies} - present)
    if missing:
        raise ChartError(
            ChartFault.DEPENDENCY,
            f"{chart.name} {chart.version} declares dependencies that are not in the archive: "
            + ", ".join(missing),
            path=str(chart.path),
            hint="use a packaged release, or run `helm dependency build` before `helm package`",
        )


def _subchart(path: str) -> str:
    parts = path.split("/")
    vendored = len(parts) == 3 and parts[0] == "charts" and parts[2] == "Chart.yaml"
    return parts[1] if vendored and parts[1][0] not in "_." else ""


def _packed(path: str, data: bytes) -> str:
    """The name of a subchart that is vendored as an archive of its own."""
    folder, _, name = path.partition("/")
    if folder != "charts" or "/" in name or not name.endswith(".tgz") or name[0] in "_.":
        return ""
    try:
        about = _mapping(Path(path), "Chart.yaml", unpack(data).get("Chart.yaml", b""))
    except UserError:
        return ""
    return _word(about, "name")


def _dependencies(about: Mapping[str, Any]) -> tuple[Dependency, ...]:
    declared = about.get("dependencies")
    return tuple(
        Dependency(*(_word(item, key) for key in ("name", "version", "repository", "condition")))
        for item in (declared if isinstance(declared, list) else [])
        if isinstance(item, Mapping)
    )


def _word(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def _mapping(path: Path, name: str, content: bytes) -> dict[str, Any]:
    """One YAML file of the chart, read as Helm reads it; empty when there is nothing in it."""
    from generator.yaml.manifests import load_manifests

    try:
        return next(iter(load_manifests(content, path=name)), {})
    except UserError as error:
        line = f" (line {error.line})" if error.line else ""
        message = f"{name} in the chart is not usable: {error.message}{line}"
        raise ChartError(ChartFault.NOT_CHART, message, path=str(path)) from error


# Top-level keys of values.yaml. Three publishers call their chart `airflow`: the Airflow project
# itself (1.x), the user community (github.com/airflow-helm/charts, 8.x) and Bitnami (two digits).
_OLDEST = re.compile(r'semverCompare "<(\d+)\.(\d+)\.(\d+)" \.Values\.airflowVersion')
_OFFICIAL = frozenset({"airflowVersion", "executor", "images", "data", "scheduler", "workers"})
_OTHERS = (
    (
        "the user community's chart (airflow-helm/charts)",
        frozenset({"airflow", "web", "externalDatabase"}),
    ),
    ("Bitnami's chart", frozenset({"global", "commonLabels", "web", "worker"})),
)


def difference(name: str, keys: Collection[str]) -> str:
    """Why this is not the official Airflow chart, in words; empty when it is.

    `keys` are the top-level keys of the chart's default values.
    """
    if _OFFICIAL.issubset(keys) and name == "airflow":
        return ""
    for owner, marks in _OTHERS:
        if marks.issubset(keys):
            return f"it looks like {owner}, whose values have other meanings"
    if name != "airflow":
        return f"it is the chart `{name[:80]}`"
    missing = ", ".join(sorted(_OFFICIAL.difference(keys)))
    return f"its values lack the keys {missing}"
