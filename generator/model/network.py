"""Who reaches the environment, and what it may reach."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from generator.model.base import Cidr, Host, Label, Line, Name, Port, Spec, Text
from generator.model.marks import Copied, CopiedByKey


class Tls(Spec):
    """The ingress' certificate: from cert-manager, or a Secret that is there."""

    cluster_issuer: Line | None = None
    """cert-manager's ClusterIssuer."""
    issuer: Line | None = None
    """cert-manager's Issuer in the namespace."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds the certificate; `<release>-tls` by default."""


class MoreHost(Spec):
    """One more name of the UI."""

    host: Annotated[Host, Copied.ASK_HOST]
    """The name."""
    secret_name: Annotated[Name | None, Copied.DERIVE] = None
    """Holds its certificate; by default that of the first host, or `<that>-<host>` where
    cert-manager makes one for each."""


class Ingress(Spec):
    """The UI and API to the outside."""

    host: Annotated[Host, Copied.ASK_HOST]
    """Name under which the UI is reached; no two environments share one."""
    more_hosts: Annotated[tuple[MoreHost, ...], Copied.FILL_IN] = ()
    """Further names; links and redirects of the UI name the first."""
    path: Text = "/"
    """Path below the host."""
    tls: Tls | None = None
    annotations: dict[str, Text] = {}
    """For the ingress controller."""
    class_name: Annotated[Name | None, Copied.KEEP] = None
    """By default the cluster's from the catalogue."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """All names, the first one first."""
        return (self.host, *(item.host for item in self.more_hosts))

    @pydantic.model_validator(mode="after")
    def _distinct(self) -> Ingress:
        names = [name.lower() for name in self.hosts]
        if len(set(names)) < len(names):
            raise ValueError("a host is named twice")
        if self.tls is None and any(item.secret_name for item in self.more_hosts):
            raise ValueError("secretName of a host goes with tls: add tls to the ingress")
        return self


class Peer(Spec):
    """Some destination or source: a network, or pods by labels."""

    cidr: Cidr | None = None
    """A network such as 10.30.0.0/16; 0.0.0.0/0 is everything."""
    except_cidrs: tuple[Cidr, ...] = pydantic.Field(default=(), alias="except")
    """Networks inside `cidr` that stay closed."""
    namespace: Label | None = None
    """Namespace by name; alone it means all its pods."""
    namespace_labels: dict[str, Text] | None = None
    """Namespaces by their labels; alone it means all their pods."""
    pod_labels: dict[str, Text] | None = None
    """Pods by their labels; alone it means those of this namespace."""
    ports: tuple[Port, ...] = ()
    """TCP ports; none means the flow's usual ones, and for task egress every port."""

    @pydantic.model_validator(mode="after")
    def _some(self) -> Peer:
        by_label = (self.namespace, self.namespace_labels, self.pod_labels)
        if (self.cidr is None) == all(part is None for part in by_label):
            raise ValueError("give either cidr, or namespace, namespaceLabels or podLabels")
        if self.namespace is not None and self.namespace_labels is not None:
            raise ValueError("give only one of namespace and namespaceLabels")
        return self


PeerName = Literal[
    "git",
    "bundles",
    "database",
    "broker",
    "logs",
    "identity",
    "cloudIdentity",
    "secretsBackend",
    "mail",
    "otel",
    "dns",
    "monitoring",
]


# Git, sign-in, collectors and the cluster's own are often one for all environments.
_PEERS = CopiedByKey(
    {
        **dict.fromkeys(
            ("git", "identity", "cloudIdentity", "mail", "otel", "dns", "monitoring"), Copied.KEEP
        ),
        **dict.fromkeys(("database", "broker", "bundles", "secretsBackend"), Copied.FILL_IN),
        "logs": Copied.ASK_NETWORKS,
    }
)


class NetworkPolicy(Spec):
    """Who may talk to whom."""

    mode: Literal["off", "ingress", "enforce"] = "off"
    """ingress guards what comes in; enforce denies everything that is not needed or declared."""
    peers: Annotated[dict[PeerName, tuple[Peer, ...]], _PEERS] = {}
    """Places outside the namespace that a chosen feature needs."""
    task_egress: Annotated[tuple[Peer, ...], Copied.FILL_IN] = ()
    """What tasks, triggers and callbacks may reach; 0.0.0.0/0 must be written out."""
