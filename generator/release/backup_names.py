"""What the backup of an environment is called, and what of it gen-env makes."""

from __future__ import annotations

from generator.model.backup import Backup
from generator.model.environment import Environment
from generator.release.topology import BackupJobs

BACKUP, DRILL, RESTORE, REHEARSAL = "backup", "restore-drill", "restore", "rehearsal"
BEFORE = "backup-before-migration"
"""Component labels of pods that make and that prove backups; the others are Jobs of a person."""
ACCESS_KEY, SECRET_KEY = "access-key-id", "secret-access-key"


def own(environment: Environment) -> Backup | None:
    """The backup that gen-env makes: of PostgreSQL, and not somebody else's."""
    backup = environment.backup
    if backup is None or backup.external is not None or environment.database.type == "mysql":
        return None
    return backup


def jobs(environment: Environment) -> BackupJobs | None:
    """The jobs of that backup, with the names of their Secrets."""
    backup = own(environment)
    if backup is None:
        return None
    drill, s3 = backup.drill, backup.storage.s3 if backup.storage else None
    identity = drill.secret_name if drill else None
    return BackupJobs(
        parts=(BACKUP, DRILL) if drill else (BACKUP,),
        secret=backup.secret_name or f"{environment.release}-backup",
        identity=identity or f"{environment.release}-backup-identity",
        s3=s3 is not None,
        keys=s3 is not None and s3.access == "keys",
        annotations=backup.service_account,
    )
