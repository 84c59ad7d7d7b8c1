"""One side of an adoption as the second reading has it, and what both of its halves need."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.adoption.helm_yaml import loads
from generator.core.basis import NotRead

_EXACT = re.compile(r"v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)")

Data = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One `helm.parameters` entry of an Application: `--set`, or `--set-string` if forced."""

    name: str
    value: str = dataclasses.field(repr=False)
    forced: bool = False


@dataclasses.dataclass(frozen=True)
class Release:
    """One side as its files say it.

    `texts` are values files as they stand, the last one winning; `folder` holds the files of a
    chart that stands in the repository itself; `version` is '' where no file names one exactly;
    `repository` is where the engine takes the chart from; `objects` stand beside the chart;
    `application` is the Application or the HelmRelease, {} without one.
    """

    name: str
    namespace: str
    version: str = ""
    texts: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    parameters: tuple[Parameter, ...] = ()
    folder: Mapping[str, bytes] = dataclasses.field(default_factory=dict, repr=False)
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()
    objects: tuple[Data, ...] = dataclasses.field(default=(), repr=False)
    has_chart: bool = True
    repository: str = ""
    application: Data = dataclasses.field(default_factory=dict, repr=False)
    not_read: tuple[NotRead, ...] = ()


def parameters(listed: Any) -> Iterator[Parameter]:
    """The `helm.parameters` of an Application."""
    for item in map(as_map, listed or ()):
        forced = item.get("forceString") in (True, "true")
        value = item.get("value", "")
        text = value if isinstance(value, str) else json.dumps(value)
        yield Parameter(str(item.get("name")), text, forced)


def own_version(folder: Mapping[str, bytes]) -> str:
    """The version that a chart in the repository pins of Airflow's chart, or is itself."""
    stated = [item for item in dependencies(folder) if item.get("name") == "airflow"]
    if not stated:
        return exact(first(folder, "Chart.yaml").get("version"))
    lock = "requirements.lock" if "requirements.yaml" in folder else "Chart.lock"
    listed = map(as_map, first(folder, lock).get("dependencies") or ())
    locked = next((item for item in listed if item.get("name") == "airflow"), {})
    return exact(stated[0].get("version")) or exact(locked.get("version"))


def dependencies(folder: Mapping[str, bytes]) -> list[Data]:
    """What Chart.yaml lists, or requirements.yaml of a chart of apiVersion v1."""
    for name in ("Chart.yaml", "requirements.yaml"):
        if listed := first(folder, name).get("dependencies"):
            return [as_map(item) for item in listed]
    return []


def first(folder: Mapping[str, bytes], name: str) -> Data:
    """A file of the folder as a mapping, {} where it is none."""
    return as_map(next(iter(loads(folder.get(name, b"").decode())), None))


def exact(version: Any) -> str:
    """The version without its `v`, or '' for a range."""
    match = _EXACT.fullmatch(str(version or ""))
    return match[1] if match else ""


def repository(source: Data) -> str:
    """The Helm repository or registry that a source takes its chart from, '' for a path."""
    address = str(source.get("repoURL") or "") if source.get("chart") else ""
    return address_of(address)


def own_repository(folder: Mapping[str, bytes]) -> str:
    """The repository from which a chart in the repository takes Airflow's chart, if it says one."""
    stated = [item for item in dependencies(folder) if item.get("name") == "airflow"]
    address = str(stated[0].get("repository") or "") if stated else ""
    return address_of(address) if address.startswith(("https:", "http:", "oci:")) else ""


def lacks_airflow(folder: Mapping[str, bytes]) -> bool:
    """Whether Airflow's chart is a dependency that a chart in the repository holds no copy of."""
    stated = any(item.get("name") == "airflow" for item in dependencies(folder))
    return stated and not any(name.startswith("charts/airflow") for name in folder)


def address_of(address: str) -> str:
    """An address as Argo CD writes it: a registry has no scheme."""
    return address.removeprefix("oci://").rstrip("/")


def as_map(value: Any) -> Data:
    """The value if it is a mapping, else {}."""
    return value if isinstance(value, Mapping) else {}
