"""A stand-in for helm-controller: HelmReleases installed by Helm as a library.

The controller is not served as a Go module. States, actions, conditions, history and remediation
are told after its API (v2), docs/spec/v2 and release 1.6; everything that it writes has to pass the
official CustomResourceDefinition. It does not play what `_NOT_PLAYED` names, and leaves the origin
labels of Flux off the objects, for which Helm's library gives no way.
"""

import argparse
import hashlib
import json
import ssl
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from generator.yaml.manifests import load_manifests
from tests.cluster.plane import Plane
from tests.fakes import helm_release

_LIST = "/apis/helm.toolkit.fluxcd.io/v2/helmreleases"
_FINALIZER = "finalizers.fluxcd.io"
_REQUESTED = "reconcile.fluxcd.io/requestedAt"
_SOURCES = "source.toolkit.fluxcd.io/v1"
_NOT_PLAYED = {
    "commonMetadata", "dependsOn", "healthCheckExprs", "kubeConfig", "postRenderers",
    "serviceAccountName", "test", "waitStrategy",
}  # fmt: skip


class HelmController:
    """What one look at all HelmReleases does; when each is due again."""

    def __init__(self, plane, kubeconfig, folder):
        self._plane, self._kubeconfig, self._folder = plane, kubeconfig, folder
        self._due = {}

    def look(self):
        """Reconcile every HelmRelease that has changed, or whose time has come."""
        for item in (self._plane.get(_LIST) or {}).get("items", ()):
            item |= {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
            seen, (last, at) = self._seen(item), self._due.get(item["metadata"]["uid"], ("", 0.0))
            if seen != last or time.monotonic() >= at:
                wait = self._reconcile(item)
                self._due[item["metadata"]["uid"]] = (seen, time.monotonic() + wait)

    def _seen(self, item):
        """What makes it look again before the interval is over."""
        metadata, artifact = item["metadata"], self._artifact(item)
        names = ("generation", "deletionTimestamp", "annotations")
        return json.dumps([[metadata.get(name) for name in names], artifact], sort_keys=True)

    def _reconcile(self, item):
        """Seconds until it is looked at again."""
        spec, metadata = item["spec"], item["metadata"]
        path = self._plane.path(item)
        if metadata.get("deletionTimestamp"):
            return self._delete(item, path)
        if _FINALIZER not in metadata.get("finalizers", ()):
            self._plane.merge_patch(path, {"metadata": {"finalizers": [_FINALIZER]}})
        if spec.get("suspend"):
            return helm_release.seconds(spec["interval"])
        assert not (more := _NOT_PLAYED & spec.keys()), f"the stand-in does not play {more}"
        release = helm_release.Release(self._plane, self._kubeconfig, item)
        if "chart" in spec:
            self._plane.apply(_helm_chart(item), manager="helm-controller")
            release.status["helmChart"] = f"{metadata['namespace']}/{_chart_name(item)}"
        release.mark("Reconciling", "True", "Progressing", "Fulfilling prerequisites")
        release.write()
        wait = self._release(release, item)
        release.status["lastHandledReconcileAt"] = metadata.get("annotations", {}).get(_REQUESTED)
        release.write()
        return helm_release.seconds(spec["interval"]) if wait is None else wait

    def _release(self, release, item):
        artifact = self._artifact(item)
        if artifact is None:
            release.mark("Ready", "False", "SourceNotReady", f"{_source(item)[1]} is not ready")
            return 3.0
        try:
            values = self._values(item)
        except LookupError as error:
            release.mark("Ready", "False", "ValuesError", str(error.args[0]))
            return 3.0
        return release.reconcile(self._chart(artifact), values)

    def _delete(self, item, path):
        if not item["spec"].get("suspend"):
            helm_release.Release(self._plane, self._kubeconfig, item).uninstall()
            if "chart" in item["spec"]:
                self._plane.call("DELETE", self._plane.path(_helm_chart(item)))
        self._plane.merge_patch(path, {"metadata": {"finalizers": None}})
        return 0.0

    def _artifact(self, item):
        """Of the chart's source, where that is ready at its present generation."""
        kind, name = _source(item)
        namespace = item["metadata"]["namespace"]
        metadata = {"name": name, "namespace": namespace}
        path = self._plane.path({"apiVersion": _SOURCES, "kind": kind, "metadata": metadata})
        found = self._plane.get(path) or {"metadata": {}}
        status = found.get("status", {})
        if status.get("observedGeneration") != found["metadata"].get("generation"):
            return None
        return status.get("artifact")

    def _chart(self, artifact):
        digest = artifact["digest"]
        file = self._folder / f"{digest.partition(':')[2]}.tgz"
        if not file.is_file():
            with urllib.request.urlopen(artifact["url"], timeout=60) as answer:
                content = answer.read()
            assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
            file.write_bytes(content)
        return file

    def _values(self, item):
        """Those of `valuesFrom`, in order, under those that are inline."""
        result = {}
        for place in item["spec"].get("valuesFrom", ()):
            assert place["kind"] == "ConfigMap" and "targetPath" not in place, "not played"
            metadata = {"name": place["name"], "namespace": item["metadata"]["namespace"]}
            manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
            data = (self._plane.get(self._plane.path(manifest)) or {}).get("data", {})
            key = place.get("valuesKey", "values.yaml")
            if key not in data and not place.get("optional"):
                name = f"{metadata['namespace']}/{place['name']}"
                raise LookupError(
                    f"could not resolve ConfigMap chart values reference '{name}' with key '{key}'"
                )
            for document in load_manifests(data.get(key, "{}").encode()):
                result = _merged(result, document)
        return _merged(result, item["spec"].get("values", {}))


def _merged(under, over):
    both = under.keys() & over.keys()
    deep = {
        key: _merged(under[key], over[key])
        for key in both
        if isinstance(under[key], dict) and isinstance(over[key], dict)
    }
    return {**under, **over, **deep}


def _source(item):
    """Kind and name of the object with the chart's artifact."""
    reference = item["spec"].get("chartRef")
    return (reference["kind"], reference["name"]) if reference else ("HelmChart", _chart_name(item))


def _chart_name(item):
    return f"{item['metadata']['namespace']}-{item['metadata']['name']}"


def _helm_chart(item):
    template, metadata = item["spec"]["chart"]["spec"], item["metadata"]
    own = {"name": _chart_name(item), "namespace": metadata["namespace"]}
    own["labels"] = {
        f"helm.toolkit.fluxcd.io/{key}": metadata[key] for key in ("name", "namespace")
    }
    spec = {"interval": item["spec"]["interval"], **template}
    return {"apiVersion": _SOURCES, "kind": "HelmChart", "metadata": own, "spec": spec}


def main():
    """Run until it is ended: `python -m tests.fakes.helm_controller KUBECONFIG`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kubeconfig", type=Path)
    file = parser.parse_args().kubeconfig
    with tempfile.TemporaryDirectory() as name:
        controller = HelmController(_plane(file, Path(name)), file, Path(name))
        while True:
            try:
                controller.look()
            except OSError as error:  # the API server goes first at the end of a test
                print(error, file=sys.stderr, flush=True)
            time.sleep(0.3)


def _plane(file, folder):
    import base64

    cluster = json.loads(file.read_text("utf-8"))["clusters"][0]["cluster"]
    authority = folder / "ca.crt"
    authority.write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    plane = Plane(cluster["server"], authority)
    plane.context = ssl.create_default_context(cafile=str(authority))
    return plane


if __name__ == "__main__":
    main()
