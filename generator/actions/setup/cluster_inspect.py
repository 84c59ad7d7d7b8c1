"""`gen-env cluster inspect` as steps: a catalogue entry of gen-env.yaml from a live cluster."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pydantic

from generator.cluster import Cluster, ClusterError, kinds
from generator.cluster.errors import Trouble
from generator.core.basis import NotRead
from generator.core.errors import UserError
from generator.kube import fields
from generator.kube.resource import Object
from generator.kube.resource_type import ResourceType
from generator.model import repository as model

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")
# Groups that the chart, gen-env's own objects or its checks ask for; others would be noise.
_GROUPS = (
    *("argoproj.io", "bitnami.com", "cert-manager.io", "external-secrets.io"),
    *("gateway.networking.k8s.io", "helm.toolkit.fluxcd.io", "keda.sh"),
    *("kustomize.toolkit.fluxcd.io", "monitoring.coreos.com", "route.openshift.io"),
)
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_DEFAULT_INGRESS = "ingressclass.kubernetes.io/is-default-class"
_CONTROLLERS = "app.kubernetes.io/name in (ingress-nginx,traefik,kubernetes-ingress)"

_ONE = ("ReadWriteOnce", "ReadWriteOncePod")
_MANY = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany")
PROVISIONERS: Mapping[str, tuple[str, ...]] = {
    "ebs.csi.aws.com": _ONE,
    "kubernetes.io/aws-ebs": ("ReadWriteOnce",),
    "efs.csi.aws.com": _MANY,
    "pd.csi.storage.gke.io": ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteOncePod"),
    "filestore.csi.storage.gke.io": _MANY,
    "disk.csi.azure.com": _ONE,
    "file.csi.azure.com": _MANY,
    "cinder.csi.openstack.org": _ONE,
    "rancher.io/local-path": ("ReadWriteOnce",),
    "nfs.csi.k8s.io": _MANY,
    "smb.csi.k8s.io": _MANY,
    "rook-ceph.cephfs.csi.ceph.com": _MANY,
    "rook-ceph.rbd.csi.ceph.com": ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteOncePod"),
    "openshift-storage.cephfs.csi.ceph.com": _MANY,
    "openshift-storage.rbd.csi.ceph.com": ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteOncePod"),
}
"""What the documentation of each CSI driver says of file-system volumes; the API has no word."""


@dataclasses.dataclass(frozen=True, slots=True)
class Inspection:
    """An entry as gen-env.yaml holds it, what a person has to look at, what was not read."""

    entry: Mapping[str, Any]
    notes: tuple[str, ...]
    not_read: tuple[NotRead, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented shape."""
        return {
            "entry": dict(self.entry),
            "notes": list(self.notes),
            "notRead": [item.as_json() for item in self.not_read],
        }


class _Reader:
    """Lists of one cluster; what may not be read is noted and counts as unknown, not as none."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.not_read: list[NotRead] = []
        self.notes: list[str] = []

    def objects(
        self, resource: ResourceType, namespace: str = "", selector: str = ""
    ) -> tuple[Object, ...]:
        """The objects; none where the server has no such kind, or they cannot be read."""

        def listed() -> tuple[Object, ...]:
            return self.cluster.list(resource, namespace, selector=selector).items

        return self.attempt(resource.plural, listed) or ()

    def attempt(self, what: str, read: Callable[[], Any]) -> Any:
        """What is read, or None: then it is among what was not read, unless the kind is unknown."""
        try:
            return read()
        except ClusterError as error:
            if error.trouble is not Trouble.NOT_FOUND:
                self.not_read.append(NotRead(what, self.cluster.name, error.message))
            return None


def inspect(cluster: Cluster, server: str) -> Inspection:
    """Read one cluster; only GET requests are made.

    `server` is the API server's URL. Raises ClusterError where it does not answer at all, and
    UserError where what it answers makes no valid entry.
    """
    version = cluster.version()
    reader = _Reader(cluster)
    release = _VERSION.match(version)
    if release is None:
        raise UserError(f"{cluster.name}: cannot read the version '{version}'")
    served = tuple(reader.attempt("API groups", cluster.api_versions) or ())
    entry: dict[str, Any] = {"server": server, "kubernetesVersion": release[1]}
    for part in (_platform, _groups, _api_server, _storage, _ingress, _monitoring, _controllers):
        entry |= part(reader, version, served)
    entry = {name: value for name, value in entry.items() if name in _known()}
    try:
        model.Cluster.model_validate(entry)
    except pydantic.ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise UserError(f"{cluster.name}: {place}: {error.errors()[0]['msg']}") from None
    notes = (
        "server is the kubeconfig's address: write the one that Argo CD has registered, where it"
        " differs",
        *reader.notes,
    )
    return Inspection(entry, notes, tuple(sorted(set(reader.not_read))))


def name_of(context: str) -> str:
    """A name in the catalogue for a context: what follows the last slash, as a DNS label."""
    last = context.rpartition("/")[2].lower()
    return re.sub(r"[^a-z0-9]+", "-", last).strip("-")[:63].strip("-") or "main"


def _known() -> frozenset[str]:
    """The names that gen-env.yaml has for facts about a cluster."""
    return frozenset(item.alias or name for name, item in model.Cluster.model_fields.items())


def _platform(reader: _Reader, version: str, served: Sequence[str]) -> dict[str, Any]:
    nodes = reader.objects(kinds.NODES)
    found: dict[str, Any] = {"nodes": len(nodes)} if nodes else {}
    openshift = any(item.startswith("security.openshift.io/") for item in served)
    cloud = "openshift" if openshift else _cloud(version, nodes)
    if openshift:
        found["openshift"] = True
        labels = {"dns.operator.openshift.io/daemonset-dns": "default"}
        found["dns"] = {"namespace": "openshift-dns", "podLabels": labels}
    return found | ({"cloud": cloud} if cloud else {})


def _cloud(version: str, nodes: Sequence[Object]) -> str:
    """By the version's suffix, else by labels of nodes: a provider alone may run anything."""
    labels = {name for node in nodes for name in fields.section(node, "metadata", "labels")}
    if "-eks-" in version or any(name.startswith("eks.amazonaws.com/") for name in labels):
        return "eks"
    if "-gke." in version or any(name.startswith("cloud.google.com/gke-") for name in labels):
        return "gke"
    if any(name.startswith("kubernetes.azure.com/") for name in labels):
        return "aks"
    return "other" if nodes else ""


def _groups(_: _Reader, __: str, served: Sequence[str]) -> dict[str, Any]:
    found = [item for item in served if item.partition("/")[0] in _GROUPS]
    return {"apiVersions": found} if found else {}


def _api_server(reader: _Reader, _: str, __: Sequence[str]) -> dict[str, Any]:
    """Addresses behind the Service `kubernetes`, which policies have to name."""
    slices = reader.objects(
        kinds.ENDPOINT_SLICES, "default", "kubernetes.io/service-name=kubernetes"
    )
    networks: set[str] = set()
    ports: set[int] = set()
    for item in slices:
        bits = "128" if item.get("addressType") == "IPv6" else "32"
        for endpoint in fields.entries(item, "endpoints"):
            networks |= {f"{address}/{bits}" for address in endpoint.get("addresses") or ()}
        ports |= {int(port["port"]) for port in fields.entries(item, "ports") if port.get("port")}
    if networks:
        reader.notes.append(
            "apiServerCidrs are today's addresses: where the cloud moves them, write its network"
        )
    elif not any(item.what == kinds.ENDPOINT_SLICES.plural for item in reader.not_read):
        reader.notes.append("apiServerCidrs: no address is published; write its network")
    found: dict[str, Any] = {"apiServerCidrs": sorted(networks)} if networks else {}
    return found | ({"apiServerPorts": sorted({443, *ports})} if ports else {})


def _storage(reader: _Reader, _: str, __: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    modes: dict[str, list[str]] = {}
    for item in reader.objects(kinds.STORAGE_CLASSES):
        name, provisioner = fields.name_of(item), str(item.get("provisioner"))
        if fields.section(item, "metadata", "annotations").get(_DEFAULT_CLASS) == "true":
            found["storageClass"] = name
        if provisioner in PROVISIONERS:
            modes[name] = list(PROVISIONERS[provisioner])
        else:
            reason = f"the access modes of {provisioner} are not known"
            reader.not_read.append(NotRead(f"StorageClass {name}", reader.cluster.name, reason))
    return found | ({"storageClasses": dict(sorted(modes.items()))} if modes else {})


def _ingress(reader: _Reader, _: str, __: Sequence[str]) -> dict[str, Any]:
    classes = reader.objects(kinds.INGRESS_CLASSES)
    chosen = [
        item
        for item in classes
        if fields.section(item, "metadata", "annotations").get(_DEFAULT_INGRESS) == "true"
    ] or (classes if len(classes) == 1 else ())
    found = {"className": fields.name_of(chosen[0])} if chosen else {}
    if len(classes) > 1 and not chosen:
        names = ", ".join(sorted(map(fields.name_of, classes)))
        reader.notes.append(f"ingress.className: none of {names} is the default")
    namespaces = _namespaces(reader, _CONTROLLERS)
    if len(namespaces) == 1:
        found["namespace"] = namespaces[0]
    elif classes:
        reader.notes.append("ingress.namespace: write the namespace of the ingress controller")
    return {"ingress": found} if found else {}


def _namespaces(reader: _Reader, selector: str) -> list[str]:
    pods = reader.objects(kinds.PODS, "", selector)
    return sorted({fields.text(item, "metadata", "namespace") for item in pods})


def _monitoring(reader: _Reader, _: str, served: Sequence[str]) -> dict[str, Any]:
    """Namespace and selector of the one Prometheus that the operator runs."""
    if not any(item.startswith("monitoring.coreos.com/") for item in served):
        return {}
    items = reader.objects(kinds.PROMETHEUSES)
    if len(items) != 1:
        reader.notes.append(f"monitoring: {len(items)} objects of kind Prometheus; write one")
        return {}
    selector = fields.section(items[0], "spec", "serviceMonitorSelector", "matchLabels")
    labels = {"labels": dict(selector)} if selector else {}
    return {"monitoring": {"namespace": fields.text(items[0], "metadata", "namespace"), **labels}}


def _controllers(reader: _Reader, _: str, served: Sequence[str]) -> dict[str, Any]:
    """Where KEDA and the Sealed Secrets controller are."""
    found: dict[str, Any] = {}
    groups = {item.partition("/")[0] for item in served}
    if "keda.sh" in groups and len(places := _namespaces(reader, "app=keda-operator")) == 1:
        found["keda"] = {"namespace": places[0]}
    if "bitnami.com" in groups:
        services = reader.objects(kinds.SERVICES, "", "app.kubernetes.io/name=sealed-secrets")
        own = [item for item in services if not fields.name_of(item).endswith("-metrics")]
        if len(own) == 1:
            found["sealing"] = dict(_sealing(own[0]))
        else:
            reader.notes.append("sealing: write the Service of the Sealed Secrets controller")
    return found


def _sealing(service: Object) -> Iterator[tuple[str, str]]:
    yield "certificate", model.CONTROLLER
    yield "namespace", fields.text(service, "metadata", "namespace")
    yield "controllerName", fields.name_of(service)


def merged(
    text: str, name: str, entry: Mapping[str, Any], file: str
) -> tuple[str, tuple[str, ...]]:
    """gen-env.yaml with the entry's keys that it lacks, and those that differ, which stay."""
    from generator.yaml import edit, reader

    data = reader.read(text, file).data
    clusters = data.get("clusters") if isinstance(data, Mapping) else None
    present = (clusters or {}).get(name)
    if not isinstance(present, Mapping):
        return edit.set_value(text, ("clusters", name), dict(entry), file=file), ()
    for key, value in entry.items():
        if key not in present:
            text = edit.set_value(text, ("clusters", name, key), value, file=file)
    differing = (key for key in entry if key in present and _differs(present[key], entry[key]))
    return text, tuple(differing)


def _differs(written: object, read: object) -> bool:
    """Whether gen-env.yaml says otherwise; scalars are compared as their text."""
    if isinstance(written, Mapping) and isinstance(read, Mapping):
        return any(key not in written or _differs(written[key], read[key]) for key in read)
    if isinstance(written, list | tuple) and isinstance(read, list | tuple):
        return sorted(map(str, written)) != sorted(map(str, read))
    return str(written).lower() != str(read).lower()
