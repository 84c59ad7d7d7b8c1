"""The gates once more, on a pull request as it is now: asked before the merge."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.core.layered import Path, leaves
from generator.definition.definition import SETTINGS, Definition, Settings
from generator.model.repository import TierPolicy
from generator.pipeline import drills, rehearsals
from generator.pipeline.generate import build
from generator.promotion import gates, pause_marker
from generator.promotion.evidence import Evidence, unreadable
from generator.promotion.gates import Facts, Gate
from generator.tree import catalogue
from generator.tree.catalogue import Catalogue
from generator.yaml.edit import MISSING, get

_NOBODY = "(no environment)"
_WITHOUT_SOURCE = ("freeze", "labels", "statuses", "rehearsal", "backup", "drill")


@dataclasses.dataclass(frozen=True, slots=True)
class Proposed:
    """What a pull request proposes for one environment: files of the base and of the merge result,
    the paths that it touches, its branch, its labels, and what gives the names of the statuses that
    are a success on its newest commit, where they are asked for.
    """

    target: str
    base: Files
    head: Files
    touched: frozenset[str]
    branch: str
    labels: frozenset[str] = frozenset()
    statuses: Callable[[], frozenset[str]] = frozenset
    earlier: tuple[bytes, ...] = ()
    """The target's definition as it was at earlier commits of the base branch, for rollbacks."""
    clusters: drills.Clusters = drills.nowhere
    """Where the target's backups are looked for, if its tier wants them."""


def again(
    proposed: Proposed, evidence_of: Callable[[str], Evidence], now: datetime
) -> tuple[Gate, ...]:
    """The gates of the promotion into an environment; none where nothing promoted is changed, and
    none for a rollback or a pause, known by their content and not by the name of a branch. Of an
    environment to which no path leads only what needs no source is asked (freeze, labels, statuses,
    rehearsal, backup, drill), unless its tier changes by promotion only. What cannot be
    read, here or before it, opens nothing.

    Order, soak time and the list of fields are those of the base: a pull request does not bend its
    own rules. The source is not believed from texts that people can edit: it is the environment
    before the target (promotion.paths) whose values on the base are the proposed ones.
    """
    before = _concerned(proposed.base, proposed.target)
    after = catalogue.load(proposed.head, frozenset({proposed.target}))
    old = before.definitions.get(proposed.target)
    new = after.definitions.get(proposed.target)
    if proposed.target not in before.names or proposed.target not in after.names:
        return ()
    if new is not None and _goes_back(proposed, old, new):
        return ()
    if before.settings is None or old is None or new is None:
        where = SETTINGS if before.settings is None else proposed.target
        side = "pull request" if old is not None and before.settings is not None else "base"
        return (_closed(f"{where} cannot be read on the {side}: what is promoted is not known"),)
    facts = _facts(proposed, before.settings, before.definitions, new, evidence_of, now)
    found = gates.evaluate(facts, now) if facts else ()
    if facts is None or facts.source in before.definitions or facts.promotion_only:
        return found
    named = frozenset(itertools.chain.from_iterable(facts.paths.values()))
    unread = facts.source if facts.source != _NOBODY else ", ".join(sorted(named - before.names))
    # Where releases begin, nothing could have been verified before.
    rest = tuple(gate for gate in found if gate.name in _WITHOUT_SOURCE)
    reason = f"not found, or invalid, on the base: {unread} of promotion.paths"
    return (_closed(reason), *rest) if unread else rest


def _closed(reason: str) -> Gate:
    return Gate("order", gates.State.BLOCKED, reason)


def _concerned(files: Files, target: str) -> Catalogue:
    """The target and what may come before it: the other environments need not be read."""
    settings = catalogue.load(files, frozenset()).settings
    names = {target}
    if settings is not None:
        for path in settings.repository.promotion.paths.values():
            names |= {before for before, after in itertools.pairwise(path) if after == target}
    return catalogue.load(files, frozenset(names))


def _facts(
    proposed: Proposed,
    settings: Settings,
    definitions: Mapping[str, Definition],
    new: Definition,
    evidence_of: Callable[[str], Evidence],
    now: datetime,
) -> Facts | None:
    """What the gates look at; None where they are not asked."""
    old = definitions[proposed.target]
    changed = _changed(old.data, new.data)
    promoted = [tuple(field.split(".")) for field in settings.repository.promotion.fields]
    moved = [path for path in promoted if get(old.data, path) != get(new.data, path)]
    present = build(proposed.base, settings, old)
    resolved = present.resolved
    word = resolved.environment.metadata.tier if resolved else old.tier
    tiers = settings.repository.policy.tiers
    tier = next((policy for name, policy in tiers.items() if name == word), None)
    only = tier is not None and tier.promotion_only
    if not moved and not (only and changed):
        return None
    source, outdated = _source(definitions, settings, new, moved)
    other = [path for path in changed if not any(path[: len(p)] == p for p in promoted)]
    names = [".".join(map(str, path)) for path in other if path != ("chart", "digest")]
    return Facts(
        source=source,
        target=proposed.target,
        paths=settings.repository.promotion.paths,
        evidence=evidence_of(source) if source in definitions else unreadable("", source),
        soak=tier.soak if tier else None,
        windows=resolved.environment.sync.windows if resolved else None,
        promotion_only=only,
        branch=proposed.branch,
        other_changes=(*names, *_elsewhere(proposed)),
        outdated=outdated,
        required_labels=tier.labels if tier else (),
        labels=proposed.labels,
        required_statuses=tier.statuses if tier else (),
        statuses=proposed.statuses() if tier and tier.statuses else frozenset(),
        rehearsal=_rehearsal(proposed, settings, tier, now),
        kept=drills.standings(present, tier, proposed.clusters, now),
    )


def _rehearsal(
    proposed: Proposed, settings: Settings, tier: TierPolicy | None, now: datetime
) -> rehearsals.Standing | None:
    if tier is None or tier.rehearsal is None:
        return None
    return rehearsals.of_change(
        proposed.base, proposed.head, proposed.target, settings, tier.rehearsal, now
    )


def _goes_back(proposed: Proposed, old: Definition | None, new: Definition) -> bool:
    """Whether the definition, a pause apart, is the present one or an earlier one."""
    present = (old.document.text.encode(),) if old is not None else ()
    try:
        known = {
            pause_marker.kept("", text.decode("utf-8", "replace"), new.path)
            for text in (*present, *proposed.earlier)
        }
        return pause_marker.kept("", new.document.text, new.path) in known and not _elsewhere(
            proposed
        )
    except UserError:
        return False


def _source(
    definitions: Mapping[str, Definition],
    settings: Settings,
    new: Definition,
    moved: Sequence[Path],
) -> tuple[str, tuple[str, ...]]:
    """The environment before the target that fits best, and the fields that it has otherwise.

    One that cannot be read is given only where no other leads there.
    """
    best: tuple[str, tuple[str, ...]] | None = None
    unread = _NOBODY
    for path in settings.repository.promotion.paths.values():
        for source, target in itertools.pairwise(path):
            if target != new.name:
                continue
            if source not in definitions:
                unread = source
                continue
            data = definitions[source].data
            other = tuple(
                ".".join(map(str, field))
                for field in moved
                if str(get(data, field)) != str(get(new.data, field))
            )
            if best is None or len(other) < len(best[1]):
                best = source, other
    return best or (unread, ())


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Path]:
    left, right = dict(leaves(old)), dict(leaves(new))
    return [
        path
        for path in sorted({*left, *right})
        if left.get(path, MISSING) != right.get(path, MISSING)
    ]


def _elsewhere(proposed: Proposed) -> list[str]:
    """Touched files that belong to no part of the target's own tree."""
    folder = f"environments/{proposed.target}/"
    ours = (f"{folder}generated/", "bootstrap/", ".gen-env/")
    own = {f"{folder}environment.yaml", f"{folder}gen-env.lock"}
    return sorted(
        path for path in proposed.touched if path not in own and not path.startswith(ours)
    )
