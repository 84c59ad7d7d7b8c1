"""The Job that restores a backup into the environment's own database: a person applies it."""

from __future__ import annotations

from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.backup_pod import pod, scripts
from generator.manifests.metadata import Kind, manifest
from generator.model.backup import Backup
from generator.model.base import seconds_of
from generator.release.backup_names import BACKUP, RESTORE
from generator.release.release import Release

_JOB = Kind(ResourceType("batch", "v1", "jobs", "Job"))
_CONFIG_MAP = Kind(ResourceType("", "v1", "configmaps", "ConfigMap"))


def objects(release: Release, backup: Backup, at: str) -> list[dict[str, Any]]:
    """Job and ConfigMap; `at` (20260102T030405Z) bounds the backup's time, '' means the newest.

    Its pod has the labels of a backup's: policies open database and storage to it.
    """
    name = release.topology.names.of_part(RESTORE)
    spec = pod(release, backup, RESTORE)
    (container,) = spec["containers"]
    container["env"] = [{"name": "AT", "value": at}, *container["env"]]
    job = {
        "activeDeadlineSeconds": int(seconds_of(backup.deadline)),
        "backoffLimit": 0,
        "template": {
            "metadata": {"labels": release.topology.names.labels(BACKUP)},
            "spec": spec,
        },
    }
    config = {"data": scripts(backup, restores=True)}
    return [
        manifest(release, _CONFIG_MAP, name, config),
        manifest(release, _JOB, name, {"spec": job}),
    ]
