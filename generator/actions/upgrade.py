"""`gen-env upgrade` as steps: edit the definition, regenerate, say what to mind, in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from generator.chart import comparison
from generator.chart.chart import ChartArchive
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Overlay, WorkTree
from generator.core.layered import lookup
from generator.core.parallel import mapped
from generator.core.problem import Problem, has_errors
from generator.definition import lock_file
from generator.definition.definition import Definition
from generator.diff import what_runs
from generator.diff.what_runs import Runs, Source
from generator.impact.migration import Class, Migration, classify
from generator.pipeline import generate
from generator.pipeline.generate import Built, Charts
from generator.release.release import Release
from generator.render.request import Renderer
from generator.tree import catalogue
from generator.tree.plan import Plan
from generator.yaml import edit
from generator.yaml.errors import YamlError

_FROM_2_TO_3 = (
    "the webserver is replaced by the API server: another Deployment, Service and port name",
    "a JWT secret is needed (keys.jwtSecretName); api-secret-key replaces webserver-secret-key",
    "the DAG processor becomes a separate component",
    "tasks talk to the Execution API: policies must let workers reach the API server",
    "SLAs, SubDAGs and direct database access of tasks are gone: check the DAGs first",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """Versions to move to; None leaves one as it is."""

    chart: str | None
    airflow: str | None


@dataclasses.dataclass(frozen=True)
class Upgrade:
    """One environment's upgrade: the plan, findings, what to mind, and the steps in order."""

    name: str
    moves: tuple[str, ...]
    plan: Plan
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    steps: tuple[str, ...]

    @property
    def possible(self) -> bool:
        """Whether the tree can be generated for the new versions."""
        return not has_errors(self.problems)


def prepare(
    root: Path, names: Sequence[str], options: Options, charts: Charts, renderer: Renderer | None
) -> list[Upgrade]:
    """What the upgrade of these environments will write; nothing is written yet.

    Raises UserError for unknown environments and versions that are not versions.
    """
    if options.chart is None and options.airflow is None:
        raise UserError("nothing to upgrade to", hint="give --chart VERSION or --airflow VERSION")
    files = WorkTree(root)
    found = catalogue.load(files)

    def one(item: Definition) -> Upgrade:
        return _one(files, found, item, options, charts, renderer)

    return list(mapped(one, found.chosen(names)))


def _one(
    files: WorkTree,
    found: catalogue.Catalogue,
    item: Definition,
    options: Options,
    charts: Charts,
    renderer: Renderer | None,
) -> Upgrade:
    text = _edited(item, options)
    ahead = Overlay(files, {item.path: text.encode(), **_unlocked(files, item, options)})
    generation = generate.generate(ahead, [item.name], charts, renderer)
    own = Plan({item.path: text} if text != item.document.text else {})
    before = generate.build(files, found.settings, item, charts) if found.settings else None
    after = generation.built.get(item.name)
    return Upgrade(
        item.name,
        tuple(_moves(item, options)),
        own | generation.plan_of(item.name),
        generation.problems_of(item.name),
        tuple(_notes(before, after, item, options, charts)),
        tuple(_steps(before, item, options)),
    )


def _unlocked(files: WorkTree, item: Definition, options: Options) -> dict[str, bytes]:
    """The lock without the digest of a chart that is asked for anew: the one at hand is taken."""
    try:
        lock = catalogue.lock(files, item)
    except YamlError:
        return {}
    if lock is None or lock.chart_version != options.chart:
        return {}
    anew = dataclasses.replace(lock, chart_digest=None)
    return {f"{item.folder}/{lock_file.FILE_NAME}": anew.text().encode()}


def _edited(item: Definition, options: Options) -> str:
    text = item.document.text
    for path, version in (
        (("airflow", "version"), options.airflow),
        (("chart", "version"), options.chart),
    ):
        if version is None:
            continue
        if item.part(*path) is None:
            raise UserError(
                f"{'.'.join(path)} is not set in this definition",
                path=item.path,
                hint="it comes from defaults in gen-env.yaml: change it there",
            )
        text = edit.set_scalar(text, path, version, file=item.path)
    digest = item.part("chart", "digest")
    if options.chart is not None and digest is not None:
        text = edit.remove(text, ("chart", "digest"), file=item.path)
    return text


def _moves(item: Definition, options: Options) -> Iterator[str]:
    for word, path, version in (
        ("Airflow", ("airflow", "version"), options.airflow),
        ("chart", ("chart", "version"), options.chart),
    ):
        if version is not None:
            yield f"{word} {item.part(*path)} → {version}"


def _notes(
    before: Built | None, after: Built | None, item: Definition, options: Options, charts: Charts
) -> Iterator[str]:
    yield from _airflow_notes(before, item, options)
    image = item.part("image", "tag")
    if options.airflow and image and options.airflow not in str(image):
        yield (
            f"image.tag is still {image}: build and set an image with Airflow {options.airflow},"
            " or old code runs against the new schema"
        )
    if options.chart:
        yield from _chart_notes(before, str(item.part("chart", "version")), options.chart, charts)


def _migration(before: Built | None, options: Options) -> Migration | None:
    """From the image that the environment has to one of the wanted release, whatever its name."""
    if options.airflow is None or before is None or before.release is None:
        return None
    old = _runs(before.release)
    new = Runs(airflow=options.airflow, source=Source.TAG, options=old.options)
    return classify(old, new)


def _runs(release: Release) -> Runs:
    return what_runs.by_values(release.values, release.environment.image.facts)


def _airflow_notes(before: Built | None, item: Definition, options: Options) -> Iterator[str]:
    if options.airflow is None:
        return
    old = str(item.part("airflow", "version"))
    if before is not None and before.release is not None:
        old = _runs(before.release).airflow
    migration = _migration(before, options)
    if migration is not None and migration.kind is not Class.NONE:
        yield f"database migration: {migration.kind.value}; {migration.reason}"
    if old.startswith("2.") and not options.airflow.startswith("2."):
        yield from _FROM_2_TO_3


def _chart_notes(before: Built | None, old: str, new: str, charts: Charts) -> Iterator[str]:
    first, second = charts.find(old, None), charts.find(new, None)
    if first is None or second is None:
        lacking = old if first is None else new
        yield f"not compared: {charts.missing(lacking)}"
        return
    values = before.release.values if before and before.release else {}
    yield from _differences(first, second, values)


def _differences(
    first: ChartArchive, second: ChartArchive, values: Mapping[str, Any]
) -> Iterator[str]:
    found = comparison.compare((first.values(), first.schema()), (second.values(), second.schema()))

    def used(key: str) -> str:
        return " (used here)" if lookup(values, key) is not None else ""

    renamed = dict(found.renamed)
    for key in found.removed:
        what = f"renamed value {key} → {renamed[key]}" if key in renamed else f"removed value {key}"
        yield f"{what}{used(key)}"
    yield from _deprecated(found, values)
    for key in found.required:
        yield f"newly required value {key}"
    for key in found.narrowed:
        yield f"value {key} accepts less than before{used(key)}"
    for key, _, _ in found.changed:
        yield f"changed default of {key}{used(key)}"
    if found.added:
        shown = ", ".join(found.added[:12]) + (" …" if len(found.added) > 12 else "")
        yield f"{counted(len(found.added), 'new value')}: {shown}"


def _deprecated(found: comparison.Comparison, values: Mapping[str, Any]) -> Iterator[str]:
    """Deprecated keys that this environment sets; how many others there are."""
    here = [item for item in found.deprecated if lookup(values, item[0]) is not None]
    for key, advice in here:
        yield f"deprecated value {key} (used here)" + (f": use {advice}" if advice else "")
    if others := len(found.deprecated) - len(here):
        yield f"{counted(others, 'deprecated value')} more, not used here"


def _steps(before: Built | None, item: Definition, options: Options) -> Iterator[str]:
    """The order to do things in."""
    migration = _migration(before, options)
    heavy = migration is not None and migration.kind not in (Class.NONE, Class.STAYS)
    if heavy:
        yield "take a backup of the metadata database, and try to restore it"
    if options.airflow:
        yield f"run the DAGs' tests with Airflow {options.airflow} and its providers"
        yield "build the image, set image.tag and image.digest"
    if heavy:
        yield "pause DAGs, or wait for running tasks: workers restart and the schema moves"
    yield f"merge {item.name} first where it comes first in promotion.paths, and verify it"
    yield "review gen-env diff: restarts, migration, removed objects"
    if heavy:
        yield "after the sync: gen-env verify, then unpause"
