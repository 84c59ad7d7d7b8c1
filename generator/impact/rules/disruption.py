"""Disruption budgets that keep nodes from being drained."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from generator.impact.context import Context, View, listed
from generator.impact.finding import BEFORE, INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.workload import TASK_PODS, Workload

Statement = tuple[Key, str]

DISRUPTION_BUDGET = ImpactRule(
    "impact/disruption-budget",
    WARNING,
    "A disruption budget that keeps nodes from being drained",
    "The eviction API refuses every eviction of its pods.",
    "Kubernetes",
    also=(BEFORE,),
)


def blocks_drains(context: Context) -> Iterator[Finding]:
    """`impact/disruption-budget`: a budget that never lets a pod go, or cannot work at all."""
    before = set(_statements(context.base))
    for key, message in _statements(context.head):
        if (key, message) in before:
            yield DISRUPTION_BUDGET.finding(key, f"{message} (already so before this change)", INFO)
        else:
            yield DISRUPTION_BUDGET.finding(key, message)


def _statements(view: View) -> Iterator[Statement]:
    covered: dict[Key, list[str]] = {}
    for key, manifest in view.of_kind("PodDisruptionBudget").items():
        works = protected(view, key, manifest)
        for work in works:
            covered.setdefault(work.key, []).append(key.name)
        message = _message(manifest, works)
        if message:
            yield key, message
    for workload, names in sorted(covered.items()):
        if len(names) > 1:
            yield (
                workload,
                f"{listed(names)} all select its pods: with several budgets the eviction API "
                "refuses every eviction, so its nodes cannot be drained",
            )


def protected(view: View, key: Key, manifest: Object) -> list[Workload]:
    """The workloads whose pods a budget selects: all for an empty selector, none without one."""
    return view.pods.selected(fields.at(manifest, "spec", "selector"), key.namespace)


def _message(manifest: Object, works: list[Workload]) -> str | None:
    least = fields.at(manifest, "spec", "minAvailable")
    most = fields.at(manifest, "spec", "maxUnavailable")
    if least is not None and most is not None:
        return "sets both minAvailable and maxUnavailable: the API server refuses it"
    pods = sum(work.scale.minimum for work in works if work.key.kind != TASK_PODS)
    if pods == 0:
        return None
    if most is not None and _amount(most, pods) == 0:
        names = listed(sorted(work.component for work in works))
        return f"allows no pod of {names} to go: nodes that run one cannot be drained"
    if least is not None and _amount(least, pods) >= pods:
        names = listed(sorted(work.component for work in works))
        return (
            f"wants {least} available of {pods} pod{'s' if pods > 1 else ''} of {names}: nodes "
            "that run one cannot be drained"
        )
    return None


def _amount(value: Any, pods: int) -> int:
    """Percentages round up (kubernetes.io/docs/tasks/run-application/configure-pdb)."""
    if isinstance(value, str) and value.endswith("%"):
        return math.ceil((fields.number(value[:-1]) or 0) * pods / 100)
    return fields.number(value) or 0


FINDERS = (blocks_drains,)
