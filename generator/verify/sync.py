"""The conditions that the Application decides: is it ours, at our commit, applied, settled."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from typing import Any

from generator.kube.fields import count, entries, name_of, section, text
from generator.verify.application import Application, Operation, same_sources, same_version
from generator.verify.ignored import Ignored
from generator.verify.result import Condition, failed, few, met, unknown, waiting
from generator.verify.snapshot import Snapshot, Source, written
from generator.verify.target import Expected

_FOR_EVER = ("field is immutable", "updates to statefulset spec for fields other than")
"""What the API server says of a change that no retry brings about (apimachinery's and apps'
validation)."""


class Relation(enum.Enum):
    """How a commit that Argo CD names stands to the one that we verify."""

    SAME = "same"
    LATER = "later"
    CHANGED = "changed"
    OTHER = "other"
    UNKNOWN = "unknown"


def relation_to(expected: Expected, commit: str) -> Relation:
    """SAME, LATER (contains ours, environment as ours), CHANGED (later, and different), or not."""
    if commit == expected.revision:
        return Relation.SAME
    contains = expected.is_ancestor(expected.revision, commit)
    if contains is None:
        return Relation.UNKNOWN
    if not contains:
        return Relation.OTHER
    changes = expected.changes_environment
    return Relation.CHANGED if changes and changes(expected.revision, commit) else Relation.LATER


def assess_application(
    expected: Expected, snapshot: Snapshot, app: Application | None, *, seen: bool
) -> Condition:
    """The Application exists, stays, and has the spec that the commit gives it."""
    name = "application"
    where = f"{expected.application_namespace}/{expected.application}"
    if Source.APPLICATION in snapshot.unavailable:
        return unknown(name, snapshot.unavailable[Source.APPLICATION])
    if app is None and seen:
        return failed(name, f"the Application {where} was deleted during verification")
    if app is None:
        return waiting(
            name, f"Application {where} not found: check that the root Application has synced it"
        )
    if app.is_deleting:
        return failed(name, f"the Application {where} is being deleted")
    manifest = expected.application_manifest
    if manifest is not None and not same_sources(
        section(manifest, "spec"), section(app.manifest, "spec")
    ):
        return waiting(
            name,
            f"the Application {where} does not have the commit's sources yet: the root syncs it",
        )
    invalid = [error for error in app.errors if error.startswith("InvalidSpecError")]
    if invalid:
        return failed(name, few(invalid))
    shown = f"spec.sources as generated, generation {count(app.manifest, 'metadata', 'generation')}"
    return met(name, f"the Application {where} is the one of the commit", shown)


def assess_revision(expected: Expected, app: Application) -> Condition:
    """Argo CD compared with a commit that is or contains ours, and with the chart's version."""
    name, wanted = "revision", expected.revision[:12]
    errors = f"; {few(app.errors)}" if app.errors else ""
    if not app.revisions.git:
        return waiting(name, f"Argo CD reports no commit of the repository yet{errors}")
    if not app.compares_present_spec:
        return waiting(name, "Argo CD's comparison is of an older spec of the Application")
    at = few(commit[:12] for commit in app.revisions.git)
    relations = {relation_to(expected, commit) for commit in app.revisions.git}
    if Relation.OTHER in relations:
        return waiting(name, f"Argo CD is at {at}, which does not contain {wanted}{errors}")
    if Relation.UNKNOWN in relations:
        return unknown(
            name, f"Argo CD is at {at}, a commit that this clone does not have: fetch it"
        )
    chart = app.revisions.chart
    if expected.chart_version and chart and not same_version(chart, expected.chart_version):
        return waiting(name, f"Argo CD has chart {chart}, not {expected.chart_version}{errors}")
    which = "the commit" if relations == {Relation.SAME} else f"a commit that contains {wanted}"
    shown = f"status.sync.revision {', '.join(app.revisions.git)}"
    return met(
        name, f"Argo CD compared with {which}", f"{shown}, chart {chart}" if chart else shown
    )


def assess_operation(expected: Expected, app: Application) -> Condition:
    """The sync of our commit succeeded, or none was needed because nothing differed."""
    name, operation = "operation", app.operation
    if operation is not None and operation.is_running:
        hopeless = _refused(operation, _FOR_EVER)
        if hopeless and is_for(expected, operation):
            return failed(name, "the sync fails on every retry", few(hopeless))
        return waiting(name, _running(expected, app, operation))
    if app.is_requested:
        return waiting(name, "a sync was requested and has not started")
    if operation is None or operation.is_dry_run or not is_for(expected, operation):
        return _without_operation(name, app)
    shown = f"started {_time(operation.started_at)}, finished {_time(operation.finished_at)}"
    refused = _refused(operation)
    if operation.phase == "Succeeded" and refused:
        return failed(name, f"the sync succeeded, but {few(refused)}", shown)
    if operation.phase == "Succeeded":
        return met(name, "the sync succeeded", shown)
    words = f"the sync {operation.phase.lower()}: {operation.message}"
    return failed(name, words, few(refused))


def assess_synced(app: Application, ignored: Ignored) -> Condition:
    """No rendered object differs from its live one, including what Argo CD is set to ignore."""
    if app.sync_status == "Synced":
        return _ignoring(ignored)
    apart = [
        f"{text(item, 'kind')}/{text(item, 'name')}"
        + (" (to be pruned)" if _is_surplus(item) else "")
        for item in entries(app.manifest, "status", "resources")
        if text(item, "status") == "OutOfSync"
    ]
    words = app.sync_status or "not compared yet"
    return waiting("synced", f"{words}: {few(apart)}" if apart else words)


def assess_settled(expected: Expected, snapshot: Snapshot, app: Application) -> Condition:
    """Argo CD reconciled again after the sync ended, and has not stopped looking."""
    name, looked = "settled", app.reconciled_at
    if looked is None:
        return waiting(name, "Argo CD has not reconciled the Application yet")
    operation = app.operation
    ended = operation.finished_at if operation else None
    if operation is not None and (operation.is_running or (ended and looked < ended)):
        return waiting(name, f"last reconciled {written(looked)}, before the sync ended")
    age = (snapshot.taken_at - looked).total_seconds()
    limit = expected.reconcile_within_seconds
    if limit is not None and age > limit:
        return waiting(
            name,
            f"Argo CD last reconciled {int(age // 60)} min ago: check that its application "
            f"controller runs",
        )
    since = f", after the sync ended {written(ended)}" if ended else ""
    return met(
        name, "Argo CD reconciled again after the sync", f"reconciledAt {written(looked)}{since}"
    )


def not_synced(app: Application) -> str:
    """Why nobody will sync what is out of sync, or nothing if somebody does."""
    running = app.operation is not None and app.operation.is_running
    if app.sync_status != "OutOfSync" or running or app.is_requested:
        return ""
    if not app.is_automated:
        return "automatic sync is off: sync the Application by hand"
    automated = section(app.manifest, "spec", "syncPolicy", "automated")
    apart = [
        item
        for item in entries(app.manifest, "status", "resources")
        if text(item, "status") == "OutOfSync"
    ]
    if apart and automated.get("prune") is not True and all(map(_is_surplus, apart)):
        names = few(f"{text(item, 'kind')}/{text(item, 'name')}" for item in apart)
        return f"automatic pruning is off and {names} must be pruned: sync by hand with pruning"
    return ""


def is_for(expected: Expected, operation: Operation) -> bool:
    """Whether the operation syncs our commit, or a later one."""
    commits = operation.revisions.git
    believed = (Relation.SAME, Relation.LATER, Relation.CHANGED)
    return bool(commits) and all(relation_to(expected, item) in believed for item in commits)


def superseding(expected: Expected, app: Application) -> str:
    """The later commit that took over and renders this environment differently, or nothing."""
    running = app.operation.revisions.git if app.operation else ()
    for commit in (*app.revisions.git, *running):
        if relation_to(expected, commit) is Relation.CHANGED:
            return commit
    return ""


def later_commit(expected: Expected, app: Application) -> str:
    """The later commit that Argo CD is at, if it is not ours."""
    for commit in app.revisions.git:
        if relation_to(expected, commit) is Relation.LATER:
            return commit
    return ""


def _refused(operation: Operation, only: tuple[str, ...] = ("",)) -> list[str]:
    """What the sync could not apply, or which hook failed, if the message has one of the words."""
    return [
        f"{text(item, 'kind')}/{text(item, 'name')}: {text(item, 'message')}"
        for item in operation.results
        if text(item, "status") == "SyncFailed" or text(item, "hookPhase") in ("Failed", "Error")
        if any(words in text(item, "message") for words in only)
    ]


def _running(expected: Expected, app: Application, operation: Operation) -> str:
    """What runs. Argo CD does not begin with a commit before the sync of an earlier one ended, and
    that one may wait for ever: for pods with an image that cannot be pulled."""
    words = operation.message or "no message yet"
    if not operation.revisions.git or is_for(expected, operation):
        return f"the sync is running: {words}"
    commits = few(commit[:12] for commit in operation.revisions.git)
    end = f"argocd app terminate-op {name_of(app.manifest)}"
    return f"the sync of another commit, {commits}, is still running: {words}; `{end}` ends it"


def _without_operation(name: str, app: Application) -> Condition:
    if app.sync_status == "Synced":
        return met(name, "no sync was needed: nothing differed", "status.sync.status Synced")
    if not app.is_automated:
        return waiting(name, "automatic sync is off: start the sync by hand")
    return waiting(name, "no sync of this commit has started; check the sync windows")


def _ignoring(ignored: Ignored) -> Condition:
    """Secrets are never read, so an ignored one is only named; any other unread kind is unknown."""
    name = "synced"
    if ignored.differs:
        return waiting(
            name, f"ignoreDifferences hides what is not as rendered: {few(ignored.differs)}"
        )
    open_ = [item for item in ignored.unread if not item.startswith("Secret/")]
    if open_:
        return unknown(
            name, f"ignoreDifferences hides rendered fields that verify does not read: {few(open_)}"
        )
    parts = ["every object is as rendered"]
    if ignored.equal:
        parts.append(f"so are those that Argo CD ignores in part: {few(ignored.equal)}")
    if ignored.unread:
        parts.append(f"ignored by Argo CD and not read: {few(ignored.unread)}")
    return met(name, "; ".join(parts), "status.sync.status Synced")


def _is_surplus(item: Mapping[str, Any]) -> bool:
    return item.get("requiresPruning") is True


def _time(value: datetime.datetime | None) -> str:
    return written(value) if value else "at an unknown time"
