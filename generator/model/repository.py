"""The settings of a GitOps repository: clusters, defaults, chart source, promotion, policy."""

import re
from typing import Annotated, Any, Literal

import pydantic

from generator.kube.resource import CLUSTER_SCOPED
from generator.model.base import (
    Bool,
    Cidr,
    Duration,
    Int,
    Label,
    Line,
    Name,
    Port,
    Spec,
    SubPath,
    Text,
    Version,
)
from generator.model.entrance import ParentRefs
from generator.model.environment import API_VERSION, Engine, Tier

_CORE = frozenset(
    {
        *("ConfigMap", "Endpoints", "LimitRange", "PersistentVolumeClaim", "Pod", "PodTemplate"),
        *("ReplicationController", "ResourceQuota", "Service", "ServiceAccount"),
    }
)
_KIND = re.compile(r"[A-Z][A-Za-z0-9]*(\.[a-z0-9][-a-z0-9.]*)?")
_NEVER = CLUSTER_SCOPED | {"Application", "ApplicationSet", "AppProject", "List", "Secret"}

_STEERING = ("toolkit.fluxcd.io", "kustomize.config.k8s.io")

OWN_FOLDER = "gen-env"
"""In the folder that the Flux of a cluster applies: what is gen-env's."""
CONTROLLER = "cluster"
"""In place of a certificate's file: the controller is asked for it."""


class Forge(Spec):
    """The git repository that Argo CD reads."""

    url: Line = "https://git.example.com/airflow-gitops.git"
    """This repository's address, as Argo CD reads it."""
    branch: Line = "main"
    """The branch that is deployed."""
    path: SubPath | None = None
    """Folder of gen-env.yaml in the git repository; none: its top."""
    forge: Literal["github", "gitlab", "gitea", "forgejo"] | None = None
    """By default taken from the URL."""
    api_url: Line | None = None
    """Base URL of a self-hosted forge's API."""

    @property
    def prefix(self) -> str:
        """What stands before our paths in git and in Argo CD: `deploy/airflow/`, or nothing."""
        return f"{self.path.rstrip('/')}/" if self.path else ""


class Project(Spec):
    """The AppProject of the Applications."""

    manage: Bool = False
    """Generate it; otherwise another owner keeps it, and it must exist."""
    name: Line = "default"
    """{team} and {environment} are replaced."""


class Root(Spec):
    """How Argo CD learns of the Applications."""

    type: Literal["app-of-apps", "none"] = "app-of-apps"
    """app-of-apps: one Application that finds all others; none: somebody else does."""
    name: Name = "airflow-environments"
    """Name of that Application."""
    ejected: tuple[Line, ...] = ()
    """Environments without a definition that it goes on to apply; nobody checks their files."""


class Adopted(Spec):
    """Names in Argo CD that environments may keep from before they were adopted."""

    applications: tuple[Name, ...] = ()
    """Applications that a definition may name with destination.application."""
    projects: tuple[Name, ...] = ()
    """AppProjects of yours that a definition may name with destination.project."""


class ArgoCD(Spec):
    """Argo CD itself."""

    namespace: Label = "argocd"
    """Namespace in which Applications are made."""
    context: Line | None = None
    """kubeconfig context of its cluster, for verification."""
    project: Project = Project.model_construct()
    root: Root = Root.model_construct()
    adopted: Adopted = Adopted.model_construct()


def _by_cluster(value: str) -> str:
    if "{cluster}" not in value.split("/"):
        raise ValueError("one part of the path is {cluster}: each Flux applies a folder of its own")
    return value


class Flux(Spec):
    """Flux itself, which runs in each cluster whose environments it applies."""

    namespace: Label = "flux-system"
    """Namespace of its controllers, in which all of its objects are made."""
    source: Name = "flux-system"
    """GitRepository of this repository, as `flux bootstrap` names it."""
    secret_name: Name | None = None
    """Secret in that namespace with the source's credentials, which `root: own` names."""
    path: Annotated[SubPath, pydantic.AfterValidator(_by_cluster)] = "clusters/{cluster}"
    """Folder of this repository that the Flux of a cluster applies; {cluster} is replaced."""
    root: Literal["bootstrap", "own"] = "bootstrap"
    """bootstrap: `flux bootstrap --path` made the source and what applies that folder; own: gen-env
    writes both to bootstrap/flux, and a person applies them once."""

    def folder(self, cluster: str) -> str:
        """Where the objects for the Flux of a cluster are, in a folder of gen-env's own."""
        return f"{self.path.rstrip('/').replace('{cluster}', cluster)}/{OWN_FOLDER}"


class ChartSource(Spec):
    """Where the official chart comes from."""

    source: Literal["repository", "oci", "vendored", "rendered"] = "repository"
    """rendered: Helm runs here and the finished manifests are in git."""
    url: Line = "https://airflow.apache.org"
    """repository: its URL; oci: registry and path, to which `airflow` is added."""
    path: SubPath = "charts/airflow"
    """vendored: the unpacked chart's folder in this repository."""


class Dns(Spec):
    """The cluster's name servers."""

    namespace: Label = "kube-system"
    """Namespace of the name servers."""
    pod_labels: dict[Line, Text] = {"k8s-app": "kube-dns"}
    """Labels of their pods."""
    node_local: Line | None = None
    """Address of NodeLocal DNSCache, if pods use it."""


class IngressController(Spec):
    """The ingress controller."""

    class_name: Name | None = None
    """Class of ingresses that name none."""
    namespace: Label | None = None
    """Namespace of the controller, for network policies."""
    pod_labels: dict[Line, Text] | None = None
    """Labels of its pods; none means the whole namespace."""


class GatewayApi(Spec):
    """The Gateways of the cluster (Gateway API)."""

    parent_refs: ParentRefs = ()
    """Gateways of environments whose `gateway` names none."""


class Monitoring(Spec):
    """The Prometheus operator."""

    namespace: Label | None = None
    """Namespace of Prometheus, for network policies."""
    labels: dict[Line, Text] = {}
    """Labels by which it finds ServiceMonitors and PrometheusRules."""
    dashboard_labels: dict[Line, Text] = {}
    """Labels by which Grafana finds dashboards: on a ConfigMap `grafana_dashboard: "1"` by
    default, of the instances of Grafana's operator `dashboards: grafana`."""


class Sealing(Spec):
    """The Sealed Secrets controller."""

    certificate: Line | None = None
    """Its public certificate (PEM): a file of this repository, an https URL, or `cluster`, which
    asks the controller through the API server."""
    ca: SubPath | None = None
    """Certificates (PEM) in this repository to trust for that URL, instead of the system's."""
    namespace: Label = "kube-system"
    """Namespace of the controller."""
    controller_name: Name = "sealed-secrets-controller"
    """Name of its Service."""

    @pydantic.field_validator("certificate")
    @classmethod
    def _source(cls, value: str | None) -> str | None:
        if value is None or value == CONTROLLER or value.startswith("https://"):
            return value
        if "://" in value:
            raise ValueError("the certificate's URL must be https")
        if value.startswith(("/", "~")) or ".." in value.split("/"):
            raise ValueError("not a relative path below the repository, without ..")
        return value


class Keda(Spec):
    """The KEDA operator, which asks the database for the length of the queue."""

    namespace: Label = "keda"
    """Namespace of the operator, for network policies."""
    pod_labels: dict[Line, Text] = {"app": "keda-operator"}
    """Labels of the operator's pods; empty means the whole namespace."""


AccessMode = Literal["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]


class Cluster(Spec):
    """What is true of one cluster, written once."""

    server: Line
    """API server's URL, as Argo CD knows it."""
    engine: Engine | None = None
    """What applies the environments of this cluster, where it is another than the repository's."""
    context: Line | None = None
    """kubeconfig context, for verification."""
    kubernetes_version: Version
    """Rendered and validated against."""
    api_versions: tuple[Line, ...] = ()
    """API groups with versions (and kinds) that the cluster has beside the built-in ones."""
    api_server_cidrs: tuple[Cidr, ...] = ()
    """Networks of the API server, for network policies."""
    api_server_ports: tuple[Port, ...] = (443, 6443)
    """TCP ports of the API server."""
    nodes: Annotated[Int, pydantic.Field(ge=1)] | None = None
    """How many nodes; a volume of one node is then a warning or not."""
    dns: Dns = Dns.model_construct()
    ingress: IngressController = IngressController.model_construct()
    gateway: GatewayApi = GatewayApi.model_construct()
    monitoring: Monitoring = Monitoring.model_construct()
    sealing: Sealing = Sealing.model_construct()
    keda: Keda = Keda.model_construct()
    storage_class: Name | None = None
    """Default class of new volumes."""
    storage_classes: dict[Name, tuple[AccessMode, ...]] = {}
    """Storage class → access modes of its volumes; claims are then checked against them."""
    openshift: Bool = False
    """OpenShift: pods get any user id."""
    cloud: Literal["eks", "gke", "aks", "openshift", "other"] | None = None
    """Who runs the cluster; from it follows where pods with a cloud role get their credentials."""

    @pydantic.field_validator("server")
    @classmethod
    def _https(cls, value: str) -> str:
        if not value.startswith("https://"):
            raise ValueError("the API server's URL begins with https://")
        return value


class Defaults(Spec):
    """Parts of a definition that apply to many: by tier, by cluster, by team."""

    tiers: dict[Tier, dict[str, Any]] = {}
    """By tier."""
    clusters: dict[Label, dict[str, Any]] = {}
    """By cluster; over those by tier."""
    teams: dict[Label, dict[str, Any]] = {}
    """By team; over those by cluster."""

    @pydantic.field_validator("tiers", "clusters", "teams")
    @classmethod
    def _no_identity(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        # The tier decides which defaults apply, so it cannot come from them.
        for name, part in value.items():
            for field in ("apiVersion", "kind", "metadata"):
                if field in part:
                    raise ValueError(f"{field} below {name} belongs into each definition")
        return value


class Promotion(Spec):
    """What moves from one environment to the next, and in which order."""

    paths: dict[Label, tuple[Line, ...]] = {}
    """Name → environments in the order in which a change moves."""
    fields: tuple[Line, ...] = (
        "airflow.version",
        "chart.version",
        "image.tag",
        "image.digest",
        "image.facts",
        "dags.gitSync.ref",
    )
    """What moves; everything else stays each environment's own."""
    automatic: Bool = False
    """The service opens the next pull request when an environment is verified and has soaked."""


class Rollback(Spec):
    """What happens when the verification of an environment fails."""

    automatic: Bool = False
    """The service opens the pull request that goes back; merging it stays with people."""


def _brought(value: str) -> str:
    kind, _, group = value.partition(".")
    if not _KIND.fullmatch(value) or (not group and kind not in _CORE | _NEVER):
        raise ValueError("write Kind.group, such as Job.batch, or a core kind such as ConfigMap")
    if kind in _NEVER or group.endswith(_STEERING):
        raise ValueError(f"no team may deploy {kind}: it reaches beyond its environment")
    return value


Kind = Annotated[Line, pydantic.AfterValidator(_brought)]


class TeamPolicy(Spec):
    """What a team may use; nothing written means anything, except for `manifests`."""

    clusters: tuple[Label, ...] | None = None
    """Names of clusters."""
    namespaces: tuple[Line, ...] | None = None
    """Patterns such as payments-*."""
    hosts: tuple[Line, ...] | None = None
    """Patterns such as *.payments.example.com."""
    images: tuple[Line, ...] | None = None
    """Patterns of image repositories."""
    manifests: tuple[Kind, ...] | None = None
    """Kinds of objects that its environments may bring (ConfigMap, Job.batch); see the tier's."""


_ANOTHER = "anotherPerson"


class TierPolicy(Spec):
    """How environments of a tier may change."""

    promotion_only: Bool = False
    """Versions move here by promotion alone."""
    soak: Duration | None = None
    """How long the one before must have been healthy."""
    labels: tuple[Line, ...] = ()
    """Labels that a promotion's pull request needs before it may merge."""
    statuses: tuple[Line, ...] = ()
    """Commit statuses of others that must be a success on its newest commit before it may merge."""
    rehearsal: Duration | None = None
    """How old the rehearsal of a change's migration may be; without it none is required."""
    backup: Duration | None = None
    """How old the last backup may be when versions move; without it none is required."""
    drill: Duration | None = None
    """The same for the last restore drill, which must have succeeded."""
    may_suppress: tuple[Line, ...] | None = None
    """Rules that definitions may suppress; by default none in production, and all elsewhere."""
    accept: Literal["anyWriter", "anotherPerson"] = "anyWriter"
    """Who may accept an impact or override a check: anotherPerson is not the author."""
    manifests: tuple[Kind, ...] | None = None
    """Kinds of objects that environments may bring. Without a word here and in the team's policy:
    none; where both speak, what both name."""


class Policy(Spec):
    """Bounds for teams and tiers."""

    teams: dict[Label, TeamPolicy] = {}
    """By team."""
    tiers: dict[Tier, TierPolicy] = {}
    """By tier."""
    registries: tuple[Line, ...] = ()
    """Hosts, such as docker.io: the service looks up there whether images that a pull request
    newly names exist; empty: nowhere."""

    def may_suppress(self, tier: str) -> tuple[str, ...]:
        """Patterns of rules that definitions of a tier may suppress."""
        own = {str(name): policy.may_suppress for name, policy in self.tiers.items()}.get(tier)
        return own if own is not None else () if tier == "production" else ("*",)

    def needs_another(self, tier: str) -> bool:
        """Whether a tier's accepts and overrides must come from another than the author."""
        return {str(name): item.accept for name, item in self.tiers.items()}.get(tier) == _ANOTHER


class Repository(Spec):
    """gen-env.yaml, at the top of a GitOps repository."""

    api_version: Literal["gen-env.dev/v1"] = API_VERSION
    """Format of this file."""
    kind: Literal["Repository"] = "Repository"
    """What this file is."""
    repository: Forge = Forge.model_construct()
    engine: Engine = "argocd"
    """What applies the trees to the clusters; a cluster or a definition may name another."""
    argocd: ArgoCD = ArgoCD.model_construct()
    flux: Flux = Flux.model_construct()
    chart: ChartSource = ChartSource.model_construct()
    crds: SubPath | None = None
    """Folder with CustomResourceDefinitions to check custom resources against."""
    helm: Literal["sdk", "binary"] = "sdk"
    """sdk: Helm as a library; binary: the helm on PATH."""
    clusters: dict[Label, Cluster]
    """The clusters that environments name, with what is true of each."""
    defaults: Defaults = Defaults.model_construct()
    promotion: Promotion = Promotion.model_construct()
    rollback: Rollback = Rollback.model_construct()
    policy: Policy = Policy.model_construct()
