"""The conditions that pods prove: how many there are, whether they are ready, what they run."""

from __future__ import annotations

from collections.abc import Iterator

from generator.health import Status, assess
from generator.kube.fields import count, entries, integer, name_of, section, text
from generator.kube.resource import Key, Object
from generator.kube.workload import Scale, workloads
from generator.verify.pods import (
    earlier_pods,
    images,
    is_ready,
    pods_of,
    present_pods,
    statuses,
)
from generator.verify.result import Condition, failed, few, met, skipped, unknown, waiting
from generator.verify.snapshot import Snapshot, Source
from generator.verify.target import WORKLOAD_KINDS, Expected

_SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
_DIGEST = "sha256:"


def assess_replicas(expected: Expected, snapshot: Snapshot) -> Condition:
    """Every workload asks for at least what is rendered: its replicas, or its autoscaler's least.

    A HorizontalPodAutoscaler leaves alone what has 0 replicas (ScalingDisabled).
    """
    name = "replicas"
    blind = _blind(snapshot, Source.WORKLOADS)
    if blind:
        return unknown(name, blind)
    off: list[str] = []
    short: list[str] = []
    shown: list[str] = []
    for key, scale, live in _scaled(expected, snapshot):
        wanted = _replicas(live)
        shown.append(f"{key.name} {wanted}")
        if wanted >= scale.minimum:
            continue
        words = f"{key.kind} {key.name}: {wanted} replicas, {_minimum_words(scale)}"
        is_off = scale.autoscaler is not None and scale.autoscaler.kind == _SCALERS[0]
        (off if is_off and wanted == 0 else short).append(words)
    if off:
        return failed(name, few([*off, *short]))
    if short:
        return waiting(name, few(short))
    if not shown:
        return skipped(name, "nothing with replicas is in the cluster")
    none = [item.removesuffix(" 0") for item in shown if item.endswith(" 0")]
    idle = f"; none now, so not seen running: {few(none)}" if none else ""
    return met(name, f"every workload asks for the replicas that it needs{idle}", few(shown))


def assess_pods(expected: Expected, snapshot: Snapshot) -> Condition:
    """Every workload has its ready pods, counted by their own status and not by the workload's."""
    name = "pods"
    blind = _blind(snapshot, Source.WORKLOADS, Source.PODS)
    if blind:
        return unknown(name, blind)
    total = 0
    behind: list[str] = []
    unseen: list[str] = []
    for key, _ in expected.of_kind(*WORKLOAD_KINDS):
        live = snapshot.find(key)
        if live is None:
            behind.append(f"{key.kind} {key.name}: not found in the cluster")
            continue
        wanted, pods = _wanted(live), _of_present_revision(live, snapshot)
        earlier = earlier_pods(live, snapshot.pods)
        ready = sum(map(is_ready, pods))
        total += ready
        if not pods_of(live, snapshot.pods, leaving=True) and _running(live):
            unseen.append(f"{key.kind} {key.name}: {_running(live)} run, none was read")
        elif ready < wanted:
            words = f"{key.kind} {key.name}: {ready} of {wanted} pods are ready"
            behind.append("; ".join([words, *_not_ready(pods)]))
        elif earlier:
            words = few(f"pod {name_of(pod)}" for pod in earlier)
            behind.append(
                f"{key.kind} {key.name}: of an earlier template and still running: {words}"
            )
    if behind:
        return waiting(name, few(behind))
    if unseen:
        return unknown(name, few(unseen))
    shown = f"pods ready by their own status: {total}"
    return met(name, "every workload has its ready pods", shown)


def assess_images(expected: Expected, snapshot: Snapshot) -> Condition:
    """Every container runs the rendered digest, or one and the same digest of the rendered tag.

    Two digests of one tag are named and no more: nodes of several architectures may have them.
    """
    name = "images"
    blind = _blind(snapshot, Source.WORKLOADS, Source.PODS)
    if blind:
        return unknown(name, blind)
    running, others, silent = _digests(expected, snapshot)
    if others:
        return waiting(name, few(others))
    if not running:
        return skipped(name, "no pod says which digest it runs")
    mixed = [
        f"{image} runs as {few(f'{digest} ({pod})' for digest, pod in found.items())}"
        for image, found in running.items()
        if len(found) > 1
    ]
    notes = [*mixed, *([f"the digest is not known of {few(silent)}"] if silent else [])]
    words = "every image runs as one digest"
    shown = few(f"{image} {digest}" for image, found in running.items() for digest in found)
    return met(name, "; ".join(notes) or words, shown)


def _digests(
    expected: Expected, snapshot: Snapshot
) -> tuple[dict[str, dict[str, str]], list[str], list[str]]:
    """By image its digests with a pod that runs each; pods that run another one; containers
    (not those of initialisation) whose digest is not known."""
    running: dict[str, dict[str, str]] = {}
    others, silent = [], []
    for key, rendered in expected.of_kind(*WORKLOAD_KINDS):
        live, spec = snapshot.find(key), section(rendered, "spec", "template", "spec")
        going_on = {text(item, "name") for item in entries(spec, "containers")}
        for pod in present_pods(live, snapshot.pods) if live else ():
            found = {text(item, "name"): _pulled(text(item, "imageID")) for item in statuses(pod)}
            for container, image in images(spec).items():
                digest, pinned = found.get(container, ""), _digest(image)
                if not digest:
                    if container in going_on:
                        silent.append(f"container {container} of pod {name_of(pod)}")
                    continue
                if pinned and digest != pinned:
                    words = f"pod {name_of(pod)}: container {container} runs {digest}, not {pinned}"
                    others.append(words)
                else:
                    running.setdefault(image, {}).setdefault(digest, f"pod {name_of(pod)}")
    return running, others, silent


def _digest(reference: str) -> str:
    """The digest in an image reference."""
    _, found, digest = reference.rpartition(_DIGEST)
    return f"{_DIGEST}{digest}" if found else ""


def _pulled(image_id: str) -> str:
    """The digest in an `imageID`; one without a repository is the digest of the image's own
    configuration (containerd, of an image that was loaded), which no registry knows it by."""
    return _digest(image_id) if "@" in image_id else ""


def _scaled(expected: Expected, snapshot: Snapshot) -> Iterator[tuple[Key, Scale, Object]]:
    rendered = dict(expected.of_kind("Deployment", "StatefulSet", *_SCALERS))
    for workload in workloads(rendered):
        live = snapshot.find(workload.key)
        if live is not None:
            yield workload.key, workload.scale, live


def _minimum_words(scale: Scale) -> str:
    scaler = scale.autoscaler
    if scaler is None:
        return f"rendered are {scale.minimum}"
    return f"the minimum of {scaler.kind} {scaler.name} is {scale.minimum}"


def _replicas(live: Object) -> int:
    wanted = integer(live, "spec", "replicas")
    return 1 if wanted is None else wanted


def _wanted(live: Object) -> int:
    if text(live, "kind") == "DaemonSet":
        return count(live, "status", "desiredNumberScheduled")
    return _replicas(live)


def _running(live: Object) -> int:
    """What the workload's controller counts."""
    return count(live, "status", "readyReplicas") or count(live, "status", "numberReady")


def _of_present_revision(live: Object, snapshot: Snapshot) -> list[Object]:
    """A StatefulSet's pods name their revision; a pod that names none counts."""
    revision = text(live, "status", "updateRevision")
    return [
        pod
        for pod in present_pods(live, snapshot.pods)
        if not revision
        or text(pod, "metadata", "labels", "controller-revision-hash") in ("", revision)
    ]


def _not_ready(pods: list[Object]) -> list[str]:
    found = [(name_of(pod), assess(pod)) for pod in pods if not is_ready(pod)]
    return [f"pod {name}: {it.message}" for name, it in found if it.status is not Status.HEALTHY][
        :2
    ]


def _blind(snapshot: Snapshot, *sources: Source) -> str:
    return next((snapshot.unavailable[it] for it in sources if it in snapshot.unavailable), "")
