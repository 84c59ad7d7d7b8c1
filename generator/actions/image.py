"""`gen-env image inspect`: the facts about an image, and their place in a definition."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generator.airflow import image_release, releases
from generator.core.errors import UserError
from generator.definition.definition import Definition
from generator.image.archive import Archive
from generator.image.contents import Contents, contents
from generator.image.layers import Image, Layers
from generator.model.environment import Environment
from generator.yaml import edit

_PACKAGE = "apache-airflow-providers-"


@dataclasses.dataclass(frozen=True, slots=True)
class Inspected:
    """What an image holds, and the names and digests that its archive or registry gives it."""

    contents: Contents
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    is_read: bool = False
    """Whether the image itself was read; else somebody says so."""

    def facts(self, of: str | None) -> dict[str, Any]:
        """As `image.facts` of a definition."""
        known: dict[str, Any] = {
            "of": of,
            "airflow": self.contents.airflow,
            "python": self.contents.python,
            "providers": self.contents.providers,
        }
        return {name: value for name, value in known.items() if value not in ("", None)}


def archive(path: Path) -> Inspected:
    """What the image in an archive holds.

    Raises UserError for what is not an image with Airflow, and for several images that differ.
    """
    with Archive(path) as place:
        return _inspected(place)


def registry(image: image_release.Reference, platform: str = "") -> Inspected:
    """The same of an image in its registry; the digest counts where it has one, else the tag."""
    from generator.image.registry import Registry

    if not (image.repository and (image.digest or image.tag)):
        raise UserError(f"{image} has no tag and no digest", hint="name it as docker://NAME:TAG")
    with Registry(image.repository, image.digest or image.tag, platform) as place:
        return _inspected(place)


def _inspected(place: Layers) -> Inspected:
    images = place.images()
    items = [(image, contents(place, image)) for image in images]
    if any(item != items[0][1] for _, item in items):
        names = ", ".join(filter(None, map(_name, images)))
        raise place.error(f"{len(items)} images that differ: {names or 'without names'}")
    found = items[0][1]
    return Inspected(
        dataclasses.replace(found, airflow=_release(found.airflow)),
        tuple(dict.fromkeys(tag for image in images for tag in image.tags)),
        tuple(dict.fromkeys(digest for image in images for digest in image.digests)),
        is_read=True,
    )


def by_hand(airflow: str, python: str, providers: Mapping[str, str]) -> Inspected:
    """The same from what somebody knows."""
    short = {
        name.replace("_", "-").removeprefix(_PACKAGE): version
        for name, version in providers.items()
    }
    return Inspected(Contents(_release(airflow), python, short or None))


def image_of(environment: Environment) -> image_release.Reference:
    """The image that an environment runs."""
    image = environment.image
    return image_release.Reference(image.repository, environment.image_tag, image.digest or "")


def name_of(environment: Environment, inspected: Inspected) -> str:
    """The tag or digest of an environment's image, as the facts name it.

    Raises UserError where the archive or registry says that it is another image.
    """
    own = image_of(environment)
    if own.digest and inspected.digests:
        if own.digest not in inspected.digests:
            raise UserError(
                f"inspected: {inspected.digests[0]}, but image.digest is {own.digest}",
                hint="inspect the image that runs, or say of which image it is: --of DIGEST",
            )
    elif (environment.image.tag or not own.digest) and not _named(inspected, own):
        raise UserError(
            f"inspected: {', '.join(inspected.tags)}, but the environment runs {own}",
            hint="inspect the image that runs, or say of which image it is: --of "
            + ("DIGEST" if own.digest else "TAG"),
        )
    return own.digest or own.tag


def _named(inspected: Inspected, image: image_release.Reference) -> bool:
    return not inspected.tags or any(_names(name, image) for name in inspected.tags)


def _names(name: str, image: image_release.Reference) -> bool:
    """Whether a name in an archive is the image's; an OCI layout may name the tag alone."""
    read = image_release.reference(name)
    if not read.tag:
        return name == image.tag
    repository, own = (
        text.removeprefix("docker.io/").removeprefix("library/")
        for text in (read.repository, image.repository)
    )
    return (repository, read.tag) == (own, image.tag)


def edited(item: Definition, facts: Mapping[str, Any]) -> str:
    """The text of a definition with these facts; the rest of it stays as it is."""
    return edit.set_value(item.document.text, ("image", "facts"), facts, file=item.path)


def _name(image: Image) -> str:
    return image.platform or next(iter(image.tags), "")


def _release(version: str) -> str:
    numbers = releases.parse(version)
    if numbers is None:
        raise UserError(f'Airflow "{version}" is not a release: its migrations are not known')
    return releases.dotted(numbers)
