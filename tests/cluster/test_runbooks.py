"""The commands of kubectl in the runbooks of the sample `production`, on a real API server."""

import os
import re
import subprocess

import pytest
import yaml

from tests.cluster import programs
from tests.cluster.conftest import require
from tests.cluster.plane import ADMIN
from tests.cluster.samples import ROOT, ensure_namespace, placed, rendered

pytestmark = [pytest.mark.nightly, pytest.mark.real_chart]
FOLDER = ROOT / "environments/production/generated/runbooks"
# No controller and no kubelet runs: nothing is ever done, and there is no pod to enter.
ENDS = {
    "wait": "timed out waiting for the condition",
    "exec": "timed out|no pods",
    "logs": "timed out|No resources found",
}
CONTROLLER = {
    "apiVersion": "apps/v1", "kind": "Deployment",
    "metadata": {"name": "sealed-secrets-controller", "namespace": "kube-system"},
    "spec": {
        "selector": {"matchLabels": {"name": "sealed-secrets"}},
        "template": {
            "metadata": {"labels": {"name": "sealed-secrets"}},
            "spec": {"containers": [{"name": "controller", "image": "controller:1"}]},
        },
    },
}  # fmt: skip
KEY = {
    "apiVersion": "v1", "kind": "Secret",
    "metadata": {
        "name": "sealed-secrets-key", "namespace": "kube-system",
        "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "active"},
    },
}  # fmt: skip


def lines():
    """In the order of the pages: what one writes another reads."""
    for page in sorted(FOLDER.glob("*.md")):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            yield from (line for line in block.splitlines() if line.startswith("kubectl"))


def test_kubectl_runs_every_command(real_plane, definitions, real_chart, tmp_path):
    require("kubectl")
    (tmp_path / "charts").mkdir()
    namespace, manifests = rendered(real_chart, tmp_path / "charts")["production"]
    ensure_namespace(real_plane, "argocd")
    for manifest in (*manifests, CONTROLLER, KEY):
        own = placed(manifest, namespace)
        if own["kind"] in ("Job", "StatefulSet"):
            real_plane.call("DELETE", f"{real_plane.path(own)}?propagationPolicy=Background")
        real_plane.apply(own)
    pod = CONTROLLER["spec"]["template"]["spec"]
    rehearsal = {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "airflow-rehearsal"},
        "spec": {"template": {"spec": {**pod, "restartPolicy": "Never"}}},
    }  # fmt: skip
    (tmp_path / "rehearsal-job.yaml").write_text(yaml.safe_dump(rehearsal), "utf-8")
    (tmp_path / "bootstrap").symlink_to(ROOT / "bootstrap")
    config = real_plane.kubeconfig(tmp_path / "config", token=ADMIN)
    path = f"{programs.find('kubectl').parent}:{os.environ['PATH']}"
    seen = set()
    for line in dict.fromkeys(lines()):
        short = re.sub(r"--timeout=\S+", "--timeout=1s", line)
        short = re.sub(r" (logs|exec) ", r" \1 --pod-running-timeout=1s ", short)
        done = subprocess.run(
            ["bash", "-c", short], cwd=tmp_path, capture_output=True, text=True, check=False,
            timeout=60, env={"PATH": path, "KUBECONFIG": str(config), "HOME": str(tmp_path)},
        )  # fmt: skip
        verb = re.sub(r"kubectl (--namespace \S+ )?", "", line).split()[0]
        seen.add(verb)
        if done.returncode:
            assert verb in ENDS and re.search(ENDS[verb], done.stderr), (line, done.stderr)
    assert {"apply", "create", "describe", "exec", "get", "logs", "rollout", "wait"} <= seen
