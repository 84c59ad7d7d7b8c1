"""The settings of an environment under the names of the chart at hand, and what it has no key for.

Settings are made under the newest names. A chart of another version may read them under older
ones, in another form, or not at all: its traits tell.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.chart.traits import ChartTraits, Reading
from generator.core.layered import Path, dotted, leaves, lookup
from generator.release import chart_lines
from generator.release.setting import Key, Setting, copied
from generator.release.spelling import Spelling, names_of, spelling, spellings

_NOTHING: tuple[Any, ...] = (None, "", {}, [])
_SWITCH = ("enabled",)
_TRIGGERER_VOLUME = "triggerer.persistence.enabled"
_SECONDS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclasses.dataclass(frozen=True, slots=True)
class Fit:
    """What became of one setting: under the chart's own name, or None where it has no key.

    `off` if it only switches off what the chart does not have, so that nothing is lost.
    """

    setting: Setting
    spelled: Setting | None
    off: bool = False

    @property
    def renamed(self) -> bool:
        """Whether the chart reads it under another name."""
        return self.spelled is not None and self.spelled.key != self.setting.key

    @property
    def lost(self) -> bool:
        """Whether the chart cannot do what the setting asks for."""
        return self.spelled is None and not self.off


def fitted(settings: Sequence[Setting], traits: ChartTraits | None) -> tuple[Fit, ...]:
    """Each setting as the chart takes it; without traits the chart is that of the names.

    Two settings that an older chart reads under one name must agree, else the second is lost.
    """
    if traits is None:
        return tuple(Fit(setting, setting) for setting in settings)
    return tuple(_switched_off(_apart(_fit(setting, traits) for setting in settings)))


def lacking(setting: Setting, traits: ChartTraits) -> str:
    """The first part of the setting that the chart does not read, under the name it knows best.

    That is `workers.keda.usePgbouncer` for a chart without `workers.celery` that has the rest.
    """
    plain = _plain(setting.key)
    names = names_of(".".join(plain), chart_lines.closest(traits.version).old_keys)
    keys = [(*name.key.split("."), *setting.key[len(plain) :]) for name in names]
    found = [path for key in keys for path in _unread(key, setting.value, traits)]
    return dotted(max(found, key=len, default=setting.key)).replace("[0]", "[]")


def _unread(key: Key, value: Any, traits: ChartTraits) -> Iterator[Path]:
    """What the chart does not read of a setting under one name: its first such part."""
    for path in _places(value, key):
        for end in range(1, len(path) + 1):
            if traits.reading(path[:end]) is not Reading.READ:
                yield path[:end]
                return


def reached(fits: Sequence[Fit]) -> list[Setting]:
    """The settings that reach the chart, under its names."""
    return [item.spelled for item in fits if item.spelled is not None]


def canonical(
    values: Mapping[str, Any], traits: ChartTraits
) -> tuple[dict[str, Any], frozenset[str]]:
    """A chart's values with today's names beside the older ones that it reads, and those names."""
    result: dict[str, Any] = copied(values)
    moved = set()
    keys = chart_lines.closest(traits.version).old_keys
    for row in (*keys.older, *keys.renamed):
        value = lookup(values, row.old)
        if value is None or not row.reversible or not traits.has(row.old):
            continue
        for new in (name for name in row.new if not traits.has(name)):
            moved.add(new)
            _give(result, new, _newest(new, value))
    return result, frozenset(moved)


def running(
    values: Mapping[str, Any], traits: ChartTraits
) -> tuple[dict[str, Any], frozenset[str]]:
    """As `canonical`, with what runs by default off where the chart does not have it."""
    result, moved = canonical(values, traits)
    if spelling(_TRIGGERER_VOLUME, traits) is None:
        _give(result, _TRIGGERER_VOLUME, False)
    return result, moved


def _apart(fits: Iterator[Fit]) -> Iterator[Fit]:
    """The fits without a second setting at one place: equal ones are one."""
    taken: dict[Key, Any] = {}
    for item in fits:
        if item.spelled is None:
            yield item
            continue
        key, value = item.spelled.key, item.spelled.value
        if key not in taken:
            taken[key] = value
            yield item
        else:
            yield Fit(item.setting, None, off=taken[key] == value or item.setting.value is None)


def _switched_off(fits: Iterable[Fit]) -> list[Fit]:
    """The fits where what belongs to a part that is off, and that the chart lacks, is off too."""
    known = list(fits)
    off = {item.setting.key[0] for item in known if item.off and item.setting.key[1:] == _SWITCH}
    return [
        dataclasses.replace(item, off=True) if item.lost and item.setting.key[0] in off else item
        for item in known
    ]


def _fit(setting: Setting, traits: ChartTraits) -> Fit:
    plain = _plain(setting.key)
    for name in spellings(".".join(plain), traits):
        key = (*name.key.split("."), *setting.key[len(plain) :])
        value = _oldest(name, setting.value)
        if value is not None or setting.value is None:
            spelled = dataclasses.replace(setting, key=key, value=value)
            if _takes(spelled, traits):
                return Fit(setting, spelled)
    return Fit(setting, None, off=_only_off(setting, plain, traits))


def _only_off(setting: Setting, plain: Key, traits: ChartTraits) -> bool:
    """Whether the setting switches off what the chart does not have anyway."""
    if setting.value is not False:
        return setting.value in _NOTHING
    section = ".".join(plain[:-1])
    return bool(section) and next(spellings(section, traits), None) is None


def _plain(key: Key) -> Key:
    """The key up to a part that is a name of the user's, with dots in it."""
    dots = [index for index, part in enumerate(key) if "." in part]
    return key[: dots[0]] if dots else key


def _takes(setting: Setting, traits: ChartTraits) -> bool:
    """Whether the chart reads the setting, and all that its value says."""
    paths = _places(setting.value, setting.key)
    return all(traits.reading(path) is Reading.READ for path in paths)


def _places(value: Any, path: Path) -> Iterator[Path]:
    yield path
    if isinstance(value, Mapping):
        for place, item in leaves(value):
            yield from _places(item, (*path, *place)) if place else ()
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _places(item, (*path, 0))


def _oldest(name: Spelling, value: Any) -> Any:
    """The value in the form that belongs to an older name; None where it has none."""
    if not name.reshaped or value is None:
        return value
    last = name.key.rpartition(".")[2]
    if last == "secretName":
        return value[0]["name"] if len(value) == 1 else None
    if last == "wait":
        parts = _SECONDS.fullmatch(str(value))
        hours, minutes, seconds = (int(part or 0) for part in parts.groups()) if parts else (0,) * 3
        return hours * 3600 + minutes * 60 + seconds or None
    if last == "host":
        return value[0]["name"] if len(value) == 1 and set(value[0]) == {"name"} else None
    return value


def _newest(name: str, value: Any) -> Any:
    """The value of an older name in today's form."""
    if name == "imagePullSecrets":
        return [{"name": value}]
    return [{"name": value}] if name.endswith(".hosts") else value


def _give(values: dict[str, Any], name: str, value: Any) -> None:
    """Set a value at a place that is free."""
    *above, last = name.split(".")
    node: Any = values
    for part in above:
        node = node.setdefault(part, {}) if isinstance(node, dict) else None
    if isinstance(node, dict):
        node.setdefault(last, copied(value))
