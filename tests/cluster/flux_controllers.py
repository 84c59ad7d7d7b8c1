"""Flux as processes: source-controller and kustomize-controller, as they are published.

helm-controller is not served as a Go module; `tests/fakes/helm_controller.py` plays its part.
"""

import contextlib
import datetime
import os

from generator.yaml.manifests import load_manifests
from tests.cluster import process, programs
from tests.cluster.plane import ADMIN
from tests.loopback import free_port

PROGRAMS = ("source-controller", "kustomize-controller")
NAMESPACE = "flux-system"
SOURCE = f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/gitrepositories/flux-system"
KUSTOMIZATIONS = f"/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/kustomizations"
_REQUESTED = "reconcile.fluxcd.io/requestedAt"


@contextlib.contextmanager
def running(plane, folder):
    """Start both below `folder`, beside the definitions that only source-controller brings."""
    for file in sorted(programs.definitions("source-controller").glob("*.yaml")):
        for manifest in load_manifests(file.read_bytes()):
            _serve(plane, manifest)
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    config = plane.kubeconfig(folder / "kubeconfig", token=ADMIN)
    environ = {**os.environ, "KUBECONFIG": str(config), "RUNTIME_NAMESPACE": NAMESPACE}
    environ |= {"HOME": str(folder), "TMPDIR": str(folder)}
    with contextlib.ExitStack() as stack:
        for name, arguments in (
            ("source-controller", _source(folder)),
            ("kustomize-controller", ["--requeue-dependency=3s"]),
        ):
            log, health = folder / f"{name}.log", free_port()
            command = [programs.find(name), *arguments, f"--metrics-addr=127.0.0.1:{free_port()}"]
            command += [f"--health-addr=127.0.0.1:{health}", "--log-level=info"]
            stack.enter_context(process.running(command, log, environ=environ))
        yield


def _serve(plane, definition):
    """Have the API server know a kind: the controllers end where it does not."""
    if not plane.get(plane.path(definition)):
        plane.apply(definition)
    spec = definition["spec"]
    versions = [f"{spec['group']}/{it['name']}" for it in spec["versions"] if it["storage"]]
    kind = {"apiVersion": versions[0], "kind": spec["names"]["kind"]}
    process.until(lambda: plane.serves(kind), f"{kind['kind']} served")


def _source(folder):
    storage = folder / "artifacts"
    storage.mkdir()
    address = f"127.0.0.1:{free_port()}"
    return [
        f"--storage-path={storage}",
        f"--storage-addr={address}",
        f"--storage-adv-addr={address}",
    ]


def reconcile(plane, path):
    """Ask for a look now, as `flux reconcile` and a Receiver do."""
    now = datetime.datetime.now(datetime.UTC).isoformat()
    plane.merge_patch(path, {"metadata": {"annotations": {_REQUESTED: now}}})


def condition(plane, path, kind="Ready"):
    """Status, reason and message of a condition of an object of Flux at its present generation."""
    found = plane.get(path) or {}
    status = found.get("status", {})
    if status.get("observedGeneration") != found.get("metadata", {}).get("generation"):
        return "", "", ""
    for item in status.get("conditions", ()):
        if item["type"] == kind:
            return item["status"], item["reason"], item["message"]
    return "", "", ""


def applied(plane, name):
    """The commit that a Kustomization applied last."""
    found = plane.get(f"{KUSTOMIZATIONS}/{name}") or {}
    return found.get("status", {}).get("lastAppliedRevision", "").rpartition(":")[2]
