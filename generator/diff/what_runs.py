"""What runs on one side: which Airflow, with which providers, and which executors.

Which image of a side counts is decided here, what is in an image by `airflow/image_release`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.airflow import image_release
from generator.airflow.image_release import Reference, Runs
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
    runs = known(images[speaker] if speaker else image_release.of_values(facts.values or {}), facts)
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
    """The Airflow of an image, by what is known of its side."""
    return image_release.known(image, facts.airflow_version, facts.image, facts.values)


def _images(works: Iterable[Workload]) -> Iterator[tuple[str, Reference]]:
    for work in works:
        own = fields.entries(work.spec, "containers")
        if work.component in _AIRFLOW and work.key.kind != TASK_PODS and own:
            main = next((item for item in own if item.get("name") == work.component), own[0])
            if fields.text(main, "image"):
                yield work.component, image_release.reference(fields.text(main, "image"))


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
