"""What chart 2.0 is to drop, and what an environment uses of it.

Source: apache/airflow, dev/README_HELM_CHART2_DEV.md and chart/docs/migrate-to-git-dag-bundle.rst.
No chart 2.0 is released: what a chart really lacks is read off its archive.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from generator.chart.version import parse_version
from generator.core.layered import lookup
from generator.model.environment import Environment
from generator.release import chart_lines

OLDEST_AIRFLOW = (3, 1)


_BUNDLES = "gen-env upgrade ENV --dags bundles"
_DATABASE = "move the data to a database of your own, and set database.host"
_KEDA = "use type hpa, or replicas; gen-env does not write a ScaledObject itself"
_SEARCH = "set Airflow's options in airflow.config, and the URL by secrets.extra"

SWITCHES = {
    "workers.celery.keda.enabled": _KEDA,
    "workers.keda.enabled": _KEDA,
    "triggerer.keda.enabled": _KEDA,
    "dags.gitSync.enabled": f"write it as the field dags.gitSync, then {_BUNDLES}",
    "postgresql.enabled": _DATABASE,
    "elasticsearch.enabled": _SEARCH,
    "opensearch.enabled": _SEARCH,
}
"""Keys by which `values:` switch on what leaves, and what to do before."""


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A field that needs what leaves, the chart's key for it, and what to do before."""

    field: str
    key: str
    advice: str


def used(environment: Environment) -> Iterator[Part]:
    """The parts of the chart that an environment uses and that leave with 2.0."""
    if environment.dags.git_sync is not None:
        yield Part("dags.gitSync", "dags.gitSync.repo", _BUNDLES)
    if environment.database.embedded:
        yield Part("database.embedded", "postgresql.enabled", _DATABASE)
    scaling = environment.workers.autoscaling
    if scaling is not None and scaling.type == "keda":
        yield Part("workers.autoscaling", "workers.celery.keda.enabled", _KEDA)
    if environment.triggerer.autoscaling is not None:
        yield Part("triggerer.autoscaling", "triggerer.keda.enabled", _KEDA)
    remote = environment.logging.remote
    if remote is not None and remote.type in ("elasticsearch", "opensearch"):
        yield Part("logging.remote", f"{remote.type}.enabled", _SEARCH)
    for key, text in SWITCHES.items():
        if lookup(environment.values, key):
            yield Part(f"values.{key}", key, text)
    yield from _old_names(environment)


def advice(environment: Environment, name: str) -> Iterator[tuple[str, str]]:
    """What leaves and what to do about it before, for the environment of that name."""
    if is_too_old(environment):
        oldest = ".".join(map(str, OLDEST_AIRFLOW))
        move = f"gen-env upgrade {name} --airflow VERSION, {oldest} or later"
        yield f"Airflow {environment.airflow.version}", move
    for part in used(environment):
        yield part.field, part.advice.replace("ENV", name)


def is_announced(environment: Environment) -> bool:
    """Whether the chart of an environment is one that 2.0 follows."""
    version = parse_version(environment.chart.version)
    return version is not None and version.major == 1


def is_too_old(environment: Environment) -> bool:
    """Whether chart 2.0 is planned to refuse the Airflow of an environment."""
    version = parse_version(environment.airflow.version)
    return version is not None and (version.major, version.minor) < OLDEST_AIRFLOW


def _old_names(environment: Environment) -> Iterator[Part]:
    """Keys of `values:` with a newer name; those that the upgrade cannot rename by itself too."""
    for row in chart_lines.closest(environment.chart.version).old_keys.renamed:
        if row.airflow3_only and not environment.airflow_3:
            continue
        if row.old not in SWITCHES and lookup(environment.values, row.old) is not None:
            yield Part(f"values.{row.old}", row.old, f"write {' and '.join(row.new)}")
