"""Fields that the API server refuses to change: the sync fails until the object is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from generator.diff.equality import same
from generator.impact.context import Context, listed
from generator.impact.finding import ERROR, INFO, Finding, ImpactRule
from generator.kube import fields
from generator.kube.quantity import quantity, size
from generator.kube.resource import Object

_SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
_HOOK = "argocd.argoproj.io/hook"
_HOOK_POLICY = "argocd.argoproj.io/hook-delete-policy"

# kubernetes/pkg/apis/apps/validation: everything else in a StatefulSet's spec is frozen.
_STATEFULSET_MUTABLE = frozenset(
    {
        "minReadySeconds",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "replicas",
        "revisionHistoryLimit",
        "template",
        "updateStrategy",
    }
)
# kubernetes/pkg/apis/batch/validation: a Job's spec but for these; completions only if elastic.
_JOB_MUTABLE = frozenset(
    {
        "activeDeadlineSeconds",
        "backoffLimit",
        "parallelism",
        "suspend",
        "ttlSecondsAfterFinished",
    }
)
_CLAIM_MUTABLE = frozenset({"resources", "volumeAttributesClassName"})
_RECREATE = {
    "StatefulSet": "delete it with --cascade=orphan first, so that its pods keep running",
    "Job": "delete the old Job first, or make it a hook with BeforeHookCreation",
    "PersistentVolumeClaim": "create a claim under another name and move the data",
    "StorageClass": "create a class under another name",
}

IMMUTABLE = ImpactRule(
    "impact/immutable",
    ERROR,
    "A field that cannot change on an existing object",
    "The API server refuses the change, so the sync fails.",
    "Kubernetes",
)
REPLACED = ImpactRule(
    "impact/replaced",
    INFO,
    "An object is deleted and created again",
    "It is marked to be replaced, and an immutable field changes.",
    "Argo CD",
)
CLAIM_SIZE = ImpactRule(
    "impact/claim-size",
    ERROR,
    "A volume claim shrinks",
    "The API server refuses it, so the sync fails.",
    "Kubernetes",
    also=((INFO, "it grows, which its storage class must allow"),),
)


def immutable(context: Context) -> Iterator[Finding]:
    """`impact/immutable`: the field cannot change on an existing object."""
    for key, before, after in context.kept:
        names = list(_FROZEN.get(key.kind, _nothing)(before, after))
        if names and not _is_replaced(after):
            way = _RECREATE.get(key.kind, "delete the object first, and let the sync create it")
            yield IMMUTABLE.finding(
                key,
                f"{listed(names)} cannot be changed on an existing object, so the sync fails: "
                f"{way}",
            )


def replaced(context: Context) -> Iterator[Finding]:
    """`impact/replaced`: the same, but the object is marked to be deleted and made anew."""
    for key, before, after in context.kept:
        names = list(_FROZEN.get(key.kind, _nothing)(before, after))
        if names and _is_replaced(after) and not _is_hook(after):
            yield REPLACED.finding(key, f"is deleted and created again, because of {listed(names)}")


def claim_size(context: Context) -> Iterator[Finding]:
    """`impact/claim-size`: a volume claim shrinks (refused) or grows (the class must allow it)."""
    for key, before, after in context.kept:
        if key.kind != "PersistentVolumeClaim":
            continue
        old, new = (
            quantity(fields.at(side, "spec", "resources", "requests", "storage"))
            for side in (before, after)
        )
        if old is None or new is None or old == new:
            continue
        words = f"{size(old)} → {size(new)}"
        if new < old:
            yield CLAIM_SIZE.finding(key, f"{words}: a claim cannot shrink, so the sync fails")
        else:
            yield CLAIM_SIZE.finding(
                key,
                f"{words}: works if its storage class allows volume expansion",
                INFO,
            )


def _nothing(before: Object, after: Object) -> Iterator[str]:
    return iter(())


def _selector(before: Object, after: Object) -> Iterator[str]:
    if _differs(before, after, "spec", "selector"):
        yield "spec.selector"


def _statefulset(before: Object, after: Object) -> Iterator[str]:
    yield from _frozen_fields(before, after, _STATEFULSET_MUTABLE)


def _job(before: Object, after: Object) -> Iterator[str]:
    yield from _frozen_fields(before, after, _JOB_MUTABLE)


def _claim(before: Object, after: Object) -> Iterator[str]:
    yield from _frozen_fields(before, after, _CLAIM_MUTABLE)


def _service(before: Object, after: Object) -> Iterator[str]:
    """A cluster address may be given up or taken, but not exchanged for another."""
    old, new = (fields.text(side, "spec", "clusterIP") for side in (before, after))
    exchanged = old != new and ("None" in (old, new) or (old and new))
    if exchanged and fields.text(after, "spec", "type") != "ExternalName":
        yield "spec.clusterIP"


def _role_reference(before: Object, after: Object) -> Iterator[str]:
    if _differs(before, after, "roleRef"):
        yield "roleRef"


def _content(before: Object, after: Object) -> Iterator[str]:
    """A ConfigMap or Secret marked immutable, and the type of a Secret."""
    if fields.at(before, "immutable") is True:
        for part in ("data", "binaryData", "stringData", "immutable"):
            if _differs(before, after, part):
                yield part
    if (before.get("type") or "Opaque") != (after.get("type") or "Opaque"):
        yield "type"


def _storage_class(before: Object, after: Object) -> Iterator[str]:
    for name in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        if _differs(before, after, name):
            yield name


def _priority(before: Object, after: Object) -> Iterator[str]:
    for name in ("preemptionPolicy", "value"):
        if _differs(before, after, name):
            yield name


def _frozen_fields(before: Object, after: Object, mutable: frozenset[str]) -> Iterator[str]:
    old, new = fields.section(before, "spec"), fields.section(after, "spec")
    for name in sorted(map(str, (old.keys() | new.keys()) - mutable)):
        if not same(_defaulted(old.get(name)), _defaulted(new.get(name))):
            yield f"spec.{name}"


def _defaulted(value: Any) -> Any:
    """An absent field and an empty one are the same to the API."""
    return None if value in ({}, [], "") else value


def _differs(before: Object, after: Object, *path: str) -> bool:
    return not same(fields.at(before, *path), fields.at(after, *path))


def _is_replaced(manifest: Object) -> bool:
    """Argo CD: Replace or Force recreates, a hook is deleted before it is created again."""
    annotations = fields.section(manifest, "metadata", "annotations")
    options = {part.strip() for part in str(annotations.get(_SYNC_OPTIONS, "")).split(",")}
    return bool(options & {"Force=true", "Replace=true"}) or _is_hook(manifest)


def _is_hook(manifest: Object) -> bool:
    """Argo's default for a hook without a policy is BeforeHookCreation as well."""
    annotations = fields.section(manifest, "metadata", "annotations")
    policy = str(annotations.get(_HOOK_POLICY) or "BeforeHookCreation")
    if _HOOK in annotations:
        return "BeforeHookCreation" in policy
    policy = str(annotations.get("helm.sh/hook-delete-policy") or "before-hook-creation")
    return "helm.sh/hook" in annotations and "before-hook-creation" in policy


_FROZEN: dict[str, Callable[[Object, Object], Iterator[str]]] = {
    "ClusterRoleBinding": _role_reference,
    "ConfigMap": _content,
    "DaemonSet": _selector,
    "Deployment": _selector,
    "Job": _job,
    "PersistentVolumeClaim": _claim,
    "PriorityClass": _priority,
    "RoleBinding": _role_reference,
    "Secret": _content,
    "Service": _service,
    "StatefulSet": _statefulset,
    "StorageClass": _storage_class,
}

FINDERS = (immutable, replaced, claim_size)
