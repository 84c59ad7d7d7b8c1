"""Data that is lost although its object stays: with a pod, a replica, or the next clean-up."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterator
from typing import Any

from generator.core.counted import counted
from generator.impact import volumes
from generator.impact.context import Context, View, listed
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.impact.rules.data import DATA_LOSS
from generator.impact.rules.restarts import waits
from generator.kube import fields
from generator.kube.resource import Key
from generator.kube.workload import ROLLED, Workload, command

BROKER_EMPTIED = ImpactRule(
    "impact/broker-emptied",
    WARNING,
    "A broker without a volume restarts",
    "The queue is in an emptyDir and is deleted with the pod.",
    "Kubernetes",
)

_CLEAN = re.compile(r"\bairflow\s{1,8}db\s{1,8}clean\b")
_AGE = re.compile(
    r"date\s{1,8}(?:-d|--date)[=\s]{1,8}[\"']?-?\s{0,8}(\d{1,6})\s{0,8}(hour|day|week|month|year)s?\b"
)
_IN_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}
_TABLES = re.compile(r"\s(?:-t|--tables)[=\s]{1,8}[\"']?([\w,]{1,1000})")
_DAGS = re.compile(r"\s--(?:exclude-)?dag-ids[=\s]{1,8}\S{1,1000}")
# The chart's groomer also deletes the oldest files of a log folder that is larger.
_LOG_SIZES = {
    "AIRFLOW__LOG_MAX_SIZE_BYTES": "bytes",
    "AIRFLOW__LOG_MAX_SIZE_PERCENT": "% of the volume",
}
_LOG_DAYS, _LOG_MINUTES = "AIRFLOW__LOG_RETENTION_DAYS", "AIRFLOW__LOG_RETENTION_MINUTES"
_WORDS = "DAG runs, task instances, logs and XComs"


@dataclasses.dataclass(frozen=True, slots=True)
class _CleanUp:
    """What a clean-up of the metadata database deletes: older than `days` (None: not readable),
    of these `tables` (None: of all), of the DAGs that the options in `dags` leave."""

    days: float | None
    age: str
    archives: bool
    tables: frozenset[str] | None
    dags: tuple[str, ...]
    command: str


def stores(context: Context) -> Iterator[Finding]:
    """`impact/data-loss`, `impact/broker-emptied`: state in a pod that is replaced or stopped."""
    restarted = {before.key for before, _ in context.restarted}
    for before in context.base.workloads if context.is_update else ():
        if before.key.kind not in ROLLED or before.scale.maximum == 0:
            continue
        how = "" if volumes.of_store(before) else _ends(context, before, restarted)
        if how and volumes.is_database(before):
            yield DATA_LOSS.finding(
                before.key,
                f"{how}, and the database keeps its data in an emptyDir: it is gone with the pod, "
                "DAG runs, connections and users included",
            )
        elif how and volumes.is_broker(before):
            yield BROKER_EMPTIED.finding(
                before.key,
                f"{how}, and the broker keeps its queue in no volume: queued tasks are lost",
            )


def scaled_claims(context: Context) -> Iterator[Finding]:
    """`impact/data-loss`: `whenScaled: Delete` takes the claims of replicas that go."""
    for after in context.head.workloads:
        before = context.base.by_key.get(after.key)
        if before is None or after.key.kind != "StatefulSet" or not _deletes(after):
            continue
        if not fields.entries(after.manifest, "spec", "volumeClaimTemplates"):
            continue
        lost = before.scale.maximum - after.scale.maximum
        if lost > 0:
            yield DATA_LOSS.finding(
                after.key,
                f"{counted(lost, 'replica')} of it {'is' if lost == 1 else 'are'} removed, and "
                "the volume claims are deleted with them (whenScaled: Delete)",
            )
        elif after.scale.autoscaler and not (_deletes(before) and before.scale.autoscaler):
            yield DATA_LOSS.finding(
                after.key,
                "from now on each replica that the autoscaler takes away loses its volume claim "
                "(whenScaled: Delete)",
                WARNING,
            )


def retention(context: Context) -> Iterator[Finding]:
    """`impact/data-loss`: the next clean-up of the database deletes more than the last."""
    if not context.is_update:
        return
    before, after = _clean_ups(context.base), _clean_ups(context.head)
    for work, new in after.values():
        old = before.get(work.key, (work, None))[1]
        words, severity = _deleted(old, new)
        if words:
            yield DATA_LOSS.finding(work.key, words, severity)


def log_retention(context: Context) -> Iterator[Finding]:
    """`impact/data-loss`: log files are deleted sooner."""
    shorter: dict[tuple[str, str], list[str]] = {}
    for after in context.head.workloads:
        before = context.base.by_key.get(after.key)
        if before is None or after.scale.maximum == 0:
            continue
        old, new = _log_days(before), _log_days(after)
        kept = volumes.at(after, volumes.log_folder(context.head))  # else a restart takes them
        if new and new < (old or float("inf")) and kept:
            was = _days(old) if old else "ever"
            shorter.setdefault((was, _days(new)), []).append(after.component)
        for name, unit in _LOG_SIZES.items():
            before_size, size = _log_size(before, name), _log_size(after, name)
            if kept and size and (not before_size or size < before_size):
                yield DATA_LOSS.finding(
                    after.key,
                    f"log files beyond {size:,g} {unit} are deleted: the oldest first, at the next "
                    "clean-up",
                    WARNING,
                )
    for (was, now), names in sorted(shorter.items()):
        yield DATA_LOSS.finding(
            None,
            f"log files of {listed(sorted(names))} are deleted after {now} instead of {was}: "
            "older ones are deleted at the next clean-up",
            WARNING,
        )


def _ends(context: Context, before: Workload, restarted: Collection[Key]) -> str:
    """How the pods of a workload end with this change; empty where they stay."""
    after = context.head.by_key.get(before.key)
    if after is None:
        return "is removed"
    if after.scale.maximum < before.scale.maximum:
        return f"is scaled to {after.scale.maximum}"
    return "is restarted" if before.key in restarted and not waits(after) else ""


def _deletes(work: Workload) -> bool:
    policy = fields.section(work.manifest, "spec", "persistentVolumeClaimRetentionPolicy")
    return policy.get("whenScaled") == "Delete"


def _clean_ups(view: View) -> dict[Any, tuple[Workload, _CleanUp]]:
    found = {}
    for work in view.workloads:
        if work.key.kind != "CronJob" or fields.at(work.manifest, "spec", "suspend") is True:
            continue
        words = " ".join(word for item in work.containers() for word in command(item))
        if _CLEAN.search(words) and "--dry-run" not in words:
            found[work.key] = (work, _clean_up(words))
    return found


def _clean_up(words: str) -> _CleanUp:
    age, tables = _AGE.search(words), _TABLES.search(words)
    return _CleanUp(
        days=int(age[1]) * _IN_DAYS[age[2]] if age else None,
        age=counted(int(age[1]), age[2]) if age else "",
        archives="--skip-archive" not in words,
        tables=frozenset(tables[1].split(",")) if tables else None,
        dags=tuple(sorted(_DAGS.findall(words))),
        command=words,
    )


def _deleted(old: _CleanUp | None, new: _CleanUp) -> tuple[str, Any]:
    rest = "for good" if not new.archives else "from their tables (into archive tables)"
    severity = WARNING if new.archives else ERROR
    if old is None:
        older = f"older than {new.age}" if new.age else "older than its command says"
        return f"from its next run on, {_WORDS} {older} are deleted {rest}", WARNING
    if new.days is not None and old.days is not None and new.days < old.days:
        return (
            f"its next run deletes {_WORDS} older than {new.age} {rest}; before, they were kept "
            f"for {old.age}"
        ), severity
    if _more_tables(old, new):
        return f"it cleans {_more_tables(old, new)} too: rows are deleted {rest}", severity
    if old.dags != new.dags:
        return f"it cleans up after other DAGs: {_WORDS} that were kept may be deleted", WARNING
    if old.archives and not new.archives:
        return f"what it deletes is no longer archived: {_WORDS} are deleted permanently", WARNING
    if old.command != new.command and None in (old.days, new.days):
        return f"its command changes, and how old {_WORDS} get cannot be read from it", WARNING
    if _rest(old.command) != _rest(new.command):
        return f"its command changes otherwise: it may delete {_WORDS} that were kept", WARNING
    return "", None


def _rest(words: str) -> str:
    """A command without what is read of it."""
    for part in (_AGE, _TABLES, _DAGS):
        words = part.sub("", words)
    return " ".join(words.replace("--skip-archive", "").split())


def _more_tables(old: _CleanUp, new: _CleanUp) -> str:
    if old.tables is None or new.tables == old.tables:
        return ""
    return "all other tables" if new.tables is None else listed(sorted(new.tables - old.tables))


def _log_days(work: Workload) -> float | None:
    """Days that the groomer keeps log files: days and minutes are added up (the chart's values)."""
    given = {name: fields.text(entry, "value") for name, entry in work.environment()}
    if _LOG_DAYS not in given:
        return None
    days, minutes = (given.get(name, "") for name in (_LOG_DAYS, _LOG_MINUTES))
    return (fields.number(days) or 0) + (fields.number(minutes) or 0) / 1440 or None


def _log_size(work: Workload, name: str) -> float:
    """The most that a log folder may take; 0 for no limit."""
    given = {name: fields.text(entry, "value") for name, entry in work.environment()}
    return fields.number(given.get(name, "")) or 0


def _days(number: float) -> str:
    return counted(int(number), "day") if number == int(number) else f"{number:g} days"


FINDERS = (stores, scaled_claims, retention, log_retention)
