"""An upgrade of chart or Airflow: the definition's new text, what to mind, and in which order."""

from __future__ import annotations

from collections.abc import Iterator

from generator.actions.upgrades.change import Change, Options
from generator.actions.upgrades.notes import of_charts
from generator.actions.upgrades.route import image_of, ordered, with_moves
from generator.actions.upgrades.values import moved, moves
from generator.airflow.image_release import Runs, Source
from generator.core.errors import UserError
from generator.definition.definition import Definition
from generator.diff import what_runs
from generator.impact.migration import Class, Migration, classify
from generator.pipeline import chart_traits
from generator.pipeline.generate import Built, Charts
from generator.release.release import Release
from generator.yaml import edit

_FROM_2_TO_3 = (
    "the webserver is replaced by the API server: another Deployment, Service and port name",
    "a JWT secret is needed (keys.jwtSecretName); api-secret-key replaces webserver-secret-key",
    "the DAG processor becomes a separate component",
    "tasks talk to the Execution API: policies must let workers reach the API server",
    "SLAs, SubDAGs and direct database access of tasks are gone: check the DAGs first",
)


def change(before: Built | None, item: Definition, options: Options, charts: Charts) -> Change:
    """What moving one environment to other versions asks of its definition and of people.

    Raises UserError where the definition does not name the version that moves.
    """
    text, renamed = _renamed(item, _edited(item, options), options, charts)
    refused, route = ordered(item.name, before, options.chart, options.airflow, charts)
    route = with_moves(item.name, before, options.chart, route, charts)
    return Change(
        text,
        tuple(_moves(item, options)),
        (*renamed, *_notes(before, item, options, charts)),
        tuple(_steps(before, item, options)),
        refused,
        route,
    )


def _renamed(
    item: Definition, text: str, options: Options, charts: Charts
) -> tuple[str, list[str]]:
    """The definition with the keys of `values:` under the names of the new chart."""
    values = item.part("values")
    traits = chart_traits.known(options.chart, charts) if options.chart else None
    if traits is None or not values:
        return text, []
    wanted = list(moves(values, traits))
    notes = [f"values.{old} is renamed to {' and '.join(new)}" for old, new in wanted]
    return moved(text, wanted, item.path), notes


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
    before: Built | None, item: Definition, options: Options, charts: Charts
) -> Iterator[str]:
    yield from _airflow_notes(before, item, options)
    image = item.part("image", "tag")
    if options.airflow and image and options.airflow not in str(image):
        yield (
            f"image.tag is still {image}: build and set an image with Airflow {options.airflow},"
            " or old code runs against the new schema"
        )
    if options.chart:
        yield from _unread_image(before, options.chart, charts)
        yield from of_charts(before, str(item.part("chart", "version")), options.chart, charts)


def _unread_image(before: Built | None, chart: str, charts: Charts) -> Iterator[str]:
    """What is not known of the image, where the chart wants an Airflow of at least some version."""
    traits = chart_traits.known(chart, charts)
    runs = image_of(before)
    if traits is not None and traits.airflow_floor is not None and runs.assumed:
        oldest = ".".join(map(str, traits.airflow_floor))
        yield f"chart {chart} needs an image with Airflow {oldest} or later: {runs.assumed}"


def _migration(before: Built | None, options: Options) -> Migration | None:
    """From the image that the environment has to one of the wanted release, whatever its name."""
    pair = images(before, options)
    return classify(*pair) if pair else None


def images(before: Built | None, options: Options) -> tuple[Runs, Runs] | None:
    """What runs, and an image of the wanted release; None where no release is asked for."""
    if options.airflow is None or before is None or before.release is None:
        return None
    old = _runs(before.release)
    return old, Runs(airflow=options.airflow, source=Source.TAG, options=old.options)


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
