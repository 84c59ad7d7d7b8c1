"""The ways in from outside: an Ingress, an HTTPRoute of the Gateway API, a Route of OpenShift."""

import dataclasses
from collections import Counter
from typing import Annotated, Literal, Self

import pydantic

from generator.model.base import Bool, Host, Hostname, HttpPath, Label, Line, Name, Port, Spec, Text
from generator.model.marks import Copied


@dataclasses.dataclass(frozen=True, slots=True)
class Entrance:
    """One way in, whatever serves it.

    `field` declares it, `named_by` holds the host names, of which links take the first; `proxied`
    if the process in front reads HTTP and so tells by headers how it was reached.
    """

    field: Literal["ingress", "gateway", "route"]
    named_by: str
    hosts: tuple[str, ...]
    path: str
    tls: bool
    proxied: bool = True

    def place(self, index: int) -> tuple[str | int, ...]:
        """Path of a host name in the definition."""
        if self.field == "gateway":
            return self.field, self.named_by, index
        if index:
            return self.field, "moreHosts", index - 1, self.named_by
        return self.field, self.named_by

    @property
    def kind(self) -> str:
        """Kind of the object that opens it."""
        return {"ingress": "Ingress", "gateway": "HTTPRoute", "route": "Route"}[self.field]

    @property
    def url(self) -> str:
        """The address that people type, without a slash at its end."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{self.hosts[0]}{self.path.rstrip('/')}"


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
    def _distinct(self) -> Self:
        names = [name.lower() for name in self.hosts]
        if len(set(names)) < len(names):
            raise ValueError("a host is named twice")
        if self.tls is None and any(item.secret_name for item in self.more_hosts):
            raise ValueError("secretName of a host goes with tls: add tls to the ingress")
        return self

    @property
    def entrance(self) -> Entrance:
        """What it has in common with the other ways in."""
        return Entrance("ingress", "host", self.hosts, self.path, self.tls is not None)


class ParentRef(Spec):
    """A Gateway, or one listener of it."""

    name: Name
    """Name of the Gateway."""
    namespace: Label | None = None
    """Its namespace; by default the environment's own."""
    section_name: Name | None = None
    """One listener by name; without it and `port` every listener, those of plain HTTP too."""
    port: Port | None = None
    """Listeners on this port alone."""


def _apart(parents: tuple[ParentRef, ...]) -> tuple[ParentRef, ...]:
    """The API server refuses two references to one Gateway that do not name two listeners."""
    several = Counter((item.namespace, item.name) for item in parents)
    sections = Counter((item.namespace, item.name, item.section_name) for item in parents)
    for item in parents:
        parent = (item.namespace, item.name)
        alike = sections[*parent, item.section_name] > 1
        if several[parent] > 1 and (item.section_name is None or alike):
            raise ValueError("several references to one Gateway need a sectionName each")
    return parents


ParentRefs = Annotated[
    tuple[ParentRef, ...], pydantic.Field(max_length=32), pydantic.AfterValidator(_apart)
]


_MOST = 16
# pydantic's own check of a length counts an item with an error as missing.
_FEW = pydantic.Field(json_schema_extra={"minItems": 1, "maxItems": _MOST})


class Gateway(Spec):
    """The UI and API to the outside by an HTTPRoute (Gateway API) of a Gateway that is there."""

    parent_refs: Annotated[ParentRefs, Copied.KEEP] = ()
    """The Gateways that serve it; by default those of the cluster from the catalogue."""
    hostnames: Annotated[tuple[Hostname, ...], _FEW, Copied.ASK_HOST]
    """Names under which the UI is reached; links and sign-in use the first."""
    path: HttpPath = "/"
    """Path below the host names."""
    tls: Bool = True
    """People reach it by https: TLS ends at the listener, which holds the certificate."""
    annotations: dict[Line, Text] = {}
    """For the Gateway's controller."""

    @pydantic.field_validator("hostnames")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not 1 <= len(value) <= _MOST:
            raise ValueError(f"name one host name at least, and {_MOST} at most")
        if len(set(value)) < len(value):
            raise ValueError("a host name appears twice")
        if any(name.replace(".", "").isdigit() for name in value):
            raise ValueError("an HTTPRoute takes host names, no addresses")
        return value

    @property
    def entrance(self) -> Entrance:
        """What it has in common with the other ways in."""
        return Entrance("gateway", "hostnames", self.hostnames, self.path, self.tls)


class RouteTls(Spec):
    """Where TLS ends; the certificate is the router's."""

    termination: Literal["edge", "reencrypt", "passthrough"] = "edge"
    """At the router; there, and encrypted again to the pods; at the pods."""
    insecure_edge_termination_policy: Literal["Redirect", "Allow", "None"] = "Redirect"
    """What becomes of plain HTTP: sent to https, served as well, or refused."""

    @pydantic.model_validator(mode="after")
    def _possible(self) -> Self:
        if self.termination == "passthrough" and self.insecure_edge_termination_policy == "Allow":
            raise ValueError("with passthrough, insecureEdgeTerminationPolicy is Redirect or None")
        return self


class Route(Spec):
    """The UI and API to the outside by a Route (OpenShift)."""

    host: Annotated[Hostname, Copied.ASK_HOST]
    """Name under which the UI is reached."""
    path: HttpPath = "/"
    """Path below the host."""
    tls: RouteTls | None = RouteTls.model_construct()
    """null serves plain HTTP alone."""
    annotations: dict[Line, Text] = {}
    """For the router, such as haproxy.router.openshift.io/timeout."""

    @pydantic.model_validator(mode="after")
    def _readable(self) -> Self:
        if self.path != "/" and self.tls and self.tls.termination == "passthrough":
            raise ValueError("with passthrough the router sees no path: remove path")
        return self

    @property
    def entrance(self) -> Entrance:
        """What it has in common with the other ways in."""
        proxied = self.tls is None or self.tls.termination != "passthrough"
        return Entrance("route", "host", (self.host,), self.path, self.tls is not None, proxied)
