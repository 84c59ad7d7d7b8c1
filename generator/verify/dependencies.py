"""The conditions on what workloads live on: sealed secrets, fresh pods, volumes, autoscalers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generator import manifests
from generator.health import Health, Status, assess
from generator.kube.fields import name_of, section, text
from generator.kube.resource import Key, Object
from generator.seal.sealed_secret import KIND as SEALED_SECRET
from generator.verify.pods import is_over, pods_of, secrets_read, started, statuses
from generator.verify.result import Condition, failed, few, met, skipped, unknown, waiting
from generator.verify.snapshot import SecretMeta, Snapshot, Source, written
from generator.verify.target import WORKLOAD_KINDS, Expected


def assess_unsealed(expected: Expected, snapshot: Snapshot) -> Condition:
    """Every rendered SealedSecret was taken in as rendered, and unsealed."""
    name, rendered = "secrets", expected.of_kind(SEALED_SECRET)
    if not rendered:
        return skipped(name, "no SealedSecret is rendered")
    if Source.MANIFESTS in snapshot.unavailable:
        return unknown(name, snapshot.unavailable[Source.MANIFESTS])
    judged = [(key, _sealed_health(item, snapshot.find(key))) for key, item in rendered]
    return _gathered(name, judged, "unsealed")


def assess_manifests(expected: Expected, snapshot: Snapshot) -> list[Condition]:
    """Every other object beside the chart that is followed is well; nothing where there is none."""
    kinds = {kind.resource.kind for kind in manifests.followed()} - {SEALED_SECRET}
    rendered = expected.of_kind(*kinds)
    if not rendered:
        return []
    if Source.MANIFESTS in snapshot.unavailable:
        return [unknown("manifests", snapshot.unavailable[Source.MANIFESTS])]
    judged = [(key, _health_of(snapshot.find(key))) for key, _ in rendered]
    return [_gathered("manifests", judged, "healthy")]


def assess_fresh(expected: Expected, snapshot: Snapshot) -> Condition:
    """No container runs since before a Secret that it reads came to its present contents."""
    name = "fresh-pods"
    for source in (Source.PODS, Source.WORKLOADS, Source.SECRETS):
        if source in snapshot.unavailable:
            return unknown(name, snapshot.unavailable[source])
    ages = _newest(snapshot.secrets)
    ageless = _ageless(expected, ages)
    if not ages:
        return skipped(name, ageless or "no workload reads a Secret of the environment")
    pods = [
        pod
        for _, rendered in expected.of_kind(*WORKLOAD_KINDS)
        for pod in pods_of(rendered, snapshot.pods)
        if not is_over(pod)
    ]
    older = [item for pod in pods for item in _older_than(pod, ages)]
    stale = [(words, meta) for words, meta in older if not meta.at_latest]
    old = [words for words, meta in stale if meta.is_unsealed]
    if old:
        return failed(name, f"{few(old)}: restart the workload (kubectl rollout restart)")
    if stale:
        names = few(meta.name for _, meta in stale)
        return waiting(name, f"not unsealed yet: {names}")
    newest = max(ages.values(), key=lambda meta: meta.changed_at)
    shown = f"newest: {newest.source} {newest.name} of {written(newest.changed_at)}"
    refreshed = _refreshed([words for words, meta in older if meta.at_latest])
    words = "every container has the present Secrets"
    words += " of those that were compared" if ageless or refreshed else ""
    parts = filter(None, (words, ageless, refreshed))
    return met(name, "; ".join(parts), f"{shown}; pods: {len(pods)}")


def _refreshed(older: Sequence[str]) -> str:
    """Containers that began before the last refresh of what they read from a store."""
    if not older:
        return ""
    return f"not compared, as a refresh does not say whether it changed anything: {few(older)}"


def _ageless(expected: Expected, ages: Mapping[str, SecretMeta]) -> str:
    """The Secrets of workloads whose age nothing tells, such as those that come from a store."""
    read = {
        secret
        for _, rendered in expected.of_kind(*WORKLOAD_KINDS)
        for _, secrets in secrets_read(section(rendered, "spec", "template", "spec"))
        for secret in secrets
    }
    names = sorted(read - {*ages} - {key.name for key, _ in expected.of_kind("Secret")})
    return f"not compared, as their age is not known: {few(names)}" if names else ""


def assess_claims(expected: Expected, snapshot: Snapshot) -> Condition:
    """Every claim of the release is bound: the rendered ones, and those that StatefulSets make."""
    name = "storage"
    rendered = [key for key, _ in expected.of_kind("PersistentVolumeClaim")]
    if Source.CLAIMS in snapshot.unavailable:
        return unknown(name, snapshot.unavailable[Source.CLAIMS])
    live = {_claim_key(item): item for item in snapshot.claims}
    judged = [(key, _health_of(live.get(key))) for key in sorted({*rendered, *live})]
    if not judged:
        return skipped(name, "no PersistentVolumeClaim is used")
    return _gathered(name, judged, "bound")


def assess_autoscalers(expected: Expected, snapshot: Snapshot) -> Condition:
    """Every rendered HorizontalPodAutoscaler and ScaledObject can read and scale."""
    name, rendered = "autoscaling", expected.of_kind("HorizontalPodAutoscaler", "ScaledObject")
    if not rendered:
        return skipped(name, "nothing is scaled automatically")
    kinds = {key.kind for key, _ in rendered}
    for kind, source in (
        ("HorizontalPodAutoscaler", Source.AUTOSCALERS),
        ("ScaledObject", Source.SCALED_OBJECTS),
    ):
        if kind in kinds and source in snapshot.unavailable:
            return unknown(name, snapshot.unavailable[source])
    return _gathered(name, [(key, _health_of(snapshot.find(key))) for key, _ in rendered], "ready")


def _gathered(name: str, judged: Sequence[tuple[Key, Health]], word: str) -> Condition:
    """Failed if one is, waiting if one is, else met; the message names them."""
    broken = [f"{key.name}: {it.message}" for key, it in judged if it.status is Status.DEGRADED]
    if broken:
        return failed(name, few(broken))
    behind = [f"{key.name}: {it.message}" for key, it in judged if it.status is not Status.HEALTHY]
    if behind:
        return waiting(name, few(behind))
    return met(name, f"{len(judged)} of {len(judged)} {word}", few(key.name for key, _ in judged))


def _sealed_health(rendered: Object, live: Object | None) -> Health:
    """A refusal counts only for the rendered ciphertext, not for the one before."""
    if live is None:
        return Health(Status.MISSING, "not found in the cluster")
    wanted, found = (
        section(rendered, "spec", "encryptedData"),
        section(live, "spec", "encryptedData"),
    )
    if wanted != found:
        return Health(Status.PROGRESSING, "the rendered ciphertext is not applied yet")
    return assess(live)


def _health_of(live: Object | None) -> Health:
    return assess(live) if live else Health(Status.MISSING, "not found in the cluster")


def _claim_key(claim: Object) -> Key:
    namespace = str(section(claim, "metadata").get("namespace") or "")
    return Key("", "PersistentVolumeClaim", namespace, name_of(claim))


def _newest(secrets: Sequence[SecretMeta]) -> dict[str, SecretMeta]:
    ages: dict[str, SecretMeta] = {}
    for meta in secrets:
        known = ages.get(meta.name)
        if known is None or known.changed_at < meta.changed_at:
            ages[meta.name] = meta
    return ages


def _older_than(pod: Object, ages: dict[str, SecretMeta]) -> list[tuple[str, SecretMeta]]:
    return [
        (
            f"container {container} of pod {name_of(pod)} is older than "
            f"{meta.source} {meta.name} of {written(meta.changed_at)}",
            meta,
        )
        for container, names in _reads(pod)
        for began in [started(pod, container)]
        for meta in [ages[item] for item in sorted(names & set(ages))]
        if began is not None and began < meta.changed_at
    ]


def _reads(pod: Object) -> list[tuple[str, set[str]]]:
    """Containers with the Secrets that they have read; one that waits is still to read them."""
    waits = {text(item, "name") for item in statuses(pod) if section(item, "state", "waiting")}
    return [item for item in secrets_read(section(pod, "spec")) if item[0] not in waits]
