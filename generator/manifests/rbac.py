"""The least that verification and the live diff need to be allowed, as roles and as a self-check.

Each rule stands once, here; the roles are generated from it and the self-check asks for the same.
Nothing is written, and no Secret is read: how old a secret is, its SealedSecret tells. The right
to ask what we may (SelfSubjectAccessReview) and to discover kinds has every authenticated user
(`system:basic-user`, `system:discovery`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Protocol

from generator import manifests
from generator.kube.resource import Object

NAME = "gen-env-verify"
_FOLLOW = ("list", "watch")
_FOLLOWED = {
    "": ("events", "persistentvolumeclaims", "pods"),
    "apps": ("daemonsets", "deployments", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("jobs",),
    "keda.sh": ("scaledobjects",),
}
"""What `verify` follows of the chart, by API group; of gen-env's own the kinds that say so."""


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """Verbs on resources of one API group, in one namespace, on named objects or on all."""

    namespace: str
    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()

    def as_policy(self) -> dict[str, Any]:
        """The entry of a Role's `rules`."""
        policy: dict[str, Any] = {
            "apiGroups": [self.group],
            "resources": list(self.resources),
            "verbs": list(self.verbs),
        }
        return {**policy, "resourceNames": list(self.names)} if self.names else policy


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """Who is given a role: a ServiceAccount of a namespace, a User or a Group."""

    kind: str
    name: str
    namespace: str = ""

    def as_json(self) -> dict[str, str]:
        """The entry of a RoleBinding's `subjects`."""
        if self.kind == "ServiceAccount":
            return {"kind": self.kind, "name": self.name, "namespace": self.namespace}
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": self.kind, "name": self.name}


GEN_ENV = Subject("ServiceAccount", "gen-env", "gen-env")
"""Whom the roles are given to, unless somebody says otherwise."""


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Missing:
    """One thing that we need and are not allowed."""

    namespace: str
    group: str
    resource: str
    verb: str
    name: str = ""

    def __str__(self) -> str:
        what = f"{self.resource}.{self.group}" if self.group else self.resource
        which = f" {self.name}" if self.name else ""
        place = f"in namespace {self.namespace}" if self.namespace else "in the cluster"
        return f"cannot {self.verb} {what}{which} {place}"


class Reviewer(Protocol):
    """What the self-check needs of a cluster."""

    def allowed(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str = "",
        subresource: str = "",
        name: str = "",
    ) -> bool:
        """Whether the API server would allow it."""


def environment_rules(
    namespace: str, *, wanted: Collection[str] = (), proxied: Sequence[str] = ()
) -> tuple[Rule, ...]:
    """What `verify` reads in an environment's namespace.

    `wanted` are the kinds of its objects: one that not every environment has (`Kind.always` is
    False) is read where it is among them.

    `proxied` are `service:port` names that may be asked through the API server's proxy, for
    clusters whose ingress we cannot reach; without one that right is not asked for.
    """

    def rule(group: str, resources: Sequence[str], verbs: Sequence[str] = _FOLLOW) -> Rule:
        return Rule(namespace, group, tuple(resources), tuple(verbs))

    read = {group: set(plurals) for group, plurals in _FOLLOWED.items()}
    for kind in manifests.followed():
        if not kind.always and kind.resource.kind not in wanted:
            continue
        read.setdefault(kind.resource.group, set()).add(kind.resource.plural)
    rules = [rule(group, sorted(read[group])) for group in sorted(read)]
    rules.insert(1, rule("", ("pods/log",), ("get",)))
    if proxied:
        names = tuple(sorted(proxied))
        rules.append(Rule(namespace, "", ("services/proxy",), ("get",), names))
    return tuple(rules)


def hub_rules(namespace: str, applications: Iterable[str]) -> tuple[Rule, ...]:
    """What `verify` reads where Argo CD runs: these Applications, and no others."""
    names = tuple(sorted(set(applications)))
    return (Rule(namespace, "argoproj.io", ("applications",), _FOLLOW, names),) if names else ()


def flux_rules(namespace: str, release: str, kustomizations: Sequence[str]) -> tuple[Rule, ...]:
    """What `verify` reads where Flux runs: the objects of one environment, and no others."""
    return (
        Rule(namespace, "helm.toolkit.fluxcd.io", ("helmreleases",), _FOLLOW, (release,)),
        Rule(
            namespace,
            "kustomize.toolkit.fluxcd.io",
            ("kustomizations",),
            _FOLLOW,
            tuple(kustomizations),
        ),
    )


def role_manifests(
    rules: Sequence[Rule], subject: Subject, *, name: str = NAME
) -> tuple[Object, ...]:
    """A Role and its RoleBinding for every namespace in the rules, in order."""
    roles: list[Object] = []
    for namespace in sorted({rule.namespace for rule in rules}):
        metadata = {
            "name": name,
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": "gen-env", "app.kubernetes.io/component": name},
        }
        own = [rule.as_policy() for rule in rules if rule.namespace == namespace]
        roles += [
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": metadata,
                "rules": own,
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": metadata,
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "Role",
                    "name": name,
                },
                "subjects": [subject.as_json()],
            },
        ]
    return tuple(roles)


def self_check(cluster: Reviewer, rules: Iterable[Rule]) -> list[Missing]:
    """Everything in the rules that the API server would refuse us; `str` of each is a sentence.

    Raises ClusterError if the server cannot be asked.
    """
    return sorted(
        need
        for need in set(_needs(rules))
        if not cluster.allowed(
            need.verb,
            need.resource.partition("/")[0],
            group=need.group,
            namespace=need.namespace,
            subresource=need.resource.partition("/")[2],
            name=need.name,
        )
    )


def _needs(rules: Iterable[Rule]) -> Iterator[Missing]:
    for rule in rules:
        for resource in rule.resources:
            for verb in rule.verbs:
                for name in rule.names or ("",):
                    yield Missing(rule.namespace, rule.group, resource, verb, name)
