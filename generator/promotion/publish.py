"""A proposal on its way: one branch, pushed with a lease, one pull request; never a second one."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Mapping

from generator.core.errors import UserError
from generator.core.process import Completed
from generator.forge.port import ForgePort, PullRequest
from generator.git import diff, plumbing
from generator.git.command import words_of
from generator.git.errors import Fault, RemoteError
from generator.git.plumbing import Draft
from generator.promotion.base_branch import BaseBranch, fetch_branch, safe
from generator.promotion.gates import branch_pattern

TRAILER = "Gen-Env"
_TIMEOUT = 300.0
_ATTEMPTS = 5
_BACKOFF = 0.2  # seconds, more each time: a lock on a ref lasts for milliseconds
_RACE_MESSAGES = (
    "stale info",
    "fetch first",
    "non-fast-forward",
    "already exists",
    "cannot lock ref",
    "failed to update ref",
    "incorrect old value",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """Where the proposal is now; `created` is false when all of it was there already."""

    branch: str
    commit: str
    created: bool
    pushed: bool = False


def branch_name(kind: str, environment: str, content: str) -> str:
    """`promote/payments-staging-1a2b3c4d`: the same content gives the same branch."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    return f"{kind}/{environment.replace('/', '-')}-{digest}"


def message(subject: str, body: str, trailers: Mapping[str, str]) -> str:
    """A commit message whose last lines say what made it."""
    lines = [f"{key}: {' '.join(value.split())}" for key, value in trailers.items() if value]
    return "\n\n".join(part for part in (subject, body.strip(), "\n".join(lines)) if part) + "\n"


def existing(
    forge: ForgePort, kind: str, environment: str, base: str, wanted: str
) -> PullRequest | None:
    """The open pull request of ours for this environment: that of the wanted branch, or any."""
    pattern = branch_pattern(environment, kind)
    found = [
        item
        for item in forge.list_open_prs()
        if not item.from_fork
        and item.base_ref == base
        and (pattern.fullmatch(item.head_ref) or item.head_ref == wanted)
    ]
    exact = [item for item in found if item.head_ref == wanted]
    return next(iter(exact or found), None)


def place(base_branch: BaseBranch, branch: str, draft: Draft, *, push: bool) -> Placed:
    """Have the branch hold the draft, here and, with `push`, at the remote.

    A branch that gives the same when merged is taken as it is. Raises UserError for a branch with
    commits that gen-env did not make, for one that somebody else is writing at the same time, and
    when the remote refuses.
    """
    tree = plumbing.write_tree(base_branch.tree.git, draft)
    first: _Tips | None = None
    for attempt in range(_ATTEMPTS):
        time.sleep(attempt * _BACKOFF)
        tips = _tips(base_branch, branch, push=push)
        if first is not None:
            _require_unchanged(base_branch, branch, tree, first, tips)
        first = first or tips
        try:
            return _place(base_branch, branch, draft, tree, tips, push=push)
        except _Raced:
            # Whoever was faster may have written the very same: look again.
            continue
    raise RemoteError(
        f"the branch {branch} keeps being changed by another writer",
        Fault.PASSING,
        hint="check it, then run the command again",
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Tips:
    """What the branch names in this clone and at the remote; None where it is not."""

    here: str | None
    there: str | None


class _Raced(Exception):
    """The branch was not what it was a moment ago."""


def _tips(base_branch: BaseBranch, branch: str, *, push: bool) -> _Tips:
    ref = f"refs/heads/{branch}^{{commit}}"
    here = base_branch.tree.git.line_or_none("rev-parse", "--quiet", "--verify", ref)
    there = None
    if push:
        assert base_branch.remote is not None
        there = fetch_branch(base_branch.tree, base_branch.remote, branch)
    return _Tips(here, there)


def _require_unchanged(
    base_branch: BaseBranch, branch: str, tree: str, first: _Tips, now: _Tips
) -> None:
    for old, new in ((first.here, now.here), (first.there, now.there)):
        if new is not None and new != old and not _gives(base_branch, new, tree):
            raise UserError(
                f"another writer is changing the branch {branch}",
                hint="check it, then run the command again",
            )


def _place(
    base_branch: BaseBranch, branch: str, draft: Draft, tree: str, tips: _Tips, *, push: bool
) -> Placed:
    git, here, there = base_branch.tree.git, tips.here, tips.there
    known = [tip for tip in (there, here) if tip is not None]
    made = next((tip for tip in known if _gives(base_branch, tip, tree)), None)
    for tip in known:
        if tip != made:
            _require_ours(base_branch, branch, tip)
    chosen = made or plumbing.commit_tree(git, draft, tree)
    if here != chosen and not plumbing.point(git, branch, chosen, here):
        raise _Raced
    if push and there != chosen:
        _push(base_branch, branch, chosen, there)
    return Placed(branch, chosen, made is None, pushed=push and there != chosen)


def _gives(base_branch: BaseBranch, tip: str, tree: str) -> bool:
    """Whether merging this commit into the base gives exactly the wanted tree."""
    if not _ahead(base_branch, tip):
        return False
    try:
        return diff.merge_tree(base_branch.tree.git, base_branch.base, tip).tree == tree
    except UserError:
        return False


def _ahead(base_branch: BaseBranch, tip: str) -> list[tuple[str, bool]]:
    """Commits of the branch that the base lacks, and whether each is ours."""
    form = f"--format=%H%x00%(trailers:key={TRAILER},valueonly,separator=%x2C)"
    output = base_branch.tree.git.run("log", form, f"{base_branch.base}..{tip}").stdout.decode()
    rows = [line.partition("\0") for line in output.splitlines() if line]
    return [(sha, bool(trailer.strip())) for sha, _, trailer in rows]


def _require_ours(base_branch: BaseBranch, branch: str, tip: str) -> None:
    foreign = [sha for sha, ours in _ahead(base_branch, tip) if not ours]
    if foreign:
        raise UserError(
            f"the branch {branch} holds commits that gen-env did not make ({foreign[0][:12]})",
            hint="merge it, or close its pull request and delete the branch; nothing was changed",
        )


def _push(base_branch: BaseBranch, branch: str, sha: str, there: str | None) -> None:
    ref = f"refs/heads/{branch}"
    assert base_branch.remote is not None
    done = base_branch.tree.git.run(
        "push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no",
        f"--force-with-lease={ref}:{there or ''}", base_branch.remote, f"{sha}:{ref}",
        check=False, timeout=_TIMEOUT,
    )  # fmt: skip
    if done.status == 0:
        return
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    if any(sign in said for sign in _RACE_MESSAGES):
        raise _Raced
    raise _refusal(branch, done)


def _refusal(branch: str, done: Completed) -> UserError:
    words = safe(words_of(done, 8))
    hint = "the commit is on the local branch; fix the errors above, then run it again"
    if "protected" in words.lower():
        hint = f"let gen-env's user push to {branch.partition('/')[0]}/*, then run it again"
    elif any(sign in words for sign in ("could not read Username", "Authentication", "403")):
        hint = "check your git credentials and rights for the remote, then run it again"
    return UserError(f"the push of {branch} was refused:\n{words}", hint=hint)
