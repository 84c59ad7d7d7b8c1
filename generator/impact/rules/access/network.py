"""Which connections a change opens or closes, workload by workload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from generator.core.problem import Severity
from generator.impact.context import Context, View, listed
from generator.impact.finding import BEFORE, INFO, WARNING, Finding, ImpactRule
from generator.impact.network_flows import Allowed, Flow, allowed, unresolved_ports
from generator.kube import fields
from generator.kube.network_policy import Policy
from generator.kube.resource import Key, selects_tasks
from generator.kube.workload import Workload

Statement = tuple[ImpactRule, Key, str]

Difference = tuple[ImpactRule, Severity, str, str]
"""A rule, its severity, and the words for one workload and for several."""

_SIDES = {"Ingress": (("receives", "receive"), "from"), "Egress": (("sends", "send"), "to")}

FLOW_OPENED = ImpactRule(
    "impact/flow-opened",
    WARNING,
    "Network policies permit a connection that they did not permit before",
    "More can reach the pods, or be reached by them.",
    "Kubernetes",
    also=((INFO, "only for named peers"),),
)
FLOW_CLOSED = ImpactRule(
    "impact/flow-closed",
    WARNING,
    "Network policies no longer permit a connection",
    "What still needs it fails.",
    "Kubernetes",
)
POLICY_SELECTS_NOTHING = ImpactRule(
    "impact/policy-selects-nothing",
    WARNING,
    "A NetworkPolicy that selects no pod",
    "It protects nothing.",
    "Kubernetes",
    also=(BEFORE,),
)
POLICY_PORT = ImpactRule(
    "impact/policy-port",
    WARNING,
    "A NetworkPolicy names a port that no container has",
    "That part of it permits nothing.",
    "Kubernetes",
    also=(BEFORE,),
)
NOT_ISOLATED = ImpactRule(
    "impact/not-isolated",
    WARNING,
    "A new workload that no NetworkPolicy selects, beside isolated ones",
    "Every pod can reach its pods.",
    "Kubernetes",
)


def flows(context: Context) -> Iterator[Finding]:
    """`impact/flow-opened`, `impact/flow-closed`: what the policies together now permit."""
    base, head = context.base, context.head
    policies = _by_workload(base), _by_workload(head)
    known: dict[tuple[object, ...], list[Difference]] = {}
    groups: dict[Difference, list[Workload]] = {}
    for work in head.workloads:
        before = base.by_key.get(work.key)
        if before is None:
            continue
        old, new = (own.get(work.key, []) for own in policies)
        own_ports = _names_ports((*old, *new))
        if old == new and not own_ports:
            continue
        for direction in _SIDES:
            # Workloads of the same policies are permitted the same, but for ports by their names.
            place = (direction, _keys(old), _keys(new), work.key if own_ports else None)
            if place not in known:
                sides = (
                    allowed(before, direction, old, base.workloads),
                    allowed(work, direction, new, head.workloads),
                )
                known[place] = list(_compared(direction, *sides))
            for difference in known[place]:
                groups.setdefault(difference, []).append(work)
    for (rule, severity, one, many), works in groups.items():
        names = sorted({work.component for work in works})
        words = one if len(names) == 1 else many
        keys = [work.key for work in works]
        yield rule.finding(keys[0], f"{listed(names)} {words}", severity, keys[1:])


def _keys(policies: Sequence[Policy]) -> tuple[Key, ...]:
    return tuple(policy.key for policy in policies)


def policy_without_effect(context: Context) -> Iterator[Finding]:
    """`impact/policy-selects-nothing`, `impact/policy-port`: policies that do not do their work."""
    before = set(_idle(context.base))
    for rule, key, message in _idle(context.head):
        if (rule, key, message) in before:
            yield rule.finding(key, f"{message} (already so before this change)", INFO)
        else:
            yield rule.finding(key, message)


def isolation_of_new_pods(context: Context) -> Iterator[Finding]:
    """`impact/not-isolated`: a new workload that no policy covers, where others are covered."""
    isolated = _by_workload(context.head)
    for work in context.head.workloads:
        # Jobs listen on nothing, so nobody can reach them.
        passing = work.key.kind in ("CronJob", "Job")
        if not context.is_update or not isolated or passing:
            continue
        if work.key not in context.base.by_key and work.key not in isolated:
            yield NOT_ISOLATED.finding(
                work.key,
                "no NetworkPolicy selects its pods, while other pods here are isolated: anyone may "
                "reach them",
            )


def _by_workload(view: View) -> dict[Key, list[Policy]]:
    found: dict[Key, list[Policy]] = {}
    for policy in view.policies:
        for work in view.pods.selected(policy.selector, policy.key.namespace):
            found.setdefault(work.key, []).append(policy)
    return found


def _names_ports(policies: Sequence[Policy]) -> bool:
    """Whether a port is given by its name, so that the containers decide."""
    return any(
        ports.name
        for policy in policies
        for rules in policy.rules.values()
        for rule in rules
        for ports in rule.ports
    )


def _compared(direction: str, old: Allowed, new: Allowed) -> Iterator[Difference]:
    (one, many), side = _SIDES[direction]
    if old.flows is None and new.flows is not None:
        rest = listed(sorted(map(str, new.flows)))
        words = f"only {side} {rest}" if new.flows else "nothing"
        words = f"{words}; before, it was open to everyone"
        yield FLOW_CLOSED, WARNING, f"{one} {words}", f"{many} {words}"
    elif old.flows is not None and new.flows is None:
        words = f"{side} everyone on every port; no policy limits it now"
        yield FLOW_OPENED, WARNING, f"{one} {words}", f"{many} {words}"
    else:
        opened, closed = new.opened_since(old), old.opened_since(new)
        if opened:
            severity = WARNING if any(map(_is_wide, opened)) else INFO
            words = f"{side} {listed(opened)}"
            yield FLOW_OPENED, severity, f"also {one} {words}", f"also {many} {words}"
        if closed:
            words = f"{side} {listed(closed)}"
            yield FLOW_CLOSED, WARNING, f"no longer {one} {words}", f"no longer {many} {words}"


def _is_wide(flow: Flow) -> bool:
    return flow.peer in ("anyone", "0.0.0.0/0", "::/0") or "every namespace" in flow.peer


def _idle(view: View) -> Iterator[Statement]:
    for policy in view.policies:
        chosen = view.pods.selected(policy.selector, policy.key.namespace)
        if not chosen:
            if not _selects_by_other_means(policy) and not selects_tasks(policy.selector):
                yield POLICY_SELECTS_NOTHING, policy.key, "selects no pod of this environment"
            continue
        names = unresolved_ports(policy, chosen)
        if names:
            yield (
                POLICY_PORT,
                policy.key,
                f"names the port {listed(names)}, which no container of its pods has: that part "
                "permits nothing",
            )


def _selects_by_other_means(policy: Policy) -> bool:
    """An empty selector means every pod of the namespace, also those started by tasks."""
    return not fields.section(policy.selector, "matchLabels") and not fields.entries(
        policy.selector, "matchExpressions"
    )


FINDERS = (flows, policy_without_effect, isolation_of_new_pods)
