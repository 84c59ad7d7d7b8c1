"""What objects name, and what of it a change takes away."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.impact.context import Context, View, listed, verb
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.impact.rules.data import SEALING
from generator.impact.rules.references import uses
from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.workload import TASK_PODS, Workload

REFERENCE_GONE = ImpactRule(
    "impact/reference-gone",
    ERROR,
    "An object, or a key of it, is removed and still named",
    "Pods that need it are not created or do not start, and what points at it does nothing.",
    "Kubernetes",
)
REFERENCE_MISSING = ImpactRule(
    "impact/reference-missing",
    WARNING,
    "An object is named from now on that is not rendered",
    "Pods that need it are not created or do not start, unless it exists in the cluster.",
    "Kubernetes",
)

# Made by Kubernetes itself: kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption
# and every namespace's ServiceAccount and root certificate.
_BUILT_IN = frozenset(
    {
        ("PriorityClass", "system-cluster-critical"),
        ("PriorityClass", "system-node-critical"),
        ("ServiceAccount", "default"),
        ("ConfigMap", "kube-root-ca.crt"),
    }
)
_CLUSTER_WIDE = frozenset({"ClusterRole", "PriorityClass"})
# Kinds without which a pod is not created or does not start.
_POD_NEEDS = frozenset({"ConfigMap", "PersistentVolumeClaim", "PriorityClass", "ServiceAccount"})


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class Wanted:
    """What is named: kind, namespace, name, and the part of it (a key, a port; or empty)."""

    kind: str
    namespace: str
    name: str
    part: str = ""

    @property
    def words(self) -> str:
        """`key x of ConfigMap y`, `port http of Service z`, `ServiceAccount w`."""
        part = "port" if self.kind == "Service" else "key"
        return f"{part} {self.part} of {self.kind} {self.name}" if self.part else self.short

    @property
    def short(self) -> str:
        """`ServiceAccount w`."""
        return f"{self.kind} {self.name}"


def gone(context: Context) -> Iterator[Finding]:
    """`impact/reference-gone`: the head names something that only the base contains."""
    before, after = _Provided(context.base), _Provided(context.head)
    pruned = {(key.namespace, key.name) for key in context.removed if key.kind in SEALING}
    for wanted, users in sorted(_named(context.head).items()):
        if wanted.kind == "Secret" and (wanted.namespace, wanted.name) in pruned:
            continue  # `impact/secret-pruned` reports it
        whole = dataclasses.replace(wanted, part="")
        if wanted.part and before.has(whole) and not after.has(whole):
            continue  # reported for the object as a whole
        if before.has(wanted) and not after.has(wanted) and not before.stays(wanted):
            names = sorted(users)
            yield REFERENCE_GONE.finding(
                _key(wanted),
                f"{wanted.words} is removed, and {listed(names)} still "
                f"{verb(names, 'names', 'name')} it: {_consequence(wanted)}",
            )


def missing(context: Context) -> Iterator[Finding]:
    """`impact/reference-missing`: pods name something new that neither side contains."""
    if not context.is_update:
        return
    before, after = _Provided(context.base), _Provided(context.head)
    known = _named(context.base)
    for wanted, users in sorted(_named(context.head).items()):
        new = sorted(users - known.get(wanted, set()))
        if not new or wanted.kind not in _POD_NEEDS or before.has(wanted) or after.has(wanted):
            continue
        if (wanted.kind, wanted.name) not in _BUILT_IN:
            yield REFERENCE_MISSING.finding(
                _key(wanted),
                f"{listed(new)} {verb(new, 'names', 'name')} {wanted.words} from now on, which is "
                f"not in this render: unless it exists in the cluster, {_consequence(wanted)}",
            )


class _Provided:
    """The objects of a side, and which of them stay in the cluster when they leave git."""

    def __init__(self, view: View) -> None:
        self._objects = {(key.kind, key.namespace, key.name): key for key in view.objects}
        self._secrets = view.secrets
        self._view = view

    def has(self, wanted: Wanted) -> bool:
        """Whether the object is there, with its part."""
        if wanted.kind == "Secret":
            place = (wanted.namespace, wanted.name)
            keys = self._secrets.get(place, frozenset())
            every = keys is None or not wanted.part
            return place in self._secrets and (every or wanted.part in (keys or ()))
        key = self._objects.get((wanted.kind, wanted.namespace, wanted.name))
        return key is not None and (
            not wanted.part or wanted.part in _parts(self._view.objects[key])
        )

    def stays(self, wanted: Wanted) -> bool:
        """Whether the cluster keeps it when it leaves git."""
        key = self._objects.get((wanted.kind, wanted.namespace, wanted.name))
        if key is None or wanted.part:
            return False
        return self._view.protection(self._view.objects[key]) == "kept"


def _named(view: View) -> dict[Wanted, set[str]]:
    """Everything that is named, and what names it."""
    named: dict[Wanted, set[str]] = {}
    for work in view.workloads:
        for wanted in _of_pods(work):
            named.setdefault(wanted, set()).add(work.component)
    for key, manifest in view.objects.items():
        for wanted in _of_object(key, manifest):
            named.setdefault(wanted, set()).add(f"{key.kind} {key.name}")
    return named


def _of_pods(work: Workload) -> Iterator[Wanted]:
    space, spec = work.key.namespace, work.spec
    for use in uses(work):
        if use.optional:
            continue
        yield Wanted(use.kind, space, use.name)
        yield from (Wanted(use.kind, space, use.name, key) for key in use.keys)
    for kind, name, home in (
        ("ServiceAccount", fields.text(spec, "serviceAccountName"), space),
        ("PriorityClass", fields.text(spec, "priorityClassName"), ""),
        ("Service", fields.text(work.manifest, "spec", "serviceName"), space),
    ):
        if name and (kind != "Service" or work.key.kind == "StatefulSet"):
            yield Wanted(kind, home, name)
    for volume in fields.entries(spec, "volumes"):
        claim = fields.text(volume, "persistentVolumeClaim", "claimName")
        if claim and work.key.kind != TASK_PODS:
            yield Wanted("PersistentVolumeClaim", space, claim)


def _of_object(key: Key, manifest: Object) -> Iterator[Wanted]:
    spec = fields.section(manifest, "spec")
    match key.kind:
        case "ScaledObject":
            yield from _target(key, spec)
            for trigger in fields.entries(spec, "triggers"):
                name = fields.text(trigger, "authenticationRef", "name")
                if name and not fields.text(trigger, "authenticationRef", "kind"):
                    yield Wanted("TriggerAuthentication", key.namespace, name)
        case "HorizontalPodAutoscaler":
            yield from _target(key, spec)
        case "RoleBinding" | "ClusterRoleBinding":
            kind, name = (fields.text(manifest, "roleRef", field) for field in ("kind", "name"))
            yield Wanted(kind, "" if kind in _CLUSTER_WIDE else key.namespace, name)
        case "Ingress":
            for backend in _backends(spec):
                name = fields.text(backend, "service", "name")
                port = fields.section(backend, "service", "port")
                number = str(port.get("name") or port.get("number", ""))
                yield Wanted("Service", key.namespace, name)
                yield Wanted("Service", key.namespace, name, number)
        case "HTTPRoute":
            for rule in fields.entries(spec, "rules"):
                for backend in fields.entries(rule, "backendRefs"):
                    home = fields.text(backend, "namespace") or key.namespace
                    service = fields.text(backend, "name")
                    yield Wanted("Service", home, service)
                    yield Wanted("Service", home, service, str(backend.get("port", "")))
        case "Route":
            service = fields.text(spec, "to", "name")
            yield Wanted("Service", key.namespace, service)
            named = fields.text(spec, "port", "targetPort")
            yield Wanted("Service", key.namespace, service, named)


def _target(key: Key, spec: Mapping[str, Any]) -> Iterator[Wanted]:
    target = fields.section(spec, "scaleTargetRef")
    kind = fields.text(target, "kind") or "Deployment"
    yield Wanted(kind, key.namespace, fields.text(target, "name"))


def _backends(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield fields.section(spec, "defaultBackend")
    for rule in fields.entries(spec, "rules"):
        for path in fields.entries(rule, "http", "paths"):
            yield fields.section(path, "backend")


def _parts(manifest: Object) -> set[str]:
    """Keys of a ConfigMap; ports of a Service by name and number."""
    if manifest.get("kind") == "Service":
        ports = fields.entries(manifest, "spec", "ports")
        return {str(port.get(field)) for port in ports for field in ("name", "port")}
    return {str(name) for part in ("data", "binaryData") for name in fields.section(manifest, part)}


def _key(wanted: Wanted) -> Key:
    groups = {
        "PriorityClass": "scheduling.k8s.io",
        "ClusterRole": "rbac.authorization.k8s.io",
        "Role": "rbac.authorization.k8s.io",
        "Deployment": "apps",
        "StatefulSet": "apps",
        "TriggerAuthentication": "keda.sh",
    }
    return Key(groups.get(wanted.kind, ""), wanted.kind, wanted.namespace, wanted.name)


def _consequence(wanted: Wanted) -> str:
    match wanted.kind:
        case "ServiceAccount" | "PriorityClass":
            return "new pods are not created"
        case "Role" | "ClusterRole":
            return "the binding gives no rights"
        case "Deployment" | "StatefulSet":
            return "it scales nothing"
        case "TriggerAuthentication":
            return "KEDA cannot query its trigger"
        case "Service":
            return "requests to it fail"
    return "the next pods do not start"


FINDERS = (gone, missing)
