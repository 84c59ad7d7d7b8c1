"""From two sides of an environment to its part of the report."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from generator.core.problem import Problem, Severity, ordered
from generator.diff.compare import compare
from generator.diff.model import Action, Change, Limits, Side
from generator.impact import registry
from generator.impact.context import View, named_images
from generator.impact.finding import Finding
from generator.impact.flow_changes import flow_changes
from generator.kube.resource import Key
from generator.redaction.text import redact
from generator.report.model import EnvironmentDiff

_SEVERE = {Severity.ERROR: 400, Severity.WARNING: 200, Severity.INFO: 5}
_ACTION = {Action.REMOVED: 60, Action.MODIFIED: 40, Action.ADDED: 20}
_KIND = {
    **dict.fromkeys(("Namespace", "PersistentVolumeClaim", "StatefulSet"), 18),
    **dict.fromkeys(("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"), 15),
    **dict.fromkeys(("NetworkPolicy", "Secret", "SealedSecret", "Application"), 14),
    **dict.fromkeys(("Deployment", "DaemonSet", "Job", "CronJob"), 12),
    **dict.fromkeys(("Ingress", "HTTPRoute", "Route"), 10),
    **dict.fromkeys(("ScaledObject", "HorizontalPodAutoscaler"), 10),
    "ConfigMap": 8,
}


def environment_diff(
    name: str,
    base: Side | None,
    head: Side | None,
    *,
    old_name: str | None = None,
    reason: str = "",
    drift: Sequence[Change] = (),
    problems: Iterable[Problem] = (),
    limits: Limits | None = None,
) -> EnvironmentDiff:
    """What the change does to one environment; a side that is not there is None.

    A side with a failure makes the environment one that was not compared, with the failure among
    its problems; the other environments are not concerned.
    """
    both = [item for side in (base, head) if side is not None for item in side.problems]
    problems = (*problems, *dict.fromkeys(both))
    failures = [side.failure for side in (base, head) if side is not None and side.failure]
    if failures or (base is None and head is None):
        return EnvironmentDiff(
            name,
            old_name,
            rendered=False,
            reason=reason or _failed(base, head),
            problems=_safe((*problems, *failures)),
            drift=tuple(drift),
            basis=(head or base or _nothing(None)).basis,
            base_basis=(base or head or _nothing(None)).basis,
        )
    before, after = base or _nothing(head), head or _nothing(base)
    compared = compare(before, after, limits)
    findings = registry.find(before, after)
    flows = flow_changes(View(base), View(head)) if base and head else None
    return EnvironmentDiff(
        name,
        old_name,
        reason=reason or _remark(base, head),
        changes=_by_risk(compared.changes, findings),
        folded=compared.folded,
        impact=findings,
        problems=_safe((*problems, *compared.problems)),
        drift=tuple(drift),
        basis=(head or before).basis,
        base_basis=(base or after).basis,
        flows=flows,
        images=_new_images(before, after),
    )


def _new_images(before: Side, after: Side) -> tuple[str, ...]:
    """What containers of the head name and none of the base does; of task pods too."""
    known, named = ({image for _, image in named_images(View(side))} for side in (before, after))
    return tuple(sorted(named - known))


def _nothing(other: Side | None) -> Side:
    return Side(revision="", namespace=other.namespace if other else "")


def _remark(base: Side | None, head: Side | None) -> str:
    if base is None:
        return "added by this change"
    return "removed by this change" if head is None else ""


def _failed(base: Side | None, head: Side | None) -> str:
    if base is not None and base.failure:
        both = head is not None and head.failure
        return "neither side renders" if both else "the base does not render"
    return "the head does not render" if head is not None else "it is on neither side"


def _safe(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Error texts of other tools quote values; a report is published, so they are masked here."""
    return ordered(
        dataclasses.replace(problem, message=redact(problem.message), hint=redact(problem.hint))
        for problem in problems
    )


def _by_risk(changes: Iterable[Change], findings: Sequence[Finding]) -> tuple[Change, ...]:
    weights: dict[tuple[str, str, str], int] = {}
    for finding in findings:
        for key in filter(None, (finding.resource, *finding.also)):
            place = _place(key)
            weights[place] = max(weights.get(place, 0), _SEVERE[finding.severity])
    rated = [dataclasses.replace(item, risk=_risk(item, weights)) for item in changes]
    return tuple(sorted(rated, key=lambda item: (-item.risk, item.key.sort_key)))


def _risk(change: Change, weights: dict[tuple[str, str, str], int]) -> int:
    keys = [key for key in (change.key, change.old_key) if key]
    found = max(weights.get(_place(key), 0) for key in keys)
    return found + _ACTION[change.action] + _KIND.get(change.key.kind, 0)


def _place(key: Key) -> tuple[str, str, str]:
    """A Secret and the SealedSecret that becomes it are one and the same here."""
    kind = "Secret" if key.kind == "SealedSecret" else key.kind
    return (kind, key.namespace, key.name)
