"""Alerts on what is only missed when it is needed: backups, drills, the certificate."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator

from generator.core.counted import counted
from generator.model.base import seconds_of
from generator.monitoring.alert import Alert
from generator.monitoring.series import Series
from generator.release import backup_names
from generator.release.backup_names import BACKUP, DRILL
from generator.release.release import Release

_HOUR = 3600


def alerts(release: Release, series: Series, certificate_days: int) -> Iterator[Alert]:
    """Those for the jobs that run, and for a certificate that cert-manager makes."""
    backup = backup_names.own(release.environment)
    if backup is not None and not backup.suspend:
        jobs = [(BACKUP, backup.schedule)]
        jobs += [(DRILL, backup.drill.schedule)] if backup.drill else []
        for part, schedule in jobs:
            hours = int((longest_gap(schedule) + seconds_of(backup.deadline)) / _HOUR) + 1
            yield _overdue(release, series, part, hours)
    ingress = release.environment.ingress
    tls = ingress.tls if ingress is not None else None
    if tls is not None and (tls.cluster_issuer or tls.issuer):
        name = tls.secret_name or f"{release.environment.release}-tls"
        yield _certificate(release.environment.namespace, name, certificate_days)


def _overdue(release: Release, series: Series, part: str, hours: int) -> Alert:
    name = release.topology.names.of_part(part)
    done, made = (
        series.cron_job(metric, name) for metric in ("status_last_successful_time", "created")
    )
    late = f"time() - max({done}) > {hours * _HOUR}"
    never = f"sum(absent({done})) and on() (time() - max({made}) > {hours * _HOUR})"
    if part == BACKUP:
        return Alert(
            "AirflowBackupTooOld", "critical", f"no backup of the database for {hours} hours",
            f"{late} or {never}", 5, part,
            "What happened since the last backup is lost with the database. The time is the "
            "longest between two runs of `backup.schedule`, and `backup.deadline`.",
            (f"What is the last line of the newest Job of the CronJob `{name}`?",
             "A lock of a migration, a full storage or another password end it; it says which.",
             f"Run one now: `kubectl create job --from=cronjob/{name} backup-now`."),
        )  # fmt: skip
    return Alert(
        "AirflowRestoreDrillTooOld", "warning", f"no backup was proven for {hours} hours",
        f"{late} or {never}", 5, part,
        "Backups are made, but no restore of one has succeeded. After an upgrade the drill fails "
        "until the next backup.",
        (f"What is the last line of the newest Job of the CronJob `{name}`?",
         "Another Fernet key or age identity, or an older schema? The drill says which.",
         f"After the next backup: `kubectl create job --from=cronjob/{name} drill-now`."),
    )  # fmt: skip


def _certificate(namespace: str, name: str, days: int) -> Alert:
    # Prometheus renames the label of the object to exported_namespace where the target has its own.
    ends = " or ".join(
        f'certmanager_certificate_expiration_timestamp_seconds{{{label}="{namespace}",name="{name}"}}'
        for label in ("exported_namespace", "namespace")
    )
    return Alert(
        "AirflowCertificateExpires", "warning",
        f"the certificate {name} ends within {counted(days, 'day')}",
        f"min({ends}) - time() < {days * 24 * _HOUR}", 30, "api-server",
        "cert-manager should have renewed it by now. It says nothing where cert-manager is not "
        "scraped.",
        (f"What do the events of Certificate `{name}` and its CertificateRequest say?",
         "Does the issuer reach its authority, and does the challenge reach the host?"),
    )  # fmt: skip


def longest_gap(schedule: str) -> float:
    """The longest time between two of the next runs, in seconds; 0 for no schedule."""
    from croniter import croniter

    if len(schedule.split()) != 5 or not croniter.is_valid(schedule):
        return 0.0
    # Any day will do; a fixed one keeps the answer the same.
    times = croniter(schedule, datetime.datetime(2026, 1, 1))
    seen = [times.get_next(float) for _ in range(60)]
    return float(max(after - before for before, after in itertools.pairwise(seen)))
