"""NetworkPolicies: default deny, then exactly the flows that the release needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.kube.resource import LAUNCHED_BY_TASKS
from generator.kube.resource_type import ResourceType
from generator.manifests import peer_ports, routes
from generator.manifests.metadata import POLICY_WAVE, Kind, Manifest, manifest
from generator.model.network import Peer
from generator.release.release import Release
from generator.release.topology import Flow

Ports = Iterable[tuple[int, str]]

UNDECLARED_PEER = Rule(
    "network/undeclared-peer",
    Severity.ERROR,
    "A required connection to an undeclared peer",
    "Default deny would cut it off.",
    "Kubernetes NetworkPolicy",
)

UNREAD_PEER = Rule(
    "network/peer-not-read",
    Severity.WARNING,
    "A peer that may be needed and is not known",
    "Whether or where Airflow needs the peer is not known (a value in a Secret, a cloud that is "
    "not named), and default deny cuts it off.",
    "Kubernetes NetworkPolicy",
)

_POLICY = Kind(
    ResourceType("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"), wave=POLICY_WAVE
)

_LAUNCHED = {LAUNCHED_BY_TASKS: "True"}


def policies(release: Release) -> tuple[list[dict[str, Any]], tuple[Problem, ...]]:
    """The policies of the chosen mode, and what must be declared before they are complete."""
    mode = release.environment.network_policy.mode
    if mode == "off":
        return [], ()
    problems: list[Problem] = []
    needed = [flow for flow in release.line.flows(release.topology) if _may_be(release, flow)]
    found = [_default(release, egress=mode == "enforce")]
    if mode == "enforce":
        found.append(_dns(release))
        found += _launched(release)
    for component in release.topology.parts:
        ingress = _ingress(release, component, needed, problems)
        egress = _egress(release, component, needed, problems) if mode == "enforce" else None
        found.append(_policy(release, component, ingress, egress))
    return found, tuple(dict.fromkeys(problems))


def ends(release: Release) -> Iterator[tuple[Flow, list[dict[str, Any]]]]:
    """Every flow with an outside peer that the policies open, and the entries for that peer."""
    unused: list[Problem] = []
    for flow in release.line.flows(release.topology):
        if flow.source.startswith("peer:"):
            yield flow, _sources(release, flow, unused)
        elif flow.destination.startswith("peer:"):
            rules = _targets(release, flow, unused)
            yield flow, [entry for rule in rules for entry in rule["to"]]


def _may_be(release: Release, flow: Flow) -> bool:
    """Whether a Secret of variables has one that names the peer, as far as its keys are known."""
    extra = release.environment.secrets.extra.get(flow.secret)
    if extra is None:
        return True
    return any(key.startswith(name) for key in extra.keys for name in flow.variables)


def _named(release: Release, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    suffix = f"allow-{name}" if name else "default-deny"
    return manifest(release, _POLICY, f"{release.topology.names.full}-{suffix}", {"spec": spec})


def _default(release: Release, *, egress: bool) -> dict[str, Any]:
    types = ["Ingress", "Egress"] if egress else ["Ingress"]
    return _named(release, "", {"podSelector": {}, "policyTypes": types})


def _dns(release: Release) -> dict[str, Any]:
    """Every pod may ask for names: the cluster's servers, and the node-local cache."""
    to = name_servers(release)
    # OpenShift's servers listen on 5353, and its policies see the port behind the Service.
    numbers = (53, 5353) if release.resolved.cluster.openshift else (53,)
    ports = [(number, protocol) for number in numbers for protocol in ("UDP", "TCP")]
    rule = {"ports": _ports(ports), "to": to}
    return _named(release, "dns", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [rule]})


def name_servers(release: Release) -> list[dict[str, Any]]:
    """The entries for the cluster's name servers."""
    dns = release.resolved.cluster.dns
    to: list[dict[str, Any]] = [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": dns.namespace}},
            "podSelector": {"matchLabels": dict(sorted(dns.pod_labels.items()))},
        }
    ]
    if dns.node_local:
        to.append({"ipBlock": {"cidr": f"{dns.node_local}/32"}})
    return to


def _launched(release: Release) -> list[dict[str, Any]]:
    """Pods that tasks launch (KubernetesPodOperator) reach what tasks may reach."""
    rules = [_task_rule(peer) for peer in release.environment.network_policy.task_egress]
    if not rules or not release.environment.rbac.allow_pod_launching:
        return []
    spec = {
        "podSelector": {"matchLabels": _LAUNCHED},
        "policyTypes": ["Egress"],
        "egress": rules,
    }
    return [_named(release, "launched-pods", spec)]


def _policy(
    release: Release,
    component: str,
    ingress: list[dict[str, Any]],
    egress: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": release.topology.names.labels(component)},
        "policyTypes": ["Ingress"] if egress is None else ["Ingress", "Egress"],
    }
    if ingress:
        spec["ingress"] = ingress
    if egress:
        spec["egress"] = egress
    return _named(release, component, spec)


def _ingress(
    release: Release, component: str, needed: Sequence[Flow], problems: list[Problem]
) -> list[dict[str, Any]]:
    """One rule for each set of ports: everybody who may reach this component there."""
    by_ports: dict[tuple[tuple[int, str], ...], list[dict[str, Any]]] = {}
    for flow in needed:
        if flow.destination != component:
            continue
        sources = _sources(release, flow, problems)
        entries = by_ports.setdefault(flow.ports, [])
        entries += [source for source in sources if source not in entries]
    return [
        {"from": entries, "ports": _ports(ports)} for ports, entries in by_ports.items() if entries
    ]


def _sources(release: Release, flow: Flow, problems: list[Problem]) -> list[dict[str, Any]]:
    if not flow.source.startswith("peer:"):
        return [{"podSelector": {"matchLabels": release.topology.names.labels(flow.source)}}]
    cluster = release.resolved.cluster
    peer = flow.source.removeprefix("peer:")
    declared = release.environment.network_policy.peers.get(peer, ())  # type: ignore[call-overload]
    if declared:
        return [_selector(item) for item in declared]
    if peer in routes.WAYS:
        return routes.proxies(release, peer)
    namespace = {
        "ingress": cluster.ingress.namespace,
        "monitoring": cluster.monitoring.namespace,
        "keda": cluster.keda.namespace,
    }[peer]
    if namespace is None:
        metrics = release.environment.metrics
        is_scraped = metrics.service_monitor or metrics.discovery == "annotations"
        if peer == "monitoring" and not is_scraped:
            return []
        where = f"clusters.<name>.{peer}.namespace (or networkPolicy.peers.{peer})"
        problems.append(_undeclared(release, flow, where))
        return []
    selector: dict[str, Any] = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    }
    labels = {"ingress": cluster.ingress.pod_labels, "keda": cluster.keda.pod_labels}.get(peer)
    if labels:
        selector["podSelector"] = {"matchLabels": dict(sorted(labels.items()))}
    return [selector]


def _egress(
    release: Release, component: str, needed: Sequence[Flow], problems: list[Problem]
) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for flow in needed:
        if flow.source == component:
            rules += [rule for rule in _targets(release, flow, problems) if rule not in rules]
    return rules


def _targets(release: Release, flow: Flow, problems: list[Problem]) -> list[dict[str, Any]]:
    """The egress rules of one flow."""
    if not flow.destination.startswith("peer:"):
        labels = release.topology.names.labels(flow.destination)
        return [{"ports": _ports(flow.ports), "to": [{"podSelector": {"matchLabels": labels}}]}]
    peer = flow.destination.removeprefix("peer:")
    policy = release.environment.network_policy
    if peer == "tasks":
        return [_task_rule(item) for item in policy.task_egress]
    if peer == "kubernetes":
        return _kubernetes(release, flow, problems)
    if peer == "node":
        return _node(release, flow, problems)
    found = list(_declared(release, peer, flow.ports))
    if not found:
        where = f"networkPolicy.peers.{peer}"
        problems.append(_unread(release, flow, where) if flow.unread
                        else _undeclared(release, flow, where))  # fmt: skip
    return found


def _declared(
    release: Release, peer: str, known: Sequence[tuple[int, str]] = ()
) -> Iterator[dict[str, Any]]:
    environment = release.environment
    usual = list(known) or [(port, "TCP") for port in peer_ports.usual(release, peer)]
    for item in environment.network_policy.peers.get(peer, ()):  # type: ignore[call-overload]
        ports = list(item.numbered) or usual
        yield {"ports": _ports(ports), "to": [_selector(item)]}
    if peer == "database" and environment.database.cidrs:
        to = [{"ipBlock": {"cidr": cidr}} for cidr in environment.database.cidrs]
        yield {"ports": _ports(usual), "to": to}


def _kubernetes(release: Release, flow: Flow, problems: list[Problem]) -> list[dict[str, Any]]:
    cluster = release.resolved.cluster
    if not cluster.api_server_cidrs:
        problems.append(_undeclared(release, flow, "clusters.<name>.apiServerCidrs"))
        return []
    to = [{"ipBlock": {"cidr": cidr}} for cidr in cluster.api_server_cidrs]
    return [{"ports": _ports((port, "TCP") for port in cluster.api_server_ports), "to": to}]


# Where the nodes of a cloud give pods their credentials: EKS Pod Identity's agent
# (docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html) and GKE's metadata server, the
# second of its addresses where Calico redirects to it
# (cloud.google.com/kubernetes-engine/docs/how-to/workload-identity).
_NODE_ADDRESSES: Mapping[str | None, tuple[tuple[str, int], ...]] = {
    "eks": (("169.254.170.23/32", 80), ("fd00:ec2::23/128", 80)),
    "gke": (("169.254.169.254/32", 80), ("169.254.169.252/32", 988)),
}
# Those without one of their own: what another server gives is the identity of the whole node.
_NO_ADDRESS = ("aks", "openshift", "other")


def _node(release: Release, flow: Flow, problems: list[Problem]) -> list[dict[str, Any]]:
    """The credentials that a node offers: at fixed addresses, or as `peers.cloudIdentity` says."""
    if declared := list(_declared(release, "cloudIdentity")):
        return declared
    cluster = release.resolved.cluster
    if cluster.cloud in _NODE_ADDRESSES:
        return [
            {"ports": _ports([(port, "TCP")]), "to": [{"ipBlock": {"cidr": cidr}}]}
            for cidr, port in _NODE_ADDRESSES[cluster.cloud]
        ]
    name = release.environment.destination.cluster
    problems.append(
        release.resolved.problem(
            UNREAD_PEER,
            f"where pods get the cloud's credentials is not known ({flow.why}): clusters.{name}"
            f".cloud is {cluster.cloud or 'not set'}, and networkPolicy.peers.cloudIdentity is "
            "not set, so that nothing is open to it",
            "networkPolicy",
            hint="annotate serviceAccount with the role, name a connection (logging.remote"
            ".connectionId), or declare networkPolicy.peers.cloudIdentity"
            if cluster.cloud in _NO_ADDRESS
            else f"set clusters.{name}.cloud in gen-env.yaml",
        )
    )
    return []


def _task_rule(peer: Peer) -> dict[str, Any]:
    rule: dict[str, Any] = {"to": [_selector(peer)]}
    if peer.ports:
        rule = {"ports": _ports(peer.numbered), **rule}
    return rule


def _selector(peer: Peer) -> dict[str, Any]:
    if peer.cidr is not None:
        block: dict[str, Any] = {"cidr": peer.cidr}
        if peer.except_cidrs:
            block["except"] = list(peer.except_cidrs)
        return {"ipBlock": block}
    selector: dict[str, Any] = {}
    if peer.namespace is not None:
        labels = {"kubernetes.io/metadata.name": peer.namespace}
        selector["namespaceSelector"] = {"matchLabels": labels}
    elif peer.namespace_labels is not None:
        selector["namespaceSelector"] = {"matchLabels": dict(sorted(peer.namespace_labels.items()))}
    if peer.pod_labels is not None:
        selector["podSelector"] = {"matchLabels": dict(sorted(peer.pod_labels.items()))}
    return selector


def _ports(ports: Ports) -> list[dict[str, Any]]:
    return [{"port": port, "protocol": protocol} for port, protocol in ports]


def _unread(release: Release, flow: Flow, where: str) -> Problem:
    peer = flow.destination.removeprefix("peer:")
    return release.resolved.problem(
        UNREAD_PEER,
        f"whether Airflow needs {peer} is not known (not read: {flow.unread}), and {where} is not "
        "set, so that nothing is open to it",
        "networkPolicy",
        hint=f"declare {where} if it does",
    )


def _undeclared(release: Release, flow: Flow, where: str) -> Problem:
    end = flow.destination if flow.destination.startswith("peer:") else flow.source
    cluster = release.environment.destination.cluster
    where = where.replace("<name>", cluster)
    return release.resolved.problem(
        UNDECLARED_PEER,
        f"networkPolicy.mode {release.environment.network_policy.mode} requires the address of "
        f"{end.removeprefix('peer:')} ({flow.why}), but {where} is not set",
        "networkPolicy",
        hint=f"declare {where}, or set networkPolicy.mode to off",
    )


MANIFEST = Manifest(
    "network-policies",
    (_POLICY,),
    objects=lambda release: policies(release)[0],
    problems=lambda release: policies(release)[1],
)
