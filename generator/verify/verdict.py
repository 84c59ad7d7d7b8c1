"""The verdict: every condition judged together, and how long the answer has to stand."""

from __future__ import annotations

import dataclasses
import datetime

from generator.core.basis import Basis, NotRead
from generator.redaction.text import redact
from generator.verify import (
    airflow_health,
    dependencies,
    flux,
    jobs,
    migration,
    restarts,
    rollout,
    running,
    seen,
    sync,
)
from generator.verify.application import Application, Operation, read_application
from generator.verify.diagnosis import diagnose
from generator.verify.ignored import ignored
from generator.verify.result import (
    Condition,
    Counts,
    Memory,
    Outcome,
    Resource,
    State,
    Verdict,
    few,
    unknown,
    waiting,
)
from generator.verify.snapshot import Snapshot, Source, written
from generator.verify.target import Expected

_AFTER_SYNC = ("storage", "autoscaling", "fresh-pods", "manifests", "replicas")
"""Conditions whose objects may still be those of before, until sync and roll-out have ended."""
_FROM_APPLICATION = ("revision", "operation", "settled", "synced")


def decide(expected: Expected, snapshot: Snapshot, previous: Verdict | None = None) -> Verdict:
    """The verdict for one snapshot, given the one before.

    A candidate becomes the outcome once it has stood without a break: success and states that
    wait for a person for `settle_seconds`, a failure for `failure_seconds`, a supersession at
    once. Until then the outcome is `pending`.
    """
    app = _application(expected, snapshot)
    memory = previous.memory if previous else None
    ours = _our_operation(expected, app)
    counts = restarts.counted(expected, snapshot, memory.restarts if memory else {})
    conditions = list(map(_masked_words, _conditions(expected, snapshot, app, memory, counts)))
    basis = expected.basis.without(map(_redacted, seen.not_read(expected, snapshot)))
    candidate, message = _candidate(expected, snapshot, app, conditions, basis)
    since = memory.since if memory and memory.candidate is candidate else snapshot.taken_at
    stood = (snapshot.taken_at - since).total_seconds()
    outcome = candidate if stood >= _hold(expected, candidate) else Outcome.PENDING
    return Verdict(
        environment=expected.environment,
        revision=expected.revision,
        outcome=outcome,
        message=message,
        conditions=_dated(conditions, previous, snapshot.taken_at),
        resources=tuple(map(_masked, rollout.resources(expected, snapshot))),
        causes=()
        if candidate is Outcome.VERIFIED
        else diagnose(expected, snapshot, ours, restarts.restarts(expected, snapshot, counts)),
        memory=Memory(
            candidate=candidate,
            since=since,
            operation=ours.identity if ours else "",
            seen=app is not None or bool(memory and memory.seen),
            migrated=_proof(conditions, memory, ours),
            restarts=counts,
        ),
        basis=basis,
    )


def conclude(verdict: Verdict) -> Verdict:
    """The outcome when time is up: what it would have become, timed out, or not known."""
    if verdict.is_final:
        return verdict
    candidate = verdict.memory.candidate
    if candidate not in (Outcome.PENDING, Outcome.VERIFIED):
        return dataclasses.replace(verdict, outcome=candidate)
    if candidate is Outcome.VERIFIED:
        words = "all checks pass, but not for long enough yet: allow more time"
        return dataclasses.replace(verdict, outcome=Outcome.TIMED_OUT, message=words)
    return dataclasses.replace(verdict, outcome=_at_the_end(verdict.conditions))


def _at_the_end(conditions: tuple[Condition, ...]) -> Outcome:
    """Unknown if the cluster cannot be seen; Airflow out of reach is no excuse for the rest."""
    blind = {item.name for item in conditions if item.state is State.UNKNOWN}
    behind = any(item.state is State.WAITING for item in conditions)
    return Outcome.TIMED_OUT if behind and blind <= {"airflow"} else Outcome.UNKNOWN


def _application(expected: Expected, snapshot: Snapshot) -> Application | None:
    if snapshot.application is None:
        return None
    if expected.engine == "flux":
        return flux.read(expected, snapshot)
    return read_application(snapshot.application, expected.repository)


def _our_operation(expected: Expected, app: Application | None) -> Operation | None:
    """The operation if it syncs our commit or a later one."""
    operation = app.operation if app else None
    if operation is None or not sync.is_for(expected, operation):
        return None
    return operation


def _conditions(
    expected: Expected,
    snapshot: Snapshot,
    app: Application | None,
    memory: Memory | None,
    counts: Counts,
) -> list[Condition]:
    was_there = bool(memory and memory.seen)
    ours = _our_operation(expected, app)
    proven = memory.migrated if memory and ours and memory.operation == ours.identity else None
    first, *from_app = _of_engine(expected, snapshot, app, seen=was_there)
    rest = [
        rollout.assess_workloads(expected, snapshot),
        running.assess_replicas(expected, snapshot),
        running.assess_pods(expected, snapshot),
        restarts.assess_restarts(expected, snapshot, counts),
        running.assess_images(expected, snapshot),
        migration.assess_migration(expected, snapshot, ours, proven),
        jobs.assess_jobs(expected, snapshot, ours),
        airflow_health.assess_airflow(expected, snapshot, ours),
        dependencies.assess_unsealed(expected, snapshot),
        dependencies.assess_fresh(expected, snapshot),
        dependencies.assess_claims(expected, snapshot),
        dependencies.assess_autoscalers(expected, snapshot),
        *dependencies.assess_manifests(expected, snapshot),
    ]
    arrived = from_app[0].holds
    applied = arrived and from_app[1].holds and rest[0].holds
    return [first, *from_app, *(_timely(item, arrived=arrived, applied=applied) for item in rest)]


def _of_engine(
    expected: Expected, snapshot: Snapshot, app: Application | None, *, seen: bool
) -> list[Condition]:
    if expected.engine == "flux":
        return flux.assess(expected, snapshot, app, seen=seen)
    first = sync.assess_application(expected, snapshot, app, seen=seen)
    return [first, *_from_application(expected, snapshot, app, first)]


def _from_application(
    expected: Expected, snapshot: Snapshot, app: Application | None, first: Condition
) -> list[Condition]:
    if app is None or Source.APPLICATION in snapshot.unavailable:
        if first.state is State.UNKNOWN:
            return [unknown(name, first.message) for name in _FROM_APPLICATION]
        return [waiting(name, "Application not found") for name in _FROM_APPLICATION]
    return [
        sync.assess_revision(expected, app),
        sync.assess_operation(expected, app),
        sync.assess_settled(expected, snapshot, app),
        sync.assess_synced(app, ignored(expected, snapshot, app)),
    ]


def _timely(item: Condition, *, arrived: bool, applied: bool) -> Condition:
    """A failure of what stood there before our commit is not our commit's failure."""
    if item.state is not State.FAILED:
        return item
    if arrived and (applied or item.name not in _AFTER_SYNC):
        return item
    return waiting(item.name, f"before the commit is applied: {item.message}")


def _candidate(
    expected: Expected,
    snapshot: Snapshot,
    app: Application | None,
    conditions: list[Condition],
    basis: Basis,
) -> tuple[Outcome, str]:
    by_name = {item.name: item for item in conditions}
    if app is None or by_name["application"].state is State.UNKNOWN:
        return _from_states(conditions, basis)
    later = sync.superseding(expected, app)
    workloads = by_name["workloads"]
    if not later and workloads.state in (State.WAITING, State.FAILED):
        later = _suspected(expected, app, workloads)
    if later:
        return Outcome.SUPERSEDED, redact(f"a later commit took over: {later}")
    pruned = app.operation.awaits_prune if app.operation else ""
    if pruned:
        return (
            Outcome.PRUNE_CONFIRMATION,
            redact(f"Argo CD waits for a confirmation to delete {pruned}"),
        )
    if expected.engine == "flux":
        stopped = flux.suspended(expected, snapshot)
        reason = stopped if not all(item.holds for item in conditions[:5]) else ""
    else:
        reason = sync.not_synced(app) if by_name["revision"].holds else ""
    refused = by_name["operation"].state is State.FAILED
    if reason and not refused:
        return Outcome.NOT_SYNCED, redact(reason)
    return _from_states(conditions, basis)


def _suspected(expected: Expected, app: Application, workloads: Condition) -> str:
    """A later commit of which it is not known whether it changes the environment: the workloads
    tell, if they are not as our commit renders them."""
    if expected.changes_environment is not None or "not as rendered" not in workloads.message:
        return ""
    finished = app.operation is not None and not app.operation.is_running
    return sync.later_commit(expected, app) if finished else ""


def _from_states(conditions: list[Condition], basis: Basis) -> tuple[Outcome, str]:
    """A failure is seen or it is none; what cannot be seen keeps everything else from success."""
    for state, outcome in (
        (State.FAILED, Outcome.FAILED),
        (State.UNKNOWN, Outcome.PENDING),
        (State.WAITING, Outcome.PENDING),
    ):
        found = [f"{item.name}: {item.message}" for item in conditions if item.state is state]
        if found:
            return outcome, few(found)
    assured = basis.assure("the cluster applied the commit and is healthy")
    if assured is None:
        return Outcome.PENDING, f"not read: {few(map(str, basis.not_read))}"
    return Outcome.VERIFIED, str(assured)


def _hold(expected: Expected, candidate: Outcome) -> float:
    match candidate:
        case Outcome.PENDING:
            return float("inf")
        case Outcome.FAILED:
            return expected.failure_seconds
        case Outcome.SUPERSEDED:
            return 0.0
        case _:
            return expected.settle_seconds


def _proof(
    conditions: list[Condition], memory: Memory | None, operation: Operation | None
) -> Condition | None:
    """The proof of a migration outlives the Job that gave it, for the same operation."""
    found = next(item for item in conditions if item.name == "migration")
    if found.state is State.MET:
        return found
    same = memory is not None and operation is not None and memory.operation == operation.identity
    return memory.migrated if same and memory and found.state is not State.FAILED else None


def _redacted(item: NotRead) -> NotRead:
    return dataclasses.replace(item, reason=redact(item.reason))


def _masked(resource: Resource) -> Resource:
    health = dataclasses.replace(resource.health, message=redact(resource.health.message))
    return dataclasses.replace(resource, health=health)


def _masked_words(item: Condition) -> Condition:
    """Masked by itself: behind the name of the condition `secrets` any word looks like a value."""
    return dataclasses.replace(item, message=redact(item.message), evidence=redact(item.evidence))


def _dated(
    conditions: list[Condition], previous: Verdict | None, now: datetime.datetime
) -> tuple[Condition, ...]:
    """Each with the time since when it stands as it stands."""
    before = {item.name: item for item in previous.conditions} if previous else {}
    return tuple(
        dataclasses.replace(
            item,
            time=before[item.name].time
            if item.name in before and before[item.name].state is item.state
            else written(now),
        )
        for item in conditions
    )
