"""Where the sealing certificate comes from: a file, an https URL, or the controller itself."""

from __future__ import annotations

from pathlib import Path

from generator.cluster.client import Cluster as ApiServer
from generator.cluster.errors import ClusterError, Trouble
from generator.core.errors import UserError
from generator.model.repository import CONTROLLER, Cluster
from generator.seal import certificate
from generator.seal.certificate import SealingCertificate

_PATH = "/v1/cert.pem"


def configured(name: str, cluster: Cluster, root: Path) -> SealingCertificate:
    """The certificate that gen-env.yaml names for a cluster; raises UserError without one."""
    source = cluster.sealing.certificate
    if source is None:
        raise UserError(
            f"no sealing certificate is configured for cluster '{name}'",
            path="gen-env.yaml",
            hint=f"name a file, an https URL or `{CONTROLLER}` in"
            f" clusters.{name}.sealing.certificate, or give --cert FILE|URL|{CONTROLLER}",
        )
    if source == CONTROLLER:
        return of_controller(name, cluster)
    return certificate.load(source, root, ca=_bundle(cluster, root))


def given(
    source: str, name: str, cluster: Cluster, *, root: Path, folder: Path, ca: Path | None
) -> SealingCertificate:
    """The certificate that a person names: their own file, wherever it is, a URL, the controller.

    A relative path starts from `folder`; `ca` comes before what gen-env.yaml says.
    """
    if source == CONTROLLER:
        return of_controller(name, cluster)
    if "://" in source:
        return certificate.load(source, root, ca=ca or _bundle(cluster, root))
    return certificate.read(folder / source, source)


def of_controller(name: str, cluster: Cluster) -> SealingCertificate:
    """What the controller's Service answers through the API server's proxy, as kubeseal asks it.

    Only in the context that gen-env.yaml names: in another cluster's nobody could open the values.
    """
    return certificate.parse(ask(name, cluster), f"cluster {name}")


def ask(name: str, cluster: Cluster) -> bytes:
    """The controller's certificate as it sends it (PEM); raises UserError."""
    if cluster.context is None:
        raise UserError(
            f"cluster {name} has no context, so it cannot be asked for its certificate",
            path="gen-env.yaml",
            hint=f"set clusters.{name}.context to the kubeconfig's context of that cluster",
        )
    sealing = cluster.sealing
    service = f"http:{sealing.controller_name}:"
    server = ApiServer.connect(cluster.context)
    try:
        return server.service_get(sealing.namespace, service, "", _PATH)
    except ClusterError as error:
        raise UserError(
            f"the sealing certificate could not be fetched: {error.message}",
            hint=_hint(error, name, cluster),
        ) from None
    finally:
        server.close()


def _hint(error: ClusterError, name: str, cluster: Cluster) -> str:
    sealing = cluster.sealing
    if error.trouble is Trouble.FORBIDDEN:
        return (
            f"it needs get on services/proxy of http:{sealing.controller_name}: in"
            f" {sealing.namespace}; the controller's chart has a role for that (service proxier)"
        )
    if error.trouble in (Trouble.NOT_FOUND, Trouble.SERVER):
        return (
            f"check that the controller runs: clusters.{name}.sealing names Service"
            f" {sealing.controller_name} in namespace {sealing.namespace}"
        )
    return error.hint


def _bundle(cluster: Cluster, root: Path) -> Path | None:
    return root / cluster.sealing.ca if cluster.sealing.ca else None
