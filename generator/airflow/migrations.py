"""Migrations of the metadata database between two images: the Alembic revisions and the commands.

Airflow has one chain of revisions. Some providers have their own chain in the same database (FAB
for users, Edge for workers). `airflow db migrate` upgrades all chains. Each chain has its own
downgrade command. Downgrades run in the newer image, because the older image does not have the
newer revisions, and providers are downgraded before Airflow. A provider's chain counts only where
Airflow runs it (`airflow/managers`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.airflow import facts, managers, releases

UP = "airflow db migrate"
"""The command that moves every chain up."""
_AIRFLOW = "airflow"


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """Contents of an image: Airflow's version, and its providers (`{"fab": "3.4.0"}`) if known.

    `options` are those with which it runs, as far as they decide which chains do.
    """

    airflow: str
    providers: Mapping[str, str] | None = None
    options: managers.Options = managers.CHART


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """A command, and the Airflow version of the image in which to run it."""

    command: str
    image: str


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    """The steps from one image to another (`there`), and the steps back.

    `revisions` are the revisions between the two, oldest first, such as `airflow 1d6611b6ab7c`.
    `lost` lists what a downgrade does not restore. `assumed` lists what was unknown and therefore
    assumed. `idle` says which providers' chains have no steps because Airflow does not run them.
    """

    there: tuple[Step, ...]
    back: tuple[Step, ...]
    revisions: tuple[str, ...]
    lost: tuple[str, ...]
    assumed: tuple[str, ...]
    falls: bool = False
    """Whether `there` downgrades a chain, and so loses what its newer revisions had added."""
    idle: tuple[str, ...] = ()

    @property
    def reversible(self) -> bool:
        """Whether the steps back restore the old schema; False if anything was assumed."""
        return not self.assumed and not self.lost


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """The Alembic revision of a version, '' if unknown; `assumed` says why it is uncertain."""

    revision: str
    assumed: str = ""


def revision_head(version: str) -> Head:
    """Airflow's revision in that version; assumed for a patch release newer than the data."""
    about, line = releases.data("migrations")["airflow"], facts.line_of(version)
    return _head("Airflow", version, {**about, "newest": line.release} if line else about)


def known_revisions(version: str) -> list[str]:
    """Every revision of Airflow up to that of a version; none where its own is not certain."""
    head = revision_head(version)
    if head.assumed or not head.revision:
        return []
    return _between("", head.revision, releases.data("migrations")["revisions"]) or []


def provider_head(provider: str, version: str) -> Head:
    """The revision of a provider in that version; '' for a provider without migrations."""
    about = releases.data("migrations")["providers"].get(provider)
    return _head(f"provider {provider}", version, about) if about else Head("")


def reversible(start: str, end: str) -> bool:
    """Whether all of Airflow's own revisions between two versions can be downgraded."""
    way = between(Image(start, {}), Image(end, {}))
    return way is not None and way.reversible


def published(version: str) -> str:
    """The day on which an Airflow release was published, such as 2026-05-29; '' if not known."""
    about: dict[str, str] = releases.data("migrations")["images"].get(version) or {}
    return about.get("published", "")


def of_official_image(version: str) -> dict[str, str] | None:
    """The newest providers with migrations on the day when that Airflow release was published.

    Official images are built from the constraints of that day; the dates are upload dates of the
    package registry. None for releases before Airflow 3 and for unknown releases.
    """
    about: dict[str, str] | None = releases.data("migrations")["images"].get(version)
    return {key: value for key, value in about.items() if key != "published"} if about else None


def between(start: Image, end: Image) -> Migration | None:
    """The migration from one image to another; None if either version is not a release number.

    Unknown providers are assumed to be those of the official image of the release.
    """
    old, new = releases.parse(start.airflow), releases.parse(end.airflow)
    if old is None or new is None:
        return None
    assumed: list[str] = []
    idle: list[str] = []
    branches = [_airflow(start.airflow, end.airflow), *_providers(start, end, assumed, idle)]
    moving = [branch for branch in branches if branch.moves]
    rising = [branch for branch in moving if not branch.falls]
    falling = [branch for branch in moving if branch.falls]
    return Migration(
        (*_down(falling, start.airflow), *_up(rising, end.airflow)),
        (*_down(rising, end.airflow), *_up(falling, start.airflow)),
        tuple(f"{branch.name} {item}" for branch in moving for item in branch.revisions),
        tuple(_lost(moving, old, new)),
        (*assumed, *(reason for branch in branches for reason in branch.assumed)),
        any(branch.lower for branch in falling),
        tuple(idle),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Branch:
    """One chain of revisions between two versions; `falls` if `there` downgrades it."""

    name: str
    lower: str
    """The older version, to which a downgrade goes; '' if that image does not have the chain."""
    revisions: tuple[str, ...]
    falls: bool
    assumed: tuple[str, ...]
    lost: tuple[str, ...]
    down: str = ""
    """The command for a downgrade; '' where there is none."""

    @property
    def moves(self) -> bool:
        return bool(self.revisions or self.assumed)


def _up(branches: list[_Branch], image: str) -> Iterator[Step]:
    if branches:
        yield Step(UP, image)


def _down(branches: list[_Branch], image: str) -> Iterator[Step]:
    """The downgrade commands: providers first, Airflow last."""
    for branch in sorted(branches, key=lambda item: (item.name == _AIRFLOW, item.name)):
        if branch.down and branch.lower:
            yield Step(f"{branch.down} --to-version {branch.lower} --yes", image)


def _airflow(start: str, end: str) -> _Branch:
    heads = revision_head(start), revision_head(end)
    chain = releases.data("migrations")["revisions"]
    return dataclasses.replace(
        _branch(_AIRFLOW, (start, end), heads, chain), down="airflow db downgrade"
    )


def _providers(start: Image, end: Image, assumed: list[str], idle: list[str]) -> Iterator[_Branch]:
    before, after = _known(start, assumed), _known(end, assumed)
    if before is None or after is None:
        return
    for name in sorted({*before, *after} & {*releases.data("migrations")["providers"]}):
        answers = [
            managers.answer(name, versions[name], image.airflow, image.options)
            for image, versions in ((start, before), (end, after))
            if name in versions
        ]
        branch = _provider(name, before.get(name, ""), after.get(name, ""))
        if all(item.runs for item in answers):
            yield _with(branch, answers)
        elif branch.moves:
            idle.append(_idle(name, answers))


def _provider(name: str, before: str, after: str) -> _Branch:
    """The chain of a provider by its version in both images, '' where it is not installed."""
    if not after:
        reason = f"provider {name} leaves: whether its tables stay is not known"
        return _Branch(name, "", (), True, (reason,), ())
    if not before:
        reason = (
            f"provider {name} arrives with tables of its own: whether the image without it "
            "works beside them is not known"
        )
        return _Branch(name, "", (), False, (reason,), ())
    heads = provider_head(name, before), provider_head(name, after)
    return _branch(name, (before, after), heads, _chain_of(name))


def _with(branch: _Branch, answers: list[managers.Answer]) -> _Branch:
    """The chain with its command in the newer image; what was assumed counts if it moves."""
    newer = answers[0] if branch.falls else answers[-1]
    reasons = [item.assumed for item in answers if item.assumed and branch.moves]
    return dataclasses.replace(branch, assumed=(*branch.assumed, *reasons), down=newer.down)


def _idle(name: str, answers: list[managers.Answer]) -> str:
    reasons = dict.fromkeys(item.why for item in answers if not item.runs)
    return f"the chain of {name} has no step and its tables stay: {'; '.join(reasons)}"


def _known(image: Image, assumed: list[str]) -> Mapping[str, str] | None:
    """The providers of an image; None if unknown, and before Airflow 3, where none migrate."""
    if (releases.parse(image.airflow) or ()) < (3,):
        return None
    if image.providers is not None:
        return image.providers
    official = of_official_image(image.airflow)
    if official is None:
        assumed.append(f"providers of the image with Airflow {image.airflow} are not known")
        return None
    names = ", ".join(f"{name} {version}" for name, version in official.items())
    assumed.append(
        f"providers of the image with Airflow {image.airflow} are not known: assumed {names}, the "
        "newest when that Airflow was published"
    )
    return official


def _branch(
    name: str, versions: tuple[str, str], heads: tuple[Head, Head], chain: Mapping[str, Any]
) -> _Branch:
    first, last = heads
    rise, fall = (_between(one.revision, other.revision, chain) for one, other in
                  ((first, last), (last, first)))  # fmt: skip
    revisions = rise if rise is not None else fall
    assumed = [head.assumed for head in heads if head.assumed]
    if revisions is None:
        assumed.append(f"revisions of {name} between {versions[0]} and {versions[1]} are not known")
    falls = _falls(rise, fall, versions)
    return _Branch(
        name,
        versions[1] if falls else versions[0],
        tuple(revisions or ()),
        falls,
        tuple(assumed),
        tuple(item for item in revisions or () if chain[item][1] != "real"),
    )


def _falls(rise: list[str] | None, fall: list[str] | None, versions: tuple[str, str]) -> bool:
    """Whether `there` goes down: by the revisions, or by the versions if these are unknown."""
    if rise or fall:
        return not rise
    old, new = (releases.parse(version) or () for version in versions)
    return old > new


def _between(lower: str, upper: str, chain: Mapping[str, Any]) -> list[str] | None:
    """The revisions after `lower` up to `upper`; None if `lower` is not an ancestor of `upper`."""
    revisions: list[str] = []
    at: str | None = upper
    while at and at != lower and at in chain:
        revisions.insert(0, at)
        at = chain[at][0]
    return revisions if (at or "") == lower else None


def _chain_of(provider: str) -> Mapping[str, Any]:
    chain: Mapping[str, Any] = releases.data("migrations")["provider-revisions"][provider]
    return chain


def _lost(branches: list[_Branch], old: releases.Version, new: releases.Version) -> Iterator[str]:
    if min(old, new) < (3,) <= max(old, new):
        # airflow/migrations/versions: 0047, 0049 and 0055 of 3.0.0.
        yield (
            "airflow 3.0.0: moves pickled values to archive tables; its downgrade deletes "
            "serialized DAGs and brings no values back"
        )
    for branch in branches:
        for item in branch.lost:
            yield f"{branch.name} {item}: its downgrade leaves everything as it is"
        if not branch.down and branch.lower:
            yield f"{branch.name}: it has no command for a downgrade"


def _head(name: str, version: str, about: Mapping[str, Any]) -> Head:
    numbers, newest = releases.parse(version), releases.parse(about["newest"])
    if numbers is None or newest is None:
        return Head("", f'"{version}" of {name} is not a release number')
    heads = {releases.parse(key) or (): value for key, value in about["heads"].items()}
    before = [key for key in sorted(heads) if key <= numbers]
    revision = heads[before[-1]] if before else ""
    if numbers > newest:
        newer = f"{name} {version} is newer than {about['newest']}, the newest known before it"
        return Head(revision, newer)
    return Head(revision)
