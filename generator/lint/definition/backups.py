"""Rules about the backup of the metadata database, and the drills that prove it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.rule import PRODUCTION_ONLY
from generator.lint.definition.rule import Found, Place, marker
from generator.lint.rule import ERROR, INFO, WARNING
from generator.model.base import seconds_of
from generator.monitoring.kept_alerts import longest_gap
from generator.release import backup_names
from generator.release.release import Release

FOUND: Found = []
_rule = marker(FOUND)
_HOURS_OFF = 3600.0
"""How far apart two days may be when clocks change, in seconds."""


@_rule(
    "backup/none",
    INFO,
    "No backup is named",
    "Connections, variables and the history of all runs are in the database alone.",
    PRODUCTION_ONLY,
)
def _none(release: Release) -> Iterator[Place]:
    if release.environment.backup is not None:
        return
    if release.environment.database.type == "mysql":
        yield (
            ("database",),
            "gen-env cannot back up MySQL: its backup is up to the user",
            'name what makes it: backup: {external: "…"}',
        )
    else:
        yield (
            ("database",),
            "the definition names no backup of the database",
            'add backup, or name what makes it: backup: {external: "…"}',
        )


@_rule(
    "backup/mysql",
    ERROR,
    "A backup of MySQL",
    "The scripts dump PostgreSQL; nothing would be made.",
)
def _mysql(release: Release) -> Iterator[Place]:
    backup = release.environment.backup
    if (
        backup is not None
        and backup.external is None
        and release.environment.database.type == "mysql"
    ):
        yield (
            ("backup",),
            "gen-env cannot back up MySQL: its backup is up to the user",
            'name what makes it: backup: {external: "…"}',
        )


@_rule(
    "backup/schedule",
    ERROR,
    "A backup or drill without a valid schedule",
    "The cluster refuses the CronJob, and with it the whole sync.",
)
def _schedule(release: Release) -> Iterator[Place]:
    import zoneinfo

    from croniter import croniter

    backup = backup_names.own(release.environment)
    if backup is None:
        return
    schedules: list[tuple[tuple[str, ...], str]] = [(("backup", "schedule"), backup.schedule)]
    if backup.drill is not None:
        schedules.append((("backup", "drill", "schedule"), backup.drill.schedule))
    for place, schedule in schedules:
        if len(schedule.split()) != 5 or not croniter.is_valid(schedule):
            hint = "five fields, such as 0 2 * * *"
            yield place, f"'{schedule}' is not a cron expression", hint
    if backup.time_zone not in zoneinfo.available_timezones():
        yield (
            ("backup", "timeZone"),
            f"unknown time zone '{backup.time_zone}'",
            "use a name such as Europe/Berlin",
        )


@_rule(
    "backup/max-age",
    WARNING,
    "Backups that are rarer than a drill allows",
    "The drill fails although every backup went well.",
)
def _age(release: Release) -> Iterator[Place]:
    backup = backup_names.own(release.environment)
    if backup is None or backup.drill is None:
        return
    gap, allowed = longest_gap(backup.schedule), seconds_of(backup.drill.max_age)
    if gap > allowed + _HOURS_OFF:
        yield (
            ("backup", "drill", "maxAge"),
            f"up to {gap / 3600:.0f} hours lie between two backups, and a drill fails where the "
            f"newest is older than {backup.drill.max_age}",
            "raise maxAge, or back up more often",
        )


@_rule(
    "backup/image-not-read",
    INFO,
    "The backup image was not read",
    "Without one of its programs every backup, or every drill, fails.",
)
def _image(release: Release) -> Iterator[Place]:
    backup = backup_names.own(release.environment)
    if backup is None or backup.storage is None:
        return
    programs = "bash, pg_dump, psql, age" + (", rclone" if backup.storage.s3 else "")
    server = " and a PostgreSQL server with pgcrypto" if backup.drill else ""
    yield (
        ("backup", "image"),
        f"the image must hold {programs}{server}, of the database's major version or newer; what "
        "is in it was not read",
        "docs/backup.md shows how to build one; suppress this once a drill has passed",
    )


@_rule(
    "backup/image-digest",
    WARNING,
    "An image of backups without a digest",
    "It reads the whole database and holds its keys; a tag can move.",
    PRODUCTION_ONLY,
)
def _digest(release: Release) -> Iterator[Place]:
    backup = backup_names.own(release.environment)
    if backup is not None and backup.image is not None and backup.image.digest is None:
        yield ("backup", "image"), "the image has no digest", "add backup.image.digest"


@_rule(
    "backup/no-drill",
    WARNING,
    "Backups without a restore drill",
    "Only a restore shows whether a backup is complete and can be opened.",
)
def _drill(release: Release) -> Iterator[Place]:
    backup = backup_names.own(release.environment)
    if backup is not None and backup.drill is None:
        yield ("backup", "drill"), "no drill restores the backups", "remove drill: null"


@_rule(
    "backup/one-recipient",
    WARNING,
    "Backups that only this cluster can open",
    "The drill's key is in the cluster: whoever loses the cluster loses the backups.",
    PRODUCTION_ONLY,
)
def _recipients(release: Release) -> Iterator[Place]:
    backup = backup_names.own(release.environment)
    if backup is None or backup.drill is None or backup.encryption is None:
        return
    if len(set(backup.encryption.recipients)) < 2:
        yield (
            ("backup", "encryption", "recipients"),
            "backups are encrypted to one key only, which the drill needs in the cluster",
            "add the public key of an identity that is kept elsewhere",
        )


@_rule(
    "backup/before-migration",
    ERROR,
    "A backup before the migration that cannot run",
    "The sync would wait for it, or migrate before it.",
)
def _before(release: Release) -> Iterator[Place]:
    backup = backup_names.own(release.environment)
    if backup is None or not backup.before_migration:
        return
    place = ("backup", "beforeMigration")
    if release.environment.engine == "flux":
        hint = "remove it, and back up by hand before an upgrade: see docs/backup.md"
        yield place, "Flux has no hook between the objects of a backup and the migration", hint
    if release.environment.database.host is None:
        hint = "remove it, or use a server outside of the release"
        yield place, "the database of the release starts in the same sync, after its hooks", hint
