"""What a change of images does to the schema of the database, and what the way back requires."""

from __future__ import annotations

import collections
import dataclasses
import enum
from collections.abc import Iterable

from generator.airflow import migrations
from generator.airflow.image_release import Runs, Source
from generator.airflow.migrations import Step
from generator.core.counted import counted


class Class(enum.StrEnum):
    """What the way back requires."""

    NONE = "none"
    STAYS = "no known migration"
    DOWNGRADE = "needs a downgrade to go back"
    ONE_WAY = "one-way"
    BACKWARD = "backward"
    UNKNOWN = "unknown"


CLOSED = frozenset({Class.ONE_WAY, Class.BACKWARD, Class.UNKNOWN})
"""Changes that a merge alone must not make."""


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    """The class of a change of images, the reason, and the commands.

    The commands of `before` run in the present image before the other one starts. Those of `back`
    undo the migration and run in the new image. `assumed` lists what was unknown and assumed.
    """

    kind: Class
    reason: str
    before: tuple[Step, ...] = ()
    back: tuple[Step, ...] = ()
    assumed: tuple[str, ...] = ()
    falls: bool = False
    """Whether the schema is downgraded; without commands, a backup from before is needed."""


def classify(old: Runs, new: Runs) -> Migration:
    """The migration from one image to another; `unknown` where it cannot be classified."""
    if old.same_image(new):
        return Migration(Class.NONE, "the image stays")
    way = migrations.between(old.content, new.content)
    if way is None:
        unclear = _unclear(old, new)
        reason = f"{unclear}; treat it as one that a revert does not undo"
        return Migration(Class.UNKNOWN, f"cannot classify the migration: {reason}")
    assumed = tuple(dict.fromkeys(filter(None, (old.assumed, new.assumed, *way.assumed))))
    before, back = _downgrades(way.there), _downgrades(way.back)
    kind = _kind(way, before, {old.source, new.source})
    reason = _reason(kind, way, (old, new))
    if assumed:
        reason += f"; assumed, so that a person has to decide: {'; '.join(assumed)}"
    elif kind is Class.STAYS:
        reason += ": the schema stays and a revert is enough"
    reason = "; ".join((reason, *way.idle))
    return Migration(kind, reason, before, back, assumed, way.falls)


def words(old: Runs, new: Runs) -> str:
    """`Airflow 3.1.8 → 3.2.2`, or what changes where the release stays."""
    if old.airflow == new.airflow:
        return f"Airflow {old.airflow} ({old.image.version} → {new.image.version})"
    return f"Airflow {old.airflow or 'unknown'} → {new.airflow or 'unknown'}"


def brief(result: Migration, old: Runs, new: Runs) -> str:
    """`Airflow 3.1.8 → 3.2.2: a schema migration with a way back in two steps`."""
    what = _BRIEF[result.kind]
    if result.kind is Class.DOWNGRADE:
        what += f" in {counted(len(result.back), 'step')}"
    doubt = " (in part assumed)" if result.assumed else ""
    moved = words(old, new) if old.airflow != new.airflow else _images(old, new)
    return f"{moved}: {what}{doubt}"


def commands(steps: Iterable[Step]) -> str:
    """The commands in their order, as a sentence quotes them."""
    return ", then ".join(f"`{step.command}`" for step in steps)


_BRIEF = {
    Class.STAYS: "no known schema migration",
    Class.DOWNGRADE: "a schema migration with a way back",
    Class.ONE_WAY: "a schema migration without a way back",
    Class.BACKWARD: "the schema must be downgraded first",
    Class.UNKNOWN: "whether the schema moves is not known",
    Class.NONE: "the image stays",
}


def _images(old: Runs, new: Runs) -> str:
    """The tags, or the digests where these alone differ."""
    before, after = old.image.version, new.image.version
    if before.partition("@")[0] != after.partition("@")[0]:
        before, after = before.partition("@")[0], after.partition("@")[0]
    return f"image {before} → {after} of Airflow {new.airflow or 'unknown'}"


def _kind(way: migrations.Migration, before: tuple[Step, ...], sources: set[Source]) -> Class:
    if way.lost:
        return Class.ONE_WAY
    if before:
        return Class.BACKWARD
    if way.there:
        return Class.DOWNGRADE if way.back else Class.UNKNOWN
    return Class.UNKNOWN if Source.CLAIM in sources else Class.STAYS


def _reason(kind: Class, way: migrations.Migration, images: tuple[Runs, Runs]) -> str:
    old, new = (_image(item) for item in images)
    match kind:
        case Class.ONE_WAY:
            return f"{'; '.join(way.lost)}: only a backup of the database brings all of it back"
        case Class.BACKWARD:
            return (
                f"the image {new} does not know the newer schema and will not start: first run "
                f"{commands(_downgrades(way.there))} with the image {old}"
            )
        case Class.DOWNGRADE:
            return (
                f"the schema moves ({_counts(way)}); to go back, run "
                f"{commands(_downgrades(way.back))} with the image {new} before the image {old} "
                "starts"
            )
        case Class.UNKNOWN:
            return "treat it as one that a revert does not undo"
        case _:
            return "no migration is known to lie between both images"


def _counts(way: migrations.Migration) -> str:
    branches = collections.Counter(item.partition(" ")[0] for item in way.revisions)
    numbers = (f"{counted(count, 'revision')} of {name}" for name, count in branches.items())
    return ", ".join(numbers) or "revisions not known"


def _downgrades(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Without `airflow db migrate`, which the migration job runs."""
    return tuple(step for step in steps if " downgrade " in step.command)


def _image(runs: Runs) -> str:
    return runs.image.version if runs.image.repository else runs.airflow


def _unclear(old: Runs, new: Runs) -> str:
    item = next(
        item for item in (new, old) if migrations.between(item.content, item.content) is None
    )
    if not item.airflow:
        return f'nothing says which Airflow the image "{item.image.version}" holds'
    return f'"{item.airflow}" is not a release'
