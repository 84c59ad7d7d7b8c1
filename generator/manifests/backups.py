"""Backups of the metadata database and the drills that restore them: CronJobs and their scripts."""

from __future__ import annotations

from typing import Any

from generator.kube.resource_type import ResourceType
from generator.manifests.backup_pod import pod, scripts
from generator.manifests.metadata import POLICY_WAVE, Kind, Manifest, manifest
from generator.model.backup import Backup
from generator.model.base import seconds_of
from generator.release import backup_names
from generator.release.backup_names import BACKUP, BEFORE, DRILL
from generator.release.release import Release

_CRON_JOB = Kind(ResourceType("batch", "v1", "cronjobs", "CronJob"))
_JOB = Kind(ResourceType("batch", "v1", "jobs", "Job"), wave=-1, optional=True)
_CONFIG_MAP = Kind(ResourceType("", "v1", "configmaps", "ConfigMap"), wave=POLICY_WAVE)
_HOOK = {
    "argocd.argoproj.io/hook": "Sync",
    "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
}
_ACCOUNT = Kind(ResourceType("", "v1", "serviceaccounts", "ServiceAccount"), wave=POLICY_WAVE)


def objects(release: Release) -> list[dict[str, Any]]:
    """The CronJobs with their ConfigMap and account; nothing without a backup of gen-env's own."""
    backup = backup_names.own(release.environment)
    if backup is None:
        return []
    name = release.topology.names.of_part(BACKUP)
    account = {"automountServiceAccountToken": False}
    made = manifest(release, _ACCOUNT, name, account)
    if backup.service_account:
        own = {**backup.service_account, **made["metadata"].get("annotations", {})}
        made["metadata"]["annotations"] = dict(sorted(own.items()))
    found = [made, manifest(release, _CONFIG_MAP, name, {"data": scripts(backup)})]
    found.append(_cron_job(release, backup, BACKUP, backup.schedule))
    if backup.before_migration and release.environment.engine != "flux":
        found.append(_before_migration(release, backup))
    if backup.drill is not None:
        found.append(_cron_job(release, backup, DRILL, backup.drill.schedule))
    return found


def _before_migration(release: Release, backup: Backup) -> dict[str, Any]:
    """A hook of the sync phase, before the migration and after the objects that it needs: those of
    the PreSync phase run when the first sync has made none of them."""
    name = release.topology.names.of_part(BEFORE)
    made = manifest(release, _JOB, name, {"spec": _job(release, backup, BEFORE)})
    own = {**made["metadata"]["annotations"], **_HOOK}
    made["metadata"]["annotations"] = dict(sorted(own.items()))
    return made


def _job(release: Release, backup: Backup, part: str) -> dict[str, Any]:
    label = BACKUP if part == BEFORE else part
    template = {
        "metadata": {"labels": release.topology.names.labels(label)},
        "spec": pod(release, backup, part),
    }
    return {
        "activeDeadlineSeconds": int(seconds_of(backup.deadline)),
        "backoffLimit": 0,
        "template": template,
    }


def _cron_job(release: Release, backup: Backup, part: str, schedule: str) -> dict[str, Any]:
    spec = {
        "concurrencyPolicy": "Forbid",
        "failedJobsHistoryLimit": 3,
        "jobTemplate": {"spec": _job(release, backup, part)},
        "schedule": schedule,
        "startingDeadlineSeconds": 3600,
        "successfulJobsHistoryLimit": 3,
        "suspend": backup.suspend,
        "timeZone": backup.time_zone,
    }
    return manifest(release, _CRON_JOB, release.topology.names.of_part(part), {"spec": spec})


MANIFEST = Manifest("backup", (_CRON_JOB, _JOB, _CONFIG_MAP, _ACCOUNT), objects)
