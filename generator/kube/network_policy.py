"""What a set of NetworkPolicies allows: an evaluator of the networking.k8s.io/v1 rules."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from generator.kube.resource import Object
from generator.kube.selectors import matches


@dataclasses.dataclass(frozen=True)
class PodPeer:
    """One end of a connection that is a pod.

    `ports` maps the names of its container ports to (protocol, number). `address` is its IP, for
    rules with an ipBlock; '' when it is not known, and then no ipBlock matches.
    """

    namespace: str
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ports: Mapping[str, tuple[str, int]] = dataclasses.field(default_factory=dict)
    address: str = ""

    @property
    def all_namespace_labels(self) -> Mapping[str, str]:
        """With the label that every namespace has by itself."""
        return {"kubernetes.io/metadata.name": self.namespace, **self.namespace_labels}


@dataclasses.dataclass(frozen=True)
class External:
    """One end of a connection that is no pod of the cluster: an address."""

    address: str


End = PodPeer | External


def allowed(
    policies: Iterable[Object],
    source: End,
    destination: End,
    port: int,
    protocol: str = "TCP",
) -> bool:
    """Whether a connection may be opened: egress of the source and ingress of the destination.

    A pod that no policy of a direction selects is free in that direction. Traffic within one pod
    is not asked about.
    """
    rules = list(policies)
    return _direction(rules, "Egress", source, destination, port, protocol) and _direction(
        rules, "Ingress", destination, source, port, protocol
    )


def selects(policy: Object, pod: PodPeer) -> bool:
    """Whether the policy applies to that pod at all."""
    namespace = str((policy.get("metadata") or {}).get("namespace") or pod.namespace)
    spec = policy.get("spec") or {}
    return namespace == pod.namespace and matches(spec.get("podSelector") or {}, pod.labels)


def _direction(
    policies: list[Object], kind: str, subject: End, other: End, port: int, protocol: str
) -> bool:
    if not isinstance(subject, PodPeer):
        return True
    applying = [item for item in policies if kind in _types(item) and selects(item, subject)]
    if not applying:
        return True
    receiver = subject if kind == "Ingress" else other
    return any(
        _rule_allows(policy, kind, rule, other, receiver, port, protocol, subject.namespace)
        for policy in applying
        for rule in (policy.get("spec") or {}).get(kind.lower()) or ()
    )


def _types(policy: Object) -> list[str]:
    """The directions a policy speaks of: Ingress always unless listed, Egress if it has rules."""
    spec = policy.get("spec") or {}
    listed = spec.get("policyTypes")
    if listed:
        return [str(item) for item in listed]
    return ["Ingress", "Egress"] if spec.get("egress") is not None else ["Ingress"]


def _rule_allows(
    policy: Object,
    kind: str,
    rule: Mapping[str, Any],
    other: End,
    receiver: End,
    port: int,
    protocol: str,
    namespace: str,
) -> bool:
    peers = rule.get("from" if kind == "Ingress" else "to")
    own = str((policy.get("metadata") or {}).get("namespace") or namespace)
    if peers and not any(peer_matches(peer, other, policy_namespace=own) for peer in peers):
        return False
    ports = rule.get("ports")
    return not ports or any(_port_matches(item, receiver, port, protocol) for item in ports)


def peer_matches(peer: Mapping[str, Any], other: End, *, policy_namespace: str) -> bool:
    """Whether one entry of `from` or `to` names the other end."""
    if "ipBlock" in peer:
        return _in_block(peer["ipBlock"] or {}, other.address)
    if not isinstance(other, PodPeer):
        return False
    pods = "podSelector" in peer
    namespaces = "namespaceSelector" in peer
    if namespaces and not matches(peer["namespaceSelector"] or {}, other.all_namespace_labels):
        return False
    if not namespaces and other.namespace != policy_namespace:
        return False
    return (pods or namespaces) and (not pods or matches(peer["podSelector"] or {}, other.labels))


def _in_block(block: Mapping[str, Any], address: str) -> bool:
    if not address:
        return False
    host = ipaddress.ip_address(address)
    if host not in ipaddress.ip_network(str(block.get("cidr")), strict=False):
        return False
    return not any(
        host in ipaddress.ip_network(str(item), strict=False) for item in block.get("except") or ()
    )


def _port_matches(item: Mapping[str, Any], receiver: End, port: int, protocol: str) -> bool:
    if str(item.get("protocol") or "TCP") != protocol:
        return False
    wanted = item.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str) and not wanted.isdecimal():
        named = receiver.ports.get(wanted) if isinstance(receiver, PodPeer) else None
        return named == (protocol, port)
    last = item.get("endPort")
    return int(wanted) <= port <= int(last if last is not None else wanted)
