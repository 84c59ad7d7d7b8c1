"""How often each component of Airflow beats, as rendered: 5 seconds unless an option is set."""

from __future__ import annotations

import configparser
import contextlib
import datetime
from collections.abc import Iterator

from generator.kube.fields import entries, section, text
from generator.verify.pods import containers
from generator.verify.target import WORKLOAD_KINDS, Expected, component_of

_OPTIONS = {
    "scheduler": ("scheduler", "scheduler_heartbeat_sec"),
    "triggerer": ("triggerer", "job_heartbeat_sec"),
    "dag-processor": ("scheduler", "job_heartbeat_sec"),
}
"""Section and option by component (airflow.jobs.job, `_heartrate`)."""
_DEFAULT = datetime.timedelta(seconds=5)


def heartbeat_interval(expected: Expected, component: str) -> datetime.timedelta:
    """By the component's environment, else by the rendered airflow.cfg, else Airflow's default."""
    part, option = _OPTIONS[component]
    for value in (*_environment(expected, component, part, option), *_file(expected, part, option)):
        with contextlib.suppress(ValueError, OverflowError):
            return datetime.timedelta(seconds=float(value))
    return _DEFAULT


def _environment(expected: Expected, component: str, part: str, option: str) -> Iterator[str]:
    name = f"AIRFLOW__{part}__{option}".upper()
    for _, workload in expected.of_kind(*WORKLOAD_KINDS):
        if component_of(workload) == component:
            for container in containers(section(workload, "spec", "template", "spec")):
                yield from (
                    text(item, "value")
                    for item in entries(container, "env")
                    if text(item, "name") == name
                )


def _file(expected: Expected, part: str, option: str) -> Iterator[str]:
    for _, config in expected.of_kind("ConfigMap"):
        parser = configparser.RawConfigParser(strict=False)
        with contextlib.suppress(configparser.Error):
            parser.read_string(text(config, "data", "airflow.cfg"))
            yield parser.get(part, option)
