"""Which fields say exactly what the values said; all else stays in `values:`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pydantic

from generator.adoption import service_accounts, simplify, values_to_fields
from generator.adoption.values_to_fields import Proposal
from generator.chart.traits import ChartTraits
from generator.core.errors import UserError
from generator.core.layered import Path, alternatives, dotted, leaves, lookup
from generator.definition import definition
from generator.helmvalues.values import ValuesInput, merged
from generator.model.adoption import Adoption
from generator.model.environment import Environment
from generator.model.repository import Cluster
from generator.release import adopted_settings, chart_lines
from generator.release.fit import Fit, fitted, reached
from generator.release.release import by_chart
from generator.release.setting import Key, Setting, copied

# Keys that one field sets together for two generations of a program; the older may lag behind.
_COMPANIONS = frozenset({"dags.gitSync.branch"})


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A definition's data without `values`, and the values that it does not cover."""

    data: Mapping[str, Any]
    rest: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class _Effect:
    """What a definition's own words set: equal to before, or not."""

    equal: tuple[Setting, ...]
    """Under the chart's own names."""
    changed: tuple[Fit, ...]
    shared: frozenset[Key]
    """Of what stays equal, the settings that the chart reads under the key of another one."""


def fit(
    values: ValuesInput,
    required: Mapping[str, Any],
    cluster: Cluster,
    traits: ChartTraits | None,
    keep: Mapping[str, Any],
) -> Fitted:
    """Add to the required fields all others with which nothing changes.

    `traits` are those of the chart, where it is another than gen-env writes for; `keep` are the
    user's values less what may be left out. Raises UserError when the required fields alone are
    no definition.
    """
    fitting = _Fitting(values, cluster, traits, copied(required))
    fitting.check()
    for proposal in values_to_fields.proposals(values):
        fitting.offer(proposal)
    for proposal in values_to_fields.options(values):
        if not fitting.covers(("config", *proposal[0][2:])):
            fitting.offer(proposal)
    return fitting.result(keep)


class _Fitting:
    def __init__(
        self,
        values: ValuesInput,
        cluster: Cluster,
        traits: ChartTraits | None,
        data: dict[str, Any],
    ) -> None:
        self._values = values
        self._traits = traits
        self._cluster = cluster
        self._data = data
        self._effect = _Effect((), (), frozenset())

    def check(self) -> None:
        """The required fields must be a definition."""
        try:
            environment = Environment.model_validate(self._data)
        except pydantic.ValidationError as error:
            faults = list(definition.faults(error, self._data, Environment))
            told = "; ".join(message for _, message, _ in faults)
            raise UserError(f"cannot build a definition from these values: {told}") from None
        self._effect = self._effect_of(environment, self._data)

    def offer(self, proposal: Proposal) -> None:
        """Take a field if the definition stays valid and nothing that was written changes."""
        path, value = proposal
        present = lookup(self._data, path)
        # The first one wins; an empty mapping only opens a feature for its parts.
        if value is None or (present is not None and present != {}):
            return
        if any(lookup(self._data, other) is not None for other in alternatives(path)):
            return
        data = copied(self._data)
        simplify.put(data, path, copied(value))
        try:
            environment = Environment.model_validate(data)
        except pydantic.ValidationError:
            return
        effect = self._effect_of(environment, data)
        before = {item.key for item in self._effect.equal}
        known = {item.setting.key for item in self._effect.changed}
        equal = {item.key for item in effect.equal} - before
        new = [item for item in effect.changed if item.setting.key not in known]
        new = [item for item in new if item.spelled is None or item.spelled.key not in before]
        gained = equal or effect.shared - self._effect.shared
        if not gained or any(self._contradicts(item) for item in new):
            return
        self._data, self._effect = data, effect

    def covers(self, path: Path) -> bool:
        """Whether a field sets this chart key already."""
        return any(path[: len(item.key)] == item.key for item in self._effect.equal)

    def result(self, keep: Mapping[str, Any]) -> Fitted:
        """The definition's data; chart keys that must stay as they were are listed in it."""
        rest: dict[str, Any] = {}
        for path, value in leaves(keep):
            if path and not self.covers(path):
                simplify.put(rest, path, copied(value))
        leave = sorted(".".join(item.setting.key) for item in self._effect.changed)
        adoption = {"leave": leave} if leave else {}
        return Fitted({**self._data, "adoption": adoption}, rest)

    def _contradicts(self, item: Fit) -> bool:
        """Whether the chart cannot say it, or the user decided the key and said otherwise."""
        if item.spelled is None:
            return item.lost
        key = item.spelled.key
        return ".".join(key) not in _COMPANIONS and self._values.decided(key)

    def _effect_of(self, environment: Environment, data: Mapping[str, Any]) -> _Effect:
        line = chart_lines.line_for(environment.chart.version)
        assert line is not None
        routes = (item.setting for item in by_chart(line, environment, self._cluster, self._traits))
        settings = (*line.settings(environment, self._cluster), *routes)
        wanted = adopted_settings.kept(settings, (), Adoption(), lambda field: _says(data, field))
        fits = fitted(wanted, self._traits)
        equal = [item for item in fits if item.spelled and self._as_before(item.spelled)]
        changed = [item for item in fits if item not in equal and (item.spelled or item.lost)]
        # An older chart has one key for both kinds of workers, and one of the settings writes it.
        rest = [item.setting for item in fits if item.off and item.setting.value]
        shared = frozenset(item.key for item in rest if self._as_before(item))
        return _Effect(tuple(reached(equal)), tuple(changed), shared)

    def _as_before(self, setting: Setting) -> bool:
        before = self._values.get(setting.key)
        if setting.key[0] == "config":
            return bool(values_to_fields.option_text(before) == setting.value)
        after = setting.value
        if service_accounts.is_identity(setting.key):
            before = service_accounts.settled(before, self._values)
        if isinstance(after, Mapping):
            default = lookup(self._values.defaults, setting.key)
            after = merged(default if isinstance(default, Mapping) else {}, after)
        return simplify.same(before, after)


def _says(data: Mapping[str, Any], field: str) -> bool:
    parts: Sequence[str] = field.split(".")
    if field.startswith("airflow.config."):
        parts = ("airflow", "config", *field.split(".", 3)[2:])
    return lookup(data, tuple(parts)) is not None


def described(fitted: Fitted) -> Iterator[str]:
    """The chart keys that stay in `values:`, for people."""
    for path, _ in leaves(fitted.rest):
        if path:
            yield dotted(path)
