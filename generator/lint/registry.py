"""The checks of Helm values, area by area."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from generator.core.problem import Problem
from generator.helmvalues.values import ValuesInput
from generator.lint.rule import Check
from generator.lint.values import (
    airflow,
    availability,
    broker,
    config,
    dags,
    database,
    executor,
    images,
    ingress,
    jobs,
    monitoring,
    network,
    options,
    pgbouncer,
    plaintext_secrets,
    scaling,
    secrets,
    security,
)

_MODULES: tuple[ModuleType, ...] = (
    airflow,
    executor,
    images,
    database,
    pgbouncer,
    broker,
    secrets,
    plaintext_secrets,
    jobs,
    dags,
    scaling,
    availability,
    network,
    ingress,
    monitoring,
    security,
    config,
    options,
)

CHECKS: tuple[Check, ...] = tuple(
    item for module in _MODULES for item in vars(module).values() if isinstance(item, Check)
)
"""The checks of values, in the order of their areas and then of the source."""


def value_problems(values: ValuesInput) -> Iterator[Problem]:
    """Everything that these checks find in the values."""
    for check in CHECKS:
        yield from check.problems(values)
