"""What a set of NetworkPolicies allows between two ends: the judge of generated policies."""

import dataclasses
import ipaddress

from generator.kube import network_policy
from generator.kube.network_policy import peer_matches
from generator.kube.selectors import matches


@dataclasses.dataclass(frozen=True)
class PodPeer(network_policy.PodPeer):
    """A pod; `ports` maps the names of its container ports to (protocol, number).

    `address` is its IP, for rules with an ipBlock; '' when unknown, and then no ipBlock matches.
    """

    ports: dict = dataclasses.field(default_factory=dict)
    address: str = ""


@dataclasses.dataclass(frozen=True)
class External:
    """One end of a connection that is no pod of the cluster: an address."""

    address: str


def allowed(policies, source, destination, port, protocol="TCP"):
    """Whether a connection may be opened: egress of the source and ingress of the destination.

    A pod that no policy of a direction selects is free in that direction.
    """
    policies = list(policies)
    return _passes(policies, "Egress", source, destination, destination, port, protocol) and (
        _passes(policies, "Ingress", destination, source, destination, port, protocol)
    )


def selects(manifest, pod):
    """Whether the policy applies to that pod at all."""
    return _applies(network_policy.read(manifest, pod.namespace), pod)


def _applies(policy, pod):
    return policy.key.namespace == pod.namespace and matches(policy.selector, pod.labels)


def _passes(manifests, direction, subject, other, receiver, port, protocol):
    if not isinstance(subject, PodPeer):
        return True
    policies = [network_policy.read(item, subject.namespace) for item in manifests]
    isolating = [p for p in policies if direction in p.rules and _applies(p, subject)]
    return not isolating or any(
        (rule.peers is None or any(_is(peer, other, policy.key.namespace) for peer in rule.peers))
        and any(_contains(ports, receiver, port, protocol) for ports in rule.ports)
        for policy in isolating
        for rule in policy.rules[direction]
    )


def _is(peer, end, namespace):
    if "ipBlock" in peer:
        return _in_block(peer["ipBlock"], end.address)
    return isinstance(end, PodPeer) and peer_matches(peer, end, policy_namespace=namespace)


def _in_block(block, address):
    if not address:
        return False
    networks = map(ipaddress.ip_network, [block["cidr"], *block.get("except", ())])
    inside, *excluded = [ipaddress.ip_address(address) in network for network in networks]
    return inside and not any(excluded)


def _contains(ports, receiver, port, protocol):
    if ports.name:
        named = receiver.ports.get(ports.name) if isinstance(receiver, PodPeer) else None
        return named == (ports.protocol, port) == (protocol, port)
    return ports.protocol in ("", protocol) and ports.first <= port <= ports.last
