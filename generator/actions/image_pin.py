"""`gen-env image pin`: the digest of an image, written back into the definition."""

from __future__ import annotations

import re

from generator.actions.image import image_of
from generator.airflow import image_release
from generator.core.errors import UserError
from generator.definition.resolve import Resolved
from generator.yaml import edit

_BASE = ("image", "build", "base")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def subject(resolved: Resolved, *, base: bool) -> image_release.Reference:
    """The image whose digest is pinned: the one that runs, or the base that it is built on.

    Raises UserError for a base that has no tag, or is not written in the definition itself.
    """
    environment, definition = resolved.environment, resolved.definition
    if not base:
        return image_of(environment)
    if definition.part(*_BASE) is None:
        raise UserError(
            "image.build.base is not in the definition",
            path=resolved.place(*_BASE)[0],
            hint="write it into the definition, or its digest by hand where it is",
        )
    assert environment.image.build is not None
    found = image_release.reference(environment.image.build.base)
    if not found.tag:
        raise UserError("image.build.base has no tag to look up", path=definition.path)
    return found


def digest_of(image: image_release.Reference) -> str:
    """The digest that the tag of an image has in its registry now. Raises UserError."""
    from generator.image.registry import Registry

    with Registry(image.repository, image.tag) as place:
        return place.images()[0].digests[0]


def given(digest: str) -> str:
    """A digest that somebody names. Raises UserError for anything else."""
    if not _DIGEST.fullmatch(digest):
        raise UserError("not a digest: sha256: and 64 hexadecimal digits")
    return digest


def edited(resolved: Resolved, image: image_release.Reference, digest: str, *, base: bool) -> str:
    """The text of the definition with this digest; every other byte stays."""
    item = resolved.definition
    if base:
        name = f"{image.repository}:{image.tag}@{digest}"
        return edit.set_value(item.document.text, _BASE, name, file=item.path)
    return edit.set_value(item.document.text, ("image", "digest"), digest, file=item.path)
