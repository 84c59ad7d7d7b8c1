"""Every rule in one place: what the documentation lists and what `suppress:` may name."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from generator.core.problem import Problem
from generator.core.rule import Rule
from generator.helmvalues.values import ValuesInput
from generator.lint.objects import consistency, crd_schema, kubernetes_schema, pod_security
from generator.lint.rule import Trap
from generator.lint.values import (
    airflow,
    availability,
    broker,
    config,
    dags,
    database,
    deprecated,
    executor,
    images,
    ingress,
    jobs,
    monitoring,
    network,
    pgbouncer,
    plaintext_secrets,
    scaling,
    secrets,
    security,
    unknown_keys,
)
from generator.lint.values import schema as values_schema

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
)

TRAPS: tuple[Trap, ...] = tuple(
    item for module in _MODULES for item in vars(module).values() if isinstance(item, Trap)
)
"""The rules about values, in the order of their areas and then of the source."""

RULES: tuple[Rule, ...] = (
    *values_schema.RULES,
    *unknown_keys.RULES,
    *deprecated.RULES,
    *(trap.rule for trap in TRAPS),
    *kubernetes_schema.RULES,
    *crd_schema.RULES,
    *consistency.RULES,
    *pod_security.RULES,
)
"""All rules about values and rendered objects."""


def trap_problems(values: ValuesInput) -> Iterator[Problem]:
    """Everything that the traps find in the values."""
    for trap in TRAPS:
        yield from trap.problems(values)
