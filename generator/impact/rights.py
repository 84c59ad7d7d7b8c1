"""What subjects and pods may do in the Kubernetes API, as far as bindings are rendered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.kube import fields
from generator.kube.resource import Key, Object
from generator.kube.selectors import matches
from generator.kube.workload import Workload

_MAX_COMPARISONS = 100_000  # beyond it only equal rights count as held before


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class Right:
    """One verb on one resource in one namespace (empty: the whole cluster)."""

    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""

    def covers(self, other: Right) -> bool:
        """Whether holding this right includes the other."""
        return (
            self.namespace in ("", other.namespace)
            and self.group in ("*", other.group)
            and self.resource in ("*", other.resource)
            and self.verb in ("*", other.verb)
            and self.name in ("", other.name)
        )

    @property
    def words(self) -> str:
        """`delete pods`, `get secrets named x`, `* * in every API group`."""
        if self.verb == self.resource == "*":
            return "do everything"
        what = self.resource + (f" of {self.group}" if self.group not in ("", "*") else "")
        return f"{self.verb} {what}" + (f" named {self.name}" if self.name else "")


Subject = tuple[str, str, str]
"""Kind, namespace and name of who holds rights."""


class Held:
    """What the pods of a side may do: by their account, and by the groups that it is in."""

    def __init__(self, objects: Mapping[Key, Object]) -> None:
        self._objects = objects
        self.rights = rights(objects)
        """By subject."""

    def of(self, work: Workload) -> frozenset[Right]:
        """The rights of a workload's pods; none where they are given no token."""
        if not self._has_token(work):
            return frozenset()
        _, space, _ = subject = account(work)
        groups = (
            "system:authenticated",
            "system:serviceaccounts",
            f"system:serviceaccounts:{space}",
        )
        subjects = (subject, *(("Group", "", name) for name in groups))
        return frozenset().union(*(self.rights.get(item, frozenset()) for item in subjects))

    def _has_token(self, work: Workload) -> bool:
        """kubernetes.io/docs/tasks/configure-pod-container/configure-service-account."""
        for volume in fields.entries(work.spec, "volumes"):
            for source in fields.entries(volume, "projected", "sources"):
                if "serviceAccountToken" in source:
                    return True
        wanted = work.spec.get("automountServiceAccountToken")
        if wanted is None:
            _, space, name = account(work)
            manifest = self._objects.get(Key("", "ServiceAccount", space, name))
            wanted = fields.at(manifest, "automountServiceAccountToken")
        return wanted is not False


def account(work: Workload) -> Subject:
    name = fields.text(work.spec, "serviceAccountName") or "default"
    return ("ServiceAccount", work.key.namespace, name)


def rights(objects: Mapping[Key, Object]) -> dict[Subject, frozenset[Right]]:
    """What every subject of a binding may do; a role that is not rendered counts by its name."""
    held: dict[Subject, set[Right]] = {}
    for key, binding in objects.items():
        if key.kind not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        scope = key.namespace if key.kind == "RoleBinding" else ""
        granted = set(_granted(objects, key, binding, scope))
        for subject in fields.entries(binding, "subjects"):
            kind, name = fields.text(subject, "kind"), fields.text(subject, "name")
            space = fields.text(subject, "namespace") if kind == "ServiceAccount" else ""
            space = space or (key.namespace if kind == "ServiceAccount" else "")
            held.setdefault((kind, space, name), set()).update(granted)
    return {subject: frozenset(granted) for subject, granted in held.items()}


def beyond(held: frozenset[Right], other: frozenset[Right]) -> list[Right]:
    """The rights that the others do not cover."""
    differing = sorted(held - other)
    if len(differing) * len(other) > _MAX_COMPARISONS:
        return differing
    return [right for right in differing if not any(own.covers(right) for own in other)]


def grouped(given: Iterable[Right]) -> list[str]:
    """Verbs of the same resource together: `create, delete pods`."""
    verbs: dict[tuple[str, str, str, str], list[str]] = {}
    for right in given:
        verbs.setdefault((right.namespace, right.group, right.resource, right.name), []).append(
            right.verb
        )
    grouped = []
    for (namespace, group, resource, name), names in verbs.items():
        words = Right(namespace, group, resource, "/".join(sorted(names)), name).words
        grouped.append(f"{words} in {namespace}" if namespace else words)
    return grouped


def _granted(
    objects: Mapping[Key, Object], key: Key, binding: Object, scope: str
) -> Iterator[Right]:
    kind = fields.text(binding, "roleRef", "kind")
    name = fields.text(binding, "roleRef", "name")
    group = "rbac.authorization.k8s.io"
    role = objects.get(Key(group, kind, key.namespace if kind == "Role" else "", name))
    if role is None:
        if kind == "ClusterRole" and name == "cluster-admin":
            yield Right(scope, "*", "*", "*")
        else:
            yield Right(scope, "", f"everything that the {kind} {name} allows", "do")
        return
    for part in (role, *_aggregated(objects, role)):
        for rule in fields.entries(part, "rules"):
            yield from _of_rule(rule, scope)


def _aggregated(objects: Mapping[Key, Object], role: Object) -> Iterator[Object]:
    """The rendered ClusterRoles that a controller gathers in this one; others are not seen."""
    for wanted in fields.entries(role, "aggregationRule", "clusterRoleSelectors"):
        for key, part in objects.items():
            labels = fields.section(part, "metadata", "labels")
            if key.kind == "ClusterRole" and matches(wanted, labels):
                yield part


def _of_rule(rule: Mapping[str, Any], scope: str) -> Iterator[Right]:
    verbs = fields.strings(rule, "verbs")
    names = fields.strings(rule, "resourceNames") or [""]
    for group in fields.strings(rule, "apiGroups") or [""]:
        for resource in fields.strings(rule, "resources"):
            for verb in verbs:
                yield from (Right(scope, group, resource, verb, name) for name in names)
    for url in fields.strings(rule, "nonResourceURLs"):
        yield from (Right("", "", url, verb) for verb in verbs)
