"""`gen-env promote` as steps: what moves, the gates, the commit, the pull request."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from generator.core.basis import Assurance, Basis, NotRead
from generator.core.errors import UserError
from generator.core.problem import has_errors
from generator.definition import lock_file
from generator.definition.definition import Definition
from generator.forge.port import ForgePort, PullRequest
from generator.git.plumbing import Draft
from generator.model.repository import TierPolicy
from generator.pipeline import drills, rehearsals, review
from generator.pipeline.generate import Charts, build
from generator.pipeline.rehearsals import Standing
from generator.promotion import evidence, fields, gates, history, publish, pull_request_text
from generator.promotion.base_branch import BaseBranch
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
class Options:
    """What the user asked for on the command line."""

    source: str
    target: str
    force: str | None = None


@dataclasses.dataclass(frozen=True)
class Toolchain:
    """What a proposal needs from outside; without a forge `why_none` says why."""

    charts: Charts
    renderer: Renderer
    forge: ForgePort | None = None
    why_none: str = "no forge was asked"
    clusters: drills.Clusters | None = None
    """Where backups are looked for; by default the contexts in gen-env.yaml."""


@dataclasses.dataclass(frozen=True)
class Promotion:
    """A promotion ready to be written: what moves, on which grounds, and what comes of it."""

    options: Options
    base_branch: BaseBranch
    choice: Choice
    drift: tuple[Difference, ...]
    evidence: Evidence
    gates: tuple[Gate, ...]
    commits: tuple[Commit, ...]
    branch: str
    regenerated: Regenerated
    notes: tuple[str, ...]
    rehearsal: Standing | None = None
    """What the target's rehearsal says of the migration; None where the schema does not move."""

    @property
    def empty(self) -> bool:
        """Whether nothing is to be moved."""
        return not self.choice.moves

    @property
    def nothing(self) -> str:
        """Why nothing is to be moved; fields that are not promoted may differ all the same."""
        same = f"what can be moved to {self.options.target} already matches {self.options.source}"
        stays = "; ".join(self.choice.stays)
        return f"{same}; not moved: {stays}" if stays else same

    @property
    def blocked(self) -> tuple[Gate, ...]:
        """The gates that stop it, the given reason considered."""
        return gates.blocked(self.gates, forced=self.options.force is not None)

    @property
    def basis(self) -> Basis:
        """By what the proposal is judged; evidence that cannot be read was not read."""
        item, unread = self.evidence, []
        if item.standing is evidence.Standing.UNREADABLE:
            what = f"evidence of {self.options.source}"
            unread = [NotRead(what, item.revision[:12], item.reason)]
        return self.regenerated.basis(self.base_branch.policy, unread)

    @property
    def ready(self) -> Assurance | None:
        """That it may be merged now; None while a gate is shut or something was not read."""
        if not gates.open_now(self.gates):
            return None
        return self.basis.assure("every gate is open")

    @property
    def title(self) -> str:
        """The pull request's title, and the commit's first line."""
        names = ", ".join(move.field for move in self.choice.moves[:3])
        rest = len(self.choice.moves) - 3
        more = f" and {rest} more" if rest > 0 else ""
        return f"Promote {self.options.source} to {self.options.target}: {names}{more}"


def prepare(
    base_branch: BaseBranch, options: Options, tools: Toolchain, now: datetime
) -> Promotion:
    """Everything about the promotion; nothing is written yet.

    Raises UserError for an unknown environment, one promoted to itself, a field that cannot be
    promoted, an edit that would reach too far, and an environment that cannot be generated.
    """
    if options.force is not None and not options.force.strip():
        raise UserError("--force needs a reason", hint='--force "why this cannot wait"')
    if options.source == options.target:
        raise UserError(f"{options.source} cannot be promoted to itself")
    source, target = base_branch.definition(options.source), base_branch.definition(options.target)
    promoted = base_branch.settings.repository.promotion.fields
    lock = catalogue.lock(base_branch.files, source)
    choice = fields.choose(source, target, promoted, lock)
    regenerated = _regenerated(base_branch, target, choice, lock, tools)
    if choice.moves and not has_errors(regenerated.problems):
        report = rendered(base_branch, regenerated, target.name, tools)
        problems = (*regenerated.problems, *review.unseen(report))
        regenerated = dataclasses.replace(regenerated, problems=problems)
    branch = _branch(options, choice)
    found = _evidence(base_branch, options.source, tools)
    labels = _labels(base_branch, options.target, branch, tools)
    facts = _facts(base_branch, options, target, found, branch, labels)
    tier = _tier(base_branch, target)
    max_age = tier.rehearsal if tier else None
    rehearsal = rehearsals.of_change(
        base_branch.files, regenerated.files, target.name, base_branch.settings, max_age, now
    )
    if max_age is not None:
        facts = dataclasses.replace(facts, rehearsal=rehearsal)
    present = build(base_branch.files, base_branch.settings, target, tools.charts)
    clusters = tools.clusters or drills.by_context(base_branch.settings)
    facts = dataclasses.replace(facts, kept=drills.standings(present, tier, clusters, now))
    return Promotion(
        options,
        base_branch,
        choice,
        fields.drift(source, target, promoted),
        found,
        gates.evaluate(facts, now),
        history.behind(base_branch, options.source, choice.moves) if choice.moves else (),
        branch,
        regenerated,
        tuple(_notes(base_branch, options, target)),
        rehearsal,
    )


def _branch(options: Options, choice: Choice) -> str:
    content = "\n".join(f"{move.field}={move.new!s}" for move in choice.moves)
    return publish.branch_name(KIND, options.target, f"{options.source}\n{content}")


def _regenerated(
    base_branch: BaseBranch,
    target: Definition,
    choice: Choice,
    lock: lock_file.Lock | None,
    tools: Toolchain,
) -> Regenerated:
    contents: dict[str, bytes | None] = {target.path: fields.edited(target, choice.moves).encode()}
    own = catalogue.lock(base_branch.files, target)
    versions = [str(move.new) for move in choice.moves if move.field == "chart.version"]
    if own is not None and lock is not None and versions == [lock.chart_version]:
        # The archive that was proven, not whichever this machine has under that version.
        proven = dataclasses.replace(
            own, chart_version=lock.chart_version, chart_digest=lock.chart_digest
        )
        contents[f"{target.folder}/{lock_file.FILE_NAME}"] = proven.text().encode()
    edited = replaced(base_branch.files, contents)
    return regenerate(base_branch.files, edited, target.name, tools.charts, tools.renderer)


def _evidence(base_branch: BaseBranch, source: str, tools: Toolchain) -> Evidence:
    commits = history.same_state(base_branch, source)
    if tools.forge is None:
        return evidence.unreadable(commits[0], tools.why_none)
    found = evidence.read(tools.forge, source, commits)
    if found.standing is evidence.Standing.ABSENT and base_branch.tree.is_shallow():
        return dataclasses.replace(found, reason=f"{found.reason}; this clone is shallow")
    return found


def _facts(
    base_branch: BaseBranch,
    options: Options,
    target: Definition,
    found: Evidence,
    branch: str,
    labels: frozenset[str],
) -> Facts:
    repository = base_branch.settings.repository
    resolved = build(base_branch.files, base_branch.settings, target).resolved
    tier = _tier(base_branch, target)
    return Facts(
        source=options.source,
        target=options.target,
        paths=repository.promotion.paths,
        evidence=found,
        soak=tier.soak if tier else None,
        windows=resolved.environment.sync.windows if resolved else None,
        promotion_only=tier.promotion_only if tier else False,
        branch=branch,
        required_labels=tier.labels if tier else (),
        required_statuses=tier.statuses if tier else (),
        labels=labels,
    )


def _tier(base_branch: BaseBranch, target: Definition) -> TierPolicy | None:
    resolved = build(base_branch.files, base_branch.settings, target).resolved
    tiers = base_branch.settings.repository.policy.tiers
    return tiers.get(resolved.environment.metadata.tier) if resolved else None


def _labels(base_branch: BaseBranch, target: str, branch: str, tools: Toolchain) -> frozenset[str]:
    """The labels of the pull request that is open already; a forge that fails gives none."""
    if tools.forge is None:
        return frozenset()
    try:
        found = publish.existing(tools.forge, KIND, target, base_branch.branch, branch)
    except UserError:
        return frozenset()
    return frozenset(found.labels if found else ())


def _notes(base_branch: BaseBranch, options: Options, target: Definition) -> list[str]:
    found = []
    unsaved = base_branch.unsaved(options.source, options.target)
    if unsaved:
        found.append(
            f"not included: {', '.join(unsaved)} differ in the work tree;"
            f" the promotion uses {base_branch.branch} at {base_branch.base[:12]}"
        )
    lock = catalogue.lock(base_branch.files, target)
    if lock is not None and lock.gen_env != lock_file.version():
        found.append(
            f"{options.target} was generated by gen-env {lock.gen_env} and is now by"
            f" {lock_file.version()}: the diff shows what that changes too"
        )
    return found


def publish_it(promotion: Promotion, tools: Toolchain, now: datetime, *, pull: bool) -> Published:
    """Write the commit and, with `pull`, push it and open or update the one pull request.

    Raises UserError for a branch that is not ours to write, and when remote or forge refuse.
    """
    base_branch = promotion.base_branch
    branch = promotion.branch
    if pull:
        assert tools.forge is not None
        open_one = publish.existing(
            tools.forge, KIND, promotion.options.target, base_branch.branch, branch
        )
        branch = open_one.head_ref if open_one else branch
    placed = publish.place(base_branch, branch, _draft(promotion), push=pull)
    if not pull or tools.forge is None:
        return Published(placed, None)
    body = render(promotion, tools, now, tools.forge.limits.comment_budget)
    opened = tools.forge.ensure_pr(branch, base_branch.branch, promotion.title, body)
    return Published(placed, opened)


@dataclasses.dataclass(frozen=True, slots=True)
class Published:
    """Where the commit is, and its pull request if one was asked for."""

    placed: Placed
    pull: PullRequest | None


def _draft(promotion: Promotion) -> Draft:
    options, base_branch = promotion.options, promotion.base_branch
    lines = [f"{move.field}: {move.old_text} -> {move.new_text}" for move in promotion.choice.moves]
    message = publish.message(
        promotion.title,
        "\n".join(lines),
        {
            publish.TRAILER: KIND,
            "Promoted-From": f"{options.source} {promotion.evidence.revision[:12]}",
            "Forced": options.force or "",
        },
    )
    changes = {
        base_branch.inside(path): content for path, content in promotion.regenerated.changes.items()
    }
    return Draft(base_branch.base, changes, message)


def render(
    promotion: Promotion, tools: Toolchain, now: datetime, budget: int = _LOCAL_BUDGET
) -> str:
    """The text of the pull request; renders both sides."""
    options, base_branch = promotion.options, promotion.base_branch
    links = {}
    if tools.forge is not None:
        links = {item.sha: tools.forge.commit_url(item.sha) for item in promotion.commits}
    head = "".join(
        (
            pull_request_text.moves(promotion.choice),
            pull_request_text.judged_by(promotion.basis),
            pull_request_text.listed(promotion.notes),
            pull_request_text.proof(options.source, promotion.evidence, now),
            pull_request_text.rehearsal(promotion.rehearsal),
            pull_request_text.gates(promotion.gates, options.force),
        )
    )
    tail = pull_request_text.commits(
        options.source, promotion.commits, links
    ) + pull_request_text.left(
        promotion.choice.stays, promotion.drift, options.source, options.target
    )
    report = rendered(base_branch, promotion.regenerated, options.target, tools)
    return pull_request_text.with_report(head, report, budget, tail)


def rendered(
    base_branch: BaseBranch, regenerated: Regenerated, name: str, tools: Toolchain
) -> Report:
    """The rendered diff of one environment between the base and the proposal."""
    revisions = review.Revisions(
        base_branch.files,
        regenerated.files,
        base_branch.base[:12],
        "this proposal",
        frozenset(regenerated.changes),
    )
    return review.review(
        revisions, [name], set(regenerated.changes), review.Toolchain(tools.charts, tools.renderer)
    )
