"""Backups that stop, move or get other readers."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.context import Context, View, listed
from generator.impact.finding import INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key, Object

STOPS = ImpactRule(
    "impact/backup-stops",
    WARNING,
    "Backups, or the drills that prove them, stop",
    "From now on no backup is made, or none is test-restored.",
    "gen-env",
)
MOVES = ImpactRule(
    "impact/backup-moves",
    WARNING,
    "Backups are stored elsewhere",
    "Retention and drills no longer reach the older ones, and a drill fails until the next backup.",
    "gen-env",
)
READERS = ImpactRule(
    "impact/backup-readers",
    INFO,
    "Other keys open the backups",
    "Who has only a removed key cannot open backups that are made from now on; older ones stay as "
    "they are.",
    "gen-env",
    also=((WARNING, "none of the former keys is left: the drill fails without the new identity"),),
)

_PARTS = {"backup": "backups", "restore-drill": "drills"}
_PLACE = frozenset(
    {"BACKUP_NAME", "BACKUP_FOLDER", "BACKUP_REMOTE", "RCLONE_CONFIG_STORE_ENDPOINT"}
)
_MANAGED = "app.kubernetes.io/managed-by"


def backups(context: Context) -> Iterator[Finding]:
    """`impact/backup-…`: what a change does to the CronJobs of `backup:`."""
    before, after = _jobs(context.base), _jobs(context.head)
    for part, (key, old) in sorted(before.items()):
        new = after.get(part)
        if new is None:
            yield STOPS.finding(key, f"the CronJob is removed: {_PARTS[part]} stop")
        elif _suspended(new[1]) and not _suspended(old):
            words = f"the CronJob is suspended: {_PARTS[part]} stop until it is resumed"
            yield STOPS.finding(new[0], words)
    if "backup" in before and "backup" in after:
        key, present = after["backup"]
        if _place(before["backup"][1]) != _place(present):
            yield MOVES.finding(key, "the storage changes; what is stored stays where it is")
    yield from _readers(context)


def _jobs(view: View) -> dict[str, tuple[Key, Object]]:
    found = {}
    for key, item in view.of_kind("CronJob").items():
        ours = fields.section(item, "metadata", "labels").get(_MANAGED) == "gen-env"
        part = fields.section(_template(item), "metadata", "labels").get("component")
        if ours and part in _PARTS:
            found[str(part)] = (key, item)
    return found


def _template(item: Object) -> Object:
    return fields.section(item, "spec", "jobTemplate", "spec", "template")


def _suspended(item: Object) -> bool:
    return fields.section(item, "spec").get("suspend") is True


def _place(item: Object) -> set[tuple[str, str]]:
    spec = fields.section(_template(item), "spec")
    claims = {
        ("claim", fields.text(row, "persistentVolumeClaim", "claimName"))
        for row in fields.entries(spec, "volumes")
        if row.get("persistentVolumeClaim")
    }
    rows = [row for one in fields.entries(spec, "containers") for row in fields.entries(one, "env")]
    return claims | {
        (str(row.get("name")), str(row.get("value"))) for row in rows if row.get("name") in _PLACE
    }


def _readers(context: Context) -> Iterator[Finding]:
    old, new = _recipients(context.base), _recipients(context.head)
    for key, after in new.items():
        before = old.get(key, frozenset())
        if not before or before == after:
            continue
        left, come = sorted(before - after), sorted(after - before)
        words = [f"new backups cannot be opened with {listed(left)}"] if left else []
        words += [f"new backups can be opened with {listed(come)}"] if come else []
        yield READERS.finding(key, "; ".join(words), INFO if before & after else WARNING)


def _recipients(view: View) -> dict[Key, frozenset[str]]:
    return {
        key: frozenset(text.split())
        for key, item in view.of_kind("ConfigMap").items()
        if (text := fields.text(item, "data", "recipients.txt"))
    }


FINDERS = (backups,)
