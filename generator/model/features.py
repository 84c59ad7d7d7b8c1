"""The choices around the components: image, identity, DAGs, logs, metrics, exposure, secrets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pydantic

from generator.model.base import (
    Bool,
    Cidr,
    Count,
    Digest,
    Duration,
    EnvName,
    Host,
    Int,
    Label,
    Line,
    Name,
    Port,
    Positive,
    Quantity,
    Seconds,
    SecretKey,
    Spec,
    SubPath,
    Text,
)
from generator.model.components import Resources, Volume


class Image(Spec):
    """The image of every Airflow container and of task pods."""

    repository: Line = "apache/airflow"
    """Registry and name, without tag."""
    tag: Line | None = None
    """By default the Airflow version."""
    digest: Digest | None = None
    """Pins the bytes; it reaches task pods too."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When a node pulls the image, in Kubernetes' words."""
    pull_secrets: tuple[Name, ...] = ()
    """Names of dockerconfigjson Secrets."""


class ConnectionCheck(Spec):
    """How the image's entrypoint waits for the database before it starts anything."""

    max_count: Count = 20
    """Attempts; 0 leaves the check out."""
    sleep: Seconds = 3
    """Seconds between two attempts."""


class Security(Spec):
    """Identity and rights of the processes in the pods."""

    pod_security: Literal["restricted", "baseline", "privileged"] = "restricted"
    """Pod Security level that the namespace enforces."""
    uid: Count | None = 50_000
    """User id of Airflow's processes; null with openshift."""
    gid: Count = 0
    """Group id; the image needs 0 unless the uid is 50000."""
    openshift: Bool = False
    """OpenShift assigns any uid: none is asked for, and the group stays 0."""
    read_only_root_filesystem: Bool = False
    """Airflow writes below its home; true needs volumes of yours."""


class Oidc(Spec):
    """Sign-in through an OpenID Connect provider."""

    issuer: Line
    """The issuer's URL; `/.well-known/openid-configuration` is read below it."""
    client_id: Line
    """The client that is registered for this environment at the provider."""
    secret_name: Name | None = None
    """Holds `client-secret`; `<release>-oidc` by default."""
    roles: dict[Line, Line] = {}
    """Group of the provider → Airflow role."""
    default_role: Line = "Public"
    """Role of people in none of these groups."""
    groups_claim: Line = "groups"
    """Claim of the token that lists groups."""
    username_claim: Line = "preferred_username"
    """Claim of the token that becomes the user's name."""
    scopes: tuple[Line, ...] = ("openid", "profile", "email", "groups")
    """Scopes that are asked for."""

    @pydantic.field_validator("issuer")
    @classmethod
    def _https(cls, value: str) -> str:
        if not value.startswith("https://"):
            raise ValueError("the issuer must be an https:// URL")
        return value.rstrip("/")


class Ldap(Spec):
    """Sign-in through a directory server."""

    server: Line
    """`ldaps://host` or `ldap://host` (StartTLS is then used)."""
    base: Line
    """Where people are searched, such as ou=people,dc=example,dc=com."""
    bind_user: Line
    """Distinguished name that searches the directory."""
    secret_name: Name | None = None
    """Holds `bind-password`; `<release>-ldap` by default."""
    username_attribute: Line = "uid"
    """Attribute that holds the name to sign in with."""
    group_attribute: Line = "memberOf"
    """Attribute that lists a person's groups."""
    roles: dict[Line, Line] = {}
    """Distinguished name of a group → Airflow role."""
    default_role: Line = "Public"
    """Role of people in none of these groups."""


class DefaultUser(Spec):
    """One user with a password from a Secret; development only."""

    username: Line = "admin"
    """Name to sign in with."""
    email: Line = "admin@example.com"
    """The address that Airflow wants of every user; no mail is sent."""
    role: Line = "Admin"
    """Airflow role of this user."""
    secret_name: Name | None = None
    """Holds `password`; `<release>-admin` by default."""


class Auth(Spec):
    """Who may sign in: exactly one of the ways, or an auth manager of your own."""

    manager: Line | None = None
    """Class path of another auth manager (Airflow 3); by default Flask AppBuilder's."""
    oidc: Oidc | None = None
    ldap: Ldap | None = None
    default_user: DefaultUser | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> Auth:
        ways = [self.manager, self.oidc, self.ldap, self.default_user]
        if sum(way is not None for way in ways) > 1:
            raise ValueError("give only one of manager, oidc, ldap and defaultUser")
        return self


class GitSync(Spec):
    """DAGs from a git repository, by a sidecar that pulls."""

    repository: Line
    """https:// URL, or git@host:path for ssh; the scheme decides which credentials are used."""
    ref: Line = "main"
    """Branch, tag or commit; a commit makes every DAG change a change of this file."""
    sub_path: SubPath = ""
    """Folder of the DAGs in the repository."""
    period: Duration = "30s"
    """Time between two pulls, such as 30s."""
    depth: Positive = 1
    """Commits that are fetched; 1 takes no history."""
    secret_name: Name | None = None
    """Holds the ssh key, or user and token; needed for a private repository."""
    public: Bool = False
    """True for an https repository that needs no credentials."""
    known_hosts: Text | None = None
    """Lines of known_hosts for ssh; without them the server's identity is not checked."""
    max_failures: Count = 0
    """Failed pulls in a row that are tolerated before the pod restarts."""
    resources: Resources | None = None


class DagVolume(Volume):
    """DAGs from a shared volume that something else fills."""

    sub_path: SubPath = ""
    """Folder of the DAGs on the volume."""


class Bundle(Spec):  # type: ignore[no-redef]  # kwargs: pydantic's plugin takes the name
    """One DAG bundle of Airflow 3: the DAG processor and each worker fetch it themselves."""

    name: Line
    """Unique in the environment; runs and DAG versions refer to it."""
    type: Literal["git", "local", "custom"] = "git"
    """git: fetched from a repository; local: a folder; custom: a class of yours."""
    repository: Line | None = None
    """git: the URL; credentials come from the connection."""
    ref: Line = "main"
    """git: branch or tag that is followed."""
    sub_path: SubPath = ""
    """git: folder of the DAGs in the repository."""
    refresh_interval: Seconds = 300
    """Seconds between two looks for changes."""
    secret_name: Name | None = None
    """git: holds the connection URI as `connection`; none for a public repository."""
    path: Line | None = None
    """local: folder in the image or on a volume."""
    classpath: Line | None = None
    """custom: class of the bundle."""
    kwargs: dict[str, Any] = {}
    """custom: its arguments; never a secret."""

    @pydantic.model_validator(mode="after")
    def _complete(self) -> Bundle:
        needed = {"git": "repository", "local": "path", "custom": "classpath"}[self.type]
        if getattr(self, needed) is None:
            raise ValueError(f"a bundle of type {self.type} needs {needed}")
        return self


class BakedDags(Spec):
    """DAGs in the image: a DAG change is a new image."""


class Dags(Spec):
    """Where DAGs come from: exactly one way."""

    git_sync: GitSync | None = None
    persistence: DagVolume | None = None
    bundles: tuple[Bundle, ...] | None = None
    """Airflow 3: bundles that the DAG processor and the workers fetch themselves."""
    image: BakedDags | None = None

    @pydantic.model_validator(mode="after")
    def _one(self) -> Dags:
        ways = [self.git_sync, self.persistence, self.bundles, self.image]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give exactly one of gitSync, persistence, bundles and image")
        return self


class RemoteLogging(Spec):
    """Task logs in an object store or a search engine."""

    type: Literal["s3", "gcs", "wasb", "elasticsearch", "opensearch"]
    """Where logs go; the image needs the provider's package."""
    url: Line | None = None
    """Object stores: where logs go, such as s3://bucket/prefix."""
    connection_id: Line | None = None
    """Airflow connection with the credentials; none for the pods' own identity."""
    secret_name: Name | None = None
    """elasticsearch, opensearch: holds the URL as `connection`; `<release>-logs` by default."""
    delete_local: Bool = True
    """Delete a task's log from the worker once it is uploaded."""

    @pydantic.model_validator(mode="after")
    def _complete(self) -> RemoteLogging:
        schemes = {"s3": ("s3://",), "gcs": ("gs://",), "wasb": ("wasb-", "wasb://")}
        wanted = schemes.get(self.type)
        if wanted and not (self.url or "").startswith(wanted):
            raise ValueError(f"logs of type {self.type} need a url that begins with {wanted[0]}")
        return self


class Logging(Spec):
    """Where task logs live after the pod: remote, or a volume that every pod can write."""

    remote: RemoteLogging | None = None
    persistence: Volume | None = None
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severity that is logged."""

    @pydantic.model_validator(mode="after")
    def _one(self) -> Logging:
        if self.remote is not None and self.persistence is not None:
            raise ValueError("give only one of remote and persistence")
        return self


class Metrics(Spec):
    """How Airflow's own metrics leave the pods."""

    type: Literal["statsd", "otel", "none"] = "statsd"
    """statsd: an exporter that Prometheus scrapes; otel: pushed to a collector."""
    service_monitor: Bool = False
    """A ServiceMonitor for the Prometheus operator."""
    endpoint: Line | None = None
    """otel: host:port of a collector of yours; by default the chart's own runs."""
    resources: Resources | None = None
    """Requests and limits of the exporter or collector."""


class Tracing(Spec):
    """OpenTelemetry traces."""

    enabled: Bool = False
    """Send traces of DAG runs and tasks."""
    endpoint: Line | None = None
    """host:port of a collector of yours; by default the chart's own runs."""


class Tls(Spec):
    """The ingress' certificate: from cert-manager, or a Secret that is there."""

    cluster_issuer: Line | None = None
    """cert-manager's ClusterIssuer."""
    issuer: Line | None = None
    """cert-manager's Issuer in the namespace."""
    secret_name: Name | None = None
    """Holds the certificate; `<release>-tls` by default."""


class Ingress(Spec):
    """The UI and API to the outside."""

    host: Host
    """Name under which the UI is reached; no two environments share one."""
    path: Text = "/"
    """Path below the host."""
    tls: Tls | None = None
    annotations: dict[str, Text] = {}
    """For the ingress controller."""
    class_name: Name | None = None
    """By default the cluster's from the catalogue."""


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
    "git", "database", "broker", "logs", "identity", "secretsBackend", "otel", "dns", "monitoring"
]


class NetworkPolicy(Spec):
    """Who may talk to whom."""

    mode: Literal["off", "ingress", "enforce"] = "off"
    """ingress guards what comes in; enforce denies everything that is not needed or declared."""
    peers: dict[PeerName, tuple[Peer, ...]] = {}
    """Places outside the namespace that a chosen feature needs."""
    task_egress: tuple[Peer, ...] = ()
    """What the tasks themselves may reach; 0.0.0.0/0 must be written out."""


class ExtraSecret(Spec):
    """One more Secret for Airflow's pods."""

    keys: tuple[SecretKey, ...]
    """Keys it must have."""
    env_from: Bool = False
    """Every key becomes an environment variable of all Airflow containers."""
    env: dict[EnvName, SecretKey] = {}
    """Variable → key of this Secret."""
    type: Line = "Opaque"
    """Kubernetes type of the Secret."""


class Store(Spec):
    """External Secrets: where values come from."""

    name: Name
    """Name of the store."""
    kind: Literal["ClusterSecretStore", "SecretStore"] = "ClusterSecretStore"
    """ClusterSecretStore, or a SecretStore of the namespace."""


class Secrets(Spec):
    """How Secrets come to the cluster."""

    provider: Literal["sealed-secrets", "external-secrets", "existing"] = "sealed-secrets"
    """What brings Secrets to the cluster; existing: somebody else does."""
    scope: Literal["strict", "namespace-wide", "cluster-wide"] = "strict"
    """sealed-secrets: where a ciphertext may be unsealed."""
    store: Store | None = None
    """external-secrets: the store."""
    path: Line = "airflow/{environment}/{secret}"
    """external-secrets: key in the store; {environment}, {namespace} and {secret} are replaced."""
    refresh_interval: Duration = "1h"
    """external-secrets: time between two looks at the store."""
    extra: dict[Name, ExtraSecret] = {}
    """More Secrets for Airflow's pods, by name."""

    @pydantic.model_validator(mode="after")
    def _store(self) -> Secrets:
        if (self.provider == "external-secrets") != (self.store is not None):
            raise ValueError("store goes with provider external-secrets, and is needed there")
        return self


class SecretsBackend(Spec):  # type: ignore[no-redef]  # kwargs: pydantic's plugin takes the name
    """Airflow's own secrets backend, where connections and variables are looked up first."""

    backend: Line
    """Class path, such as airflow.providers.hashicorp.secrets.vault.VaultBackend."""
    kwargs: dict[str, Any] = {}
    """Its arguments. They land in a ConfigMap: no credentials here."""


class ServiceAccount(Spec):
    """Kubernetes identity of the Airflow pods, for cloud roles."""

    annotations: dict[str, Text] = {}
    """On the service accounts of every component that touches logs, secrets or tasks."""
    workers: dict[str, Text] = {}
    """More annotations for workers, task pods and the triggerer alone."""


class Rbac(Spec):
    """What the pods may do in the cluster."""

    create: Bool = True
    """False when somebody else makes roles and bindings."""
    allow_pod_launching: Bool = True
    """Tasks may start pods (KubernetesPodOperator, Kubernetes executor)."""
    multi_namespace: Bool = False
    """Pods in other namespaces too: cluster-wide roles."""


class Quota(Spec):
    """What the namespace may use in all: a ResourceQuota's `hard`."""

    hard: dict[Line, Quantity]
    """Resource → the most that all pods together may use."""


class Limits(Spec):
    """What a container gets that asks for nothing: a LimitRange."""

    default: dict[Line, Quantity] = {}
    """Resource → limit of a container that names none."""
    default_request: dict[Line, Quantity] = {}
    """Resource → request of a container that names none."""
    max: dict[Line, Quantity] = {}
    """Resource → the most that a container may ask for."""


class Window(Spec):
    """When syncs are allowed or denied."""

    kind: Literal["allow", "deny"]
    """Whether syncs are allowed or denied meanwhile."""
    schedule: Line
    """Start, as a cron expression."""
    duration: Duration
    """How long it lasts, such as 60h."""
    time_zone: Line = "UTC"
    """Time zone of the schedule, such as Europe/Berlin."""
    manual_sync: Bool = True
    """A person may still sync by hand."""


class Sync(Spec):
    """How Argo CD applies this environment."""

    automated: Bool | None = None
    """Sync by itself; never while a secret is a stub. True in development by default."""
    prune: Bool = True
    """Automated sync removes what git no longer has; guarded objects ask first."""
    self_heal: Bool = True
    """Automated sync undoes changes made in the cluster."""
    retry_limit: Annotated[Int, pydantic.Field(ge=-1)] = 5
    """Failed syncs in a row that are tried again; -1 never gives up."""
    windows: tuple[Window, ...] = ()
    """Times in which Argo CD may or may not sync."""


class Suppression(Spec):
    """One finding that is accepted, for a reason and for a time."""

    rule: Line
    """Rule id, or a pattern such as metrics/*."""
    reason: Line
    """Why it is accepted, for those who read it later."""
    expires: Line
    """Last day, as YYYY-MM-DD."""

    @pydantic.field_validator("expires")
    @classmethod
    def _day(cls, value: str) -> str:
        import datetime

        try:
            return datetime.date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValueError("not a day such as 2027-03-31") from None
