"""Which Airflow an image holds, as far as its name and what is written down about it say.

The first of these sources counts: facts written down about the image (`image.facts`), its tag, and
`airflowVersion`, which only says what the chart renders for. A version that does not come from the
image itself is marked (`Runs.assumed`).
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Mapping
from typing import Any

from generator.airflow import facts, managers, migrations, releases
from generator.core.basis import UNKNOWN, Origin, Version
from generator.kube import fields
from generator.model.image import ImageFacts

_OFFICIAL = "apache/airflow"
# `slim-3.2.2` and `3.2.2-python3.12` are tags of the official image (docker-stack in its docs).
_TAG = re.compile(r"(?:slim-)?(v?[2-9]\.\d{1,2}\.\d{1,3}(?!\d).*)")


class Source(enum.StrEnum):
    """How the Airflow version of an image is known."""

    FACTS = "image.facts"
    TAG = "the tag of the image"
    CLAIMED_TAG = "the tag beside a digest"
    CLAIM = "airflow.version"
    NOTHING = "nothing"


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """An image as a container names it; a digest wins over a tag."""

    repository: str = ""
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}" + (f"@{self.digest}" if self.digest else "")

    @property
    def version(self) -> str:
        """What distinguishes it from other images of its repository."""
        return "@".join(filter(None, (self.tag, self.digest))) or "latest"

    @property
    def release(self) -> str:
        """The Airflow release that the tag names; '' for any other tag."""
        match = _TAG.fullmatch(self.tag)
        numbers = releases.parse(match[1]) if match else None
        return releases.dotted(numbers) if numbers else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Runs:
    """The Airflow of one image, and how it is known; `facts` only where they are about it."""

    image: Reference = Reference()
    airflow: str = ""
    source: Source = Source.NOTHING
    facts: ImageFacts | None = None
    contradiction: str = ""
    """`airflow.version`, if the tag of another repository than Airflow's own differs from it."""
    options: managers.Options = managers.CHART
    """The options that decide which providers' migrations run."""

    @property
    def version(self) -> Version:
        """The Airflow version as the basis of an answer names it."""
        if not self.airflow:
            return UNKNOWN
        origin = Origin.NAMED if self.source is Source.CLAIM else Origin.IMAGE
        return facts.judged(Version(self.airflow, origin))

    @property
    def providers(self) -> Mapping[str, str] | None:
        """The providers of the image by name; None where they are not known."""
        return self.facts.providers if self.facts else None

    @property
    def content(self) -> migrations.Image:
        """What the image holds, as far as migrations ask."""
        return migrations.Image(self.airflow, self.providers, self.options)

    @property
    def assumed(self) -> str:
        """Why the Airflow version is only likely; '' where facts or a tag say it."""
        if self.source is Source.FACTS and self.facts and self.facts.of is None:
            return f"image.facts do not say of which image they are ({self.image.version})"
        if self.source is Source.CLAIMED_TAG:
            return f"Airflow {self.airflow} is what the tag says; the digest decides what runs"
        if self.contradiction:
            return (
                f"Airflow {self.airflow} is what the tag says, which may count something else; "
                f"airflow.version is {self.contradiction}"
            )
        if self.source is Source.CLAIM:
            return (
                f"Airflow {self.airflow} is what airflow.version says; the tag "
                f'"{self.image.version}" names no release'
                if self.image.repository
                else f"Airflow {self.airflow} is what airflow.version says; no image was read"
            )
        return ""

    def same_image(self, other: Runs) -> bool:
        """Whether both are the same bytes: by digest, by a release's tag, or by all that is known.

        A tag such as `latest` may have moved where `airflow.version` did.
        """
        if self.image.digest and other.image.digest:
            return self.image.digest == other.image.digest
        if not self.image.repository:
            return self == other
        if self.image != other.image:
            return False
        return bool(self.image.release) or self.airflow == other.airflow


def reference(text: str) -> Reference:
    """`registry:5000/airflow:3.2.2@sha256:…` in its parts."""
    name, _, digest = text.partition("@")
    head, slash, last = name.rpartition("/")
    repository, _, tag = last.partition(":")
    return Reference(f"{head}{slash}{repository}", tag, digest)


def known(
    image: Reference,
    claim: str | None,
    written: ImageFacts | None,
    values: Mapping[str, Any] | None,
) -> Runs:
    """The Airflow of an image, from the first source that has it.

    `claim` is what the chart renders for, `written` are facts of a definition whose values are
    `values`: they may be about another image.
    """
    if written and _is_about(written, image, values or {}):
        return Runs(image, written.airflow, Source.FACTS, written)
    claim = claim or ""
    if image.release:
        source = Source.CLAIMED_TAG if image.digest else Source.TAG
        is_official = image.repository.endswith(_OFFICIAL)
        agrees = is_official or releases.parse(claim) in (None, releases.parse(image.release))
        return Runs(image, image.release, source, contradiction="" if agrees else claim)
    return Runs(image, claim, Source.CLAIM if claim else Source.NOTHING)


def _is_about(written: ImageFacts, image: Reference, values: Mapping[str, Any]) -> bool:
    if written.of is not None:
        return written.of == (image.digest or image.tag)
    own = of_values(values)
    others = bool(own.tag) and own != image
    return not others and image.release in ("", written.airflow)


def of_values(values: Mapping[str, Any]) -> Reference:
    """`images.airflow` over the defaults, as the chart's helper `airflow_image` reads them."""
    own = fields.section(values, "images", "airflow")
    repository = own.get("repository") or values.get("defaultAirflowRepository") or ""
    tag = own.get("tag") or values.get("defaultAirflowTag") or ""
    read = reference(f"{repository}:{tag}")
    digest = own.get("digest") or values.get("defaultAirflowDigest") or read.digest
    return Reference(read.repository, read.tag, str(digest))
