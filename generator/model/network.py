"""Who may talk to whom inside the cluster, and what the environment may reach."""

from typing import Annotated, Literal, Self

import pydantic

from generator.model.base import Cidr, Label, LabelKey, LabelValue, PeerPort, Spec
from generator.model.marks import Copied, CopiedByKey


class Peer(Spec):
    """Some destination or source: a network, or pods by labels."""

    cidr: Cidr | None = None
    """A network such as 10.30.0.0/16; 0.0.0.0/0 is everything."""
    except_cidrs: tuple[Cidr, ...] = pydantic.Field(default=(), alias="except")
    """Networks inside `cidr` that stay closed."""
    namespace: Label | None = None
    """Namespace by name; alone it means all its pods."""
    namespace_labels: dict[LabelKey, LabelValue] | None = None
    """Namespaces by their labels; alone it means all their pods."""
    pod_labels: dict[LabelKey, LabelValue] | None = None
    """Pods by their labels; alone it means those of this namespace."""
    ports: tuple[PeerPort, ...] = ()
    """Such as 443 or 8125/UDP; none means the flow's usual ones, and for task egress every port."""

    @pydantic.model_validator(mode="after")
    def _some(self) -> Self:
        by_label = (self.namespace, self.namespace_labels, self.pod_labels)
        if (self.cidr is None) == all(part is None for part in by_label):
            raise ValueError("give either cidr, or namespace, namespaceLabels or podLabels")
        if self.namespace is not None and self.namespace_labels is not None:
            raise ValueError("give only one of namespace and namespaceLabels")
        return self

    @property
    def numbered(self) -> tuple[tuple[int, str], ...]:
        """The ports with their protocols."""
        parts = (str(port).partition("/") for port in self.ports)
        return tuple((int(number), protocol or "TCP") for number, _, protocol in parts)


PeerName = Literal[
    "ingress",
    "keda",
    "git",
    "bundles",
    "database",
    "backup",
    "broker",
    "logs",
    "identity",
    "cloudIdentity",
    "secretsBackend",
    "mail",
    "statsd",
    "otel",
    "dns",
    "monitoring",
    "gateway",
    "route",
]


# Git, sign-in, collectors and the cluster's own are often one for all environments.
_SHARED = (
    *("git", "identity", "cloudIdentity", "mail", "statsd", "otel", "dns"),
    *("ingress", "keda", "monitoring", "gateway", "route"),
)
_PEERS = CopiedByKey(
    {
        **dict.fromkeys(_SHARED, Copied.KEEP),
        **dict.fromkeys(
            ("database", "backup", "broker", "bundles", "secretsBackend"), Copied.FILL_IN
        ),
        "logs": Copied.ASK_NETWORKS,
    }
)


# Who calls the environment; the ports are those of the component that is called.
_CALLERS = ("ingress", "keda", "monitoring", "gateway", "route")


class NetworkPolicy(Spec):
    """Who may talk to whom."""

    mode: Literal["off", "ingress", "enforce"] = "off"
    """ingress guards what comes in; enforce denies everything that is not needed or declared."""
    peers: Annotated[dict[PeerName, tuple[Peer, ...]], _PEERS] = {}
    """Places outside the namespace that a chosen feature needs, and proxies that may call it."""
    task_egress: Annotated[tuple[Peer, ...], Copied.FILL_IN] = ()
    """What tasks, triggers and callbacks may reach; 0.0.0.0/0 must be written out."""

    @pydantic.model_validator(mode="after")
    def _callers_have_no_ports(self) -> Self:
        for name in _CALLERS:
            if any(peer.ports for peer in self.peers.get(name, ())):  # type: ignore[call-overload]
                raise ValueError(f"peers.{name} calls the environment: remove its ports")
        return self
