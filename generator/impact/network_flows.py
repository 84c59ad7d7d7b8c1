"""NetworkPolicies as flows: who may talk to whom on which port, in words and comparable."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.kube import fields
from generator.kube.network_policy import Policy, Ports, Rule
from generator.kube.workload import Workload

ANYONE = "anyone"
_EVERY_POD, _EVERY_POD_HERE = "every pod", "every pod of the namespace"
_EVERY_SPACE = "every namespace"
EVERY_PORT = "every port"

# Beyond this many, flows only count as covered by an equal one: thousands of addresses in a policy
# must not stop the report.
_MAX_COMPARISONS = 100_000
NAMESPACE_NAME = "kubernetes.io/metadata.name"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclasses.dataclass(frozen=True, order=True, slots=True)
class Flow:
    """One permission: `peer` is in words, or an address block; ports are a range of a protocol."""

    peer: str
    protocol: str = ""
    first: int = 0
    last: int = 65_535
    port_name: str = ""

    def __str__(self) -> str:
        return f"{self.peer} on {self.ports}"

    @property
    def ports(self) -> str:
        """`port 8080/TCP`, `port metrics (9102/TCP)`, `every port`."""
        if not self.protocol:
            return EVERY_PORT
        if not self.first and self.last == 65_535:
            return f"every {self.protocol} port"
        number = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        if self.port_name:
            return f"port {self.port_name} ({number}/{self.protocol})"
        return f"port{'s' if '-' in number else ''} {number}/{self.protocol}"

    def covers(self, other: Flow) -> bool:
        """Whether everything the other permits is permitted by this one."""
        return (
            peer_covers(self.peer, other.peer)
            and self.protocol in ("", other.protocol)
            and self.first <= other.first
            and other.last <= self.last
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Allowed:
    """What one workload may receive (or send); None stands for everything: nothing isolates it."""

    flows: frozenset[Flow] | None

    def opened_since(self, before: Allowed) -> list[Flow]:
        """Flows that were not covered before."""
        if before.flows is None or self.flows is None:
            return []
        differing = sorted(self.flows - before.flows)
        if len(differing) * len(before.flows) > _MAX_COMPARISONS:
            return differing
        return [flow for flow in differing if not any(old.covers(flow) for old in before.flows)]


def allowed(
    work: Workload, direction: str, isolating: Sequence[Policy], everybody: Sequence[Workload]
) -> Allowed:
    """What the policies that select this workload together let it receive or send.

    `direction` is Ingress or Egress; `everybody` gives port names of targets their numbers.
    """
    rules = [rule for policy in isolating for rule in policy.rules.get(direction, ())]
    if not any(direction in policy.rules for policy in isolating):
        return Allowed(None)
    named = [work] if direction == "Ingress" else everybody
    return Allowed(frozenset(flow for rule in rules for flow in _flows(rule, named)))


def _flows(rule: Rule, named: Sequence[Workload]) -> Iterator[Flow]:
    peers = [ANYONE] if rule.peers is None else list(map(peer_words, rule.peers))
    for ports in rule.ports:
        for flow in _of_ports(ports, named):
            yield from (dataclasses.replace(flow, peer=peer) for peer in peers)


def _of_ports(ports: Ports, named: Sequence[Workload]) -> list[Flow]:
    if not ports.name:
        return [Flow("", ports.protocol, ports.first, ports.last)]
    numbers = _numbers(ports, named)
    return [Flow("", ports.protocol, number, number, ports.name) for number in numbers]


def _numbers(ports: Ports, named: Sequence[Workload]) -> list[int]:
    """The container ports of that name; a name no container has permits nothing."""
    return sorted(
        {
            number
            for work in named
            for container in work.containers()
            for port in fields.entries(container, "ports")
            if fields.text(port, "name") == ports.name
            and (fields.text(port, "protocol") or "TCP") == ports.protocol
            and (number := fields.integer(port, "containerPort")) is not None
        }
    )


def unresolved_ports(policy: Policy, chosen: Sequence[Workload]) -> list[str]:
    """Port names of ingress rules that no container of the selected pods has."""
    return sorted(
        {
            ports.name
            for rule in policy.rules.get("Ingress", ())
            for ports in rule.ports
            if ports.name and chosen and not _numbers(ports, chosen)
        }
    )


def peer_words(entry: Mapping[str, Any]) -> str:
    """An entry of `from` or `to` in words; an address block as it is written."""
    block = fields.section(entry, "ipBlock")
    if block:
        excluded = fields.at(block, "except")
        rest = f" except {', '.join(map(str, excluded))}" if isinstance(excluded, list) else ""
        return f"{fields.text(block, 'cidr')}{rest}"
    pods = entry.get("podSelector")
    spaces = entry.get("namespaceSelector")
    if spaces is None:
        return _pods(pods)
    return f"{_pods(pods) if pods else _EVERY_POD} in {_namespaces(spaces)}"


def _pods(selector: Any) -> str:
    words = _labels(selector)
    component = fields.text(selector, "matchLabels", "component")
    if component and not fields.at(selector, "matchExpressions"):
        return f"{component} pods"
    return f"pods with {words}" if words else _EVERY_POD_HERE


def _namespaces(selector: Any) -> str:
    name = fields.text(selector, "matchLabels", NAMESPACE_NAME)
    if name and len(fields.section(selector, "matchLabels")) == 1:
        return f"namespace {name}"
    words = _labels(selector)
    return f"namespaces with {words}" if words else _EVERY_SPACE


def _labels(selector: Any) -> str:
    exact = [f"{k}={v}" for k, v in sorted(fields.section(selector, "matchLabels").items())]
    others = []
    for entry in fields.entries(selector, "matchExpressions"):
        values = fields.at(entry, "values")
        listing = f" ({', '.join(map(str, values))})" if isinstance(values, list) else ""
        others.append(f"{fields.text(entry, 'key')} {fields.text(entry, 'operator')}{listing}")
    return ", ".join([*exact, *others])


def peer_covers(wide: str, narrow: str) -> bool:
    """Whether one peer, or address block, includes the other."""
    if wide in (narrow, ANYONE):
        return True
    one, other = _block(wide), _block(narrow)
    if one is None or other is None:
        return one is other and _pods_cover(wide, narrow)
    return _inside(other[0], one[0]) and all(
        any(_inside(part, left_out) for left_out in other[1])
        for part in one[1]
        if part.overlaps(other[0])
    )


def _pods_cover(wide: str, narrow: str) -> bool:
    """In the words of `peer_words`: every pod has those with labels in it, as have namespaces."""
    some, _, spaces = narrow.rpartition(" in ")
    if wide == _EVERY_POD_HERE:
        return not some and (spaces.startswith("pods with ") or spaces.endswith(" pods"))
    pods, _, wider = wide.rpartition(" in ")
    return bool(some) and pods in (some, _EVERY_POD) and wider in (spaces, _EVERY_SPACE)


def network_of(peer: str) -> Network | None:
    """Of an address block, whatever it leaves out."""
    block = _block(peer)
    return block[0] if block else None


def _inside(narrow: Network, wide: Network) -> bool:
    if isinstance(narrow, ipaddress.IPv4Network) and isinstance(wide, ipaddress.IPv4Network):
        return narrow.subnet_of(wide)
    if isinstance(narrow, ipaddress.IPv6Network) and isinstance(wide, ipaddress.IPv6Network):
        return narrow.subnet_of(wide)
    return False


@functools.lru_cache(maxsize=4_096)
def _block(text: str) -> tuple[Network, tuple[Network, ...]] | None:
    """A network and what is left out of it; None where the words are no address block."""
    cidr, _, excluded = text.partition(" except ")
    try:
        parts = [ipaddress.ip_network(item, strict=False) for item in excluded.split(", ") if item]
        return ipaddress.ip_network(cidr, strict=False), tuple(parts)
    except ValueError:
        return None
