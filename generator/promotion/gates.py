"""The gates of a promotion: pure, so that they can be asked again just before the merge."""

from __future__ import annotations

import dataclasses
import enum
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import assert_never

from generator.model.base import seconds_of
from generator.model.sync import Window
from generator.pipeline import rehearsals
from generator.promotion.evidence import Evidence, Standing
from generator.promotion.sync_windows import WindowError, frozen_until


class State(enum.StrEnum):
    """How a gate stands."""

    PASSED = "passed"
    WAITING = "waiting"
    BLOCKED = "blocked"


@dataclasses.dataclass(frozen=True, slots=True)
class Gate:
    """One gate: why it stands as it does, and until when it waits if that is known.

    `forceable` is false where no reason opens it.
    """

    name: str
    state: State
    reason: str
    until: datetime | None = None
    forceable: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """All that the gates look at."""

    source: str
    target: str
    paths: Mapping[str, tuple[str, ...]]
    evidence: Evidence
    soak: str | None = None
    windows: tuple[Window, ...] | None = ()
    """Those of the target; None where its definition is invalid, so that they are not known."""
    promotion_only: bool = False
    branch: str = ""
    other_changes: tuple[str, ...] = ()
    """Fields of the target that change beside the promoted ones."""
    outdated: tuple[str, ...] = ()
    """Promoted fields that the source no longer has like this."""
    required_labels: tuple[str, ...] = ()
    labels: frozenset[str] = frozenset()
    required_statuses: tuple[str, ...] = ()
    statuses: frozenset[str] = frozenset()
    """Those of the pull request's newest commit that are a success."""
    rehearsal: rehearsals.Standing | None = None
    """The rehearsal of the migration, where one is required."""
    kept: Mapping[str, rehearsals.Standing] = dataclasses.field(default_factory=dict)
    """The last backup and restore drill of the target by gate, where they are required."""


def evaluate(facts: Facts, now: datetime) -> tuple[Gate, ...]:
    """Every gate that applies, in a fixed order; `now` is aware."""
    found = [
        _order(facts),
        _verified(facts),
        _soak(facts, now),
        _freeze(facts, now),
        _current(facts),
    ]
    if facts.promotion_only:
        found.append(_promotion_only(facts))
    if facts.required_labels:
        found.append(_labels(facts))
    if facts.required_statuses:
        found.append(_statuses(facts))
    if facts.rehearsal is not None:
        found.append(_standing("rehearsal", facts.rehearsal))
    found += [_standing(name, item) for name, item in facts.kept.items()]
    return tuple(found)


def blocked(gates: Iterable[Gate], *, forced: bool) -> tuple[Gate, ...]:
    """The gates that stop the promotion: with a reason to force it only those that never open."""
    return tuple(
        gate for gate in gates if gate.state is State.BLOCKED and not (forced and gate.forceable)
    )


def open_now(gates: Iterable[Gate]) -> bool:
    """Whether a merge may happen at this moment."""
    return all(gate.state is State.PASSED for gate in gates)


def branch_pattern(target: str, kind: str = "promote") -> re.Pattern[str]:
    """What the branches of this target are called; other targets' never match."""
    return re.compile(rf"{kind}/{re.escape(target.replace('/', '-'))}-[0-9a-f]{{8}}")


def _order(facts: Facts) -> Gate:
    source, target = facts.source, facts.target
    if source == target:
        return Gate(
            "order", State.BLOCKED, "an environment is not promoted to itself", forceable=False
        )
    for name, path in sorted(facts.paths.items()):
        if (source, target) in itertools.pairwise(path):
            return Gate("order", State.PASSED, f"{target} follows {source} (path {name})")
    both = [path for path in facts.paths.values() if source in path and target in path]
    if any(path.index(target) < path.index(source) for path in both):
        reason = f"{target} comes before {source}: a promotion never goes back (gen-env rollback)"
        return Gate("order", State.BLOCKED, reason, forceable=False)
    if both:
        path = both[0]
        between = ", ".join(path[path.index(source) + 1 : path.index(target)])
        return Gate("order", State.BLOCKED, f"{between} lies between {source} and {target}")
    if not facts.paths:
        reason = "promotion.paths in gen-env.yaml is empty, so there is no order"
    else:
        reason = f"no path of promotion.paths leads from {source} to {target}"
    return Gate("order", State.BLOCKED, reason)


def _verified(facts: Facts) -> Gate:
    evidence, source = facts.evidence, facts.source
    at = f"{source} at {evidence.revision[:12]}"
    said = f": {evidence.reason}" if evidence.reason else ""
    match evidence.standing:
        case Standing.VERIFIED:
            by = f" by {evidence.by}" if evidence.by else ""
            return Gate("verified", State.PASSED, f"{at} was verified {_when(evidence.since)}{by}")
        case Standing.RUNNING:
            return Gate("verified", State.WAITING, f"{at} is being verified{said}")
        case Standing.FAILED:
            return Gate("verified", State.BLOCKED, f"the verification of {at} failed{said}")
        case Standing.ABSENT:
            return Gate("verified", State.BLOCKED, f"{at} is not verified{said}")
        case Standing.UNREADABLE:
            reason = f"no evidence for {at} can be read{said}"
            return Gate("verified", State.BLOCKED, reason)
        case _ as unreachable:
            assert_never(unreachable)


def _soak(facts: Facts, now: datetime) -> Gate:
    if not facts.soak:
        return Gate("soak", State.PASSED, "no soak time is set for this tier")
    since = facts.evidence.since
    if facts.evidence.standing is not Standing.VERIFIED or since is None:
        running = facts.evidence.standing is Standing.RUNNING
        state = State.WAITING if running else State.BLOCKED
        return Gate("soak", state, f"{facts.soak} begin when {facts.source} is verified")
    until = since + timedelta(seconds=seconds_of(facts.soak))
    healthy = f"{facts.source} has been healthy for {lasting(now - since)}"
    if now < until:
        return Gate("soak", State.WAITING, f"{healthy} of {facts.soak}", until)
    return Gate("soak", State.PASSED, f"{healthy}, {facts.soak} required")


def _freeze(facts: Facts, now: datetime) -> Gate:
    if facts.windows is None:
        reason = f"sync.windows of {facts.target} are not known: its definition is invalid"
        return Gate("freeze", State.BLOCKED, reason)
    try:
        until = frozen_until(facts.windows, now)
    except WindowError as error:
        return Gate("freeze", State.BLOCKED, f"sync.windows of {facts.target}: {error}")
    if until is None:
        return Gate("freeze", State.PASSED, f"no sync window of {facts.target} denies syncs now")
    if until.year == datetime.max.year:
        reason = f"{facts.target} is frozen without an end (gen-env pause {facts.target} --resume)"
        return Gate("freeze", State.BLOCKED, reason)
    return Gate("freeze", State.WAITING, f"a sync window of {facts.target} denies syncs", until)


def _current(facts: Facts) -> Gate:
    if facts.outdated:
        names = ", ".join(facts.outdated)
        return Gate("current", State.BLOCKED, f"{facts.source} has moved on: {names}")
    return Gate("current", State.PASSED, f"the promoted fields match {facts.source}")


def _promotion_only(facts: Facts) -> Gate:
    name = "promotion-only"
    if not branch_pattern(facts.target).fullmatch(facts.branch):
        reason = f"{facts.target} changes by promotion only, and this is not a promotion branch"
        return Gate(name, State.BLOCKED, reason)
    if facts.other_changes:
        reason = f"more than what is promoted changes: {_few(facts.other_changes)}"
        return Gate(name, State.BLOCKED, reason)
    return Gate(name, State.PASSED, "nothing but promoted fields changes")


def _labels(facts: Facts) -> Gate:
    missing = [label for label in facts.required_labels if label not in facts.labels]
    if missing:
        reason = f"the pull request lacks the label {', '.join(missing)}"
        return Gate("labels", State.WAITING, reason)
    return Gate("labels", State.PASSED, f"has {', '.join(facts.required_labels)}")


def _statuses(facts: Facts) -> Gate:
    missing = [name for name in facts.required_statuses if name not in facts.statuses]
    if missing:
        reason = f"not a success on the pull request's newest commit: {', '.join(missing)}"
        return Gate("statuses", State.WAITING, reason)
    return Gate("statuses", State.PASSED, f"a success: {', '.join(facts.required_statuses)}")


def _standing(name: str, item: rehearsals.Standing) -> Gate:
    state = State.BLOCKED if item.fault else State.PASSED
    return Gate(name, state, item.fault or item.line)


def _few(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _when(moment: datetime | None) -> str:
    return shown_time(moment) if moment else "at an unknown time"


def shown_time(moment: datetime) -> str:
    """A moment for people: UTC, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def lasting(span: timedelta) -> str:
    """A length of time for people: `3 days 4 h`, `26 h`, `12 min`."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days {hours % 24} h"
