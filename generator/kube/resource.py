"""What a Kubernetes object is called, and the order in which objects are listed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

Object = Mapping[str, Any]
"""A Kubernetes object stays a plain mapping; see `Key` for its typed identity."""

# The order in which Helm installs (helm.sh/helm/v4/pkg/release/v1/util/kind_sorter.go); what is
# not listed comes after. Kinds that only exist as custom resources follow by name.
_KIND_ORDER = (
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleBinding",
    "Role",
    "RoleBinding",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "Ingress",
)
_RANK = {kind: index for index, kind in enumerate(_KIND_ORDER)}

CLUSTER_SCOPED = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterSecretStore",
        "CustomResourceDefinition",
        "IngressClass",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    }
)


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """The identity of an object; its version is not part of it, so `v1beta1` pairs with `v1`."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def sort_key(self) -> tuple[int, str, str, str, str]:
        """Install order first, then by name: the one rule by which objects are listed."""
        rank = _RANK.get(self.kind, len(_RANK))
        return (rank, self.kind, self.group, self.namespace, self.name)

    def __lt__(self, other: Key) -> bool:
        return self.sort_key < other.sort_key

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


def key_of(manifest: Object, default_namespace: str = "") -> Key:
    """The identity of one object, whose metadata may be malformed.

    A missing namespace of a namespaced kind takes the default.
    """
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    kind = str(manifest.get("kind") or "")
    namespace = str(metadata.get("namespace") or default_namespace)
    return Key(
        group=group_of(str(manifest.get("apiVersion") or "")),
        kind=kind,
        namespace="" if kind in CLUSTER_SCOPED else namespace,
        name=str(metadata.get("name") or metadata.get("generateName") or ""),
    )


def group_of(api_version: str) -> str:
    """`apps` of `apps/v1`, and the empty group of `v1`."""
    return api_version.rpartition("/")[0]


def ordered(manifests: Iterable[Object]) -> list[Object]:
    """The objects in their one order."""
    return sorted(manifests, key=lambda manifest: key_of(manifest).sort_key)


def without_none(value: Any) -> Any:
    """A copy without mapping entries that are None, at any depth; empty containers stay."""
    if isinstance(value, Mapping):
        return {key: without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [without_none(item) for item in value]
    return value


# Set by Airflow's Kubernetes executor and by operators that start pods (cncf.kubernetes provider).
LAUNCHED_BY_TASKS = "kubernetes_pod_operator"
_OF_TASKS = frozenset(
    {LAUNCHED_BY_TASKS, "kubernetes_executor", "airflow-worker"}
    | {"dag_id", "task_id", "run_id", "try_number", "map_index", "spark-role"}
)


def selects_tasks(selector: Mapping[str, Any]) -> bool:
    """Whether a label selector asks for pods that exist only while a task runs.

    No manifest has such a pod: that nothing matches says nothing.
    """
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    keys = set(labels) if isinstance(labels, Mapping) else set()
    for expression in expressions if isinstance(expressions, list) else ():
        if isinstance(expression, Mapping) and expression.get("operator") in ("In", "Exists"):
            keys.add(str(expression.get("key")))
    return not keys.isdisjoint(_OF_TASKS)
