"""NetworkPolicies as a table: which pods may talk to whom, both ends looked at."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.impact.network_flows import ANYONE, peer_words
from generator.kube.network_policy import PodPeer, Policy, Ports, Rule, peer_matches
from generator.kube.selectors import matches

EVERYBODY = "every component"
EVERY_PORT = "every port"

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
) -> FlowTable:
    """What the policies of one namespace let through, for pods given as name → labels.

    `why` gives reasons by both ends; an end is a name of `pods`, or an outside peer in words.
    """
    own = [policy for policy in policies if policy.key.namespace == namespace]
    everybody = [_pods(name, labels, namespace, own) for name, labels in pods.items()]
    ports: dict[Ends, set[Ports]] = defaultdict(set)
    for ends, port in _edges(everybody, namespace):
        ports[ends].add(port)
    grouped: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (source, target), found in sorted(ports.items()):
        reasons = tuple(sorted(set(why.get((source, target), ()))))
        grouped[target, _words(found), reasons].append(source)
    rows = [
        Row((EVERYBODY,) if set(pods) <= set(sources) else tuple(sources), *rest)
        for rest, sources in grouped.items()
    ]
    unbound = {
        "Ingress": tuple(item.name for item in everybody if item.ingress is None),
        "Egress": tuple(item.name for item in everybody if item.egress is None),
    }
    return FlowTable(tuple(sorted(rows, key=lambda row: (row.target, row.sources))), unbound)


def _pods(
    name: str, labels: Mapping[str, str], namespace: str, policies: Sequence[Policy]
) -> _Pods:
    chosen = [policy for policy in policies if matches(policy.selector, labels)]

    def rules(direction: str) -> tuple[Rule, ...] | None:
        isolating = [policy.rules[direction] for policy in chosen if direction in policy.rules]
        return tuple(rule for part in isolating for rule in part) if isolating else None

    return _Pods(name, PodPeer(namespace, labels), rules("Ingress"), rules("Egress"))


def _edges(everybody: Sequence[_Pods], namespace: str) -> Iterator[tuple[Ends, Ports]]:
    for one in everybody:
        for peer, port in _permitted(one.ingress):
            inside = _inside(peer, everybody, namespace)
            for other in inside:
                yield from (((other.name, one.name), both) for both in _sent(other, one, port))
            if not inside:
                yield (ANYONE if peer is None else peer_words(peer), one.name), port
        for peer, port in _permitted(one.egress):
            inside = _inside(peer, everybody, namespace)
            if not inside:
                yield (one.name, ANYONE if peer is None else peer_words(peer)), port
            for other in inside:
                if other.ingress is None:
                    yield (one.name, other.name), port


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


def _sent(source: _Pods, target: _Pods, port: Ports) -> Iterator[Ports]:
    """The part of a port that the source may send to, too."""
    if source.egress is None:
        yield port
    for peer, own in _permitted(source.egress):
        namespace = target.seen.namespace
        if peer is None or peer_matches(peer, target.seen, policy_namespace=namespace):
            yield from _common(port, own)


def _common(one: Ports, other: Ports) -> Iterator[Ports]:
    protocols = {one.protocol, other.protocol} - {""}
    first, last = max(one.first, other.first), min(one.last, other.last)
    if len(protocols) > 1 or first > last or {one.name, other.name} - {one.name, ""}:
        return
    yield Ports("".join(protocols), first, last, one.name or other.name)


def _words(ports: Iterable[Ports]) -> tuple[str, ...]:
    found = sorted(ports, key=lambda port: (port.first, port.last, port.name, port.protocol))
    return tuple(dict.fromkeys(_word(port) for port in found))


def _word(port: Ports) -> str:
    if port.name:
        return f"{port.name}/{port.protocol}"
    if (port.first, port.last) == (0, 65_535):
        return f"{EVERY_PORT} of {port.protocol}" if port.protocol else EVERY_PORT
    number = f"{port.first}" if port.first == port.last else f"{port.first}-{port.last}"
    return f"{number}/{port.protocol}"
