"""What runs on one side: which Airflow, with which providers, and which executors.

The first of these sources counts: facts written down about the image (`image.facts`), the tag of
the component's image, and `airflowVersion`, which only says what the chart renders for. A version
that does not come from the image itself is marked (`Runs.assumed`).
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.airflow import managers, migrations, releases
from generator.core.basis import UNKNOWN, Origin, Version
from generator.diff import manager_options
from generator.diff.model import Facts
from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.workload import TASK_PODS, Workload
from generator.model.image import ImageFacts

MIGRATION_JOB = "run-airflow-migrations"
EXECUTOR = "AIRFLOW__CORE__EXECUTOR"
# Whose image counts for the side: the migration Job's, else the first one's that waits for it.
_SPEAKERS = (MIGRATION_JOB, "scheduler", "api-server", "webserver")
_AIRFLOW = frozenset({*_SPEAKERS, "dag-processor", "triggerer", "worker", "flower"})
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
        return Version(self.airflow, Origin.NAMED if self.source is Source.CLAIM else Origin.IMAGE)

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


def of(
    works: Sequence[Workload],
    facts: Facts,
    objects: Mapping[Key, Object] | None = None,
    config: Mapping[tuple[str, str], str] | None = None,
) -> Runs:
    """What runs on a side: by the image of the migration Job, the scheduler, or the values.

    `objects` and `config` (airflow.cfg) are those of a render, without which the values count.
    """
    images = dict(_images(works))
    speaker = next((name for name in _SPEAKERS if name in images), None)
    work = next((work for work in works if work.component == speaker), None)
    runs = known(images[speaker] if speaker else _of_values(facts.values or {}), facts)
    options = manager_options.read(work, objects or {}, config, facts)
    facts = dataclasses.replace(
        facts, executor=facts.executor or fields.text(facts.values, "executor")
    )
    chosen = executors(works, objects or {}, (config or {}).get(("core", "executor"), ""), facts)
    names = None if chosen.unread else chosen.names
    return dataclasses.replace(runs, options=dataclasses.replace(options, executors=names))


def claims(values: Mapping[str, Any], image: ImageFacts | None = None) -> Facts:
    """What values say of the image, and what the definition has written down about it."""
    return Facts(str(values.get("airflowVersion") or "") or None, image, values=values)


def by_values(values: Mapping[str, Any], image: ImageFacts | None = None) -> Runs:
    """What runs by the values alone, without rendered objects."""
    return of((), claims(values, image))


def by_component(works: Iterable[Workload], facts: Facts) -> dict[str, Runs]:
    """Each of Airflow's components, with the image that it runs."""
    return {name: known(image, facts) for name, image in _images(works)}


def known(image: Reference, facts: Facts) -> Runs:
    """The Airflow of an image, from the first source that has it."""
    written = facts.image if facts.image and _is_about(facts.image, image, facts) else None
    if written:
        return Runs(image, written.airflow, Source.FACTS, written)
    claim = facts.airflow_version or ""
    if image.release:
        source = Source.CLAIMED_TAG if image.digest else Source.TAG
        is_official = image.repository.endswith(_OFFICIAL)
        agrees = is_official or releases.parse(claim) in (None, releases.parse(image.release))
        return Runs(image, image.release, source, contradiction="" if agrees else claim)
    return Runs(image, claim, Source.CLAIM if claim else Source.NOTHING)


def _is_about(written: ImageFacts, image: Reference, facts: Facts) -> bool:
    if written.of is not None:
        return written.of == (image.digest or image.tag)
    own = _of_values(facts.values or {})
    others = bool(own.tag) and own != image
    return not others and image.release in ("", written.airflow)


def _images(works: Iterable[Workload]) -> Iterator[tuple[str, Reference]]:
    for work in works:
        own = fields.entries(work.spec, "containers")
        if work.component in _AIRFLOW and work.key.kind != TASK_PODS and own:
            main = next((item for item in own if item.get("name") == work.component), own[0])
            if fields.text(main, "image"):
                yield work.component, reference(fields.text(main, "image"))


def _of_values(values: Mapping[str, Any]) -> Reference:
    """`images.airflow` over the defaults, as the chart's helper `airflow_image` reads them."""
    own = fields.section(values, "images", "airflow")
    repository = own.get("repository") or values.get("defaultAirflowRepository") or ""
    tag = own.get("tag") or values.get("defaultAirflowTag") or ""
    read = reference(f"{repository}:{tag}")
    digest = own.get("digest") or values.get("defaultAirflowDigest") or read.digest
    return Reference(read.repository, read.tag, str(digest))


@dataclasses.dataclass(frozen=True, slots=True)
class Executors:
    """The executors by their short names; `unread` is where they are set if it cannot be read."""

    names: tuple[str, ...] = ()
    unread: str = ""


def executors(
    works: Iterable[Workload], objects: Mapping[Key, Object], configured: str, facts: Facts
) -> Executors:
    """The executors that the scheduler takes: its environment wins over airflow.cfg.

    `configured` is `[core] executor` of airflow.cfg; without one `executor` of the values counts,
    then the label that the chart puts on the scheduler.
    """
    schedulers = [work for work in works if work.component == "scheduler"]
    for work in schedulers:
        text = _variable(work, objects)
        if text is not None:
            return text
    labels = (_label(work) for work in schedulers)
    return Executors(_names(configured or facts.executor or next(filter(None, labels), "")))


def _variable(work: Workload, objects: Mapping[Key, Object]) -> Executors | None:
    """`AIRFLOW__CORE__EXECUTOR` of a pod: of several in one list the last counts."""
    result = None
    for container in fields.entries(work.spec, "containers"):
        for entry in fields.entries(container, "envFrom"):
            place = Key(
                "", "ConfigMap", work.key.namespace, fields.text(entry, "configMapRef", "name")
            )
            text = fields.text(objects.get(place), "data", EXECUTOR)
            result = Executors(_names(text)) if text else result
        for entry in fields.entries(container, "env"):
            if entry.get("name") in (EXECUTOR, f"{EXECUTOR}_CMD", f"{EXECUTOR}_SECRET"):
                result = _entry(work, entry, objects)
    return result


def _entry(work: Workload, entry: Mapping[str, Any], objects: Mapping[Key, Object]) -> Executors:
    if isinstance(entry.get("value"), str) and entry.get("name") == EXECUTOR:
        return Executors(_names(entry["value"]))
    source = fields.section(entry, "valueFrom", "configMapKeyRef")
    place = Key("", "ConfigMap", work.key.namespace, fields.text(source, "name"))
    text = fields.text(objects.get(place), "data", fields.text(source, "key"))
    return Executors(_names(text)) if text else Executors((), f"{entry.get('name')} of {work.key}")


def _names(text: str) -> tuple[str, ...]:
    """`team:module.Class` and `alias:Class` as `Class`."""
    return tuple(
        part.split(":")[-1].split(".")[-1].strip() for part in text.split(",") if part.strip()
    )


def _label(work: Workload) -> str:
    value = work.labels.get("executor")
    if not isinstance(value, str):
        value = fields.text(work.manifest, "metadata", "labels", "executor")
    return value.replace("-", ",")
