"""The controllers of a cluster beside its API server: workloads, scheduling, and pods that run.

Nothing is really run: kwok says of the pods on its nodes what `stages.yaml` has it say.
"""

import contextlib
import json
import os
from pathlib import Path

from tests.cluster import process, programs
from tests.cluster.plane import ADMIN
from tests.loopback import free_port

PROGRAMS = ("kube-controller-manager", "kube-scheduler", "kwok")
STORAGE_CLASS = "by-hand"
LAST_WORDS = ("starting", "sqlalchemy.exc.OperationalError: could not translate host name")
"""What every container's log says, in the format of the container runtimes."""
_STAGES = Path(__file__).with_name("stages.yaml")


@contextlib.contextmanager
def running(plane, folder):
    """Start the controllers below `folder`, with two nodes and volumes enough to bind."""
    config = plane.kubeconfig(folder / "kubeconfig", token=ADMIN)
    with contextlib.ExitStack() as stack:
        for name, arguments in (
            ("kube-controller-manager", _manager(folder, config)),
            ("kube-scheduler", _scheduler(config)),
            ("kwok", _kwok(folder, config)),
        ):
            log = folder / f"{name}.log"
            environ = {**os.environ, "HOME": str(folder)}
            stack.enter_context(
                process.running([programs.find(name), *arguments], log, environ=environ)
            )
        for number in (1, 2):
            plane.apply(_node(f"node-{number}"))
        _volumes(plane)
        process.until(
            lambda: all(_is_ready(plane, f"node-{number}") for number in (1, 2)),
            "two ready nodes",
            log=folder / "kwok.log",
        )
        process.until(
            lambda: plane.get("/api/v1/namespaces/default/serviceaccounts/default"),
            "the default ServiceAccount",
            log=folder / "kube-controller-manager.log",
        )
        yield


def _manager(folder, config):
    return [
        f"--kubeconfig={config}",
        "--leader-elect=false",
        "--secure-port=0",
        # A busy machine is late with heartbeats; that is not what is tested.
        "--node-monitor-grace-period=10m",
        f"--service-account-private-key-file={folder / 'sa.key'}",
        f"--root-ca-file={folder / 'certs' / 'apiserver.crt'}",
    ]


def _scheduler(config):
    return [f"--kubeconfig={config}", "--leader-elect=false", "--secure-port=0"]


def _kwok(folder, config):
    """Its server stands for the kubelets: the API server asks it for logs."""
    words = folder / "last-words.log"
    lines = (f"2026-01-05T10:00:00.000000000Z stderr F {line}\n" for line in LAST_WORDS)
    words.write_text("".join(lines), encoding="utf-8")
    logs = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterLogs",
        "metadata": {"name": "last-words"},
        "spec": {"logs": [{"logsFile": str(words), "previousLogsFile": str(words)}]},
    }
    stages = folder / "stages.yaml"
    stages.write_text(f"{_STAGES.read_text('utf-8')}---\n{json.dumps(logs)}\n", encoding="utf-8")
    port = free_port()
    return [
        f"--kubeconfig={config}",
        "--manage-all-nodes=true",
        f"--config={stages}",
        "--node-ip=127.0.0.1",
        f"--node-port={port}",
        f"--server-address=127.0.0.1:{port}",
        f"--tls-cert-file={folder / 'certs' / 'apiserver.crt'}",
        f"--tls-private-key-file={folder / 'certs' / 'apiserver.key'}",
    ]


def _node(name):
    amounts = {"cpu": "16", "memory": "64Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
        },
        "status": {"allocatable": amounts, "capacity": amounts},
    }


def _volumes(plane):
    """A default class without a provisioner, and volumes made by hand that fit every claim."""
    plane.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": STORAGE_CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "kubernetes.io/no-provisioner",
        }
    )
    for number in range(100):
        plane.apply(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": f"volume-{number}"},
                "spec": {
                    "storageClassName": STORAGE_CLASS,
                    "capacity": {"storage": "1Ti"},
                    "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
                    "hostPath": {"path": f"/volume-{number}"},
                },
            }
        )


def _is_ready(plane, node):
    conditions = (plane.get(f"/api/v1/nodes/{node}") or {}).get("status", {}).get("conditions", [])
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
