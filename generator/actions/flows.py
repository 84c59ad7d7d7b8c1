"""Who may talk to whom in one environment, read off the NetworkPolicies that it generates."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from generator.impact.flow_table import Ends, FlowTable, flow_table
from generator.impact.network_flows import peer_words
from generator.kube import network_policy
from generator.kube.network_policy import NATIVE
from generator.kube.resource import LAUNCHED_BY_TASKS, Object, key_of
from generator.manifests import network_policies
from generator.pipeline.generate import Built
from generator.release.release import Release

FIELD = "flows"
"""In place of a field: `gen-env explain ENV flows`."""
_LAUNCHED = "pods that tasks launch"


@dataclasses.dataclass(frozen=True, slots=True)
class Flows:
    """The table of an environment; what decides it beside is in `not_read`."""

    mode: str
    table: FlowTable
    pods: int
    not_read: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """`mode`, `flows`, `open` and `notRead`."""
        return {
            "mode": self.mode,
            "flows": [row.as_json() for row in self.table.rows],
            "open": {side.lower(): list(names) for side, names in self.table.open.items()},
            "notRead": list(self.not_read),
        }

    def notes(self) -> Iterator[str]:
        """What the rows do not say."""
        for side, words in (("Ingress", "receive from anyone"), ("Egress", "send to anyone")):
            names = self.table.open[side]
            if names:
                who = "all" if len(names) == self.pods else ", ".join(names)
                yield f"no policy isolates these, so they {words}: {who}"
        yield from (f"not read: {item}" for item in self.not_read)


def flows(built: Built) -> Flows:
    """The flows of an environment that could be built, those of its own manifests included."""
    release = built.release
    assert release is not None
    objects = [
        *network_policies.policies(release)[0],
        *(manifest for file in built.own for manifest in file.manifests),
    ]
    namespace = release.environment.namespace
    found = (network_policy.read(item, namespace) for item in objects)
    pods = _pods(release)
    policies = [policy for policy in found if policy is not None]
    labels = release.environment.namespace_labels
    table = flow_table(policies, pods, namespace, _reasons(release), labels)
    mode = release.environment.network_policy.mode
    return Flows(mode, table, len(pods), tuple(_not_read(release, objects)))


def _pods(release: Release) -> dict[str, Mapping[str, str]]:
    topology = release.topology
    pods: dict[str, Mapping[str, str]] = {
        part: topology.names.labels(part) for part in topology.parts
    }
    if release.environment.rbac.allow_pod_launching:
        pods[_LAUNCHED] = {LAUNCHED_BY_TASKS: "True"}
    return pods


def _reasons(release: Release) -> dict[Ends, list[str]]:
    found: dict[Ends, list[str]] = defaultdict(list)
    for flow in release.line.flows(release.topology):
        found[flow.source, flow.destination].append(flow.why)
    for flow, entries in network_policies.ends(release):
        for entry in entries:
            words = peer_words(entry)
            inward = flow.source.startswith("peer:")
            found[(words, flow.destination) if inward else (flow.source, words)].append(flow.why)
            if flow.destination == "peer:tasks":
                found[_LAUNCHED, words].append(flow.why)
    for entry in network_policies.name_servers(release):
        for part in _pods(release):
            found[part, peer_words(entry)].append("host names")
    return found


def _not_read(release: Release, objects: Iterable[Object]) -> Iterator[str]:
    yield "policies in the cluster that are not in this repository, and those of other namespaces"
    if release.topology.on("networkPolicies.enabled"):
        yield "the NetworkPolicies that the chart makes (networkPolicies.enabled)"
    keys = map(key_of, objects)
    others = {
        key.kind for key in keys if key.kind.endswith("NetworkPolicy") and key.group not in NATIVE
    }
    if others:
        yield f"{', '.join(sorted(others))} among the manifests of its own"
    if release.environment.values.get("extraObjects"):
        yield "NetworkPolicies in values.extraObjects"
