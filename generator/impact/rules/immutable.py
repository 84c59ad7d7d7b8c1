"""Fields that the API server refuses to change: the sync fails until the object is replaced."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from generator.diff.equality import same
from generator.impact.apply import is_gone, is_hook, is_replaced
from generator.impact.context import Context, listed
from generator.impact.finding import ERROR, INFO, Finding, ImpactRule
from generator.kube import canonical, fields
from generator.kube.quantity import quantity, size
from generator.kube.resource import Key, Object

_VERSION = re.compile(r"v?1\.(\d{1,3})")
_REVISION_LIMIT_SINCE = 33
"""The first minor version that lets a StatefulSet's `revisionHistoryLimit` change."""

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
# kubernetes/pkg/apis/batch/validation: a Job's spec but for these.
_JOB_MUTABLE = frozenset(
    {
        "activeDeadlineSeconds",
        "backoffLimit",
        "manualSelector",
        "maxFailedIndexes",
        "parallelism",
        "podReplacementPolicy",
        "suspend",
        "ttlSecondsAfterFinished",
    }
)
_PLACEMENT = frozenset({"affinity", "nodeSelector", "schedulingGates", "tolerations"})
# kubernetes/pkg/apis/apps/v1/defaults.go, batch/v1/defaults.go, core/v1/defaults.go.
_DEFAULTS = {
    "completionMode": "NonIndexed",
    "completions": 1,
    "podManagementPolicy": "OrderedReady",
    "preemptionPolicy": "PreemptLowerPriority",
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "Immediate",
    "volumeMode": "Filesystem",
}
# Empty values that the API server tells from none.
_KEPT_EMPTY: tuple[tuple[str, object], ...] = (("reclaimPolicy", ""), ("selector", {}))
_FILESYSTEM = ("volumeMode", "Filesystem")
# What is asked of storage may grow: `impact/claim-size`.
_SIZE: dict[str, dict[str, str]] = {"limits": {}, "requests": {"storage": ""}}
_CLAIM_MUTABLE = frozenset({"resources", "volumeAttributesClassName"})
_RECREATE = {
    "StatefulSet": "delete it with --cascade=orphan first, so that its pods keep running",
    "Job": "delete the old Job first, or make it a hook with BeforeHookCreation",
    "PersistentVolumeClaim": "create a claim under another name and move the data",
    "StorageClass": "create a class under another name",
    "CustomResourceDefinition": "keep the field, as deleting it deletes every object of this kind",
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
        names = _frozen(context, key, before, after)
        if names and not is_replaced(context, after):
            way = _RECREATE.get(key.kind, "delete the object first, and let the sync create it")
            yield IMMUTABLE.finding(
                key,
                f"{listed(names)} cannot be changed on an existing object, so the sync fails"
                f"{_unless(before)}: {way}",
            )


def _unless(before: Object) -> str:
    """A finished Job with a time to live may be gone by itself."""
    lives = fields.at(before, "spec", "ttlSecondsAfterFinished") is not None
    return " unless its ttlSecondsAfterFinished has deleted it" if lives else ""


def replaced(context: Context) -> Iterator[Finding]:
    """`impact/replaced`: the same, but the object is marked to be deleted and created again."""
    for key, before, after in context.kept:
        names = _frozen(context, key, before, after)
        if names and is_replaced(context, after) and not is_hook(after):
            yield REPLACED.finding(key, f"is deleted and created again, as {listed(names)} changes")


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
    old, new = (canonical.stored(fields.at(side, "spec", "selector")) for side in (before, after))
    if not same(old, new):
        yield "spec.selector"


def _statefulset(before: Object, after: Object) -> Iterator[str]:
    yield from _frozen_fields(before, after, _STATEFULSET_MUTABLE)


def _job(before: Object, after: Object) -> Iterator[str]:
    """Completions change together with parallelism; what waits can be sent to other nodes."""
    if fields.at(before, "spec", "suspend") is True:
        before, after = _unplaced(before), _unplaced(after)
    size = [fields.at(after, "spec", name) for name in ("completions", "parallelism")]
    is_elastic = fields.text(after, "spec", "completionMode") == "Indexed" and size[0] == size[1]
    elastic = {"completions"} if is_elastic and size[0] is not None else set()
    yield from _frozen_fields(before, after, _JOB_MUTABLE | elastic)


def _unplaced(job: Object) -> Object:
    """A Job without what says where its pods run, which may change until it starts."""
    spec, template = fields.section(job, "spec"), fields.section(job, "spec", "template")
    pod = {k: v for k, v in fields.section(template, "spec").items() if k not in _PLACEMENT}
    return {**job, "spec": {**spec, "template": {"spec": pod}}}


def _claim(before: Object, after: Object) -> Iterator[str]:
    yield from _frozen_fields(before, after, _CLAIM_MUTABLE)
    for part in ("limits", "requests"):
        old, new = (
            canonical.amounts({**fields.section(side, "spec", "resources", part), **_SIZE[part]})
            for side in (before, after)
        )
        if not same(old, new):
            yield f"spec.resources.{part}"


def _service(before: Object, after: Object) -> Iterator[str]:
    """A cluster address cannot be exchanged; one that is left out stays as it is.

    kubernetes/pkg/registry/core/service/storage/alloc.go, patchAllocatedValues: an empty address
    is filled from the old object. One without an address of its own (ExternalName) takes any.
    """
    if "ExternalName" in (fields.text(side, "spec", "type") for side in (before, after)):
        return
    old, new = (fields.text(side, "spec", "clusterIP") for side in (before, after))
    if new and old != new:
        yield "spec.clusterIP"
    ports = [fields.at(side, "spec", "healthCheckNodePort") for side in (before, after)]
    if all(ports) and ports[0] != ports[1]:
        yield "spec.healthCheckNodePort"
    balanced = {fields.text(side, "spec", "type") for side in (before, after)} == {"LoadBalancer"}
    if balanced and _differs(before, after, "spec", "loadBalancerClass"):
        yield "spec.loadBalancerClass"


def _definition(before: Object, after: Object) -> Iterator[str]:
    """apiextensions-apiserver/pkg/apis/apiextensions/validation; a version in which objects were
    stored has to stay."""
    for path in (("group",), ("scope",), ("names", "kind"), ("names", "plural")):
        if _differs(before, after, "spec", *path):
            yield ".".join(("spec", *path))
    served = {fields.text(item, "name") for item in fields.entries(after, "spec", "versions")}
    for item in fields.entries(before, "spec", "versions"):
        if item.get("storage") is True and fields.text(item, "name") not in served:
            yield f"the stored version {fields.text(item, 'name')} of spec.versions"


def _role_reference(before: Object, after: Object) -> Iterator[str]:
    old, new = (fields.section(side, "roleRef") for side in (before, after))
    group = {"apiGroup": "rbac.authorization.k8s.io"}
    if not same({**old, **group}, {**new, **group}):  # the only one that there is
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
        if not same(*(_defaulted(name, side.get(name)) for side in (before, after))):
            yield name


def _priority(before: Object, after: Object) -> Iterator[str]:
    for name in ("preemptionPolicy", "value"):
        if not same(*(_defaulted(name, side.get(name)) for side in (before, after))):
            yield name


def _frozen_fields(before: Object, after: Object, mutable: frozenset[str]) -> Iterator[str]:
    old, new = fields.section(before, "spec"), fields.section(after, "spec")
    for name in sorted(map(str, (old.keys() | new.keys()) - mutable)):
        if not same(*(_defaulted(name, side.get(name)) for side in (old, new))):
            yield f"spec.{name}"


def _defaulted(name: str, value: Any) -> Any:
    """As the API server stores it: absent, empty and the default are the same, and so are equal
    quantities."""
    if value in ({}, [], "", None, _DEFAULTS.get(name)) and (name, value) not in _KEPT_EMPTY:
        return None
    if name == "template" and isinstance(value, Mapping):
        return canonical.template(value)
    if name == "volumeClaimTemplates" and isinstance(value, list):
        return [_claim_template(item) for item in value]
    return canonical.stored(value)


def _claim_template(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    spec = {k: v for k, v in fields.section(given, "spec").items() if (k, v) != _FILESYSTEM}
    if isinstance(spec.get("resources"), Mapping):
        resources = spec["resources"].items()
        spec["resources"] = {field: canonical.amounts(value) for field, value in resources}
    rest = {k: v for k, v in given.items() if k not in ("apiVersion", "kind", "status")}
    return canonical.stored({**rest, "spec": spec})


def _differs(before: Object, after: Object, *path: str) -> bool:
    return not same(fields.at(before, *path), fields.at(after, *path))


def _frozen(context: Context, key: Key, before: Object, after: Object) -> list[str]:
    """The fields of it that differ and cannot."""
    if "." in key.group and not key.group.endswith(".k8s.io"):  # a namesake
        return []
    names = list(FROZEN.get(key.kind, _nothing)(before, after))
    if key.kind == "StatefulSet" and _minor(context) < _REVISION_LIMIT_SINCE:
        limits = [fields.at(side, "spec", "revisionHistoryLimit") for side in (before, after)]
        if len({10 if limit is None else limit for limit in limits}) > 1:
            names.append("spec.revisionHistoryLimit")
    return [] if is_gone(before) else names


def _minor(context: Context) -> int:
    """The cluster's minor version; where it is not known, one that permits all."""
    match = _VERSION.match(context.head.facts.kubernetes_version or "")
    return int(match[1]) if match else 1_000


FROZEN: dict[str, Callable[[Object, Object], Iterator[str]]] = {
    "ClusterRoleBinding": _role_reference,
    "ConfigMap": _content,
    "CustomResourceDefinition": _definition,
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
