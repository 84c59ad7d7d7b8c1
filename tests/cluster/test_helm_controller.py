"""The stand-in for helm-controller on a real API server, which checks every status it writes.

What it writes is recorded in tests/generator/verify/recorded_flux.json, by which verification is
judged; `GEN_ENV_RECORD=1` rewrites it.
"""

import copy
import hashlib
import json
import os
import re
import tarfile
import time
from pathlib import Path

import pytest

from tests.cluster.plane import ADMIN
from tests.cluster.samples import ensure_namespace
from tests.fakes import chart_server, helm_release
from tests.fakes.helm_controller import HelmController

pytestmark = pytest.mark.nightly

RECORDED = Path(__file__).resolve().parent.parent / "generator/verify/recorded_flux.json"
_GOOD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: "{{ .Values.x }}"}\n'
_BAD = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 99999}]}\n"
_CHART = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "helmcharts.source.toolkit.fluxcd.io"},
    "spec": {
        "group": "source.toolkit.fluxcd.io",
        "names": {"kind": "HelmChart", "plural": "helmcharts"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}
"""Where source-controller's own definition is not at hand; that program plays no part here."""


class Bench:
    """One HelmRelease in a namespace of its own, its chart served, the stand-in at work."""

    def __init__(self, plane, folder, server, name):
        self.plane, self._folder, self._server = plane, folder, server
        self.namespace = f"helm-{name}"
        ensure_namespace(plane, self.namespace)
        config = plane.kubeconfig(folder / "kubeconfig", token=ADMIN)
        self._controller = HelmController(plane, config, folder)
        self.path = ""
        self.written = []

    def release(self, version="0.1.0", **more):
        """Apply the HelmRelease with this chart, whose artifact is there at once, and look."""
        source = {"kind": "HelmRepository", "name": "charts"}
        spec = {
            "interval": "10m",
            "releaseName": "r",
            "storageNamespace": self.namespace,
            "targetNamespace": self.namespace,
            "timeout": "30s",
            "values": {"x": "1"},
            "chart": {"spec": {"chart": "mini", "version": version, "sourceRef": source}},
            **more,
        }
        manifest = {
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": "r", "namespace": self.namespace},
            "spec": spec,
        }
        self.path = self.plane.path(manifest)
        self.plane.apply(manifest)
        self.look()
        self._fetched(version)
        return self.look()

    def look(self):
        self._controller.look()
        return self.plane.get(self.path)["status"]

    def ask(self):
        """Have it look before its interval is over, as `flux reconcile` does."""
        at = {"reconcile.fluxcd.io/requestedAt": str(len(self.written))}
        self.plane.merge_patch(self.path, {"metadata": {"annotations": at}})
        return self.look()

    def _fetched(self, version):
        """What source-controller says of the chart's archive once it has it."""
        archive = self._folder / f"mini-{version}.tgz"
        templates = {"a.yaml": _GOOD, **({"b.yaml": _BAD} if version.endswith("-bad") else {})}
        _pack(archive, version, templates)
        content = archive.read_bytes()
        self._server.answers[f"/{archive.name}"] = content
        path = self.plane.path(
            {
                "apiVersion": "source.toolkit.fluxcd.io/v1",
                "kind": "HelmChart",
                "metadata": {"name": f"{self.namespace}-r", "namespace": self.namespace},
            }
        )
        artifact = {
            "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "lastUpdateTime": "2026-01-05T10:00:00Z",
            "path": archive.name,
            "revision": version,
            "url": f"{self._server.url}/{archive.name}",
        }
        generation = self.plane.get(path)["metadata"]["generation"]
        status = {"artifact": artifact, "observedGeneration": generation}
        code, answer = self.plane.call(
            "PATCH", f"{path}/status", {"status": status}, content="application/merge-patch+json"
        )
        assert code == 200, answer.get("message")


def _pack(archive, version, templates):
    folder = archive.parent / f"mini-{version}"
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    chart = f"apiVersion: v2\nname: mini\nversion: {version}\nappVersion: '9'\n"
    (folder / "Chart.yaml").write_text(chart, "utf-8")
    for name, text in templates.items():
        (folder / "templates" / name).write_text(text, "utf-8")
    with tarfile.open(archive, "w:gz") as file:
        file.add(folder, "mini")


@pytest.fixture
def bench(real_plane, definitions, tmp_path, request, monkeypatch):
    helm_charts = (
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + (_CHART["metadata"]["name"])
    )
    if real_plane.get(helm_charts) is None:
        real_plane.apply(_CHART)
    name = hashlib.sha256(request.node.name.encode()).hexdigest()[:8]
    with chart_server.serving() as server:
        found = Bench(real_plane, tmp_path, server, name)
        write = helm_release.Release.write

        def writes(release):
            write(release)
            found.written.append(copy.deepcopy(release.status))

        monkeypatch.setattr(helm_release.Release, "write", writes)
        yield found
        real_plane.call("DELETE", found.path)
        found._controller.look()


RETRY = {"strategy": {"name": "RetryOnFailure", "retryInterval": "1s"}}


def conditions(status):
    return {item["type"]: f"{item['status']} {item['reason']}" for item in status["conditions"]}


def history(status):
    return [(item["version"], item["status"], item["action"]) for item in status.get("history", ())]


def recorded(name, status):
    """The status as it is kept, equal to what was recorded before but for times and digests."""
    kept = json.loads(RECORDED.read_text("utf-8")) if RECORDED.is_file() else {}
    found = _timeless(status)
    if "GEN_ENV_RECORD" in os.environ:
        kept[name] = found
        lines = (
            f"{json.dumps(key)}: {json.dumps(kept[key], sort_keys=True)}" for key in sorted(kept)
        )
        RECORDED.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")
    assert kept.get(name) == found


def _timeless(value):
    if isinstance(value, dict):
        return {key: _FIXED.get(key) or _timeless(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    return _SPACE.sub("airflow-staging", value) if isinstance(value, str) else value


_SPACE = re.compile(r"helm-[0-9a-f]{8}")
_FIXED = {
    "lastTransitionTime": "2026-01-05T10:00:00Z",
    "firstDeployed": "2026-01-05T10:00:00Z",
    "lastDeployed": "2026-01-05T10:00:00Z",
    "deleted": "2026-01-05T10:00:00Z",
    "digest": "sha256:" + "0" * 64,
    "lastHandledReconcileAt": "1",
}


def test_it_installs_says_what_it_does_and_is_ready(bench):
    status = bench.release()
    assert conditions(status) == dict.fromkeys(("Ready", "Released"), "True InstallSucceeded")
    assert history(status) == [(1, "deployed", "install")]
    assert status["inventory"]["entries"] == [{"id": f"{bench.namespace}_a__ConfigMap", "v": "v1"}]
    ready = [conditions(item).get("Ready") for item in bench.written]
    assert ready[:2] == [None, "False SourceNotReady"]
    recorded("source not ready", bench.written[1])
    recorded("in progress", bench.written[ready.index("Unknown Progressing")])
    recorded("ready", status)


def test_drift_is_reported_and_corrected_only_where_that_is_wanted(bench):
    bench.release(driftDetection={"mode": "warn"})
    place = f"/api/v1/namespaces/{bench.namespace}/configmaps/a"
    bench.plane.merge_patch(place, {"data": {"x": "2"}})
    status = bench.ask()
    assert conditions(status)["Drifted"] == "True DriftDetected"
    assert conditions(status)["Ready"] == "True InstallSucceeded"
    assert bench.plane.get(place)["data"] == {"x": "2"}
    recorded("drifted", status)
    bench.plane.merge_patch(bench.path, {"spec": {"driftDetection": {"mode": "enabled"}}})
    status = bench.look()
    assert conditions(status)["Drifted"] == "False NoDriftDetected"
    assert bench.plane.get(place)["data"] == {"x": "1"}
    recorded("drift corrected", status)


def test_with_retry_on_failure_a_failed_upgrade_is_tried_again_and_never_undone(bench):
    bench.release(upgrade=RETRY)
    status = bench.release("0.2.0-bad", upgrade=RETRY)
    assert conditions(status)["Ready"] == "False UpgradeFailed"
    assert conditions(status)["Reconciling"] == "True ProgressingWithRetry"
    assert status["failures"] == 1
    recorded("failed, to be tried again", status)
    time.sleep(1.1)
    status = bench.look()
    assert status["failures"] == 2 and "Remediated" not in conditions(status)
    recorded("failed twice, to be tried again", status)
    status = bench.release(upgrade=RETRY)
    assert conditions(status)["Ready"] == "True UpgradeSucceeded"
    assert "failures" not in status


def test_a_failed_upgrade_is_rolled_back_where_remediation_says_so(bench):
    remediation = {"remediation": {"retries": 1}}
    bench.release(upgrade=remediation)
    status = bench.release("0.2.0-bad", upgrade=remediation)
    assert conditions(status)["Remediated"] == "True RollbackSucceeded"
    assert conditions(status)["Ready"] == "False RollbackSucceeded"
    recorded("rolled back, to be tried again", status)
    status = bench.look()
    assert conditions(status)["Stalled"] == "True RetriesExceeded"
    recorded("rolled back, retries exceeded", status)


def test_a_failed_install_is_uninstalled_where_remediation_says_so(bench):
    status = bench.release("0.2.0-bad", install={"remediation": {"retries": 1}})
    assert conditions(status)["Remediated"] == "True UninstallSucceeded"
    recorded("uninstalled, to be tried again", status)
    status = bench.look()
    assert conditions(status)["Stalled"] == "True RetriesExceeded"
    recorded("install failed, retries exceeded", status)


def test_suspended_it_stays_and_is_deleted_without_uninstalling(bench):
    bench.release()
    place = f"/api/v1/namespaces/{bench.namespace}/configmaps/a"
    bench.plane.merge_patch(bench.path, {"spec": {"suspend": True, "values": {"x": "9"}}})
    status = bench.look()
    assert bench.plane.get(place)["data"] == {"x": "1"}
    recorded("suspended", status)
    bench.plane.call("DELETE", bench.path)
    bench._controller.look()
    assert bench.plane.get(bench.path) is None
    assert bench.plane.get(place) is not None


def test_other_records_uninstall_the_release_that_it_had(bench):
    """What `impact/helm-records` says of a change of names."""
    bench.release()
    status = bench.release(releaseName="other")
    assert history(status)[0][:2] == (1, "deployed")
    annotations = bench.plane.get(f"/api/v1/namespaces/{bench.namespace}/configmaps/a")["metadata"]
    assert annotations["annotations"]["meta.helm.sh/release-name"] == "other"


def test_an_adopted_release_is_upgraded_in_place(bench):
    """A release that somebody else installed, found by its name and storage."""
    bench.release()
    uid = bench.plane.get(f"/api/v1/namespaces/{bench.namespace}/configmaps/a")["metadata"]["uid"]
    bench.plane.merge_patch(bench.path, {"spec": {"suspend": True}})
    bench.look()
    bench.plane.call("DELETE", bench.path)
    bench._controller.look()
    status = bench.release()
    assert history(status) == [(2, "deployed", "upgrade")]
    after = bench.plane.get(f"/api/v1/namespaces/{bench.namespace}/configmaps/a")["metadata"]
    assert after["uid"] == uid


def test_the_fake_refuses_what_it_does_not_play(bench):
    with pytest.raises(AssertionError, match="does not play"):
        bench.release(postRenderers=[{"kustomize": {}}])
