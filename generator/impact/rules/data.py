"""What is deleted, and whether data goes with it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.counted import counted
from generator.impact.context import Context, listed, verb
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.impact.rules.references import pull_secrets, uses
from generator.kube import fields, pruning
from generator.kube.resource import Key, Object

FINALIZER = "resources-finalizer.argocd.argoproj.io"
_MAX_NAMED = 20

# What is lost when an object of this kind is deleted.
_LOSSES = {
    "CustomResourceDefinition": "every object of this kind in the whole cluster is deleted",
    "Namespace": "everything in it is deleted, including volume claims and secrets",
    "PersistentVolume": "the volume's data may be deleted",
    "PersistentVolumeClaim": "its volume is deleted unless the storage class retains it",
}
SEALING = frozenset({"Secret", "SealedSecret"})
"""Kinds whose deletion deletes a Secret for good."""

DATA_LOSS = ImpactRule(
    "impact/data-loss",
    ERROR,
    "Data is deleted: with an object, with a pod that keeps it in no volume, or by a clean-up",
    "Only a backup brings it back.",
    "Kubernetes",
    also=(
        (
            WARNING,
            "it is marked to be kept or suspended, or is deleted later, archived or as log files",
        ),
    ),
)
SECRET_PRUNED = ImpactRule(
    "impact/secret-pruned",
    ERROR,
    "A Secret is pruned that pods still need",
    "The next pods do not start.",
    "Kubernetes",
    also=((WARNING, "no pod names it any more"),),
)
PRUNED = ImpactRule(
    "impact/pruned",
    INFO,
    "Objects that a sync with pruning deletes",
    "They left git.",
    "Argo CD",
)
STORE_REMOVED = ImpactRule(
    "impact/store-removed",
    WARNING,
    "The broker, or a workload with its own volumes, is removed",
    "Tasks queued in the broker are lost; volume claims remain, unused.",
    "Kubernetes",
)
KIND_CHANGED = ImpactRule(
    "impact/kind-changed",
    WARNING,
    "A workload keeps its name and becomes another kind",
    "The new one starts before the old one is pruned: both run for a moment.",
    "Argo CD",
)


def data_loss(context: Context) -> Iterator[Finding]:
    """`impact/data-loss`: an object that holds data, or holds objects that do, is pruned."""
    for key, manifest in context.removed.items():
        loss = _LOSSES.get(key.kind) or _claims_loss(manifest) or _cascade(key, manifest)
        if loss is None:
            continue
        match context.base.protection(manifest):
            case "kept":
                yield DATA_LOSS.finding(
                    key,
                    "leaves git but stays in the cluster: it is marked to be kept",
                    WARNING,
                )
            case "confirm":
                yield DATA_LOSS.finding(
                    key, f"will be pruned once the pruning is confirmed; {loss}"
                )
            case _ if pruning.is_suspended(manifest):
                yield DATA_LOSS.finding(
                    key,
                    "will be pruned; it is suspended in git, and what Helm made stays if it is "
                    "suspended in the cluster too, which was not read: otherwise Flux uninstalls "
                    "the release",
                    WARNING,
                )
            case _:
                yield DATA_LOSS.finding(key, f"will be pruned; {loss}")


def secret_pruned(context: Context) -> Iterator[Finding]:
    """`impact/secret-pruned`: a Secret goes; pods that still name it cannot start again."""
    used: dict[tuple[str, str], list[str]] = {}
    for work in context.head.workloads:
        for use in uses(work):
            if use.kind == "Secret" and not use.optional:
                used.setdefault((work.key.namespace, use.name), []).append(work.component)
        for name in pull_secrets(context.head.objects, work):
            used.setdefault((work.key.namespace, name), []).append(work.component)
    still = {(key.namespace, key.name) for key in context.head.of_kind(*SEALING, "ExternalSecret")}
    for key, manifest in context.removed.items():
        place = (key.namespace, key.name)
        if key.kind not in SEALING or place in still or context.base.protection(manifest) == "kept":
            continue
        users = sorted(set(used.get(place, ())))
        if users:
            yield SECRET_PRUNED.finding(
                key,
                f"will be pruned, but {listed(users)} still {verb(users, 'needs', 'need')} it: the "
                "next pods do not start",
            )
        else:
            yield SECRET_PRUNED.finding(
                key,
                "will be pruned; without a copy its values cannot be recovered",
                WARNING,
            )


def pruned(context: Context) -> Iterator[Finding]:
    """`impact/pruned`: everything that the next sync with pruning deletes, by name."""
    names = [
        str(key) for key, old in context.removed.items() if context.base.protection(old) != "kept"
    ]
    if names:
        yield PRUNED.finding(
            None,
            f"a sync that prunes deletes {counted(len(names), 'object')} that left git: "
            f"{listed(names, _MAX_NAMED)}",
            brief=f"{counted(len(names), 'object')} {verb(names, 'is', 'are')} pruned",
        )


def store_removed(context: Context) -> Iterator[Finding]:
    """`impact/store-removed`: a workload with claims of its own (database, broker) goes away."""
    replaced = {before.key for before, _ in context.replaced}
    for key, manifest in context.removed.items():
        if key.kind != "StatefulSet" or _claims_loss(manifest):
            continue
        claims = fields.entries(manifest, "spec", "volumeClaimTemplates")
        component = fields.text(manifest, "metadata", "labels", "component") or key.name
        if component == "redis":
            yield STORE_REMOVED.finding(key, "the broker is removed: tasks queued in it are lost")
        elif claims and key not in replaced:
            yield STORE_REMOVED.finding(
                key,
                "will be removed; its volume claims remain with their data, unused",
            )


def kind_changed(context: Context) -> Iterator[Finding]:
    """`impact/kind-changed`: a workload keeps its name and becomes another kind."""
    for before, after in context.replaced:
        claims = fields.entries(before.manifest, "spec", "volumeClaimTemplates")
        rest = "; its volume claims remain, unused" if claims else ""
        yield KIND_CHANGED.finding(
            after.key,
            f"was a {before.key.kind}: the new {after.key.kind} starts before the old one is "
            f"pruned, so both run for a moment; then all pods of the old one stop at once{rest}",
        )


def _claims_loss(manifest: Object) -> str | None:
    """kubernetes.io/docs/concepts/workloads/controllers/statefulset: claims stay by default."""
    policy = fields.text(manifest, "spec", "persistentVolumeClaimRetentionPolicy", "whenDeleted")
    has_claims = bool(fields.entries(manifest, "spec", "volumeClaimTemplates"))
    if fields.at(manifest, "kind") == "StatefulSet" and policy == "Delete" and has_claims:
        return "its volume claims are deleted with it (whenDeleted: Delete)"
    return None


def _cascade(key: Key, manifest: Object) -> str | None:
    finalizers = fields.strings(manifest, "metadata", "finalizers")
    if key.kind == "Application" and any(name.startswith(FINALIZER) for name in finalizers):
        return "its resources finalizer deletes everything that the Application manages"
    if key.kind == "HelmRelease":
        return "Flux uninstalls the release, and with it every object that Helm made"
    return None


FINDERS = (data_loss, secret_pruned, pruned, store_removed, kind_changed)
