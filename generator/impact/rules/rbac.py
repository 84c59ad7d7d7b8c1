"""Who may do more in the Kubernetes API than before."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.impact.context import Context, View, listed
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key, Object

# Rights that lead to every other right: kubernetes.io/docs/concepts/security/rbac-good-practices.
_ESCALATING = frozenset({"bind", "escalate", "impersonate"})
_MAX_COMPARISONS = 100_000  # beyond it only equal rights count as held before
_SENSITIVE = frozenset({"secrets", "pods/exec", "serviceaccounts/token"})

RBAC_WIDENED = ImpactRule(
    "impact/rbac-widened",
    ERROR,
    "A subject may do everything",
    "That includes every other right.",
    "Kubernetes RBAC",
    also=((WARNING, "it gains single rights"),),
)
RBAC_NARROWED = ImpactRule(
    "impact/rbac-narrowed",
    INFO,
    "A ServiceAccount loses rights",
    "Anything that still uses them fails.",
    "Kubernetes RBAC",
)


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


def widened(context: Context) -> Iterator[Finding]:
    """`impact/rbac-widened`: a subject gains rights, over all of its bindings together."""
    before, after = rights(context.base), rights(context.head)
    for subject, held in sorted(after.items()):
        old = before.get(subject, frozenset())
        gained = _beyond(held, old)
        if not gained:
            continue
        severity = ERROR if any(map(_is_everything, gained)) else WARNING
        scope = "" if any(right.namespace for right in gained) else " in the whole cluster"
        yield RBAC_WIDENED.finding(
            Key("", subject[0], subject[1], subject[2]),
            f"may now {listed(_grouped(gained))}{scope}{_why_it_matters(gained)}",
            severity,
        )


def narrowed(context: Context) -> Iterator[Finding]:
    """`impact/rbac-narrowed`: a subject that stays loses rights it may still use."""
    before, after = rights(context.base), rights(context.head)
    accounts = {(k.kind, k.namespace, k.name) for k in context.head.of_kind("ServiceAccount")}
    for subject, held in sorted(before.items()):
        if subject not in accounts:
            continue
        new = after.get(subject, frozenset())
        lost = _beyond(held, new)
        if lost:
            yield RBAC_NARROWED.finding(
                Key("", subject[0], subject[1], subject[2]),
                f"may no longer {listed(_grouped(lost))}",
            )


def rights(view: View) -> dict[Subject, frozenset[Right]]:
    """What every subject of a binding may do; a role that is not rendered counts by its name."""
    held: dict[Subject, set[Right]] = {}
    for key, binding in view.of_kind("RoleBinding", "ClusterRoleBinding").items():
        scope = key.namespace if key.kind == "RoleBinding" else ""
        granted = set(_granted(view, key, binding, scope))
        for subject in fields.entries(binding, "subjects"):
            kind, name = fields.text(subject, "kind"), fields.text(subject, "name")
            space = fields.text(subject, "namespace") if kind == "ServiceAccount" else ""
            space = space or (key.namespace if kind == "ServiceAccount" else "")
            held.setdefault((kind, space, name), set()).update(granted)
    return {subject: frozenset(granted) for subject, granted in held.items()}


def _beyond(held: frozenset[Right], other: frozenset[Right]) -> list[Right]:
    """The rights that the others do not cover."""
    differing = sorted(held - other)
    if len(differing) * len(other) > _MAX_COMPARISONS:
        return differing
    return [right for right in differing if not any(own.covers(right) for own in other)]


def _granted(view: View, key: Key, binding: Object, scope: str) -> Iterator[Right]:
    kind = fields.text(binding, "roleRef", "kind")
    name = fields.text(binding, "roleRef", "name")
    group = "rbac.authorization.k8s.io"
    role = view.objects.get(Key(group, kind, key.namespace if kind == "Role" else "", name))
    if role is None:
        if kind == "ClusterRole" and name == "cluster-admin":
            yield Right(scope, "*", "*", "*")
        else:
            yield Right(scope, "", f"everything that the {kind} {name} allows", "do")
        return
    for rule in fields.entries(role, "rules"):
        yield from _of_rule(rule, scope)


def _of_rule(rule: Mapping[str, Any], scope: str) -> Iterator[Right]:
    verbs = _strings(rule, "verbs")
    names = _strings(rule, "resourceNames") or [""]
    for group in _strings(rule, "apiGroups") or [""]:
        for resource in _strings(rule, "resources"):
            for verb in verbs:
                yield from (Right(scope, group, resource, verb, name) for name in names)
    for url in _strings(rule, "nonResourceURLs"):
        yield from (Right("", "", url, verb) for verb in verbs)


def _strings(rule: Mapping[str, Any], field: str) -> list[str]:
    values = rule.get(field)
    return [str(value) for value in values] if isinstance(values, list) else []


def _grouped(given: list[Right]) -> list[str]:
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


def _is_everything(right: Right) -> bool:
    return right.verb == "*" and right.resource == "*"


def _why_it_matters(gained: list[Right]) -> str:
    if any(right.verb in _ESCALATING for right in gained):
        return ": with that it can give itself any other right"
    if any(right.resource in _SENSITIVE for right in gained):
        return ": that gives it what other accounts may do"
    return ""


FINDERS = (widened, narrowed)
