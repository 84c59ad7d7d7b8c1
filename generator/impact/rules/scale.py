"""How many pods run: none, fewer than before, or as many as an autoscaler decides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.core.counted import counted
from generator.impact.apply import keeps_live
from generator.impact.context import Context, View, duration, listed
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.workload import ROLLED, Workload, command

SCALED_TO_ZERO = ImpactRule(
    "impact/scaled-to-zero",
    ERROR,
    "A component of Airflow runs in no pod any more",
    "What only it does stops.",
    "Airflow",
    also=((WARNING, "Airflow goes on without it"),),
)
PODS_REMOVED = ImpactRule(
    "impact/pods-removed",
    WARNING,
    "Fewer pods than before, of those that hold work in progress",
    "What they do is cut off when their termination grace ends.",
    "Kubernetes",
)
AUTOSCALER_STARTS = ImpactRule(
    "impact/autoscaler-starts",
    WARNING,
    "An autoscaler takes over from a fixed number of replicas",
    "The stored number is not kept: once Argo CD no longer applies `spec.replicas` the API server "
    "sets its default, 1, until the autoscaler acts. It stays only where another field manager set "
    "the same number, or where `RespectIgnoreDifferences=true` covers the field.",
    "kubernetes.io, migrating Deployments to horizontal autoscaling",
)
QUEUE = ImpactRule(
    "impact/queue",
    ERROR,
    "A Celery queue that no worker serves any more",
    "Tasks sent to it stay queued.",
    "Celery",
)

_REPLICAS = ("spec", "replicas")
_UI = "the UI and the API do not respond"
# What stops when nothing runs a component, and whether Airflow cannot go on without it.
_WITHOUT = {
    "scheduler": ("nothing is scheduled and no task starts", ERROR),
    "api-server": (f"{_UI}, and tasks, which report to it, fail", ERROR),
    "webserver": (_UI, ERROR),
    "worker": ("no task of the CeleryExecutor runs: what is queued waits", ERROR),
    "triggerer": ("deferred tasks do not wake up", ERROR),
    "dag-processor": ("DAGs are not read: new and changed ones are not seen", ERROR),
    "pgbouncer": ("pods that connect through it have no database", ERROR),
    "redis": ("the Celery broker does not answer: no task is queued or picked up", ERROR),
    "postgresql": ("Airflow has no database", ERROR),
    "primary": ("Airflow has no database", ERROR),
    "statsd": ("metrics are no longer collected", WARNING),
    "flower": ("Flower does not respond", WARNING),
}
# Components whose removal other rules report: `impact/store-removed`, `impact/service-gone`.
_TOLD_WHEN_REMOVED = frozenset({"pgbouncer", "redis", "postgresql", "primary"})
_QUEUES = re.compile(
    r"celery\s{1,8}worker\b[^;&|]{0,2000}?\s(?:-Q|-q|--queues)[=\s]{1,8}([\w.,-]{1,1000})"
)
_WORKER = re.compile(r"celery\s{1,8}worker\b")


def to_zero(context: Context) -> Iterator[Finding]:
    """`impact/scaled-to-zero`: a component ran before and runs nowhere now."""
    if not context.is_update:
        return
    before, after = _running(context.base), _running(context.head)
    for component, works in sorted(before.items()):
        if component in after or component not in _WITHOUT or _goes_on(context, component):
            continue
        kept = [context.head.by_key[work.key] for work in works if work.key in context.head.by_key]
        if not kept and component in _TOLD_WHEN_REMOVED:
            continue
        words, severity = _WITHOUT[component]
        how = "is scaled to 0" if kept else "is no longer deployed"
        message = f"{component} {how}: {words}"
        if component == "worker":
            message += f"; running tasks have {duration(works[0].grace)} to finish"
        yield SCALED_TO_ZERO.finding(works[0].key, message, severity)


def fewer(context: Context) -> Iterator[Finding]:
    """`impact/pods-removed`: pods with work in progress are taken away for good."""
    running = _running(context.head)
    replaced = {old.key for old, _ in context.replaced}  # `impact/worker-drain` reports it
    for before in context.base.workloads if context.is_update else ():
        words = _work(context, before)
        if words is None or before.component not in running:
            continue  # where none is left, `impact/scaled-to-zero` reports it
        after = context.head.by_key.get(before.key)
        most = after.scale.maximum if after else 0
        lost = before.scale.maximum - most
        if lost <= 0 or before.key in replaced:
            continue
        least = "up to " if before.scale.autoscaler else ""
        numbers = f"{before.scale.maximum} → {most}" if after else "the workload is removed"
        are = "is" if lost == 1 and not least else "are"
        yield PODS_REMOVED.finding(
            before.key,
            f"{least}{counted(lost, 'pod')} of it {are} taken away ({numbers}): {words}",
        )


def autoscaler_starts(context: Context) -> Iterator[Finding]:
    """`impact/autoscaler-starts`: the number leaves the manifest, so that it becomes 1."""
    for after in context.head.workloads:
        before = context.base.by_key.get(after.key)
        scaler = after.scale.autoscaler
        if before is None or scaler is None or before.scale.autoscaler is not None:
            continue
        count = before.scale.maximum
        if count < 2 or fields.at(after.manifest, *_REPLICAS) is not None:
            continue
        if keeps_live(context, after.key, _REPLICAS):
            continue
        work = _work(context, before)
        stopped = f"{count - 1} of {counted(count, 'pod')} {'is' if count == 2 else 'are'} stopped"
        yield AUTOSCALER_STARTS.finding(
            after.key,
            f"an outage until {scaler.kind} {scaler.name} acts: spec.replicas leaves the manifest "
            "and the stored number is not kept unless another field manager set it too: "
            f"Kubernetes sets 1, and {stopped} at once"
            + (f"; {work}" if work else "")
            + f"; then {after.scale.minimum} to {after.scale.maximum} run",
        )


def queues(context: Context) -> Iterator[Finding]:
    """`impact/queue`: a queue that workers served is served by none of them now."""
    before, after = _queues(context.base), _queues(context.head)
    if not before or not after:
        return  # without any worker, `impact/scaled-to-zero` or `impact/executor` reports it
    gone = sorted(before.keys() - after.keys())
    if gone:
        yield QUEUE.finding(
            before[gone[0]].key,
            f"no worker serves the Celery queue{'s' if len(gone) > 1 else ''} {listed(gone)} any "
            f"more: tasks sent there stay queued",
        )


def _running(view: View) -> dict[str, list[Workload]]:
    """The workloads with pods, by component."""
    running: dict[str, list[Workload]] = {}
    for work in view.workloads:
        if work.key.kind in ROLLED and work.scale.maximum > 0:
            running.setdefault(work.component, []).append(work)
    return running


def _goes_on(context: Context, component: str) -> bool:
    """Whether something else does the work of a component now."""
    head, running = context.head, _running(context.head)
    match component:
        case "api-server" | "webserver":
            return not running.keys().isdisjoint({"api-server", "webserver"})
        case "worker":
            return bool(head.executors) and not any("Celery" in name for name in head.executors)
        case "dag-processor":
            own = head.is_on("scheduler", "standalone_dag_processor")
            return head.runs.airflow.startswith("2.") and not own
    return False


def _work(context: Context, work: Workload) -> str | None:
    """What happens to the work in progress of pods that are stopped; None where there is none."""
    grace = duration(work.grace)
    if work.component == "worker" and work.key.kind in ROLLED:
        return f"no task starts there any more; running ones have {grace} to finish, or are killed"
    if work.component == "triggerer":
        return "the others take its triggers over"
    if work.component == "scheduler" and "LocalExecutor" in context.base.executors:
        return f"tasks that run there have {grace} to finish, or are killed"
    return None


def _queues(view: View) -> dict[str, Workload]:
    """Each queue of Celery, and a workload that serves it."""
    default = view.setting("operators", "default_queue") or "default"
    served: dict[str, Workload] = {}
    for work in view.workloads:
        if work.key.kind not in ROLLED or work.scale.maximum == 0:
            continue
        for container in work.containers():
            words = " ".join(command(container))
            if _WORKER.search(words):
                match = _QUEUES.search(words)
                for name in (match[1] if match else default).split(","):
                    served.setdefault(name, work)
    return served


FINDERS = (to_zero, fewer, autoscaler_starts, queues)
