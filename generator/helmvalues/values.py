"""Helm values as checks see them: what the user wrote, what the chart makes of it, and where."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from generator.airflow.image_release import Runs
from generator.chart import key_table
from generator.chart.traits import ChartTraits, Reading
from generator.core.basis import Origin, Version
from generator.core.layered import Path, lookup
from generator.diff import what_runs
from generator.release import chart_lines, spelling
from generator.release.chart_line import ChartLine

Locate = Callable[[Path], tuple[str, int | None]]
Engine = Literal["argocd", "flux", "helm"]

_RELEASE = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:\+[0-9A-Za-z.-]+)?")


def nowhere(path: Path) -> tuple[str, int | None]:
    """Where values come from when nobody can tell."""
    return "", None


def running_airflow(user: Mapping[str, Any], merged: Mapping[str, Any]) -> Version:
    """The Airflow that runs by the user's values, else by the chart's defaults below them."""
    own, default = what_runs.by_values(user), what_runs.by_values(merged)
    if own.airflow or not default.airflow:
        return own.version
    return dataclasses.replace(default.version, origin=Origin.DEFAULT)


def never(path: Path) -> bool:
    """No key is a default of gen-env's: the user wrote the values."""
    return False


@dataclasses.dataclass(frozen=True)
class ValuesInput:
    """The user's values, the same over the chart's defaults, and the circumstances of the release.

    Getters never fail: values of the wrong type read as absent, since the chart's schema reports
    them. `tier` is '' for a file that belongs to no definition. The chart's `defaults` tell what
    the user decided from what a copied values.yaml merely repeats, and `built_in` which keys of
    `user` are gen-env's own defaults.
    """

    user: Mapping[str, Any]
    merged: Mapping[str, Any]
    chart_version: str
    engine: Engine = "argocd"
    release: str = "airflow"
    namespace: str = "airflow"
    kube_version: str = ""
    tier: str = ""
    locate: Locate = nowhere
    built_in: Callable[[Path], bool] = never
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    traits: ChartTraits | None = None
    """Those of the chart's archive; without them the table of official releases is asked."""

    @property
    def line(self) -> ChartLine:
        """What is known of the chart, or of the newest one where nothing is known of this one."""
        return chart_lines.closest(self.chart_version)

    @functools.cached_property
    def chart(self) -> ChartTraits:
        """What the chart does with keys; one that nothing is known of reads every key."""
        known = self.traits or key_table.traits(self.chart_version)
        return known or ChartTraits(self.chart_version)

    def spelled(self, setting: str) -> str | None:
        """The name under which the chart reads a setting, or None where it has no key for it."""
        return spelling.spelled(setting, self.chart)

    def get(self, path: str | Path) -> Any:
        """The effective value, or None."""
        return lookup(self.merged, path)

    def given(self, path: str | Path) -> bool:
        """Whether the user wrote that key with anything but null."""
        return lookup(self.user, path) is not None

    def decided(self, path: str | Path) -> bool:
        """Whether the user wrote that key with something else than the chart's default."""
        return self.given(path) and lookup(self.user, path) != lookup(self.defaults, path)

    def on(self, path: str | Path) -> bool:
        """Whether a template's `if` would take the value for true."""
        return bool(self.get(path))

    def text(self, path: str | Path) -> str:
        """The value if it is text, else ''."""
        value = self.get(path)
        return value if isinstance(value, str) else ""

    def number(self, path: str | Path) -> float | None:
        """The value if it is a number, or text that holds an integer."""
        return as_number(self.get(path))

    def table(self, path: str | Path) -> Mapping[str, Any]:
        """The value if it is a mapping, else an empty one."""
        value = self.get(path)
        return value if isinstance(value, Mapping) else {}

    def rows(self, path: str | Path) -> list[Mapping[str, Any]]:
        """The mappings of a list value; whatever else it holds is left out."""
        value = self.get(path)
        return (
            [row for row in value if isinstance(row, Mapping)]
            if isinstance(value, list | tuple)
            else []
        )

    def worker(self, path: str) -> Any:
        """`workers.celery.<path>`, or the older `workers.<path>` where that is null or empty.

        Also where the chart does not read the newer one.
        """
        newer = f"workers.celery.{path}"
        value = self.get(newer)
        unread = self.chart.reading(newer) in (Reading.IGNORED, Reading.REFUSED)
        if unread or value is None or value in ({}, [], ""):
            return self.get(f"workers.{path}")
        return value

    def worker_path(self, path: str) -> str:
        """Where the user wrote that worker key, or where to write it."""
        newer = f"workers.celery.{path}"
        if self.given(f"workers.{path}") and not self.given(newer):
            return f"workers.{path}"
        return self.spelled(newer) or newer

    @functools.cached_property
    def airflow(self) -> tuple[int, int, int] | None:
        """`airflowVersion` as numbers if it is a clean release, else None."""
        match = _RELEASE.fullmatch(str(self.get("airflowVersion") or ""))
        return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None

    @functools.cached_property
    def runs(self) -> Runs:
        """What runs by the user's image; `airflow` only decides what the chart renders."""
        return what_runs.by_values(self.user)

    @property
    def airflow3(self) -> bool:
        """Whether the chart renders the components of Airflow 3."""
        newer = self.airflow is not None and self.airflow >= (3, 0, 0)
        return newer and self.chart.tells_majors

    @property
    def airflow2(self) -> bool:
        """Whether the chart renders the webserver of Airflow 2."""
        older = self.airflow is not None and self.airflow < (3, 0, 0)
        return older or (self.airflow is not None and not self.chart.tells_majors)

    @functools.cached_property
    def executors(self) -> tuple[str, ...]:
        """The executors in their order, without aliases and packages' paths."""
        parts = [part.strip() for part in self.text("executor").split(",") if part.strip()]
        return tuple(re.split(r"[:.=;]", part)[-1] for part in parts)

    @property
    def celery(self) -> bool:
        """Whether Celery workers and a broker are part of the release."""
        return any("Celery" in name for name in self.executors)

    @property
    def kubernetes(self) -> bool:
        """Whether tasks may run in pods of their own."""
        return any("Kubernetes" in name for name in self.executors)

    @property
    def local(self) -> bool:
        """Whether tasks may run inside the scheduler."""
        return any(name.startswith(("Local", "Sequential")) for name in self.executors)

    @property
    def fullname(self) -> str:
        """What most object names begin with (template `airflow.fullname`)."""
        if not self.on("useStandardNaming"):
            return self.release
        override = self.text("fullnameOverride")
        name = self.text("nameOverride") or "airflow"
        return override or (self.release if name in self.release else f"{self.release}-{name}")

    def environment(self) -> Iterator[tuple[Path, str]]:
        """Names of the environment variables that every Airflow container is given by name."""
        for index, row in enumerate(self.rows("env")):
            yield ("env", index), str(row.get("name") or "")
        for index, row in enumerate(self.rows("secret")):
            yield ("secret", index), str(row.get("envName") or "")
        for name in re.findall(r"name:\s*[\"']?([A-Za-z_]\w*)", self.text("extraEnv")):
            yield ("extraEnv",), name

    def sets_variable(self, name: str) -> bool:
        """Whether a variable, or its `_CMD` or `_SECRET` form, is given to all containers."""
        names = {name, f"{name}_CMD", f"{name}_SECRET"}
        return any(variable in names for _, variable in self.environment())


def as_number(value: Any) -> float | None:
    """A number, or text that holds one, as a float; booleans are none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value.strip()):
        return float(value)
    return None


def merged(defaults: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The user's values over the chart's, as Helm does it.

    Mappings merge, everything else replaces, and null removes a default.
    """
    result = dict(defaults)
    for key, value in values.items():
        default = defaults.get(key)
        if value is None and key in defaults:
            del result[key]
        elif isinstance(value, Mapping) and isinstance(default, Mapping):
            result[key] = merged(default, value)
        else:
            result[key] = value
    return result
