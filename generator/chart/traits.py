"""What one chart does with a key, derived from its schema, its values and its templates.

Nothing here names a chart version: a chart that nobody has seen yet is read like all others.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import re
from collections.abc import Callable, Mapping

from generator.chart.key_tree import FREE, IGNORED, KEYS, REST, Node, Tree, below
from generator.chart.version import parse_version
from generator.core.layered import Path, path_of

Release = tuple[int, int, int]

_ITEM = re.compile(r"([^\[]*)\[(?:\d*|\*)\]")
_CELERY = ("workers", "celery")


class Reading(enum.StrEnum):
    """What a chart does with a key."""

    READ = "read"
    PARTLY = "partly"
    """Some of its templates read the key, others the key's older name."""
    IGNORED = "ignored"
    REFUSED = "refused"
    """Its schema does not take the key: the render fails."""


@dataclasses.dataclass(frozen=True, slots=True)
class Templates:
    """What the texts of a chart's templates say.

    `undocumented` are keys that a template reads and neither schema nor values have. `marks` are
    the names of `traits_reader.MARKS` whose text the templates contain. `hooks` are the templates
    with a Helm hook and its events, `random` those that make something new on every render.
    """

    airflow_floor: Release | None = None
    merges_workers: bool = False
    """Whether keys below `workers.celery` count that only `workers` documents."""
    partly_merged: frozenset[str] = frozenset()
    """Of these keys (below `workers`), those that some templates read unmerged ..."""
    never_merged: frozenset[str] = frozenset()
    """... and those that all do."""
    undocumented: frozenset[str] = frozenset()
    marks: frozenset[str] = frozenset()
    hooks: tuple[tuple[str, str], ...] = ()
    random: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class ChartTraits:
    """A chart's keys and ways; equal archives have equal traits.

    `airflow` is the Airflow version of its defaults, `images` the default image of each part
    (`repository:tag`, without those of Airflow itself).
    """

    version: str
    airflow: str = ""
    images: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tree: Tree = dataclasses.field(default_factory=lambda: Tree({REST: FREE}, {}), repr=False)
    templates: Templates = dataclasses.field(default_factory=Templates)

    @property
    def release(self) -> Release:
        """The version as numbers, (0, 0, 0) for one that is none."""
        version = parse_version(self.version)
        return (version.major, version.minor, version.patch) if version else (0, 0, 0)

    @property
    def airflow_floor(self) -> Release | None:
        """The oldest Airflow that the chart renders, or None where it does not say."""
        return self.templates.airflow_floor

    @property
    def merges_workers(self) -> bool:
        """Whether templates lay `workers.celery` over `workers`, documented keys or not."""
        return self.templates.merges_workers

    @property
    def is_known(self) -> bool:
        """Whether anything is known of its keys."""
        return bool(self.tree.root.get(KEYS))

    @property
    def tells_majors(self) -> bool:
        """Whether what is rendered depends on Airflow's major version."""
        return self.marked("majors") or not self.templates.marks

    def marked(self, name: str) -> bool:
        """Whether the templates contain the text of that mark (`traits_reader.MARKS`)."""
        return name in self.templates.marks

    def reading(self, key: str | Path) -> Reading:
        """What the chart does with the key; `[]`, `[0]` and numbers stand for items of a list."""
        path = _items(path_of(key) if isinstance(key, str) else key)
        answer = self._readings(path)
        return self._merged(path) if answer is Reading.IGNORED else answer

    def has(self, key: str | Path) -> bool:
        """Whether all templates that are about the key read it."""
        return self.reading(key) is Reading.READ

    def known(self, section: Path) -> frozenset[str]:
        """The keys that are documented for a section; empty where any key will do."""
        node = self.tree.at(_items(section))
        return frozenset(node.get(KEYS, ())) if isinstance(node, Mapping) else frozenset()

    @functools.cached_property
    def _readings(self) -> Callable[[Path], Reading]:
        return functools.lru_cache(maxsize=None)(self._documented)

    def _documented(self, path: Path) -> Reading:
        node: Node | str = self.tree.root
        for part in path:
            node = below(self.tree.resolved(node), part)
            if node == FREE:
                return Reading.READ
            if node == IGNORED:
                undocumented = self.templates.undocumented
                places = (".".join(map(str, path[:end])) for end in _ends(path))
                read = bool(undocumented) and any(place in undocumented for place in places)
                return Reading.READ if read else Reading.IGNORED
            if isinstance(node, str) and not node.startswith("#"):
                return Reading.REFUSED
        return Reading.READ

    def _merged(self, path: Path) -> Reading:
        """What becomes of an undocumented key below `workers.celery`."""
        own = path[len(_CELERY) :]
        if not self.merges_workers or path[: len(_CELERY)] != _CELERY or not own:
            return Reading.IGNORED
        key = ".".join(map(str, own))
        never, partly = self.templates.never_merged, self.templates.partly_merged
        if self._documented(("workers", *own)) is not Reading.READ or _within(key, never):
            return Reading.IGNORED
        around = any(item.startswith(f"{key}.") for item in never | partly)
        return Reading.PARTLY if around or _within(key, partly) else Reading.READ


def _items(path: Path) -> Path:
    """The path with numbers for the items of lists, as `hosts[*]`, `hosts[0]`, `[]` name them."""
    parts: list[str | int] = []
    for part in path:
        match = _ITEM.fullmatch(part) if isinstance(part, str) else None
        parts += [*([match[1]] if match[1] else []), 0] if match else [part]
    return tuple(parts)


def _ends(path: Path) -> range:
    return range(1, len(path) + 1)


def _within(key: str, keys: frozenset[str]) -> bool:
    """Whether the key is one of these, or below one."""
    return any(f"{key}.".startswith(f"{item}.") for item in keys)
