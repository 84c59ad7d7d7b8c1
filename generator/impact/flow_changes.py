"""Who may talk to whom before and after a change, read off the rendered NetworkPolicies."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.counted import counted
from generator.impact.context import View
from generator.impact.flow_table import EVERY_PORT, Ends, flow_ports
from generator.impact.network_flows import ANYONE, peer_covers
from generator.kube import fields
from generator.kube.network_policy import NATIVE

# Beyond this, a table takes longer than anybody reads it: every peer is held against every pair.
_MAX_PAIRS = 500_000
_MAX_FLOWS = 2_000

Between = tuple[str, ...]
"""Ports in words; empty where nothing is permitted."""


_What = tuple[Between, Between, tuple[str, ...]]


@dataclasses.dataclass(frozen=True, slots=True)
class FlowChange:
    """Ports on which the sources may reach the targets, before and after.

    `still_open` are parts of a closed network that stay open.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    before: Between
    after: Between
    still_open: tuple[str, ...] = ()

    def __str__(self) -> str:
        sources, targets = ", ".join(self.sources), ", ".join(self.targets)
        before, after = ", ".join(self.before), ", ".join(self.after)
        if not self.before:
            return f"{sources} may now reach {targets} on {after}"
        if not self.after:
            rest = f", but for {', '.join(self.still_open)}" if self.still_open else ""
            return f"{sources} may no longer reach {targets} ({before}){rest}"
        return f"{sources} may reach {targets} on {after}, before on {before}"

    def as_json(self) -> dict[str, Any]:
        """`from`, `to`, `before`, `after`, `stillOpen`."""
        return {
            "from": list(self.sources),
            "to": list(self.targets),
            "before": list(self.before),
            "after": list(self.after),
            "stillOpen": list(self.still_open),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class FlowChanges:
    """What differs, both ends looked at, and what was not read."""

    changes: tuple[FlowChange, ...] = ()
    not_read: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """`changes` and `notRead`."""
        return {
            "changes": [item.as_json() for item in self.changes],
            "notRead": list(self.not_read),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class _Table:
    ports: Mapping[Ends, Between]
    names: frozenset[str]
    unbound: Mapping[str, tuple[str, ...]]

    def between(self, ends: Ends) -> Between:
        """Also where a wider network has the end in it, or nothing isolates either."""
        if ends in self.ports:
            return self.ports[ends]
        if self.unisolated(ends):
            return (EVERY_PORT,)
        wider = {word: None for other, words in self.ports.items() if _covers(other, ends)
                 for word in words}  # fmt: skip
        return tuple(wider)

    def unisolated(self, ends: Ends) -> bool:
        """Whether no policy stands between both ends."""
        source, target = ends
        sends = source not in self.names or source in self.unbound["Egress"]
        takes = target not in self.names or target in self.unbound["Ingress"]
        return bool({source, target} & self.names) and sends and takes

    def parts(self, ends: Ends, ports: Between) -> tuple[str, ...]:
        """The networks inside those that the ends name in which one of these ports is open."""
        inside = sorted(
            other
            for other, words in self.ports.items()
            if not {*words}.isdisjoint(ports) and _covers(ends, other)
        )
        return tuple(target if ends[0] == source else source for source, target in inside)


def _covers(wide: Ends, narrow: Ends) -> bool:
    return all(one == other or (one != ANYONE and peer_covers(one, other))
               for one, other in zip(wide, narrow, strict=True))  # fmt: skip


def flow_changes(base: View, head: View) -> FlowChanges:
    """The flows that a change opens or closes in one environment."""
    not_read = tuple(dict.fromkeys((*_not_read(base), *_not_read(head))))
    if not base.policies and not head.policies:
        return FlowChanges((), not_read)
    if max(map(_pairs, (base, head))) > _MAX_PAIRS:
        return FlowChanges((), (*not_read, "the flows: the policies have too many peers"))
    before, after = _table(base), _table(head)
    if len(before.ports) + len(after.ports) > _MAX_FLOWS:
        return FlowChanges((), (*not_read, "the flows: the policies permit too many"))
    return FlowChanges(tuple(_grouped(before, after)), not_read)


def _grouped(before: _Table, after: _Table) -> Iterator[FlowChange]:
    """One change for all ends between which the same ports open or close."""
    by_target: dict[tuple[str, _What], list[str]] = defaultdict(list)
    for ends in sorted({*before.ports, *after.ports}):
        old, new = before.between(ends), after.between(ends)
        # What nothing isolates any more is said once, of anyone.
        if old != new and (ends in after.ports or not after.unisolated(ends)):
            parts = () if new else after.parts(ends, old)
            by_target[ends[1], (old, new, parts)].append(ends[0])
    by_sources: dict[tuple[tuple[str, ...], _What], list[str]] = defaultdict(list)
    for (target, what), names in by_target.items():
        by_sources[tuple(names), what].append(target)
    for (sources, what), targets in by_sources.items():
        yield FlowChange(sources, tuple(targets), *what)


def _table(view: View) -> _Table:
    namespace = view.side.namespace
    pods: dict[str, Mapping[str, str]] = {}
    for work in view.workloads:
        if work.key.namespace == namespace:
            same = pods.get(work.component, work.labels) == work.labels
            pods[work.component if same else work.key.name] = work.labels
    spaces = view.of_kind("Namespace").items()
    labels = [fields.section(item, "metadata", "labels") for key, item in spaces
              if key.name == namespace]  # fmt: skip
    found, unbound = flow_ports(view.policies, pods, namespace, labels[0] if labels else {})
    ports = dict(found)
    ports |= {(name, ANYONE): (EVERY_PORT,) for name in unbound["Egress"]}
    ports |= {(ANYONE, name): (EVERY_PORT,) for name in unbound["Ingress"]}
    return _Table(ports, frozenset(pods), unbound)


def _pairs(view: View) -> int:
    peers = sum(
        len(rule.peers or (None,)) * len(rule.ports)
        for policy in view.policies
        for rules in policy.rules.values()
        for rule in rules
    )
    return peers * len(view.workloads) ** 2


def _not_read(view: View) -> Iterator[str]:
    others = {
        key.kind
        for key in view.objects
        if key.kind.endswith("NetworkPolicy") and key.group not in NATIVE
    }
    if others:
        yield f"what {', '.join(sorted(others))} permits or denies"
    here = view.side.namespace
    elsewhere = {work.key for work in view.workloads if work.key.namespace != here}
    if elsewhere:
        yield f"pods of {counted(len(elsewhere), 'workload')} in other namespaces"
