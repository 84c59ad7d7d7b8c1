"""The Job that rehearses a migration in the cluster: a person applies it, no data leaves its pod.

One container restores the last backup into a server of the pod's own, the other one runs the
target's Airflow on it through a socket, and prints the result.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.backup_pod import pod, scripts
from generator.manifests.metadata import Kind, manifest
from generator.model import built_in
from generator.model.backup import Backup
from generator.model.base import seconds_of
from generator.release.backup_names import BACKUP, DRILL, REHEARSAL
from generator.release.release import Release

_JOB = Kind(ResourceType("batch", "v1", "jobs", "Job"))
_CONFIG_MAP = Kind(ResourceType("", "v1", "configmaps", "ConfigMap"))
_SCRIPTS, _WORK, _HOME = "/opt/gen-env", "/work", "/home/rehearsal"
_AIRFLOW_UID = 50000
"""The user of the official image; others of group 0 can use it too."""


def objects(
    release: Release, backup: Backup, image: str, spec: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Job and ConfigMap; `spec` is what `rehearse.py` is told.

    Its pod has the labels of a drill's, or else of a backup's: policies open the storage to it.
    """
    name = release.topology.names.of_part(REHEARSAL)
    work = pod(release, backup, REHEARSAL)
    (database,) = work["containers"]
    work["containers"] = [{**database, "name": "database"}, _airflow(work, image)]
    work["volumes"] = [*work["volumes"], {"emptyDir": {}, "name": "home"}]
    label = DRILL if release.topology.has(DRILL) else BACKUP
    job = {
        "activeDeadlineSeconds": int(seconds_of(backup.deadline)),
        "backoffLimit": 0,
        "template": {
            "metadata": {"labels": release.topology.names.labels(label)},
            "spec": work,
        },
    }
    given = {"folder": _WORK, **spec}
    data = {**scripts(backup, restores=True), "spec.json": json.dumps(given, sort_keys=True)}
    data.pop("restore.sh")
    folder = importlib.resources.files("generator.manifests").joinpath("scripts")
    for script in ("rehearse.py", "rehearse.sh"):
        data[script] = folder.joinpath(script).read_text("utf-8")
    return [
        manifest(release, _CONFIG_MAP, name, {"data": dict(sorted(data.items()))}),
        manifest(release, _JOB, name, {"spec": job}),
    ]


def _airflow(work: Mapping[str, Any], image: str) -> dict[str, Any]:
    """The target; whatever ends it, the server's container ends too."""
    run = f"python {_SCRIPTS}/rehearse.py {_SCRIPTS}/spec.json"
    script = f"{run}; code=$?; touch {_WORK}/done; exit $code"
    context: dict[str, Any] = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    if "runAsUser" in work["securityContext"]:
        context |= {"runAsGroup": 0, "runAsUser": _AIRFLOW_UID}
    return {
        "command": ["sh", "-c", script],
        "env": [
            {"name": "REHEARSAL_HOME", "value": _HOME},
            {"name": "TMPDIR", "value": _HOME},
        ],
        "image": image,
        "name": "airflow",
        "resources": built_in.JOB.everywhere,
        "securityContext": context,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"mountPath": _SCRIPTS, "name": "scripts", "readOnly": True},
            {"mountPath": _WORK, "name": "work"},
            {"mountPath": _HOME, "name": "home"},
        ],
    }
