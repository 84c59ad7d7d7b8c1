"""Which database migration a change of the Airflow version runs, and what a way back costs."""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterator

from generator.impact.context import Context, View
from generator.impact.finding import ERROR, INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key

Version = tuple[int, int, int]

# Releases whose migrations move the schema: `_REVISION_HEADS_MAP` in airflow/utils/db.py of
# apache-airflow-core 3.2.2. Every other release up to KNOWN has the schema of the one before.
SCHEMA_VERSIONS: tuple[Version, ...] = (
    (2, 6, 2),
    (2, 7, 0),
    (2, 8, 0),
    (2, 8, 1),
    (2, 9, 0),
    (2, 9, 2),
    (2, 10, 0),
    (2, 10, 3),
    (3, 0, 0),
    (3, 0, 3),
    (3, 1, 0),
    (3, 1, 8),
    (3, 2, 0),
)
KNOWN: Version = (3, 2, 2)
"""The newest release whose migrations are known here; beyond it a minor release moves the schema
and a patch release may."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?![\w.]*rc)")
_JOB = "run-airflow-migrations"

MIGRATION = ImpactRule(
    "impact/migration",
    ERROR,
    "The Airflow version migrates the schema of its database irreversibly, or backwards",
    "A revert in git does not bring the old schema back.",
    "airflow/utils/db.py",
    also=(
        (WARNING, "`airflow db downgrade` leads back, or the migration is not known"),
        (INFO, "the schema stays"),
    ),
)
MIGRATION_JOB = ImpactRule(
    "impact/migration-job",
    ERROR,
    "The schema must move, and no migration job is rendered",
    "Pods wait for the migration until they time out.",
    "Airflow",
)


class Class(enum.StrEnum):
    """What it takes to go back."""

    NONE = "none"
    REVERSIBLE = "reversible"
    DOWNGRADE = "needs airflow db downgrade"
    ONE_WAY = "one-way"
    BACKWARD = "backward"


@dataclasses.dataclass(frozen=True, slots=True)
class Migration:
    """The class of a change of versions, and its reason in words."""

    kind: Class
    reason: str


def classify(base: str, head: str) -> Migration | None:
    """The migration from one Airflow version to another; None if either is no release number.

    Reversible: the schema stays, a revert is enough. Downgrade: Alembic has to undo migrations
    with the newer image before the older one starts. One-way: 3.0.0 rewrites tables and moves
    pickled XComs away (airflow/migrations/versions/0049_3_0_0…, 0055_3_0_0…), and its downgrade
    deletes serialized DAGs and their code (0047_3_0_0…), so that only a backup leads back.
    """
    old, new = _parsed(base), _parsed(head)
    if old is None or new is None:
        return None
    if old == new:
        return Migration(Class.NONE, "the Airflow version stays")
    if new < old:
        return _backward(old, new)
    if old[0] < 3 <= new[0]:
        return Migration(
            Class.ONE_WAY,
            "the migration to Airflow 3 rewrites task instances and DAG runs and moves pickled "
            "XComs to an archive table; its downgrade deletes serialized DAGs and does not bring "
            "the XComs back: only a backup of the database leads back",
        )
    crossed = [version for version in SCHEMA_VERSIONS if old < version <= new]
    if crossed:
        steps = ", ".join(map(_dotted, crossed))
        return Migration(
            Class.DOWNGRADE,
            f"the schema moves with {steps}; to go back, run `airflow db downgrade --to-version "
            f"{_dotted(old)}` with the {_dotted(new)} image before the old image starts",
        )
    if new > KNOWN:
        return _unknown(old, new)
    return Migration(
        Class.REVERSIBLE,
        f"no migration lies between {_dotted(old)} and {_dotted(new)}: the schema stays and a "
        "revert is enough",
    )


def migration(context: Context) -> Iterator[Finding]:
    """`impact/migration`: the migration job will change the metadata database."""
    base, head = _version(context.base), _version(context.head)
    if base is None or head is None or not context.is_update:
        return
    found = classify(base, head)
    job = _job(context.head)
    if found is None:
        if base != head:
            unclear = next(version for version in (head, base) if _parsed(version) is None)
            yield MIGRATION.finding(
                job,
                f'Airflow {base} → {head}: cannot classify the migration: "{unclear}" is not a '
                "release number; treat it as one that a revert does not undo",
                WARNING,
            )
        return
    severity = {Class.REVERSIBLE: INFO, Class.DOWNGRADE: WARNING}.get(found.kind, ERROR)
    if found.kind is not Class.NONE:
        message = f"Airflow {base} → {head}, {found.kind}: {found.reason}"
        yield MIGRATION.finding(job, message, severity)


def no_migration_job(context: Context) -> Iterator[Finding]:
    """`impact/migration-job`: the schema must move, but nothing in the render moves it."""
    base, head = _version(context.base), _version(context.head)
    if base is None or head is None or not context.is_update:
        return
    found = classify(base, head)
    if found and found.kind in (Class.DOWNGRADE, Class.ONE_WAY) and _job(context.head) is None:
        yield MIGRATION_JOB.finding(
            None,
            f"Airflow {base} → {head} needs a migration, but no migration job is rendered: pods "
            "wait for it until they time out; enable migrateDatabaseJob or run `airflow db "
            "migrate` by hand",
        )


def _backward(old: Version, new: Version) -> Migration:
    crossed = [version for version in SCHEMA_VERSIONS if new < version <= old]
    if old[0] >= 3 > new[0]:
        return Migration(
            Class.ONE_WAY, "a database of Airflow 3 cannot go back to 2: restore the backup"
        )
    if crossed or old > KNOWN:
        return Migration(
            Class.BACKWARD,
            f"older Airflow does not know the newer schema and will not start: first run `airflow "
            f"db downgrade --to-version {_dotted(new)}` with the {_dotted(old)} image",
        )
    return Migration(
        Class.REVERSIBLE,
        f"no migration lies between {_dotted(new)} and {_dotted(old)}: the schema stays",
    )


def _unknown(old: Version, new: Version) -> Migration:
    """Past what is known here: a minor release always moved the schema, a patch sometimes did."""
    return Migration(
        Class.DOWNGRADE,
        f"{_dotted(new)} is newer than the migrations known here ({_dotted(KNOWN)}): expect the "
        f"schema to move; to go back, run `airflow db downgrade --to-version {_dotted(old)}` with "
        f"the {_dotted(new)} image before the old image starts",
    )


def _parsed(text: str) -> Version | None:
    match = _VERSION.match(text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _version(view: View) -> str | None:
    """The declared version, or what the tag of the migration job's or scheduler's image says."""
    if view.facts.airflow_version:
        return view.facts.airflow_version
    for component in (_JOB, "scheduler", "api-server", "webserver"):
        for work in view.workloads:
            if work.component == component:
                for container in fields.entries(work.spec, "containers"):
                    tag = fields.text(container, "image").partition("@")[0].rpartition(":")[2]
                    if _parsed(tag):
                        return tag
    return None


def _job(view: View) -> Key | None:
    return next((work.key for work in view.workloads if work.component == _JOB), None)


FINDERS = (migration, no_migration_job)
