"""How an environment is deployed, as the objects of its engine in git say it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from generator.core.errors import UserError
from generator.engine import flux
from generator.engine.argocd import GENERATED
from generator.kube import fields
from generator.kube.resource import Object, group_of
from generator.manifests import rbac
from generator.manifests.rbac import Rule
from generator.model.environment import Engine
from generator.model.repository import Repository
from generator.yaml.manifests import load_manifests

APPLICATION = f"{GENERATED}/application.yaml"
HELM_RELEASE = f"{flux.RELEASE}/release.yaml"
_TOOLKIT = ".toolkit.fluxcd.io"


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """What deploys a release, where to, under which name and of which chart version.

    `objects` are those of the engine: the `manifest` itself, an Application or HelmRelease, and
    the source of its chart. `server` is '' under Flux, which runs in the cluster itself.
    """

    engine: Engine
    manifest: Object
    objects: tuple[Object, ...]
    server: str
    namespace: str
    release: str
    chart_version: str


def read(files: Mapping[str, bytes], folder: str) -> Deployment | None:
    """That of an environment's folder, or None where there is none.

    Raises UserError for a file that does not parse, and for objects of both engines: each would
    deploy the environment.
    """
    application, release = f"{folder}/{APPLICATION}", f"{folder}/{HELM_RELEASE}"
    if application in files and release in files:
        raise UserError(
            f"both Argo CD and Flux would deploy this environment ({APPLICATION})",
            path=release,
            hint="gen-env generate removes what the engine of the definition does not need",
        )
    if application in files:
        found = load_manifests(files[application], path=application)
        return _of_application(found[0]) if found else None
    if release in files:
        return _of_flux(load_manifests(files[release], path=release))
    return None


def of(objects: Sequence[Object]) -> Deployment | None:
    """That of an engine's objects: of the first Application, else of the first HelmRelease."""
    application = next((item for item in objects if item.get("kind") == "Application"), None)
    return _of_flux(objects) if application is None else _of_application(application)


def hub_rules(found: Deployment, repository: Repository) -> tuple[Rule, ...]:
    """What `verify` reads of the engine's objects, where the engine runs."""
    name = fields.name_of(found.manifest)
    if found.engine == "argocd":
        return rbac.hub_rules(repository.argocd.namespace, [name])
    return flux.access(name, repository)


def is_of_engine(manifest: Object) -> bool:
    """Whether an object is the engine's own, which is not in the environment's namespace."""
    group = group_of(str(manifest.get("apiVersion") or ""))
    return manifest.get("kind") == "Application" or group.endswith(_TOOLKIT)


def _of_application(manifest: Object) -> Deployment:
    spec = fields.section(manifest, "spec")
    place = fields.section(spec, "destination")
    sources = [*fields.entries(spec, "sources"), fields.section(spec, "source")]
    names = (fields.at(source, "helm", "releaseName") for source in sources)
    versions = (str(item.get("targetRevision") or "") for item in sources if item.get("chart"))
    return Deployment(
        "argocd",
        manifest,
        (manifest,),
        str(place.get("server")),
        str(place.get("namespace") or ""),
        next((str(name) for name in names if name), ""),
        next(versions, ""),
    )


def _of_flux(found: Sequence[Object]) -> Deployment | None:
    release = next((item for item in found if item.get("kind") == "HelmRelease"), None)
    if release is None:
        return None
    spec = fields.section(release, "spec")
    reference = fields.section(spec, "chartRef")
    version = fields.text(spec, "chart", "spec", "version")
    for source in found:
        if (source.get("kind"), fields.name_of(source)) == ("OCIRepository", reference.get("name")):
            version = fields.text(source, "spec", "ref", "tag")
    name = fields.name_of(release)
    return Deployment(
        "flux",
        release,
        tuple(found),
        "",
        fields.text(spec, "targetNamespace") or fields.text(release, "metadata", "namespace"),
        fields.text(spec, "releaseName") or name,
        version,
    )
