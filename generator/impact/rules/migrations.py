"""Which database migration a change of the image runs, and what a way back costs."""

from __future__ import annotations

from collections.abc import Iterator

from generator.core.problem import Severity
from generator.diff.what_runs import MIGRATION_JOB as _JOB
from generator.impact.context import Context, View
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.impact.migration import Class, Migration, brief, classify, words
from generator.kube.resource import Key

MIGRATION = ImpactRule(
    "impact/migration",
    ERROR,
    "The image migrates the schema of its database irreversibly, or backwards",
    "A revert in git does not bring the old schema back: Airflow's own migrations and those of "
    "its providers (FAB, Edge) have to be undone by commands, or a backup restored.",
    "airflow/utils/db.py and the providers' db_manager modules",
    also=(
        (WARNING, "downgrade commands lead back, or the migration is not known"),
        (INFO, "no migration is known to lie between both images"),
    ),
)
MIGRATION_JOB = ImpactRule(
    "impact/migration-job",
    ERROR,
    "The schema must move, and no migration job is rendered",
    "Pods wait for the migration until they time out.",
    "Airflow",
)


def migration(context: Context) -> Iterator[Finding]:
    """`impact/migration`: the migration job will change the metadata database."""
    result = _classified(context)
    if result is not None and result.kind is not Class.NONE:
        base, head = context.base.runs, context.head.runs
        message = f"{words(base, head)}, {result.kind}: {result.reason}"
        severity = _severity(result, same_release=base.airflow == head.airflow)
        few = brief(result, base, head)
        yield MIGRATION.finding(_job(context.head), message, severity, brief=few)


def no_migration_job(context: Context) -> Iterator[Finding]:
    """`impact/migration-job`: the schema must move, but nothing in the render moves it."""
    result = _classified(context)
    moves = result is not None and not result.before
    if moves and result and result.kind in _RISING and _job(context.head) is None:
        yield MIGRATION_JOB.finding(
            None,
            f"{words(context.base.runs, context.head.runs)} needs a migration, but no migration "
            "job is rendered: pods wait for it until they time out; enable migrateDatabaseJob or "
            "run `airflow db migrate` by hand",
        )


_RISING = (Class.DOWNGRADE, Class.ONE_WAY)


def _classified(context: Context) -> Migration | None:
    """None where no Airflow was there before or after."""
    base, head = context.base.runs, context.head.runs
    if not context.is_update or not (base.airflow or base.image.repository):
        return None
    return classify(base, head) if head.airflow or head.image.repository else None


def _severity(result: Migration, *, same_release: bool) -> Severity:
    if result.kind in (Class.DOWNGRADE, Class.UNKNOWN):
        return WARNING
    if result.kind is not Class.STAYS:
        return ERROR
    # A rebuild of the same release has the providers of its constraints, as a rule.
    return WARNING if result.assumed and not same_release else INFO


def _job(view: View) -> Key | None:
    return next((work.key for work in view.workloads if work.component == _JOB), None)


FINDERS = (migration, no_migration_job)
