"""Which connections a change opens or closes, workload by workload."""

from __future__ import annotations

from collections.abc import Iterator

from generator.health import fields
from generator.impact.finding import Finding, info, warning
from generator.impact.flows import Allowed, Flow, Policy, allowed, policies, unresolved_ports
from generator.impact.view import Context, View, listed
from generator.impact.workload import Workload
from generator.resource import Key

Statement = tuple[str, Key, str]

_SIDES = {"Ingress": ("receives", "from"), "Egress": ("sends", "to")}


def flows(context: Context) -> Iterator[Finding]:
    """`impact/flow-opened`, `impact/flow-closed`: what the policies together now permit."""
    base_policies, head_policies = policies(context.base.objects), policies(context.head.objects)
    before = {work.key: work for work in context.base.workloads}
    for work in context.head.workloads:
        if work.key not in before:
            continue
        for direction in _SIDES:
            old = allowed(before[work.key], direction, base_policies, context.base.workloads)
            new = allowed(work, direction, head_policies, context.head.workloads)
            yield from _compared(work, direction, old, new)


def policy_without_effect(context: Context) -> Iterator[Finding]:
    """`impact/policy-selects-nothing`, `impact/policy-port`: policies that do not do their work."""
    before = set(_idle(context.base))
    for rule, key, message in _idle(context.head):
        if (rule, key, message) in before:
            yield info(rule, key, f"{message} (already so before this change)")
        else:
            yield warning(rule, key, message)


def isolation_of_new_pods(context: Context) -> Iterator[Finding]:
    """`impact/not-isolated`: a new workload that no policy covers, where others are covered."""
    rules = policies(context.head.objects)
    before = {work.key for work in context.base.workloads}
    isolated = [w for w in context.head.workloads if any(rule.selects(w) for rule in rules)]
    for work in context.head.workloads:
        # Jobs listen on nothing, so nobody can reach them.
        passing = work.key.kind in ("CronJob", "Job")
        if not context.is_update or not isolated or passing:
            continue
        if work.key not in before and work not in isolated:
            yield warning(
                "not-isolated",
                work.key,
                "no NetworkPolicy selects its pods, while other pods here are isolated: anyone may "
                "reach them",
            )


def _compared(work: Workload, direction: str, old: Allowed, new: Allowed) -> Iterator[Finding]:
    verb, side = _SIDES[direction]
    name = work.component
    if old.flows is None and new.flows is not None:
        rest = listed(new.flows and sorted(map(str, new.flows)))
        words = f"only {side} {rest}" if new.flows else "nothing"
        yield warning(
            "flow-closed", work.key, f"{name} {verb} {words}; before, it was open to everyone"
        )
    elif old.flows is not None and new.flows is None:
        yield warning(
            "flow-opened",
            work.key,
            f"{name} {verb} {side} everyone on every port; no policy limits it now",
        )
    else:
        for flow in new.opened_since(old):
            say = warning if _is_wide(flow) else info
            yield say("flow-opened", work.key, f"{name} also {verb} {side} {flow}")
        for flow in old.opened_since(new):
            yield warning("flow-closed", work.key, f"{name} no longer {verb} {side} {flow}")


def _is_wide(flow: Flow) -> bool:
    return flow.peer in ("anyone", "0.0.0.0/0", "::/0") or "every namespace" in flow.peer


def _idle(view: View) -> Iterator[Statement]:
    for policy in policies(view.objects):
        if not any(policy.selects(work) for work in view.workloads):
            if not _selects_by_other_means(policy):
                yield "policy-selects-nothing", policy.key, "selects no pod of this environment"
            continue
        names = unresolved_ports(policy, view.workloads)
        if names:
            yield (
                "policy-port",
                policy.key,
                f"names the port {listed(names)}, which no container of its pods has: that part "
                "permits nothing",
            )


def _selects_by_other_means(policy: Policy) -> bool:
    """An empty selector means every pod of the namespace, also those started by tasks."""
    return not fields.section(policy.selector, "matchLabels") and not fields.entries(
        policy.selector, "matchExpressions"
    )


RULES = (flows, policy_without_effect, isolation_of_new_pods)
