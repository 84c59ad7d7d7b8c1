"""NetworkPolicies as a table: which pods may talk to whom, both ends looked at."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.impact.network_flows import ANYONE, EVERY_PORT, NAMESPACE_NAME, peer_words
from generator.kube.network_policy import PodPeer, Policy, Ports, Rule, peer_matches
from generator.kube.selectors import matches

EVERYBODY = "every component"

Ends = tuple[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """Who may open connections to whom; `why` is empty where no need is known."""

    sources: tuple[str, ...]
    target: str
    ports: tuple[str, ...]
    why: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """`from`, `to`, `ports`, `why`."""
        return {
            "from": list(self.sources),
            "to": self.target,
            "ports": list(self.ports),
            "why": list(self.why),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class FlowTable:
    """The rows, and the pods that no policy isolates in one direction."""

    rows: tuple[Row, ...]
    open: Mapping[str, tuple[str, ...]]


@dataclasses.dataclass(frozen=True)
class _Pods:
    """Pods of one component, and the rules that hold for them; None where nothing isolates."""

    name: str
    seen: PodPeer
    ingress: tuple[Rule, ...] | None
    egress: tuple[Rule, ...] | None


def flow_table(
    policies: Sequence[Policy],
    pods: Mapping[str, Mapping[str, str]],
    namespace: str,
    why: Mapping[Ends, Iterable[str]],
    namespace_labels: Mapping[str, str] | None = None,
) -> FlowTable:
    """What the policies of one namespace let through, for pods given as name → labels.

    `namespace_labels` are those that the namespace has beside its name. `why` gives reasons by both
    ends; an end is a name of `pods`, or an outside peer in words.
    """
    found_ports, unbound = flow_ports(policies, pods, namespace, namespace_labels)
    ports = {ends: port_words(found) for ends, found in found_ports.items()}
    grouped: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (source, target), found in sorted(ports.items()):
        reasons = tuple(sorted(set(why.get((source, target), ()))))
        grouped[target, found, reasons].append(source)
    rows = [Row(_shortened(sources, pods), *rest) for rest, sources in grouped.items()]
    return FlowTable(tuple(sorted(rows, key=lambda row: (row.target, row.sources))), unbound)


def flow_ports(
    policies: Sequence[Policy],
    pods: Mapping[str, Mapping[str, str]],
    namespace: str,
    namespace_labels: Mapping[str, str] | None = None,
) -> tuple[dict[Ends, set[Ports]], dict[str, tuple[str, ...]]]:
    """The open ports between both ends, and the pods that no policy isolates."""
    own = [policy for policy in policies if policy.key.namespace == namespace]
    everybody = [
        _pods(name, PodPeer(namespace, labels, namespace_labels or {}), own)
        for name, labels in pods.items()
    ]
    ports: dict[Ends, set[Ports]] = defaultdict(set)
    for ends, port in _edges(everybody, namespace):
        ports[ends].add(port)
    unbound = {
        "Ingress": tuple(item.name for item in everybody if item.ingress is None),
        "Egress": tuple(item.name for item in everybody if item.egress is None),
    }
    return ports, unbound


def _shortened(sources: Sequence[str], pods: Mapping[str, Any]) -> tuple[str, ...]:
    """All pods as one, beside those that are none of them."""
    if not set(pods) <= set(sources):
        return tuple(sources)
    return EVERYBODY, *(item for item in sources if item not in pods)


def _pods(name: str, seen: PodPeer, policies: Sequence[Policy]) -> _Pods:
    chosen = [policy for policy in policies if matches(policy.selector, seen.labels)]

    def rules(direction: str) -> tuple[Rule, ...] | None:
        isolating = [policy.rules[direction] for policy in chosen if direction in policy.rules]
        return tuple(rule for part in isolating for rule in part) if isolating else None

    return _Pods(name, seen, rules("Ingress"), rules("Egress"))


def _edges(everybody: Sequence[_Pods], namespace: str) -> Iterator[tuple[Ends, Ports]]:
    for one in everybody:
        for peer, port in _permitted(one.ingress):
            inside = _inside(peer, everybody, namespace)
            for other in inside:
                yield from (((other.name, one.name), both) for both in _sent(other, one, port))
            if _reaches_further(peer, inside, namespace):
                yield (ANYONE if peer is None else peer_words(peer), one.name), port
        for peer, port in _permitted(one.egress):
            inside = _inside(peer, everybody, namespace)
            if _reaches_further(peer, inside, namespace):
                yield (one.name, ANYONE if peer is None else peer_words(peer)), port
            for other in inside:
                yield from (((one.name, other.name), both) for both in _taken(other, port))


def _permitted(rules: tuple[Rule, ...] | None) -> Iterator[tuple[Mapping[str, Any] | None, Ports]]:
    for rule in rules or ():
        for peer in (None,) if rule.peers is None else rule.peers:
            yield from ((peer, port) for port in rule.ports)


def _inside(
    peer: Mapping[str, Any] | None, everybody: Sequence[_Pods], namespace: str
) -> list[_Pods]:
    if peer is None:
        return []
    return [item for item in everybody if peer_matches(peer, item.seen, policy_namespace=namespace)]


def _reaches_further(
    peer: Mapping[str, Any] | None, inside: Sequence[_Pods], namespace: str
) -> bool:
    """Whether a peer may be pods beside those that are known: of other namespaces, or any pod."""
    if peer is None or not inside:
        return True
    spaces = peer.get("namespaceSelector")
    own = spaces is None or spaces == {"matchLabels": {NAMESPACE_NAME: namespace}}
    return not own or not peer.get("podSelector")


def _sent(source: _Pods, target: _Pods, port: Ports) -> Iterator[Ports]:
    """The part of a port that the source may send to, too."""
    if source.egress is None:
        yield port
    for peer, own in _permitted(source.egress):
        namespace = target.seen.namespace
        if peer is None or peer_matches(peer, target.seen, policy_namespace=namespace):
            yield from common_ports(port, own)


def _taken(target: _Pods, port: Ports) -> Iterator[Ports]:
    """The part of a port on which the target takes anyone; rules with peers name their sources."""
    if target.ingress is None:
        yield port
    for peer, own in _permitted(target.ingress):
        if peer is None:
            yield from common_ports(port, own)


def common_ports(one: Ports, other: Ports) -> Iterator[Ports]:
    """What both permit, if anything."""
    protocols = {one.protocol, other.protocol} - {""}
    first, last = max(one.first, other.first), min(one.last, other.last)
    names = {one.name, other.name} - {""}
    if len(protocols) <= 1 and first <= last and len(names) <= 1:
        yield Ports("".join(protocols), first, last, "".join(names))


def port_words(ports: Iterable[Ports]) -> tuple[str, ...]:
    """`5432/TCP`, `every port`, in order."""
    found = sorted(ports, key=lambda port: (port.first, port.last, port.name, port.protocol))
    return tuple(dict.fromkeys(_word(port) for port in found))


def _word(port: Ports) -> str:
    whole = (port.first, port.last) == (0, 65_535)
    number = f"{port.first}" if port.first == port.last else f"{port.first}-{port.last}"
    if port.name:
        return f"{port.name}/{port.protocol}" + ("" if whole else f" where it is {number}")
    if whole:
        return f"{EVERY_PORT} of {port.protocol}" if port.protocol else EVERY_PORT
    return f"{number}/{port.protocol}"
