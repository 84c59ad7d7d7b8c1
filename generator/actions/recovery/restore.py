"""`gen-env restore`: the steps of restoring an environment's database, as manifests and a page.

Nothing is run, and neither cluster nor storage is asked.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime
import importlib.resources
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from generator.core.basis import NotRead
from generator.core.errors import UserError
from generator.kube import fields
from generator.kube.resource import Object
from generator.manifests import restore_job
from generator.manifests.backup_pod import restore_secret
from generator.model.backup import Backup
from generator.monitoring.commands import hold, let_go, scaled
from generator.release import backup_names
from generator.release.backup_names import BACKUP, DRILL, RESTORE
from generator.release.release import Release
from generator.yaml.writer import dump_all

NOT_READ = (
    NotRead("the storage", reason="which backups it holds, the Job finds out"),
    NotRead("the cluster", reason="what runs there is not asked for"),
)
_MIGRATION = "run-airflow-migrations"
# They keep no session in the database.
_STAY = frozenset({"postgresql", "redis", "statsd", "otel-collector"})


@dataclasses.dataclass(frozen=True, slots=True)
class Restoration:
    """Text by file name: what a person applies, and the page that says in which order."""

    files: Mapping[str, str]


def moment(text: str | None) -> str:
    """A time with its zone as backups write it (20260102T030405Z); '' for none.

    Raises UserError for another text.
    """
    if text is None:
        return ""
    try:
        found = datetime.datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ").zfill(16)
    except (OverflowError, ValueError):
        pass
    raise UserError(
        f"'{text[:40]}' is not a time with its zone", hint="such as 2026-01-02T03:04:05Z"
    )


def prepare(release: Release, rendered: Sequence[Object], at: str) -> Restoration:
    """The files of a restore; raises UserError where gen-env makes no backup to restore."""
    backup = require(release)
    files = {
        "1-restore.yaml": dump_all(restore_job.objects(release, backup, at)),
        "2-migrate.yaml": dump_all([migrate(release, rendered)]),
    }
    return Restoration({"README.md": _page(release, rendered, at), **files})


def require(release: Release) -> Backup:
    """The backup that gen-env makes; raises UserError where it makes none."""
    environment = release.environment
    backup = backup_names.own(environment)
    if backup is None:
        given = environment.backup.external if environment.backup else None
        hint = f"restore with what backup.external names: {given}" if given else "add backup"
        if not given and environment.database.type == "mysql":
            hint = "it dumps PostgreSQL alone: restore with what made the backup of MySQL"
        raise UserError(
            f"gen-env makes no backup of {release.resolved.name}",
            path=release.resolved.definition.path,
            hint=hint,
        )
    return backup


def migrate(release: Release, rendered: Sequence[Object]) -> Object:
    """The chart's own migration Job under another name, without what makes it a hook."""
    jobs = (item for item in rendered if item.get("kind") == "Job")
    found = next((item for item in jobs if _component(item) == _MIGRATION), None)
    if found is None:
        raise UserError("the chart renders no migration Job", hint="see values.migrateDatabaseJob")
    made: dict[str, Any] = copy.deepcopy(dict(found))
    metadata = made["metadata"]
    metadata["name"] = f"{release.topology.names.of_part(RESTORE)}-migrate"
    metadata["namespace"] = release.environment.namespace
    metadata.pop("annotations", None)
    return made


def _component(item: Object) -> str:
    return fields.text(item, "spec", "template", "metadata", "labels", "component")


def _page(release: Release, rendered: Sequence[Object], at: str) -> str:
    name, names = release.resolved.name, release.topology.names
    kubectl = f"kubectl -n {release.environment.namespace}"
    database = release.environment.database
    by_keda, cron = list(scaled(release)), list(_cron_jobs(release, rendered))
    pool = _scale(release, kubectl, "pgbouncer") if release.topology.has("pgbouncer") else ""
    text = (
        importlib.resources.files("generator.actions.recovery")
        .joinpath("restore.md")
        .read_text("utf-8")
    )
    return string.Template(text).substitute(
        environment=name,
        kubectl=kubectl,
        which=f"the newest of {at} or before" if at else "the newest",
        database=database.name if database.host else "postgres",
        identity=release.topology.backup.identity if release.topology.backup else "",
        unread="; ".join(str(item) for item in NOT_READ),
        secret=restore_secret(release),
        job=names.of_part(RESTORE),
        stop="\n".join(_stop(release, kubectl, by_keda, cron)),
        pool=f"{pool}\n" if pool else "",
        first=_scale(release, kubectl, release.topology.server),
        start="\n".join(_start(release, kubectl, by_keda, cron)),
    )


def _workloads(release: Release) -> Iterator[tuple[str, str]]:
    names = release.topology.names
    stay = {names.of_part(part) for part in _STAY} | {names.postgresql}
    for kind, name in release.line.workloads(release.topology):
        if name not in stay:
            yield kind.lower(), name


def _cron_jobs(release: Release, rendered: Sequence[Object]) -> Iterator[str]:
    yield from (fields.name_of(item) for item in rendered if item.get("kind") == "CronJob")
    for part in (BACKUP, DRILL):
        if release.topology.has(part):
            yield release.topology.names.of_part(part)


def _stop(
    release: Release, kubectl: str, by_keda: Sequence[str], cron: Sequence[str]
) -> Iterator[str]:
    yield from (_suspend(kubectl, name, "true") for name in cron)
    for name in by_keda:
        yield hold(kubectl, name)
    for kind, name in _workloads(release):
        yield f"{kubectl} scale {kind}/{name} --replicas=0"
    label = f"release={release.environment.release}"
    if release.topology.kubernetes:
        yield f"{kubectl} delete pods -l kubernetes_executor=True,{label}"
    others = f"{label},component notin (statsd,redis,otel-collector)"
    yield (
        f"{kubectl} wait --for=delete pod -l '{others}' --field-selector status.phase=Running"
        " --timeout=15m"
    )


def _start(
    release: Release, kubectl: str, by_keda: Sequence[str], cron: Sequence[str]
) -> Iterator[str]:
    for name in by_keda:
        yield let_go(kubectl, name)
    for kind, name in _workloads(release):
        yield f"{kubectl} scale {kind}/{name} --replicas=1"
    yield from (_suspend(kubectl, name, "false") for name in cron)


def _suspend(kubectl: str, name: str, value: str) -> str:
    return f'{kubectl} patch cronjob {name} --patch \'{{"spec": {{"suspend": {value}}}}}\''


def _scale(release: Release, kubectl: str, part: str) -> str:
    name = release.topology.names.of_part(part)
    kinds = {named: kind for kind, named in _workloads(release)}
    return f"{kubectl} scale {kinds.get(name, 'deployment')}/{name} --replicas=1"
