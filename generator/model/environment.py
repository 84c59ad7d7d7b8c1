"""The definition of one environment: what people write, and the same with every default applied."""

from typing import Annotated, Any, Literal

import pydantic

from generator.model import built_in
from generator.model.adoption import Adoption
from generator.model.auth import Auth
from generator.model.backup import Backup
from generator.model.base import (
    Bool,
    Count,
    Digest,
    EnvName,
    FileName,
    Label,
    LabelKey,
    LabelValue,
    Line,
    Name,
    Spec,
    Text,
    Version,
)
from generator.model.components import (
    ApiServer,
    Cleanup,
    DagProcessor,
    Jobs,
    PgBouncer,
    Placement,
    Scheduler,
    Triggerer,
    Workers,
)
from generator.model.dags import Dags
from generator.model.entrance import Entrance, Gateway, Ingress, Route
from generator.model.image import ConnectionCheck, Image, Security
from generator.model.marks import BuiltIn, Copied, WrittenAfter
from generator.model.network import NetworkPolicy
from generator.model.rights import Limits, Quota, Rbac, ServiceAccount
from generator.model.secrets import (
    CertificateAuthorities,
    Existing,
    Provider,
    Secrets,
    SecretsBackend,
    Trusting,
)
from generator.model.stores import Broker, Database, Keys
from generator.model.suppression import Suppression
from generator.model.sync import Sync
from generator.model.telemetry import Logging, Metrics, Tracing

API_VERSION: Literal["gen-env.dev/v1"] = "gen-env.dev/v1"
Tier = Literal["development", "staging", "production"]
Engine = Literal["argocd", "flux"]

_LONGEST_RELEASE = 53
EXECUTORS = ("LocalExecutor", "CeleryExecutor", "KubernetesExecutor")
_HYBRID = {
    "CeleryKubernetesExecutor": ("CeleryExecutor", "KubernetesExecutor"),
    "LocalKubernetesExecutor": ("LocalExecutor", "KubernetesExecutor"),
}


def executors_of(text: str) -> tuple[str, ...]:
    """The executors of a comma list in their order; a hybrid one of Airflow 2 is two."""
    return tuple(part for name in text.split(",") for part in _HYBRID.get(name, (name,)))


class Metadata(Spec):
    """What the environment is called and how much it matters."""

    name: Annotated[Label, Copied.KEEP]
    """The last part of its path below environments/."""
    team: Annotated[Label | None, Copied.DERIVE] = None
    """The parts before it, where environments are grouped by team."""
    tier: Tier = "development"
    """How strict the checks are, and which defaults apply."""


class Destination(Spec):
    """Where it runs."""

    cluster: Annotated[Label, Copied.KEEP]
    """Name of a cluster in gen-env.yaml."""
    namespace: Annotated[Label | None, Copied.DERIVE] = None
    """`airflow-<name>`, or `<team>-airflow-<name>`, by default; frozen in the lock."""
    release_name: Annotated[Label, Copied.DERIVE] = "airflow"
    """Helm release; object names and selectors come from it, so it is frozen in the lock."""
    application: Annotated[Name | None, Copied.DERIVE] = None
    """Name of the Argo CD Application, or of Flux's objects; `airflow-<environment>` by default."""
    storage_namespace: Annotated[Label | None, Copied.DERIVE] = None
    """Where Helm keeps its records under Flux; `namespace` by default. Another one makes Flux
    uninstall the release and install it again."""
    project: Annotated[Name | None, Copied.FILL_IN] = None
    """An AppProject of yours, which gen-env never writes; by default the one of gen-env.yaml."""

    @pydantic.field_validator("release_name")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > _LONGEST_RELEASE:
            raise ValueError(f"Helm takes release names of at most {_LONGEST_RELEASE} characters")
        return value


class Airflow(Spec):
    """Airflow itself."""

    version: Version
    """A release such as 3.2.2; it decides which components run."""
    executor: Annotated[
        Line | None,
        BuiltIn(development="LocalExecutor", staging="CeleryExecutor", production="CeleryExecutor"),
    ] = None
    """LocalExecutor, CeleryExecutor, KubernetesExecutor or a comma list of several; with Airflow 2
    also CeleryKubernetesExecutor or LocalKubernetesExecutor, alone."""
    home: Line = "/opt/airflow"
    """AIRFLOW_HOME in the image."""
    config: dict[Line, dict[Line, Text]] = {}
    """airflow.cfg: section → option → value."""
    env: dict[EnvName, Text] = {}
    """Extra environment of all Airflow containers; never a secret."""
    connection_check: ConnectionCheck = ConnectionCheck.model_construct()

    @pydantic.field_validator("executor")
    @classmethod
    def _known(cls, value: str | None, info: pydantic.ValidationInfo) -> str | None:
        if value in _HYBRID and str(info.data.get("version")).startswith("2."):
            return value
        names = value.split(",") if value is not None else []
        for name in names:
            if name in _HYBRID and len(names) > 1:
                raise ValueError(f"{name} cannot be combined with others")
            if name in _HYBRID:
                raise ValueError(f"Airflow 3 has no {name}; write {','.join(_HYBRID[name])}")
            if name not in EXECUTORS:
                raise ValueError(f"write {', '.join(EXECUTORS)}, or several with commas, no spaces")
        if len(set(names)) < len(names):
            raise ValueError("an executor appears twice")
        return value


class Chart(Spec):
    """The official Airflow chart."""

    version: Version
    """A release such as 1.22.0; the lock keeps its digest."""
    digest: Digest | None = None
    """Pins the archive; `gen-env generate` records it in the lock."""


class Environment(Spec):
    """One Apache Airflow environment on Kubernetes."""

    api_version: Annotated[Literal["gen-env.dev/v1"], Copied.KEEP] = API_VERSION
    """Format of this file."""
    kind: Annotated[Literal["Environment"], Copied.KEEP] = "Environment"
    """What this file is."""
    metadata: Annotated[Metadata, Copied.KEEP]
    engine: Annotated[Engine, Copied.KEEP] = "argocd"
    """What applies it; by default that of its cluster, else of the repository (gen-env.yaml)."""
    destination: Annotated[Destination, Copied.KEEP]
    airflow: Annotated[Airflow, Copied.KEEP]
    chart: Annotated[Chart, Copied.KEEP]
    image: Annotated[Image, Copied.KEEP] = Image.model_construct()
    security: Annotated[Security, Copied.KEEP] = Security.model_construct()
    auth: Annotated[Auth, Copied.KEEP] = Auth.model_construct()
    database: Annotated[Database, Copied.KEEP]
    pgbouncer: Annotated[PgBouncer | None, Copied.KEEP] = None
    backup: Annotated[Backup | None, Copied.FILL_IN] = None
    broker: Annotated[Broker, Copied.KEEP] = Broker.model_construct()
    keys: Annotated[Keys, Copied.DERIVE] = Keys.model_construct()
    jobs: Annotated[Jobs, Copied.KEEP] = Jobs.model_construct()
    dags: Annotated[Dags, Copied.KEEP]
    placement: Annotated[Placement, Copied.KEEP] = Placement.model_construct()
    api_server: Annotated[ApiServer, Copied.KEEP, built_in.API_SERVER] = ApiServer.model_construct()
    scheduler: Annotated[Scheduler, Copied.KEEP, built_in.SCHEDULER] = Scheduler.model_construct()
    dag_processor: Annotated[DagProcessor, Copied.KEEP, built_in.DAG_PROCESSOR] = (
        DagProcessor.model_construct()
    )
    triggerer: Annotated[Triggerer, Copied.KEEP, built_in.TRIGGERER] = Triggerer.model_construct()
    workers: Annotated[Workers, Copied.KEEP, built_in.WORKERS] = Workers.model_construct()
    service_account: Annotated[ServiceAccount, Copied.KEEP] = ServiceAccount.model_construct()
    rbac: Annotated[Rbac, Copied.KEEP] = Rbac.model_construct()
    logging: Annotated[Logging, Copied.KEEP] = Logging.model_construct()
    metrics: Annotated[Metrics, Copied.KEEP] = Metrics.model_construct()
    tracing: Annotated[Tracing, Copied.KEEP] = Tracing.model_construct()
    ingress: Annotated[Ingress | None, Copied.KEEP] = None
    gateway: Annotated[Gateway | None, Copied.KEEP] = None
    route: Annotated[Route | None, Copied.KEEP] = None
    network_policy: Annotated[NetworkPolicy, Copied.KEEP] = NetworkPolicy.model_construct()
    secrets: Annotated[Secrets, Copied.KEEP] = Secrets.model_construct()
    existing: Annotated[Existing, Copied.KEEP] = Existing.model_construct()
    ca: Annotated[CertificateAuthorities | None, Copied.KEEP] = None
    secrets_backend: Annotated[SecretsBackend | None, Copied.FILL_IN] = None
    quota: Annotated[Quota | None, Copied.KEEP] = None
    limits: Annotated[Limits | None, Copied.KEEP] = None
    cleanup: Annotated[Cleanup, Copied.KEEP] = Cleanup.model_construct()
    runbooks: Annotated[Bool, Copied.KEEP] = False
    """Pages for upgrade, rollback, restore, loss of the cluster and rotation of secrets, in
    generated/runbooks/."""
    sync: Annotated[Sync, Copied.KEEP] = Sync.model_construct()
    revision_history_limit: Annotated[Count, Copied.KEEP] = 3
    """Old ReplicaSets that are kept."""
    labels: Annotated[dict[LabelKey, LabelValue], Copied.KEEP] = {}
    """Labels on all objects and pods."""
    namespace_labels: Annotated[dict[LabelKey, LabelValue], Copied.KEEP] = {}
    """More labels on the namespace."""
    manifests: Annotated[tuple[FileName, ...], Copied.FILL_IN] = ()
    """Files of the environment's manifests/ folder with objects of the team's own."""
    values: Annotated[dict[str, Any], Copied.KEEP] = {}
    """Values of the chart that no field owns, merged last."""
    suppress: Annotated[tuple[Suppression, ...], Copied.DERIVE] = ()
    """Findings that are accepted for a time."""
    adoption: Annotated[Adoption | None, Copied.KEEP, WrittenAfter("destination")] = None
    """Taken over from elsewhere and not hardened yet."""

    @property
    def team(self) -> str:
        """The team's name, or nothing."""
        return self.metadata.team or ""

    @property
    def release(self) -> str:
        """The Helm release's name."""
        return self.destination.release_name

    @property
    def namespace(self) -> str:
        """The namespace, by default from team and name."""
        prefix = f"{self.team}-" if self.team else ""
        return self.destination.namespace or f"{prefix}airflow-{self.metadata.name}"

    @property
    def image_tag(self) -> str:
        """The tag of the image; where none is given, that of the official image."""
        return self.image.tag or self.airflow.version

    def provider_of(self, secret: str) -> Provider:
        """What brings a Secret to the cluster."""
        if secret in self.existing.secrets:
            return "existing"
        return self.secrets.providers.get(secret, self.secrets.provider)

    @property
    def expected_config_maps(self) -> frozenset[str]:
        """ConfigMaps that somebody else makes."""
        named = self.ca.config_map if self.ca else None
        return frozenset((*self.existing.config_maps, *((named,) if named else ())))

    def trusts(self, what: Trusting) -> bool:
        """Whether the certificate authorities of `ca` are for this."""
        return self.ca is not None and what in self.ca.trusted_for

    @property
    def entrances(self) -> tuple[Entrance, ...]:
        """The ways in from outside; links and sign-in use the first."""
        ways = (self.ingress, self.gateway, self.route)
        return tuple(way.entrance for way in ways if way is not None)

    @property
    def pool_ssl_mode(self) -> str:
        """TLS from PgBouncer to the database (libpq's sslmode)."""
        own = self.pgbouncer.ssl_mode if self.pgbouncer else None
        server = self.database.ssl_mode if self.database.type == "postgresql" else "require"
        return own or server

    @property
    def executors(self) -> tuple[str, ...]:
        """The executors in their order; the first is the default one."""
        return executors_of(self.airflow.executor or "LocalExecutor")

    def runs(self, executor: str) -> bool:
        """Whether `executor` (such as CeleryExecutor) is among them."""
        return executor in self.executors

    @property
    def airflow_3(self) -> bool:
        """Airflow 3 or newer: an API server, a DAG processor of its own, JWT."""
        return self.airflow_since(3, 0)

    def airflow_since(self, major: int, minor: int) -> bool:
        """Whether its Airflow is that release or a newer one."""
        first, second, _ = self.airflow.version.split(".")
        return (int(first), int(second)) >= (major, minor)
