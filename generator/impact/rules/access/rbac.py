"""Who may do more in the Kubernetes API than before."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.context import Context, View, listed
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.impact.rights import Right, Subject, account, beyond, grouped
from generator.kube.resource import Key
from generator.kube.workload import Workload

# Rights that lead to every other right: kubernetes.io/docs/concepts/security/rbac-good-practices.
_ESCALATING = frozenset({"bind", "escalate", "impersonate"})
_SENSITIVE = frozenset({"secrets", "pods/exec", "serviceaccounts/token"})

RBAC_WIDENED = ImpactRule(
    "impact/rbac-widened",
    ERROR,
    "A subject may do everything",
    "That includes every other right.",
    "Kubernetes RBAC",
    also=((WARNING, "it gains single rights"),),
)
RBAC_NARROWED = ImpactRule(
    "impact/rbac-narrowed",
    WARNING,
    "Pods lose rights in the Kubernetes API, also by another ServiceAccount or without its token",
    "What they still use fails.",
    "Kubernetes RBAC",
    also=(
        (ERROR, "the executor needs them"),
        (INFO, "no pod here uses the ServiceAccount"),
    ),
)
EXECUTOR_RIGHTS = ImpactRule(
    "impact/executor-rights",
    ERROR,
    "The KubernetesExecutor is added, and the scheduler may not start pods",
    "No task runs.",
    "Kubernetes RBAC",
    also=((WARNING, "no binding is rendered at all"),),
)


def widened(context: Context) -> Iterator[Finding]:
    """`impact/rbac-widened`: a subject gains rights, over all of its bindings together."""
    before, after = context.base.held.rights, context.head.held.rights
    for subject, held in sorted(after.items()):
        old = before.get(subject, frozenset())
        gained = beyond(held, old)
        if not gained:
            continue
        severity = ERROR if any(map(_is_everything, gained)) else WARNING
        scope = "" if any(right.namespace for right in gained) else " in the whole cluster"
        yield RBAC_WIDENED.finding(
            Key("", subject[0], subject[1], subject[2]),
            f"may now {listed(grouped(gained))}{scope}{_why_it_matters(gained)}",
            severity,
        )


def narrowed(context: Context) -> Iterator[Finding]:
    """`impact/rbac-narrowed`: a subject that stays, and no pod uses, loses rights."""
    before, after = context.base.held.rights, context.head.held.rights
    accounts = {(k.kind, k.namespace, k.name) for k in context.head.of_kind("ServiceAccount")}
    accounts -= {account(work) for work in context.head.workloads}
    for subject, held in sorted(before.items()):
        if subject not in accounts:
            continue
        new = after.get(subject, frozenset())
        lost = beyond(held, new)
        if lost:
            yield RBAC_NARROWED.finding(
                Key("", subject[0], subject[1], subject[2]),
                f"may no longer {listed(grouped(lost))}",
                INFO,
            )


def of_workloads(context: Context) -> Iterator[Finding]:
    """`impact/rbac-narrowed`: what pods may do before and after, whatever account they use."""
    old, new = context.base.held, context.head.held
    losses: dict[tuple[Subject, Subject, tuple[Right, ...], bool], list[Workload]] = {}
    pairs = {after.key: before for before, after in context.replaced}
    for after in context.head.workloads:
        before = context.base.by_key.get(after.key) or pairs.get(after.key)
        if before is None:
            continue
        lost = tuple(beyond(old.of(before), new.of(after)))
        if lost:
            needed, kept = _executor_needs(context.head, after), new.of(after)
            cut = any(
                right.covers(need) and not any(own.covers(need) for own in kept)
                for right in lost
                for need in needed
            )
            place = (account(before), account(after), lost, cut)
            losses.setdefault(place, []).append(after)
    for (was, now, lost, cut), works in sorted(losses.items(), key=lambda item: item[0]):
        names = listed(sorted({work.component for work in works}))
        moved = f" (ServiceAccount {was[2]} → {now[2]})" if was != now else ""
        rest = ": the KubernetesExecutor cannot run tasks" if cut else ""
        yield RBAC_NARROWED.finding(
            works[0].key,
            f"{names} may no longer {listed(grouped(lost))}{moved}{rest}",
            ERROR if cut else WARNING,
        )


def executor_rights(context: Context) -> Iterator[Finding]:
    """`impact/executor-rights`: an executor that starts pods comes, and nothing lets it."""
    if any("Kubernetes" in name for name in context.base.executors):
        return  # `impact/rbac-narrowed` reports what it loses
    held = context.head.held
    for work in context.head.workloads if context.is_update else ():
        needs = _executor_needs(context.head, work)
        own = held.of(work) if needs else ()
        lacking = [need for need in needs if not any(right.covers(need) for right in own)]
        if lacking:
            here = bool(context.head.of_kind("RoleBinding", "ClusterRoleBinding"))
            rest = "" if here else "; no binding is rendered, so it may be defined elsewhere"
            yield EXECUTOR_RIGHTS.finding(
                work.key,
                f"ServiceAccount {account(work)[2]} may not {listed(grouped(lacking))}: the "
                f"KubernetesExecutor cannot run tasks{rest}",
                ERROR if here else WARNING,
            )


def _executor_needs(view: View, work: Workload) -> list[Right]:
    """What the KubernetesExecutor does from the scheduler."""
    if work.component != "scheduler" or not any("Kubernetes" in name for name in view.executors):
        return []
    space = view.config.get(("kubernetes_executor", "namespace")) or work.key.namespace
    verbs = ("create", "delete", "list", "patch", "watch")
    return [Right(space, "", "pods", verb) for verb in verbs]


def _is_everything(right: Right) -> bool:
    return right.verb == "*" and right.resource == "*"


def _why_it_matters(gained: list[Right]) -> str:
    if any(right.verb in _ESCALATING for right in gained):
        return ": with that it can give itself any other right"
    if any(right.resource in _SENSITIVE for right in gained):
        return ": that gives it what other accounts may do"
    return ""


FINDERS = (widened, narrowed, of_workloads, executor_rights)
