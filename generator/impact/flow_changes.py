"""Who may talk to whom before and after a change, read off the rendered NetworkPolicies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from generator.core.counted import counted
from generator.impact.context import View
from generator.impact.flow_change import Between, FlowChange, FlowChanges
from generator.impact.flow_index import Around
from generator.impact.flow_table import Ends, common_ports, flow_ports, port_words
from generator.impact.network_flows import ANYONE, EVERY_PORT, peer_covers
from generator.kube import fields
from generator.kube.network_policy import NATIVE, Policy, Ports
from generator.kube.resource import Key
from generator.redaction.text import redact

# Beyond this, a table takes longer than anybody reads it: every peer is held against every pair.
_MAX_PAIRS = 500_000
_MAX_FLOWS = 2_000

_What = tuple[Between, Between, tuple[str, ...]]


class _Table:
    def __init__(
        self,
        ports: Mapping[Ends, Collection[Ports]],
        names: frozenset[str],
        unbound: Mapping[str, Collection[str]],
    ) -> None:
        self.ports, self.names, self._unbound = ports, names, unbound
        self.around = Around(ports)

    def between(self, ends: Ends) -> Between:
        """Also what is open because an end lies in a wider one, or nothing isolates either."""
        if self.unisolated(ends):
            return (EVERY_PORT,)
        around = [other for other in self.around.of(ends) if self._covers(other, ends)]
        found = {port for other in around for port in self.ports[other]}
        return port_words(_needed(found.union(self._between_pods(*ends))))

    def _covers(self, wide: Ends, narrow: Ends) -> bool:
        """What anyone may do does not hold of a pod, whose own policies decide as well."""
        pairs = tuple(zip(wide, narrow, strict=True))
        apart = any(one == ANYONE and other in self.names for one, other in pairs)
        covered = all(peer_covers(one, other) for one, other in pairs)
        return wide == narrow or (covered and not apart)

    def _between_pods(self, source: str, target: str) -> Iterator[Ports]:
        """What one pod may send to anyone and the other take from anyone."""
        if {source, target} <= self.names:
            takes = self.ports.get((ANYONE, target), ())
            for port in self.ports.get((source, ANYONE), ()):
                yield from (both for other in takes for both in common_ports(port, other))

    def unisolated(self, ends: Ends) -> bool:
        """Whether no policy stands between both ends."""
        source, target = ends
        sends = source not in self.names or source in self._unbound["Egress"]
        takes = target not in self.names or target in self._unbound["Ingress"]
        return bool({source, target} & self.names) and sends and takes


def _parts(before: _Table, after: _Table) -> dict[Ends, list[Ends]]:
    """What is open after a change, by the wider flows before it that have it in them."""
    found: dict[Ends, list[Ends]] = defaultdict(list)
    for narrow in sorted(after.ports):
        for wide in before.around.of(narrow):
            if all(map(peer_covers, wide, narrow)):
                found[wide].append(narrow)
    return found


def _still_open(ends: Ends, old: Between, parts: Iterable[Ends], after: _Table) -> tuple[str, ...]:
    """The parts in which one of the closed ports stays open."""
    return tuple(
        other[1] if ends[0] == other[0] else other[0]
        for other in parts
        if not {*port_words(after.ports[other])}.isdisjoint(old)
    )


def _needed(ports: Collection[Ports]) -> list[Ports]:
    """Without those that another one has in it."""
    ranges = [port for port in ports if port.first != port.last]
    return [port for port in ports
            if not any(other != port and _has(other, port) for other in ranges)]  # fmt: skip


def _has(wide: Ports, narrow: Ports) -> bool:
    return (
        wide.protocol in ("", narrow.protocol)
        and wide.name in ("", narrow.name)
        and wide.first <= narrow.first
        and narrow.last <= wide.last
    )


def flow_changes(base: View, head: View) -> FlowChanges:
    """The flows that a change opens or closes in one environment."""
    not_read = tuple(dict.fromkeys((*_not_read(base), *_not_read(head))))
    if _elsewhere(base) != _elsewhere(head):
        not_read += ("NetworkPolicies of other namespaces, which change",)
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
    inside = _parts(before, after)
    by_target: dict[tuple[str, _What], list[str]] = defaultdict(list)
    for ends in sorted({*before.ports, *after.ports}):
        old, new = before.between(ends), after.between(ends)
        # What nothing isolates any more is said once, of anyone.
        if old != new and (ends in after.ports or not after.unisolated(ends)):
            parts = () if new else _still_open(ends, old, inside[ends], after)
            by_target[ends[1], (old, new, parts)].append(ends[0])
    by_sources: dict[tuple[tuple[str, ...], _What], list[str]] = defaultdict(list)
    for (target, what), names in by_target.items():
        by_sources[tuple(names), what].append(target)
    for (sources, what), targets in by_sources.items():
        yield FlowChange(_masked(sources), _masked(targets), *what[:2], _masked(what[2]))


def _masked(ends: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(redact, ends))


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
    ports: dict[Ends, Collection[Ports]] = dict(found)
    ports |= {(name, ANYONE): (Ports(),) for name in unbound["Egress"]}
    ports |= {(ANYONE, name): (Ports(),) for name in unbound["Ingress"]}
    return _Table(ports, frozenset(pods), unbound)


def _pairs(view: View) -> int:
    peers = sum(
        len(rule.peers or (None,)) * len(rule.ports)
        for policy in view.policies
        for rules in policy.rules.values()
        for rule in rules
    )
    return peers * len(view.workloads) ** 2


def _elsewhere(view: View) -> dict[Key, Policy]:
    here = view.side.namespace
    return {policy.key: policy for policy in view.policies if policy.key.namespace != here}


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
