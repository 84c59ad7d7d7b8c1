"""`gen-env promote` as steps: what moves, the gates, the commit, the pull request."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from generator.core.errors import UserError
from generator.definition import lock as locks
from generator.definition.definition import Definition
from generator.forge.port import ForgePort, PullRequest
from generator.git.plumbing import Draft
from generator.pipeline import review
from generator.pipeline.generate import Charts, build
from generator.promotion import evidence, fields, gates, history, publish
from generator.promotion import pull_request_text as text
from generator.promotion.base_branch import Ground
from generator.promotion.evidence import Evidence
from generator.promotion.fields import Choice, Difference
from generator.promotion.gates import Facts, Gate
from generator.promotion.history import Commit
from generator.promotion.publish import Placed
from generator.promotion.regenerate import Regenerated, regenerate, replaced
from generator.render.request import Renderer
from generator.report.model import Report
from generator.tree import catalogue

KIND = "promote"
_LOCAL_BUDGET = 60_000


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for on the command line."""

    source: str
    target: str
    force: str | None = None


@dataclasses.dataclass(frozen=True)
class Means:
    """What a proposal needs from outside; without a forge `why_none` says why."""

    charts: Charts
    renderer: Renderer
    forge: ForgePort | None = None
    why_none: str = "no forge was asked"


@dataclasses.dataclass(frozen=True)
class Promotion:
    """A promotion ready to be written: what moves, on which grounds, and what comes of it."""

    wish: Wish
    ground: Ground
    choice: Choice
    drift: tuple[Difference, ...]
    evidence: Evidence
    gates: tuple[Gate, ...]
    commits: tuple[Commit, ...]
    branch: str
    regenerated: Regenerated
    notes: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing is to be moved."""
        return not self.choice.moves

    @property
    def blocked(self) -> tuple[Gate, ...]:
        """The gates that stop it, the given reason considered."""
        return gates.blocked(self.gates, forced=self.wish.force is not None)

    @property
    def title(self) -> str:
        """The pull request's title, and the commit's first line."""
        names = ", ".join(move.field for move in self.choice.moves[:3])
        rest = len(self.choice.moves) - 3
        more = f" and {rest} more" if rest > 0 else ""
        return f"Promote {self.wish.source} to {self.wish.target}: {names}{more}"


def prepare(ground: Ground, wish: Wish, means: Means, now: datetime) -> Promotion:
    """Everything about the promotion; nothing is written yet.

    Raises UserError for an unknown environment, one promoted to itself, a field that cannot be
    promoted, an edit that would reach too far, and an environment that cannot be generated.
    """
    if wish.force is not None and not wish.force.strip():
        raise UserError("--force needs a reason", hint='--force "why this cannot wait"')
    if wish.source == wish.target:
        raise UserError(f"{wish.source} cannot be promoted to itself")
    source, target = ground.definition(wish.source), ground.definition(wish.target)
    promoted = ground.settings.repository.promotion.fields
    lock = catalogue.lock(ground.files, source)
    choice = fields.choose(source, target, promoted, lock)
    regenerated = _regenerated(ground, target, choice, lock, means)
    branch = _branch(wish, choice)
    found = _evidence(ground, wish.source, means)
    labels = _labels(ground, wish.target, branch, means)
    facts = _facts(ground, wish, target, found, branch, labels)
    return Promotion(
        wish,
        ground,
        choice,
        fields.drift(source, target, promoted),
        found,
        gates.evaluate(facts, now),
        history.behind(ground, wish.source, choice.moves) if choice.moves else (),
        branch,
        regenerated,
        tuple(_notes(ground, wish, target)),
    )


def _branch(wish: Wish, choice: Choice) -> str:
    content = "\n".join(f"{move.field}={move.new!s}" for move in choice.moves)
    return publish.branch_name(KIND, wish.target, f"{wish.source}\n{content}")


def _regenerated(
    ground: Ground, target: Definition, choice: Choice, lock: locks.Lock | None, means: Means
) -> Regenerated:
    contents: dict[str, bytes | None] = {target.path: fields.edited(target, choice.moves).encode()}
    own = catalogue.lock(ground.files, target)
    versions = [str(move.new) for move in choice.moves if move.field == "chart.version"]
    if own is not None and lock is not None and versions == [lock.chart_version]:
        # The archive that was proven, not whichever this machine has under that version.
        proven = dataclasses.replace(
            own, chart_version=lock.chart_version, chart_digest=lock.chart_digest
        )
        contents[f"{target.folder}/{locks.FILE_NAME}"] = proven.text().encode()
    edited = replaced(ground.files, contents)
    return regenerate(ground.files, edited, target.name, means.charts, means.renderer)


def _evidence(ground: Ground, source: str, means: Means) -> Evidence:
    commits = history.same_state(ground, source)
    if means.forge is None:
        return evidence.unreadable(commits[0], means.why_none)
    found = evidence.read(means.forge, source, commits)
    if found.standing is evidence.Standing.ABSENT and ground.tree.is_shallow():
        return dataclasses.replace(found, reason=f"{found.reason}; this clone is shallow")
    return found


def _facts(
    ground: Ground,
    wish: Wish,
    target: Definition,
    found: Evidence,
    branch: str,
    labels: frozenset[str],
) -> Facts:
    repository = ground.settings.repository
    resolved = build(ground.files, ground.settings, target).resolved
    tier = repository.policy.tiers.get(resolved.environment.metadata.tier) if resolved else None
    return Facts(
        source=wish.source,
        target=wish.target,
        paths=repository.promotion.paths,
        evidence=found,
        soak=tier.soak if tier else None,
        windows=resolved.environment.sync.windows if resolved else (),
        promotion_only=tier.promotion_only if tier else False,
        branch=branch,
        required_labels=tier.labels if tier else (),
        labels=labels,
    )


def _labels(ground: Ground, target: str, branch: str, means: Means) -> frozenset[str]:
    """The labels of the pull request that is open already; a forge that fails gives none."""
    if means.forge is None:
        return frozenset()
    try:
        found = publish.existing(means.forge, KIND, target, ground.branch, branch)
    except UserError:
        return frozenset()
    return frozenset(found.labels if found else ())


def _notes(ground: Ground, wish: Wish, target: Definition) -> list[str]:
    found = []
    unsaved = ground.unsaved(wish.source, wish.target)
    if unsaved:
        found.append(
            f"not taken along: {', '.join(unsaved)} differ in the work tree;"
            f" what counts is {ground.branch} at {ground.base[:12]}"
        )
    lock = catalogue.lock(ground.files, target)
    if lock is not None and lock.gen_env != locks.version():
        found.append(
            f"{wish.target} was generated by gen-env {lock.gen_env} and is now by"
            f" {locks.version()}: the diff shows what that changes too"
        )
    return found


def publish_it(promotion: Promotion, means: Means, now: datetime, *, pull: bool) -> Published:
    """Write the commit and, with `pull`, push it and open or update the one pull request.

    Raises UserError for a branch that is not ours to write, and when remote or forge refuse.
    """
    ground = promotion.ground
    branch = promotion.branch
    if pull:
        assert means.forge is not None
        open_one = publish.existing(means.forge, KIND, promotion.wish.target, ground.branch, branch)
        branch = open_one.head_ref if open_one else branch
    placed = publish.place(ground, branch, _draft(promotion), push=pull)
    if not pull or means.forge is None:
        return Published(placed, None)
    body = render(promotion, means, now, means.forge.limits.comment_budget)
    opened = means.forge.ensure_pr(branch, ground.branch, promotion.title, body)
    return Published(placed, opened)


@dataclasses.dataclass(frozen=True, slots=True)
class Published:
    """Where the commit is, and its pull request if one was asked for."""

    placed: Placed
    pull: PullRequest | None


def _draft(promotion: Promotion) -> Draft:
    wish, ground = promotion.wish, promotion.ground
    lines = [f"{move.field}: {move.old_text} -> {move.new_text}" for move in promotion.choice.moves]
    message = publish.message(
        promotion.title,
        "\n".join(lines),
        {
            publish.TRAILER: KIND,
            "Promoted-From": f"{wish.source} {promotion.evidence.revision[:12]}",
            "Forced": wish.force or "",
        },
    )
    changes = {
        ground.inside(path): content for path, content in promotion.regenerated.changes.items()
    }
    return Draft(ground.base, changes, message)


def render(promotion: Promotion, means: Means, now: datetime, budget: int = _LOCAL_BUDGET) -> str:
    """The text of the pull request; renders both sides."""
    wish, ground = promotion.wish, promotion.ground
    links = {}
    if means.forge is not None:
        links = {item.sha: means.forge.commit_url(item.sha) for item in promotion.commits}
    head = "".join(
        (
            text.moves(promotion.choice),
            text.listed(promotion.notes),
            text.proof(wish.source, promotion.evidence, now),
            text.gates(promotion.gates, wish.force),
        )
    )
    tail = text.commits(wish.source, promotion.commits, links) + text.left(
        promotion.choice.stays, promotion.drift, wish.source, wish.target
    )
    return text.with_report(head, rendered(ground, promotion.regenerated, wish.target, means),
                            budget, tail)  # fmt: skip


def rendered(ground: Ground, regenerated: Regenerated, name: str, means: Means) -> Report:
    """The rendered diff of one environment between the base and the proposal."""
    revisions = review.Revisions(ground.files, regenerated.files, ground.base[:12], "this proposal")
    return review.review(
        revisions, [name], set(regenerated.changes), review.Means(means.charts, means.renderer)
    )
