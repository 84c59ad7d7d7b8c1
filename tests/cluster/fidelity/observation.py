"""What an API server does with the head of a change: applied as the engine does, then undone.

Argo CD (gitops-engine, pkg/sync/sync_context.go): an object is applied by server-side apply that
forces conflicts; one with `Replace=true` is put over what is there, with `Force=true` as well it is
deleted and created; a hook is deleted before it is created; `Prune=false` keeps what left git.

Flux: `FluxCluster`. The pods of a workload are replaced when its stored template differs, which is
what its controller compares; `tests/cluster/test_controllers.py` asks the controllers.
"""

import base64
import copy

from generator.kube import pruning
from generator.kube.resource import key_of, ordered
from tests.cluster.fidelity.effects import Effects
from tests.cluster.samples import placed

_ROLLED = ("DaemonSet", "Deployment", "StatefulSet")
_HOOKS = {"argocd.argoproj.io/hook", "helm.sh/hook"}
_PRUNE = "kustomize.toolkit.fluxcd.io/prune"
# What the server itself writes, and changes with every write.
_OWN = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")
_ADDRESSES = ("clusterIP", "clusterIPs")
_DATABASE = ("postgresql", "mysql")


class Cluster:
    """One sample in the cluster, as its base is."""

    def __init__(self, plane, side):
        self._plane = plane
        self.namespace = side.namespace
        self.base = objects_of(side)
        self._stored = {}
        self._apply_base(self.base)

    def effects(self, side):
        """What applying this head does; the base is there again afterwards."""
        head = objects_of(side)
        touched = [name for name, item in head.items() if item != self.base.get(name)]
        result = Effects()
        try:
            for name in touched:
                self._one(name, head[name], result)
            for name in self.base.keys() - head.keys():
                if not self._stays(name):
                    self._pruned(name, result)
        finally:
            self._undo({*touched, *(self.base.keys() - head.keys())}, head)
        return result

    def _one(self, name, manifest, result):
        before = self._stored.get(name)
        status, after = self._sync(manifest, before)
        if status not in (200, 201):
            result.refused.add(name)
            return
        if before is None:
            result.added.add(name)
        elif content(before) != content(after):
            result.changed.add(name)
        kind = manifest["kind"]
        is_new = before is None or before["metadata"]["uid"] != after["metadata"]["uid"]
        if kind == "Job" and is_new and not is_hook(manifest):
            result.repeated.add(name)
        if kind in _ROLLED and before is not None and rolls(before, after):
            result.restarted.add(name)
        if before is not None and kind in _ROLLED and stops(before, after) and is_fleeting(before):
            result.lost.add(name)
        if kind == "PersistentVolumeClaim" and before is not None and is_new:
            result.lost.add(name)

    def _sync(self, manifest, before):
        options = pruning.sync_options(manifest)
        manifest = placed(manifest, self.namespace)
        if not self._plane.serves(manifest):
            return 404, {}
        path = self._plane.path(manifest)
        anew = is_hook(manifest) or {"Force=true", "Replace=true"} <= options
        if before is not None and anew:
            self._delete(path)
        elif before is not None and "Replace=true" in options:
            version = {"resourceVersion": before["metadata"]["resourceVersion"]}
            body = {**manifest, "metadata": {**manifest["metadata"], **version}}
            return self._plane.call("PUT", f"{path}?fieldValidation=Strict", body)
        return self._plane.try_apply(manifest, manager=self._manager(manifest))

    def _manager(self, manifest):
        return "argocd-controller"

    def _stays(self, name):
        """Whether what left git is kept in the cluster."""
        return pruning.protection(self.base[name]) == "kept"

    def _pruned(self, name, result):
        result.pruned.add(name)
        manifest, before = self.base[name], self._stored[name]
        fleeting = manifest["kind"] in _ROLLED and before["spec"].get("replicas") != 0
        if (
            manifest["kind"] in ("Namespace", "PersistentVolumeClaim")
            or _takes_claims(before)
            or (fleeting and is_fleeting(before))
        ):
            result.lost.add(name)

    def _undo(self, names, head):
        for name in names - {name for name in names if name.startswith("Namespace ")}:
            item = placed(head.get(name) or self.base[name], self.namespace)
            if self._plane.serves(item):
                self._delete(self._plane.path(item))
        self._apply_base({name: item for name, item in self.base.items() if name in names})

    def _apply_base(self, manifests):
        for name, item in manifests.items():
            manifest = placed(item, self.namespace)
            self._stored[name] = self._plane.apply(manifest, manager=self._manager(manifest))

    def _delete(self, path):
        """At once: nobody is there to clear finalizers or to wait for pods."""
        found = self._plane.get(path)
        if found and found["metadata"].get("finalizers"):
            self._plane.merge_patch(path, {"metadata": {"finalizers": None}})
        self._plane.call("DELETE", f"{path}?propagationPolicy=Background&gracePeriodSeconds=0")


class FluxCluster(Cluster):
    """The same under Flux: some objects by a Kustomization, those of the chart by Helm.

    kustomize-controller (fluxcd/pkg/ssa) and helm-controller apply by server-side apply that
    forces conflicts; Helm deletes a hook before it creates it. What left git stays where its own
    pruner is told so. By other annotations than `prune` Flux would apply an object otherwise:
    gen-env accepts none with them.
    """

    def _sync(self, manifest, before):
        manifest = placed(manifest, self.namespace)
        if not self._plane.serves(manifest):
            return 404, {}
        manager = self._manager(manifest)
        if before is not None and is_hook(manifest) and manager == "helm":
            self._delete(self._plane.path(manifest))
        return self._plane.try_apply(manifest, manager=manager)

    def _manager(self, manifest):
        """Helm's objects are those that its chart labels as its own."""
        labels = manifest["metadata"].get("labels") or {}
        by_helm = "chart" in labels or "helm.sh/chart" in labels
        return "helm" if by_helm else "kustomize-controller"

    def _stays(self, name):
        annotations = self.base[name]["metadata"].get("annotations") or {}
        if self._manager(self.base[name]) == "helm":
            return annotations.get("helm.sh/resource-policy") == "keep"
        return annotations.get(_PRUNE) == "disabled"


def objects_of(side):
    """Name → manifest, in the order in which they are applied."""
    return {str(key_of(item, side.namespace)): _readable(item) for item in ordered(side.manifests)}


def _readable(manifest):
    """What is random in a Secret stands there as a word, which the server takes as base64 alone."""
    if manifest["kind"] != "Secret" or not isinstance(manifest.get("data"), dict):
        return manifest
    data = {key: _base64(value) for key, value in manifest["data"].items()}
    return {**manifest, "data": data}


def _base64(text):
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        return base64.b64encode(text.encode()).decode()
    return text


def content(stored):
    """What people gave the object, and its defaults."""
    result = copy.deepcopy(stored)
    result.pop("status", None)
    for name in _OWN:
        result["metadata"].pop(name, None)
    for name in _ADDRESSES if stored["kind"] == "Service" else ():
        result["spec"].pop(name, None)
    return result


def rolls(before, after):
    """Whether the workload's controller replaces running pods."""
    spec = after["spec"]
    strategy = spec.get("strategy") or spec.get("updateStrategy") or {}
    same = before["spec"]["template"] == spec["template"]
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    held = partition >= spec.get("replicas", 1)
    waits = strategy.get("type") == "OnDelete" or spec.get("paused") or held
    return not same and not waits


def stops(before, after):
    """Whether pods that run are replaced or taken away."""
    if before["spec"].get("replicas") == 0:
        return False
    return rolls(before, after) or after["spec"].get("replicas") == 0


def is_fleeting(stored):
    """Whether it is a database that keeps its data in the pod."""
    spec = stored["spec"]["template"]["spec"]
    if stored["spec"].get("volumeClaimTemplates"):
        return False
    if any("persistentVolumeClaim" in volume for volume in spec.get("volumes") or ()):
        return False
    names = (container["image"].partition(":")[0] for container in spec["containers"])
    return any(name.endswith(_DATABASE) for name in names)


def is_hook(manifest):
    """Whether the engine runs it at every sync, install or upgrade."""
    return not _HOOKS.isdisjoint(manifest["metadata"].get("annotations") or {})


def _takes_claims(stored):
    policy = (stored.get("spec") or {}).get("persistentVolumeClaimRetentionPolicy") or {}
    return stored["kind"] == "StatefulSet" and policy.get("whenDeleted") == "Delete"
