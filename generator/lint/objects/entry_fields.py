"""Fields of Services, Ingresses, network policies, autoscalers, budgets and claims that the API
server refuses, alone or beside each other, though its schema allows them.

Source: kubernetes/pkg/apis/{core,networking,autoscaling,policy}/validation/validation.go, 1.34.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from generator.kube.fields import at, entries, integer, section, strings, text
from generator.kube.quantity import quantity
from generator.kube.resource import Object

_PART = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_PART}(\.{_PART})*")
_TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
_BAD_PATH = re.compile(r"//|/\.\.?(/|$)|%2f", re.IGNORECASE)
_LONGEST_AFFINITY = 86_400
BOTH = "minAvailable and maxUnavailable are both set, and a budget takes one of them"
_OF_BALANCERS = ("loadBalancerSourceRanges", "loadBalancerClass", "allocateLoadBalancerNodePorts")


def faults(manifest: Object) -> Iterator[str]:
    """What the API server refuses in one object; each fault names its field."""
    judge = _JUDGES.get(str(manifest.get("kind")))
    spec = manifest.get("spec")
    if judge is not None and isinstance(spec, Mapping):
        yield from judge(spec)
    if manifest.get("kind") == "StatefulSet":
        for claim in entries(manifest, "spec", "volumeClaimTemplates"):
            yield from claim_faults(section(claim, "spec"))


def _service(spec: Mapping[str, Any]) -> Iterator[str]:
    kind = text(spec, "type") or "ClusterIP"
    if kind not in _TYPES:
        yield f"type {kind[:32]} is not one of {', '.join(_TYPES)}"
        return
    headless = spec.get("clusterIP") == "None"
    if headless and kind in ("NodePort", "LoadBalancer"):
        yield f"clusterIP None does not go with type {kind}"
    if kind == "ExternalName" and not _HOST.fullmatch(text(spec, "externalName").rstrip(".")):
        yield "type ExternalName needs a DNS name in externalName"
    if not entries(spec, "ports") and not headless and kind != "ExternalName":
        yield "ports is empty"
    if kind != "LoadBalancer":
        for field in _OF_BALANCERS:
            if spec.get(field) not in (None, [], ""):
                yield f"{field} needs type LoadBalancer; this one is {kind}"
    yield from _addresses(spec)
    yield from _node_ports(spec, kind)
    yield from _affinity(spec)


def _addresses(spec: Mapping[str, Any]) -> Iterator[str]:
    for block in strings(spec, "loadBalancerSourceRanges"):
        if not _is_block(block.strip()):
            yield f"loadBalancerSourceRanges has {block[:64]}, which is not a CIDR"
    for address in strings(spec, "externalIPs"):
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            yield f"externalIPs has {address[:64]}, which is not an IP address"
            continue
        if found.is_unspecified or found.is_loopback or found.is_link_local:
            yield f"externalIPs has {address}, which no client can reach"


def _node_ports(spec: Mapping[str, Any], kind: str) -> Iterator[str]:
    if kind in ("ClusterIP", "ExternalName"):
        for row in entries(spec, "ports"):
            if integer(row, "nodePort"):
                yield f"nodePort {row['nodePort']} needs type NodePort or LoadBalancer"
        if spec.get("externalTrafficPolicy") and not strings(spec, "externalIPs"):
            yield f"externalTrafficPolicy needs type NodePort or LoadBalancer; this one is {kind}"


def _affinity(spec: Mapping[str, Any]) -> Iterator[str]:
    affinity = text(spec, "sessionAffinity") or "None"
    if affinity not in ("None", "ClientIP"):
        yield f"sessionAffinity {affinity[:32]} is neither None nor ClientIP"
    seconds = integer(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds")
    if affinity == "ClientIP" and seconds is not None and not 1 <= seconds <= _LONGEST_AFFINITY:
        yield f"sessionAffinityConfig has timeoutSeconds {seconds}, not 1 to {_LONGEST_AFFINITY}"


def _ingress(spec: Mapping[str, Any]) -> Iterator[str]:
    rules = entries(spec, "rules")
    if not rules and not spec.get("defaultBackend"):
        yield "it has neither rules nor a defaultBackend"
    for host in (*(text(row, "host") for row in rules), *_tls_hosts(spec)):
        if host and (not _HOST.fullmatch(host) or _is_address(host)):
            yield f"{host[:64]} is not a host name"
    for row in rules:
        for path in entries(row, "http", "paths"):
            yield from _path(path)


def _tls_hosts(spec: Mapping[str, Any]) -> Iterator[str]:
    for row in entries(spec, "tls"):
        yield from strings(row, "hosts")


def _path(row: Mapping[str, Any]) -> Iterator[str]:
    kind, path = text(row, "pathType"), text(row, "path")
    if not path.startswith("/") and (path or kind != "ImplementationSpecific"):
        yield f"path {path[:64] or '(none)'} does not begin with /"
    elif kind != "ImplementationSpecific" and _BAD_PATH.search(path):
        yield f"path {path[:64]} has //, /./, /../ or %2F"


def _policy(spec: Mapping[str, Any]) -> Iterator[str]:
    for kind in strings(spec, "policyTypes"):
        if kind not in ("Ingress", "Egress"):
            yield f"policyTypes has {kind[:32]}, which is neither Ingress nor Egress"
    for field, peers in (("ingress", "from"), ("egress", "to")):
        for number, row in enumerate(entries(spec, field)):
            where = f"{field}[{number}]"
            for peer in entries(row, peers):
                yield from (f"{where}: {fault}" for fault in _peer(peer))
            for port in entries(row, "ports"):
                yield from (f"{where}: {fault}" for fault in _policy_port(port))


def _peer(peer: Mapping[str, Any]) -> Iterator[str]:
    selectors = [
        name for name in ("podSelector", "namespaceSelector") if peer.get(name) is not None
    ]
    if peer.get("ipBlock") is None:
        if not selectors:
            yield "a peer is empty"
        return
    if selectors:
        yield f"ipBlock does not go with {' and '.join(selectors)}"
    block = text(peer, "ipBlock", "cidr")
    if not _is_block(block):
        yield f"{block[:64] or '(none)'} is not a CIDR"
        return
    network = ipaddress.ip_network(block, strict=False)
    for part in strings(peer, "ipBlock", "except"):
        if not _is_block(part):
            yield f"except has {part[:64]}, which is not a CIDR"
            continue
        inner = ipaddress.ip_network(part, strict=False)
        if inner == network or not _is_within(inner, network):
            yield f"except has {part}, which is not a part of {block}"


def _policy_port(row: Mapping[str, Any]) -> Iterator[str]:
    port, end = row.get("port"), integer(row, "endPort")
    if end is not None:
        if not isinstance(port, int):
            yield "endPort needs a port that is a number"
        elif not port <= end <= 65_535:
            yield f"endPort {end} is not between port {port} and 65535"


def _autoscaler(spec: Mapping[str, Any]) -> Iterator[str]:
    least, most = integer(spec, "minReplicas"), integer(spec, "maxReplicas")
    if most is not None and most < 1:
        yield f"maxReplicas {most} is below 1"
    elif most is not None and least is not None and least > most:
        yield f"minReplicas {least} is above maxReplicas {most}"
    # With HPAScaleToZero such a metric may scale to nothing.
    outside = {text(row, "type") for row in entries(spec, "metrics")} & {"External", "Object"}
    if least is not None and least < (0 if outside else 1):
        yield f"minReplicas {least} is below 1"


def _budget(spec: Mapping[str, Any]) -> Iterator[str]:
    given = [name for name in ("minAvailable", "maxUnavailable") if spec.get(name) is not None]
    if len(given) == 2:
        yield BOTH


def claim_faults(spec: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the spec of a claim."""
    modes = strings(spec, "accessModes")
    if not modes:
        yield "a claim has no accessModes"
    if "ReadWriteOncePod" in modes and len(modes) > 1:
        yield "a claim has ReadWriteOncePod beside another access mode"
    size = at(spec, "resources", "requests", "storage")
    number = quantity(size)
    if size is None:
        yield "a claim has no resources.requests.storage"
    elif number is not None and number <= 0:
        yield f"a claim asks for {str(size)[:32]} of storage, which is not above 0"


def _is_block(block: str) -> bool:
    try:
        return "/" in block and bool(ipaddress.ip_network(block, strict=False))
    except ValueError:
        return False


def _is_address(host: str) -> bool:
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return False


def _is_within(inner: Any, outer: Any) -> bool:
    return bool(inner.version == outer.version and inner.subnet_of(outer))


_JUDGES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "Service": _service,
    "Ingress": _ingress,
    "NetworkPolicy": _policy,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
    "PersistentVolumeClaim": claim_faults,
}
