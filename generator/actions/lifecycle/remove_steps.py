"""What an environment leaves behind in its cluster once it left git, as its tree in git says."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from generator.core.errors import UserError
from generator.core.files import Files
from generator.definition import resolve
from generator.definition.definition import ROOT
from generator.definition.resolve import Resolved
from generator.engine import deployment, flux_reach
from generator.engine.deployment import Deployment
from generator.kube import fields
from generator.kube.resource import Object
from generator.model.environment import Environment
from generator.model.repository import Repository
from generator.tree.catalogue import Catalogue
from generator.yaml.manifests import load_manifests

_NAMESPACE = "generated/manifests/namespace.yaml"
_DELETES = "resources-finalizer.argocd.argoproj.io"


@dataclasses.dataclass(frozen=True, slots=True)
class Data:
    """A place with data, what becomes of it, and why."""

    what: str
    kept: bool
    why: str

    def as_json(self) -> dict[str, object]:
        """The documented shape."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Before:
    """An environment as git has it: how it is deployed, and what the definition says."""

    name: str
    engine: str
    repository: Repository | None
    resolved: Resolved | None
    deployed: Deployment | None
    objects: tuple[Object, ...]
    """Those of the engine outside the environment's folder: Kustomizations."""
    has_namespace: bool
    """Whether gen-env made the namespace."""

    @property
    def data(self) -> tuple[Data, ...]:
        """Every place with data that the definition names."""
        return tuple(_data(self.resolved.environment)) if self.resolved else ()

    def steps(self) -> Iterator[str]:
        """What a person does, in order."""
        if self.resolved is None:
            yield "read its invalid definition by hand: the places of its data are unknown"
        yield "back up what has to stay, while the environment runs"
        yield "merge this change"
        if self.deployed is None:
            yield "nothing of it is generated in git: look for its objects in the cluster by hand"
            return
        yield from (
            self._flux(self.deployed) if self.engine == "flux" else self._argocd(self.deployed)
        )
        yield from self._namespace(self.deployed)
        yield "delete what the definition names outside the cluster, unless something else uses it"

    def _argocd(self, found: Deployment) -> Iterator[str]:
        name = fields.name_of(found.manifest)
        hub = fields.text(found.manifest, "metadata", "namespace")
        finalizers = fields.section(found.manifest, "metadata").get("finalizers") or ()
        root = self.repository.argocd.root if self.repository else None
        if root is not None and root.type == "app-of-apps":
            yield (
                f"wait until {root.name} is synced; it never prunes (prune: false), so the"
                f" Application {name} stays, finds no sources any more and deletes nothing"
            )
        else:
            yield f"see that whatever applies the Application {name} does not make it again"
        delete = f"kubectl -n {hub} delete application {name}"
        if any(str(item).startswith(_DELETES) for item in finalizers):
            yield (
                f"{delete}: its finalizer deletes the objects too; those with data, and the"
                " namespace, wait until somebody confirms (argocd app confirm-deletion, or the UI)"
            )
            if self.repository is not None and self.repository.argocd.project.manage:
                yield (
                    "the managed AppProject no longer permits its namespace: Argo CD leaves what it"
                    " may not reach, and the next step removes that"
                )
        else:
            yield f"{delete}: it has no finalizer, so every object goes on running"

    def _flux(self, found: Deployment) -> Iterator[str]:
        by_kind: dict[str, list[str]] = {}
        for item in self.objects:
            by_kind.setdefault(str(item.get("kind")), []).append(fields.name_of(item))
        hub = self.repository.flux.namespace if self.repository else "flux-system"
        orphans = any(fields.at(item, "spec", "deletionPolicy") for item in self.objects)
        suspended = any(fields.at(item, "spec", "suspend") for item in self.objects)
        names = " ".join(sorted(by_kind.get("Kustomization", ())))
        if names:
            effect = (
                "deletes nothing else (deletionPolicy: Orphan)"
                if orphans
                else "deletes nothing else while it is suspended, as git has it"
                if suspended
                else "prunes their objects, but for those with data"
            )
            yield f"kubectl -n {hub} delete kustomization {names}, if still there: it {effect}"
        place = fields.text(found.manifest, "metadata", "namespace")
        yield (
            f"kubectl -n {place} delete helmrelease {fields.name_of(found.manifest)}, if still"
            " there: Helm uninstalls the release and keeps its claims"
        )

    def _namespace(self, found: Deployment) -> Iterator[str]:
        if self.has_namespace:
            yield (
                f"kubectl delete namespace {found.namespace}: everything left in it goes, claims"
                " with their data too; whether a volume stays is for its class (reclaimPolicy)"
            )
        else:
            yield (
                f"the namespace {found.namespace} is not gen-env's: delete in it by hand what"
                f" belongs to the release {found.release}"
            )
        if self.resolved is not None and self.resolved.environment.rbac.multi_namespace:
            yield (
                "kubectl delete clusterrole,clusterrolebinding -l release="
                f"{found.release}: rbac.multiNamespace made them, outside of the namespace"
            )
        yield "delete the Roles of bootstrap/access that were applied to other namespaces"


def read(files: Files, found: Catalogue, name: str) -> Before:
    """The environment as it is in git; a part that cannot be read is left out and named."""
    folder = f"{ROOT}/{name}"
    contents = {path: files.read(path) or b"" for path in files.below(f"{folder}/generated")}
    repository = found.settings.repository if found.settings else None
    resolved = None
    if found.settings is not None and name in found.definitions:
        resolved = resolve.resolve(found.definitions[name], found.settings)[0]
    return Before(
        name,
        found.deployed.get(name, ("argocd", ""))[0],
        repository,
        resolved,
        _deployed(contents, folder),
        tuple(_engine_objects(files, repository, name)),
        f"{folder}/{_NAMESPACE}" in contents,
    )


def _deployed(contents: Mapping[str, bytes], folder: str) -> Deployment | None:
    try:
        return deployment.read(contents, folder)
    except UserError:
        return None


def _engine_objects(files: Files, repository: Repository | None, name: str) -> Iterator[Object]:
    places = flux_reach.cluster_files(repository, name) if repository else ()
    for path in places:
        try:
            yield from load_manifests(files.read(path) or b"", path=path)
        except UserError:
            continue  # `deployment` names what cannot be read


def _data(environment: Environment) -> Iterator[Data]:
    """Where the definition keeps data: of Airflow, of the broker, of logs and DAGs."""
    database = environment.database
    if database.embedded:
        yield Data("embedded PostgreSQL", False, "its claim is deleted with the namespace")
    else:
        yield Data(f"database {database.name} on {database.host}", True, "it is outside")
    if "Celery" in str(environment.airflow.executor):
        if environment.broker.embedded:
            yield Data("queued tasks in embedded Redis", False, "they go with its pod or claim")
        else:
            yield Data(f"queues on {environment.broker.place}", True, "the broker is outside")
    remote, volume = environment.logging.remote, environment.logging.persistence
    if remote is not None:
        yield Data("task logs in the remote store", True, "the store is outside")
    elif volume is not None:
        yield _claim("task logs", volume.existing_claim)
    else:
        yield Data("task logs of running pods", False, "they go with their pods")
    if environment.dags.persistence is not None:
        yield _claim("DAGs", environment.dags.persistence.existing_claim)
    yield Data(
        "sealed values in git's history",
        True,
        "only the controller's private key opens them; keep that, or the values, for a way back",
    )


def _claim(what: str, existing: str | None) -> Data:
    if existing:
        why = "the claim is not gen-env's, but is deleted with the namespace that it is in"
        return Data(f"{what} on the claim {existing}", False, why)
    return Data(f"{what} on a claim", False, "it is deleted with the namespace")
