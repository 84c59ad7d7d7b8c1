"""Airflow's StatsD metrics with labels: how the exporter names what Airflow sends.

Airflow sends most metrics twice, once with DAG, task or pool in the name and once bare (`[metrics]
legacy_names_on`, true by default; before 3.2 always). The first is given labels and the bare one's
name; the bare one is dropped. `tools/airflow_metrics.py` writes the names that this is made from.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

# As the chart's own mappings name them, so that dashboards of before keep their labels.
_LABELS = {
    "pool_name": "pool",
    "executor_class_name": "executor",
    "operator_name": "operator",
    "file_name": "dag_file",
    "bundle_name": "bundle",
    "hostname": "host",
}
_ONE_NAME = re.compile(r"dagrun\.duration\.(success|failed)")
_VARIABLE = re.compile(r"\{(\w+)\}")
# What a name has within its dots; a task in a group has a dot of its own before Airflow 3.3.
_WIDE = frozenset({"task_id", "file_name", "hostname", "pool_name"})


@functools.cache
def names() -> Mapping[str, Any]:
    """`sent`: release → type → name → components that sent it; `labelled`: name with variables →
    bare name, as the releases declare them."""
    text = resources.files("generator.airflow").joinpath("metrics.json").read_text("utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data


def mappings() -> list[dict[str, Any]]:
    """The exporter's mappings (`statsd.overrideMappings` of the chart), the narrowest first."""
    labelled: Mapping[str, str] = names()["labelled"]
    found = [_mapping(old, new) for old, new in sorted(labelled.items(), key=_narrow)]
    return [*found, *_dropped(labelled)]


def sends(version: str, name: str) -> bool:
    """Whether that Airflow was seen to send a metric; True for minor releases that were not
    captured."""
    line = version.rpartition(".")[0]
    for release, kinds in names()["sent"].items():
        if release.rpartition(".")[0] == line:
            return any(name in sent for sent in kinds.values())
    return True


def family(name: str) -> str:
    """A metric's name in Prometheus."""
    return "airflow_" + re.sub(r"[^a-zA-Z0-9_]", "_", name)


def _narrow(item: tuple[str, str]) -> tuple[int, str]:
    """The longest constant part first: `dag.a.b.queued_duration` before `dag.a.b.duration`."""
    return -len(_VARIABLE.sub("", item[0])), item[0]


def _mapping(old: str, new: str) -> dict[str, Any]:
    variables = _VARIABLE.findall(old)
    parts = [r"airflow\." + re.escape(old.partition("{")[0])]
    for variable, constant in zip(variables, _VARIABLE.split(old)[2::2], strict=True):
        parts += [_pattern(variable), re.escape(constant)]
    labels = {_LABELS.get(name, name): f"${place}" for place, name in enumerate(variables, 1)}
    if state := _ONE_NAME.fullmatch(new):
        labels["state"], new = state[1], "dagrun.duration"
    return {
        "match": f"^{''.join(parts)}$",
        "match_type": "regex",
        "name": family(new),
        "labels": labels,
    }


def _pattern(variable: str) -> str:
    return "(.+)" if variable in _WIDE else r"([^.]+)"


def _dropped(labelled: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    sent = {name for kinds in names()["sent"].values() for kind in kinds.values() for name in kind}
    # What was sent with a label and never bare is one or the other: `executor.open_slots` has no
    # label where there is one executor (`_get_metric_name` of executors/base_executor.py).
    either = {new for old, new in labelled.items() if old in sent and new not in sent}
    for name in sorted(set(labelled.values()) - either):
        yield {"match": f"airflow.{name}", "name": "dropped", "action": "drop"}
