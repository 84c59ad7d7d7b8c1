"""Which pods restart and why, how long workers drain, and who keeps old configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.core.counted import counted
from generator.diff.equality import same
from generator.diff.noise import is_folded_annotation
from generator.impact.context import Context, duration, listed, verb
from generator.impact.finding import INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key
from generator.kube.workload import ROLLED, TASK_PODS, Workload

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# These hold work in progress: a restart interrupts something that is not simply asked again.
_STATEFUL = frozenset({"worker", "triggerer", "redis", "primary", "postgresql"})

RESTART = ImpactRule(
    "impact/restart",
    WARNING,
    "Pods with work in progress restart, or all stop before the new ones start",
    "Their pod template changes, and a restart interrupts what they do.",
    "Kubernetes",
    also=((INFO, "other pods restart"),),
)
TASKS_ELSEWHERE = ImpactRule(
    "impact/task-pods",
    INFO,
    "Tasks run in other pods",
    "The pod template of the KubernetesExecutor changes; running task pods are left alone.",
    "Airflow",
)
WORKER_DRAIN = ImpactRule(
    "impact/worker-drain",
    WARNING,
    "Pods that run tasks are replaced",
    "Tasks that need longer than the termination grace are killed.",
    "Airflow",
)
DRAIN_TIME = ImpactRule(
    "impact/drain-time",
    WARNING,
    "Pods get less time to stop",
    "Processes that need longer are killed.",
    "Kubernetes",
    also=((INFO, "they get more time"),),
)


def restart(context: Context) -> Iterator[Finding]:
    """`impact/restart`: the pod template differs, so the controller replaces the pods.

    What restarts in the same way for the same reason is one finding.
    """
    groups: dict[tuple[str, str], list[tuple[Workload, Workload]]] = {}
    for before, after in context.restarted:
        if after.scale.maximum > 0:
            cause = "; ".join(_reasons(before, after, own="their own"))
            groups.setdefault((_how(after), cause), []).append((before, after))
    brief = _in_brief(context)
    for (how, cause), pairs in groups.items():
        works = [after for _, after in pairs]
        interrupts = any(work.component in _STATEFUL or _stops_first(work) for work in works)
        yield RESTART.finding(
            works[0].key,
            _restarting(pairs, how, cause),
            WARNING if interrupts else INFO,
            (work.key for work in works[1:]),
            "" if waits(works[0]) else brief,
        )


def _restarting(pairs: Sequence[tuple[Workload, Workload]], how: str, cause: str) -> str:
    works = [after for _, after in pairs]
    if len(works) > 1:
        return f"{listed(f'{_pods(work)} of {work.component}' for work in works)} {how}: {cause}"
    one = works[0].scale.maximum == 1
    return f"{_pods(works[0])} {_one(how) if one else how}: {'; '.join(_reasons(*pairs[0]))}"


def _in_brief(context: Context) -> str:
    """`all five workloads restart`, `scheduler and worker restart`; without those that wait."""
    names = [
        after.component
        for _, after in context.restarted
        if after.scale.maximum > 0 and not waits(after)
    ]
    running = [
        work
        for work in context.head.workloads
        if work.key.kind in ROLLED and work.scale.maximum > 0
    ]
    if not names:
        return ""
    if len(names) == len(running) > 2:
        number = _NUMBERS[len(names)] if len(names) < len(_NUMBERS) else str(len(names))
        return f"all {number} workloads restart"
    return f"{listed(names, 5)} {verb(names, 'restarts', 'restart')}"


def task_pods(context: Context) -> Iterator[Finding]:
    """`impact/task-pods`: the KubernetesExecutor's pod template differs."""
    for after in context.head.workloads:
        old = context.base.by_key.get(after.key)
        if after.key.kind != TASK_PODS or old is None:
            continue
        if not same(old.template, after.template):
            reasons = "; ".join(_reasons(old, after))
            yield TASKS_ELSEWHERE.finding(
                Key("", "ConfigMap", after.key.namespace, after.key.name),
                f"tasks that start after the scheduler's restart run in other pods: {reasons}; "
                "running task pods are left alone",
            )


def worker_drain(context: Context) -> Iterator[Finding]:
    """`impact/worker-drain`: what happens to tasks that run in pods that are replaced."""
    for before, after in (*context.restarted, *context.replaced):
        if after.scale.maximum == 0 or before.scale.maximum == 0:
            continue  # nothing ran, or `impact/scaled-to-zero` reports it
        if after.component == "worker":
            words = f"each worker takes no new task, then has {duration(before.grace)} to finish"
            brief = f"workers get {duration(before.grace)} to finish their tasks"
        elif after.component == "scheduler" and "LocalExecutor" in context.base.executors:
            words = f"tasks run inside the scheduler, which has {duration(before.grace)} to stop"
            brief = f"tasks in the scheduler get {duration(before.grace)} to finish"
        else:
            continue
        yield WORKER_DRAIN.finding(
            after.key,
            f"{words}; tasks that need longer are killed and count as failed or are retried; "
            f"{_roll(before, after)}",
            brief=brief,
        )


def drain_time(context: Context) -> Iterator[Finding]:
    """`impact/drain-time`: the termination grace itself changes; it holds from the next pods on."""
    for before, after in context.restarted:
        if before.grace != after.grace:
            longer = after.grace > before.grace
            times = f"{duration(after.grace)} instead of {duration(before.grace)}"
            yield DRAIN_TIME.finding(
                after.key,
                f"pods get {'more' if longer else 'less'} time to stop: {times}, "
                "for the pods started from now on",
                INFO if longer else WARNING,
                brief=f"{after.component} pods get {times} to stop",
            )


def _pods(work: Workload) -> str:
    scale = work.scale
    if scale.autoscaler and scale.maximum != scale.minimum:
        return f"{scale.minimum} to {scale.maximum} pods"
    return counted(scale.maximum, "pod")


def waits(work: Workload) -> bool:
    """Whether pods are not replaced automatically when their template changes."""
    return bool(_waits_for(work))


def _waits_for(work: Workload) -> str:
    if _strategy(work) == "OnDelete":
        return "somebody deletes the pods (OnDelete)"
    if work.key.kind == "Deployment" and fields.at(work.manifest, "spec", "paused") is True:
        return "somebody resumes the roll-out (paused)"
    if _partition(work) >= work.scale.maximum > 0:
        return f"rollingUpdate.partition falls below {work.scale.maximum}"
    return ""


def _partition(work: Workload) -> int:
    """kubernetes.io/docs/concepts/workloads/controllers/statefulset: lower ordinals stay old."""
    if work.key.kind != "StatefulSet":
        return 0
    rolling = fields.section(work.manifest, "spec", "updateStrategy", "rollingUpdate")
    return fields.integer(rolling, "partition") or 0


def _how(work: Workload) -> str:
    if reason := _waits_for(work):
        return f"take the change only when {reason}"
    if partition := _partition(work):
        return f"restart from ordinal {partition} on (rollingUpdate.partition), the others stay old"
    if work.key.kind == "StatefulSet" and work.scale.maximum > 1:
        return "restart one after the other"
    return "restart, all stopped before the new ones start" if _stops_first(work) else "restart"


def _one(how: str) -> str:
    """The same of one pod."""
    word, space, rest = how.partition(" ")
    return f"{word.rstrip(',')}s{',' * word.endswith(',')}{space}{rest}"


def _stops_first(work: Workload) -> bool:
    return _strategy(work) == "Recreate" or (
        work.key.kind == "StatefulSet" and work.scale.maximum == 1
    )


def _strategy(work: Workload) -> str:
    field = "strategy" if work.key.kind == "Deployment" else "updateStrategy"
    return fields.text(work.manifest, "spec", field, "type")


def _roll(before: Workload, after: Workload) -> str:
    count, grace = after.scale.maximum, before.grace
    if before.key.kind != after.key.kind:
        old = counted(before.scale.maximum, "pod")
        return f"{old} of the {before.key.kind} stop{'s' * (before.scale.maximum == 1)} all at once"
    if reason := _waits_for(after):
        return f"it happens only when {reason}"
    count -= _partition(after)
    if after.key.kind == "StatefulSet" and count > 1:
        return f"{count} pods one after the other take up to {duration(grace * count)}"
    return f"the roll-out takes up to {duration(grace)} and the start of the new pods"


def _reasons(before: Workload, after: Workload, own: str = "") -> Iterator[str]:
    """Why the two templates differ, without any value that could be a secret.

    With several workloads `own` replaces the name of the container named after its component.
    """
    yield from _metadata_reasons(before, after)
    old = {fields.text(item, "name"): item for item in before.containers()}
    new = {fields.text(item, "name"): item for item in after.containers()}
    grouped: dict[str, list[str]] = {}
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"container {name} is removed"
        elif name not in old:
            yield f"container {name} is new"
        elif not same(old[name], new[name]):
            for reason in _container_reasons(old[name], new[name]):
                called = _called(name, after.component, own) if own else name
                grouped.setdefault(reason, []).append(called)
    for reason, names in grouped.items():
        # An image names itself; where it is used may differ between what restarts for it.
        yield reason if own and _is_image(reason) else f"{reason} of {listed(sorted(names))}"
    others = _differing(before.spec, after.spec) - {"containers", "initContainers"}
    if others:
        yield f"pod fields {listed(sorted(others))}"


def _metadata_reasons(before: Workload, after: Workload) -> Iterator[str]:
    for field in ("annotations", "labels"):
        names = _differing(
            fields.section(before.template, "metadata", field),
            fields.section(after.template, "metadata", field),
        )
        hashes = sorted(name for name in names if is_folded_annotation(name))
        if hashes and field == "annotations":
            yield f"what they read at start changes ({listed(map(_subject, hashes))})"
            names -= set(hashes)
        if names:
            yield f"{field} {listed(sorted(names))}"


def _subject(annotation: str) -> str:
    """`airflow-config` of `checksum/airflow-config`."""
    return annotation.rpartition("/")[2]


def _container_reasons(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    names = _differing(old, new)
    if "image" in names:
        yield _image(str(old.get("image")), str(new.get("image")))
    if "env" in names:
        variables = _differing(_variables(old), _variables(new))
        yield f"environment {listed(sorted(variables), 5)}" if variables else "order of environment"
    rest = sorted(names - {"image", "env"})
    if rest:
        yield listed(rest)


def _is_image(reason: str) -> bool:
    return reason.startswith("image ")


def _image(old: str, new: str) -> str:
    """`image tag 3.2.1 → 3.2.2` where only the tag moves."""
    if _digest(old) and _digest(old) == _digest(new):
        names = [image.partition("@")[0] for image in (old, new)]
        return f"image {names[0]} → {names[1]}, which is the same image by its digest,"
    repository, _, tag = old.rpartition(":")
    if repository and "/" not in tag and new.startswith(f"{repository}:"):
        return f"image tag {tag} → {new[len(repository) + 1 :]}"
    return f"image {old} → {new}"


def _called(container: str, component: str, own: str) -> str:
    """`their own log-groomer` of `scheduler-log-groomer`, where several components have one."""
    if container == component or container.startswith(f"{component}-"):
        return f"{own}{container[len(component) :].replace('-', ' ', 1)}"
    return container


def _digest(image: str) -> str:
    return image.partition("@")[2]


def _variables(container: Mapping[str, Any]) -> dict[str, Any]:
    return {fields.text(entry, "name"): entry for entry in fields.entries(container, "env")}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> set[str]:
    return {str(name) for name in old.keys() | new.keys() if not same(old.get(name), new.get(name))}


FINDERS = (restart, task_pods, worker_drain, drain_time)
