"""What the chart at hand makes of an environment: what it cannot express, and what is given up."""

from __future__ import annotations

import dataclasses
import fnmatch
from collections.abc import Iterator, Mapping, Sequence

from generator.airflow import facts
from generator.chart import key_table
from generator.chart.traits import ChartTraits
from generator.chart.version import parse_version
from generator.core.counted import counted
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.resolve import Resolved
from generator.release import chart_lines, versions
from generator.release.adopted_settings import field_of
from generator.release.chart_lines import Level
from generator.release.fit import Fit, fitted, lacking
from generator.release.setting import Setting

LACKS_FEATURE = Rule(
    "chart/lacks-feature",
    Severity.ERROR,
    "A field that this chart version cannot express",
    "The chart has no key for it, so what the field says would not happen.",
)
LEFT_OUT = Rule(
    "chart/left-out",
    Severity.WARNING,
    "Settings of gen-env's own that this chart version has no keys for",
    "The environment runs without what they guarantee.",
)
NOT_TRIED = Rule(
    "chart/not-tried",
    Severity.INFO,
    "A chart version that gen-env was not tried with",
    "Its keys are read off its archive; what its templates do with them is not known.",
)
AIRFLOW = Rule(
    "chart/airflow",
    Severity.ERROR,
    "A chart version that cannot run this Airflow",
    "The chart refuses to render, or lacks what this Airflow needs.",
)

# Fields that are written as another field, and settings with parts of a field of another name.
_CAUSES: Mapping[str, str] = {
    "apiServer.env": "auth",
    "*.spread": "placement.spread",
    "*.priorityClassName": "placement.priorityClassName",
}
# Fields whose keys some charts have and do not follow everywhere, and the first that does: charts
# 1.8 and 1.9 mount no volumes into task pods, or not where the DAG processor waits (rendered).
_FOLLOWED: Mapping[str, str] = {"ca": "1.10.0"}
_SHOWN = 8


@dataclasses.dataclass(frozen=True)
class Expression:
    """An environment's settings on the way into one chart version."""

    resolved: Resolved
    traits: ChartTraits
    fits: Sequence[Fit]

    def errors(self) -> tuple[Problem, ...]:
        """Fields that somebody wrote and that the chart cannot express, one finding each."""
        fields: dict[str, Fit] = {}
        for item in self.fits:
            gone = item.lost or self._half_followed(item)
            field = self._asked_by(self._switch_of(item)) if gone else ""
            if field:
                fields.setdefault(field, item)
        tops = [name for name in fields if not any(name.startswith(f"{top}.") for top in fields)]
        return tuple(self._lacking(name, fields[name]) for name in sorted(tops))

    def notes(self) -> Iterator[Problem]:
        """What is given up without anybody having asked for it, and what was not tried."""
        lost = [item for item in self.fits if item.lost and item.setting.field]
        if lost:
            names = [".".join(item.setting.key) for item in lost]
            shown = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
            yield self.resolved.problem(
                LEFT_OUT,
                f"chart {self._version} has no key for {counted(len(names), 'setting')} of"
                f" gen-env: {shown}",
                *("chart", "version"),
                hint=f"gen-env explain {self.resolved.name} lists them; a newer chart has them",
            )
        if chart_lines.level(self._version) is Level.DERIVED:
            yield self._not_tried()

    @property
    def _version(self) -> str:
        return self.resolved.environment.chart.version

    def _not_tried(self) -> Problem:
        renamed = sum(item.renamed for item in self.fits)
        left_out = sum(item.lost for item in self.fits)
        changed = f"{renamed} renamed and {left_out} left out"
        keys = f"of {counted(len(self.fits), 'key')} that it writes"
        return self.resolved.problem(
            NOT_TRIED,
            f"gen-env was not tried with chart {self._version}; {keys}, {changed} for it",
            *("chart", "version"),
            hint=f"look at gen-env explain {self.resolved.name} and at the render",
        )

    def _half_followed(self, item: Fit) -> bool:
        since = parse_version(_FOLLOWED.get(item.setting.field, ""))
        version = parse_version(self._version)
        return since is not None and version is not None and version < since

    def _switch_of(self, item: Fit) -> Fit:
        """What switches on the part that the setting belongs to, where the chart lacks the part."""
        part = item.setting.key[0]
        switches = (fit for fit in self.fits if fit.lost and fit.setting.key == (part, "enabled"))
        return next(switches, item)

    def _asked_by(self, item: Fit) -> str:
        """The field in somebody's own words that asks for the setting, or ''."""
        field = field_of(item.setting)
        causes = (cause for name, cause in _CAUSES.items() if fnmatch.fnmatchcase(field, name))
        return next((name for name in (field, *causes) if name and self._written(name)), "")

    def _written(self, field: str) -> bool:
        path = _path(field)
        places = self.resolved.merged.origins.items()
        return any(layer.path and place[: len(path)] == path for place, layer in places)

    def _lacking(self, field: str, item: Fit) -> Problem:
        key = lacking(item.setting, self.traits)
        reason = f"it has no key {key}" if item.lost else f"not every pod of it follows {key}"
        since = first_with(item.setting)
        version, known = parse_version(self._version), parse_version(since)
        gone = version is not None and known is not None and known < version
        newer = f"chart {since} or later" if since else "a newer chart"
        need = (
            f"charts {since} to {key_table.versions()[-1]} have it" if gone else f"it needs {newer}"
        )
        move = f"gen-env upgrade {self.resolved.name} --chart {since or 'VERSION'}"
        removal = f"remove {field}"
        if gone and field.startswith("dags.gitSync"):
            removal = f"before the move: gen-env upgrade {self.resolved.name} --dags bundles"
        return self.resolved.problem(
            LACKS_FEATURE,
            f"chart {self._version} cannot express {field}: {reason}; {need}",
            *_path(field),
            hint=removal + ("" if gone else f", or move to {newer}: {move}"),
        )


def first_with(setting: Setting) -> str:
    """The oldest release from which on every one can express the setting, '' where none can."""
    if setting.field in _FOLLOWED:
        return _FOLLOWED[setting.field]
    since = ""
    for version in reversed(key_table.versions()):
        if fitted([setting], key_table.traits(version))[0].lost:
            break
        since = version
    return since


def _path(field: str) -> tuple[str, ...]:
    if field.startswith("airflow.config."):
        return ("airflow", "config", *field.split(".", 3)[2:])
    return tuple(field.split("."))


def airflow_problems(resolved: Resolved, traits: ChartTraits) -> Iterator[Problem]:
    """Whether the chart can run the Airflow of the environment, by what its archive holds."""
    environment = resolved.environment
    version = environment.airflow.version
    reason = cannot_run(traits, version, adopted=environment.adoption is not None)
    if reason:
        oldest = ".".join(map(str, traits.airflow_floor or ()))
        hint = "use Airflow 2 with this chart, or chart 1.17 or later"
        if is_too_old(traits, version):
            move = f"gen-env upgrade {resolved.name} --airflow {oldest}"
            hint = f"first Airflow, then the chart: {move}"
        message = f"chart {environment.chart.version} {reason}"
        yield resolved.problem(AIRFLOW, message, "airflow", "version", hint=hint)


def is_too_old(traits: ChartTraits, airflow: str) -> bool:
    """Whether the chart refuses to render for this Airflow; False where nobody can tell."""
    version, floor = parse_version(airflow), traits.airflow_floor
    parsed = (version.major, version.minor, version.patch) if version else None
    return parsed is not None and floor is not None and parsed < floor


def newest_airflow(traits: ChartTraits | None) -> str:
    """The newest known Airflow that a chart runs; what it asks for where that is newer than all.

    The newest of all where nothing is known of the chart.
    """
    known = reversed(facts.lines_since((0, 0)))
    runs = (item for item in known if traits is None or not cannot_run(traits, item))
    oldest = traits.airflow_floor if traits else None
    return next(runs, ".".join(map(str, oldest or ())) or versions.AIRFLOW)


def cannot_run(traits: ChartTraits, airflow: str, *, adopted: bool = False) -> str:
    """Why the chart cannot run this Airflow, in words that follow its name; '' where it can.

    Without a JWT secret that all share, the API server refuses what the scheduler signs; an
    adopted release has found its way around that.
    """
    parsed = parse_version(airflow)
    if parsed is None:
        return ""
    if is_too_old(traits, airflow):
        oldest = ".".join(map(str, traits.airflow_floor or ()))
        return f"refuses Airflow {airflow}: it renders {oldest} and later"
    needed = ["apiServer.replicas", *([] if adopted else ["jwtSecretName"])]
    lacking = [key for key in needed if parsed.major >= 3 and not traits.has(key)]
    return f"cannot run Airflow {airflow}: it has no {lacking[0]}" if lacking else ""
