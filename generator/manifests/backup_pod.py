"""The pods that make, prove and restore backups: one image, one script each, and what it needs.

Secrets reach a script as variables or files, never as arguments.
"""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Mapping
from typing import Any

from generator.airflow import migrations
from generator.model import built_in
from generator.model.backup import Backup
from generator.model.base import seconds_of
from generator.model.stores import PostgreSQL
from generator.release import authorities
from generator.release.backup_names import (
    ACCESS_KEY,
    BACKUP,
    BEFORE,
    DRILL,
    REHEARSAL,
    RESTORE,
    SECRET_KEY,
)
from generator.release.release import Release

_SCRIPTS, _WORK, _FOLDER, _IDENTITY = "/opt/gen-env", "/work", "/backups", "/identity"
_IMAGES_CA = "/etc/ssl/certs/ca-certificates.crt"
_STATSD = 9125
_SCRIPT = {
    BACKUP: "backup.sh", BEFORE: "before.sh", DRILL: "drill.sh", REHEARSAL: "rehearse.sh",
    RESTORE: "restore.sh",
}  # fmt: skip
# Their server is one of the pod itself.
_OWN_SERVER = frozenset({DRILL, REHEARSAL})


def scripts(backup: Backup, *, restores: bool = False) -> dict[str, str]:
    """The files of the ConfigMap: what the jobs run, and to whom they encrypt."""
    folder = importlib.resources.files("generator.manifests").joinpath("scripts")
    names = ["restore.sh"] if restores else ["backup.sh", "drill.sh", "fernet.sql"]
    names += ["heads.sql", "rows.sql", "store.sh"]
    names += ["before.sh"] if backup.before_migration and not restores else []
    found = {name: folder.joinpath(name).read_text("utf-8") for name in sorted(names)}
    if restores or backup.encryption is None:
        return found
    return {**found, "recipients.txt": "".join(f"{x}\n" for x in backup.encryption.recipients)}


def pod(release: Release, backup: Backup, part: str) -> dict[str, Any]:
    environment = release.environment
    found: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "containers": [_container(release, backup, part)],
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "securityContext": _identity(release, backup),
        "serviceAccountName": release.topology.names.of_part(BACKUP),
        "volumes": _volumes(release, backup, part),
    }
    if environment.image.pull_secrets:
        found["imagePullSecrets"] = [{"name": name} for name in environment.image.pull_secrets]
    placement = environment.placement.model_dump(mode="json", by_alias=True, exclude_none=True)
    wanted = ("nodeSelector", "tolerations", "priorityClassName")
    return {**found, **{key: placement[key] for key in wanted if placement.get(key)}}


def _identity(release: Release, backup: Backup) -> dict[str, Any]:
    context = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    security, cluster = release.environment.security, release.resolved.cluster
    if backup.uid is None or security.openshift or cluster.openshift:
        return context
    ids = {"fsGroup": backup.uid, "runAsGroup": backup.uid, "runAsUser": backup.uid}
    return {**ids, "fsGroupChangePolicy": "OnRootMismatch", **context}


def _container(release: Release, backup: Backup, part: str) -> dict[str, Any]:
    assert backup.image is not None
    script = f"{_SCRIPTS}/{_SCRIPT[part]}"
    if backup.resources is not None:
        resources = backup.resources.model_dump(mode="json", by_alias=True, exclude_none=True)
    else:
        resources = built_in.JOB.everywhere
    variables = {"SCRIPT": script, **_about_run(release, backup, part)}
    secret = [
        {"name": name, "valueFrom": {"secretKeyRef": {"key": key, "name": where}}}
        for name, (where, key) in _secrets(release, backup, part).items()
    ]
    return {
        "command": ["bash", script],
        "env": [{"name": name, "value": value} for name, value in sorted(variables.items())]
        + sorted(secret, key=lambda row: str(row["name"])),
        "image": backup.image.reference,
        "name": part,
        "resources": resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": _mounts(backup, part, release),
    }


def _about_run(release: Release, backup: Backup, part: str) -> dict[str, str]:
    found = {
        "BACKUP_NAME": _folder(release),
        "HOME": _WORK,
        "TMPDIR": _WORK,
        "WORK": _WORK,
        **_storage(release, backup),
    }
    if release.topology.has("statsd"):
        found["STATSD_HOST"] = release.topology.names.of_part("statsd")
        found["STATSD_PORT"] = str(_STATSD)
    if part not in _OWN_SERVER:
        found |= _server(release)
    if part == BACKUP:
        return found | _dump(release, backup)
    if part == BEFORE:
        script = {"SCRIPT": f"{_SCRIPTS}/{_SCRIPT[BACKUP]}"}
        heads = image_heads(release)
        given = {"EXPECTED_HEADS": json.dumps(heads, sort_keys=True)} if heads else {}
        return found | _dump(release, backup) | script | given
    found["IDENTITY"] = f"{_IDENTITY}/identity"
    if part == RESTORE:
        known = migrations.known_revisions(_version(release))
        return found | {"ACCEPTED_HEADS": " ".join(known)}
    if part == REHEARSAL:
        return found
    assert backup.drill is not None
    found["MAX_AGE"] = str(int(seconds_of(backup.drill.max_age)))
    heads = expected_heads(release)
    return found | ({"EXPECTED_HEADS": json.dumps(heads, sort_keys=True)} if heads else {})


def _dump(release: Release, backup: Backup) -> dict[str, str]:
    return {
        "ABOUT": json.dumps(about(release), sort_keys=True),
        "KEEP_DAYS": str(backup.retention.days),
        "KEEP_LAST": str(backup.retention.at_least),
        "LOCK_TIMEOUT": str(int(1000 * seconds_of(backup.lock_timeout))),
    }


def _server(release: Release) -> dict[str, str]:
    """The server itself: a snapshot does not outlive a transaction of a pool."""
    database = release.environment.database
    assert isinstance(database, PostgreSQL)
    host, name, mode = database.host, database.name, database.ssl_mode
    if host is None:
        host, name, mode = release.topology.names.postgresql, "postgres", "disable"
    found = {
        "PGDATABASE": name,
        "PGHOST": host,
        "PGPORT": str(database.port),
        "PGSSLMODE": mode,
    }
    if release.environment.trusts("database"):
        found["PGSSLROOTCERT"] = authorities.FILE
    elif mode in ("verify-ca", "verify-full"):
        # For these alone: with a file, libpq verifies for `require` too.
        found["PGSSLROOTCERT"] = _IMAGES_CA
    return found


def about(release: Release) -> dict[str, str]:
    """What a backup's manifest says of where it comes from; by the definition, not the cluster."""
    environment = release.environment
    image = f"{environment.image.repository}:{environment.image_tag}"
    return {
        "airflow": environment.airflow.version,
        "chart": environment.chart.version,
        "environment": release.resolved.name,
        "image": f"{image}@{environment.image.digest}" if environment.image.digest else image,
    }


def expected_heads(release: Release) -> dict[str, list[str]]:
    """The revisions that the image's Airflow and providers have, by table, as far as they are
    known; a provider's table is named after it (`version_table_name` of its manager)."""
    head = migrations.revision_head(_version(release))
    heads = {"alembic_version": head}
    for name, number in (release.runs.providers or {}).items():
        heads[f"alembic_version_{name}"] = migrations.provider_head(name, number)
    return {
        table: [head.revision]
        for table, head in heads.items()
        if head.revision and not head.assumed
    }


def image_heads(release: Release) -> dict[str, list[str]]:
    """The same where all are known, else nothing."""
    providers, found = release.runs.providers, expected_heads(release)
    if providers is None or "alembic_version" not in found:
        return {}
    unknown = (migrations.provider_head(*item).assumed for item in providers.items())
    return {} if any(unknown) else found


def _version(release: Release) -> str:
    """The Airflow of the image; '' where its tag contradicts `airflow.version`, and facts are not
    written down."""
    runs = release.runs
    return "" if runs.contradiction else runs.airflow


def _folder(release: Release) -> str:
    return release.resolved.name.replace("/", ".")


def _storage(release: Release, backup: Backup) -> dict[str, str]:
    """rclone reads a remote called `store` from variables; a volume needs no program."""
    assert backup.storage is not None
    s3 = backup.storage.s3
    if s3 is None:
        return {"BACKUP_FOLDER": _FOLDER}
    prefix = f"{s3.prefix.strip('/')}/" if s3.prefix else ""
    found = {
        "BACKUP_REMOTE": f"{s3.bucket}/{prefix}{_folder(release)}",
        "RCLONE_CONFIG": f"{_WORK}/rclone.conf",
        "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET": "true",
        "RCLONE_CONFIG_STORE_PROVIDER": "Other" if s3.endpoint else "AWS",
        "RCLONE_CONFIG_STORE_TYPE": "s3",
        "RCLONE_CONFIG_STORE_ENV_AUTH": "true" if s3.access == "role" else "false",
    }
    if release.environment.trusts("https"):
        found["SSL_CERT_FILE"] = authorities.FILE
    if s3.endpoint:
        found["RCLONE_CONFIG_STORE_ENDPOINT"] = s3.endpoint
    if s3.region:
        found["RCLONE_CONFIG_STORE_REGION"] = s3.region
    return found


def _secrets(release: Release, backup: Backup, part: str) -> dict[str, tuple[str, str]]:
    """Variable → Secret and key."""
    jobs = release.topology.backup
    assert jobs is not None
    own = jobs.secret
    found = {} if part == REHEARSAL else {"FERNET_KEY": _fernet(release)}
    if part not in _OWN_SERVER:
        role = own if part in (BACKUP, BEFORE) else restore_secret(release)
        found |= {"PGUSER": (role, "username"), "PGPASSWORD": (role, "password")}
    if jobs.keys:
        found["RCLONE_CONFIG_STORE_ACCESS_KEY_ID"] = (own, ACCESS_KEY)
        found["RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY"] = (own, SECRET_KEY)
    return found


def restore_secret(release: Release) -> str:
    """A role that may make databases: a person makes this Secret for a restore, and deletes it."""
    return f"{release.environment.release}-restore"


def _fernet(release: Release) -> tuple[str, str]:
    """Secret and key that hold the Fernet key."""
    held = (
        (need.name, key.name)
        for need in release.needs
        for key in need.keys
        if key.source == "fernet"
    )
    return next(held, (f"{release.environment.release}-fernet-key", "fernet-key"))


def _mounts(backup: Backup, part: str, release: Release) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"mountPath": _SCRIPTS, "name": "scripts", "readOnly": True},
        {"mountPath": _WORK, "name": "work"},
    ]
    if backup.storage is not None and backup.storage.volume is not None:
        found.append({"mountPath": _FOLDER, "name": "backups", "subPath": _folder(release)})
    if release.environment.ca is not None:
        found.append(authorities.mount())
    if part not in (BACKUP, BEFORE):
        found.append({"mountPath": _IDENTITY, "name": "identity", "readOnly": True})
    return found


def _volumes(release: Release, backup: Backup, part: str) -> list[dict[str, Any]]:
    room = backup.drill.scratch if part in _OWN_SERVER and backup.drill else backup.scratch
    of_person = part in (RESTORE, REHEARSAL)
    config = release.topology.names.of_part(part if of_person else BACKUP)
    found: list[dict[str, Any]] = [
        {"configMap": {"name": config}, "name": "scripts"},
        {"emptyDir": {"sizeLimit": room}, "name": "work"},
    ]
    if backup.storage is not None and (volume := backup.storage.volume) is not None:
        claim: Mapping[str, Any] = {"claimName": volume.claim}
        found.append({"name": "backups", "persistentVolumeClaim": claim})
    if release.environment.ca is not None:
        found.append(authorities.volume(release.environment.ca))
    if part not in (BACKUP, BEFORE):
        assert release.topology.backup is not None
        secret = {"defaultMode": 0o440, "secretName": release.topology.backup.identity}
        found.append({"name": "identity", "secret": secret})
    return found
