"""Every rule in one place: what the documentation lists and what `suppress:` may name."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from generator.checks import (
    crd_schema,
    deprecated,
    kubernetes_schema,
    pod_security,
    rendered,
    traps_airflow,
    traps_availability,
    traps_broker,
    traps_config,
    traps_dags,
    traps_database,
    traps_executor,
    traps_images,
    traps_ingress,
    traps_jobs,
    traps_monitoring,
    traps_network,
    traps_pgbouncer,
    traps_plaintext,
    traps_scaling,
    traps_secrets,
    traps_security,
    unknown_keys,
    values_schema,
)
from generator.checks.rule import Rule, Trap
from generator.checks.values_input import ValuesInput
from generator.problem import Problem

_MODULES: tuple[ModuleType, ...] = (
    traps_airflow,
    traps_executor,
    traps_images,
    traps_database,
    traps_pgbouncer,
    traps_broker,
    traps_secrets,
    traps_plaintext,
    traps_jobs,
    traps_dags,
    traps_scaling,
    traps_availability,
    traps_network,
    traps_ingress,
    traps_monitoring,
    traps_security,
    traps_config,
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
    *rendered.RULES,
    *pod_security.RULES,
)
"""All rules about values and rendered objects."""


def trap_problems(values: ValuesInput) -> Iterator[Problem]:
    """Everything that the traps find in the values."""
    for trap in TRAPS:
        yield from trap.problems(values)
