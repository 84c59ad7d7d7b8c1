"""NetworkPolicies (networking.k8s.io/v1) as values: whom they select and what they let through."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from generator.kube import fields
from generator.kube.resource import Key, Object, key_of
from generator.kube.selectors import matches

NATIVE = ("networking.k8s.io", "extensions")
"""Groups of Kubernetes' own NetworkPolicy."""
_SIDES = {"Ingress": "from", "Egress": "to"}


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """A range of ports of a protocol ('' stands for all), or a `name` that containers resolve."""

    protocol: str = ""
    first: int = 0
    last: int = 65_535
    name: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """What one entry of `ingress` or `egress` lets through; `peers` None stands for anyone."""

    peers: tuple[Mapping[str, Any], ...] | None
    ports: tuple[Ports, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """A NetworkPolicy; `rules` has an entry for every direction that it isolates."""

    key: Key
    selector: Mapping[str, Any]
    rules: Mapping[str, tuple[Rule, ...]]


@dataclasses.dataclass(frozen=True)
class PodPeer:
    """A pod as the peers of a rule see it."""

    namespace: str
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def all_namespace_labels(self) -> Mapping[str, str]:
        """With the label that every namespace has by itself."""
        return {"kubernetes.io/metadata.name": self.namespace, **self.namespace_labels}


def read(manifest: Object, default_namespace: str = "") -> Policy | None:
    """The policy in an object; None for an object of another kind.

    Without `policyTypes` it isolates Ingress, and Egress if it has egress rules
    (kubernetes/pkg/apis/networking/v1/defaults.go).
    """
    key = key_of(manifest, default_namespace)
    if key.kind != "NetworkPolicy" or key.group not in NATIVE:
        return None
    types = fields.at(manifest, "spec", "policyTypes")
    if not isinstance(types, list) or not types:
        types = ["Ingress", *(["Egress"] if fields.at(manifest, "spec", "egress") else [])]
    rules = {side: tuple(_rules(manifest, side)) for side in _SIDES if side in types}
    return Policy(key, fields.section(manifest, "spec", "podSelector"), rules)


def _rules(manifest: Object, direction: str) -> Iterator[Rule]:
    side = _SIDES[direction]
    for entry in fields.entries(manifest, "spec", direction.lower()):
        peers = tuple(fields.entries(entry, side)) if entry.get(side) else None
        listed = tuple(map(_ports, fields.entries(entry, "ports")))
        yield Rule(peers, listed if entry.get("ports") else (Ports(),))


def _ports(entry: Mapping[str, Any]) -> Ports:
    protocol, port = fields.text(entry, "protocol") or "TCP", entry.get("port")
    if port is None:
        return Ports(protocol)
    if (number := fields.number(port)) is not None:
        return Ports(protocol, number, fields.integer(entry, "endPort") or number)
    return Ports(protocol, name=str(port))


def peer_matches(peer: Mapping[str, Any], pod: PodPeer, *, policy_namespace: str) -> bool:
    """Whether the selectors of one entry of `from` or `to` name a pod; an ipBlock has none."""
    pods, namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
    if namespaces is None:
        return pod.namespace == policy_namespace and matches(pods, pod.labels)
    inside = matches(namespaces, pod.all_namespace_labels)
    return inside and matches({} if pods is None else pods, pod.labels)
