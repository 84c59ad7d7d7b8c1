"""Every rule in one place: what the documentation lists and what `suppress:` may name."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from generator.core.problem import Problem
from generator.core.rule import Rule
from generator.helmvalues.values import ValuesInput
from generator.lint.objects import consistency as rendered
from generator.lint.objects import crd_schema, kubernetes_schema, pod_security
from generator.lint.rule import Trap
from generator.lint.values import airflow as traps_airflow
from generator.lint.values import availability as traps_availability
from generator.lint.values import broker as traps_broker
from generator.lint.values import config as traps_config
from generator.lint.values import dags as traps_dags
from generator.lint.values import database as traps_database
from generator.lint.values import deprecated, unknown_keys
from generator.lint.values import executor as traps_executor
from generator.lint.values import images as traps_images
from generator.lint.values import ingress as traps_ingress
from generator.lint.values import jobs as traps_jobs
from generator.lint.values import monitoring as traps_monitoring
from generator.lint.values import network as traps_network
from generator.lint.values import pgbouncer as traps_pgbouncer
from generator.lint.values import plaintext_secrets as traps_plaintext
from generator.lint.values import scaling as traps_scaling
from generator.lint.values import schema as values_schema
from generator.lint.values import secrets as traps_secrets
from generator.lint.values import security as traps_security

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
