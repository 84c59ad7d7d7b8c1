"""`gen-env harden --pr` as steps: one hardening step as a commit of its own, and a pull request."""

from __future__ import annotations

from generator.adoption import harden
from generator.adoption.harden import Hardening
from generator.git.plumbing import Draft
from generator.promotion import publish, pull_request_text
from generator.promotion.base_branch import BaseBranch
from generator.promotion.promote import Published, Toolchain
from generator.report.escape import code

KIND = "harden"
_LOCAL_BUDGET = 60_000


def branch_of(found: Hardening) -> str:
    """One branch for each step of each environment."""
    return f"{KIND}/{found.name.replace('/', '-')}-{found.steps[-1]}"


def title_of(found: Hardening) -> str:
    """The pull request's title, and the commit's first line."""
    return f"Harden {found.name}: {', '.join(found.steps)}"


def publish_it(base_branch: BaseBranch, found: Hardening, tools: Toolchain) -> Published:
    """Commit the step on the default branch's newest state, push it, open or update its request.

    Raises UserError for a branch that is not ours to write, and when remote or forge refuse.
    """
    assert tools.forge is not None
    message = publish.message(title_of(found), "\n".join(_dropped(found)), {publish.TRAILER: KIND})
    contents: dict[str, bytes | None] = {
        path: written.encode() for path, written in found.plan.writes.items()
    }
    contents |= dict.fromkeys(found.plan.removals)
    changes = {base_branch.inside(path): content for path, content in contents.items()}
    branch = branch_of(found)
    placed = publish.place(
        base_branch, branch, Draft(base_branch.base, changes, message), push=True
    )
    body = render(found, tools.forge.limits.comment_budget)
    pull = tools.forge.ensure_pr(branch, base_branch.branch, title_of(found), body)
    return Published(placed, pull)


def render(found: Hardening, budget: int = _LOCAL_BUDGET) -> str:
    """The text of the pull request: what the step is, what moved or went, the rendered diff."""
    about = "\n".join(f"- {code(step)}: {harden.ABOUT[step]}" for step in found.steps)
    head = (
        f"The next hardening of {code(found.name)}, which was adopted as it was:\n\n{about}\n\n"
        f"Merge it alone, and verify it{' before the next step' if found.left is None else ''}.\n"
    )
    head += pull_request_text.listed([*_converted(found), *_dropped(found), *_left(found)])
    return pull_request_text.with_report(head, found.report, budget)


def _converted(found: Hardening) -> list[str]:
    return [f"now a field: {name}" for name in found.converted]


def _dropped(found: Hardening) -> list[str]:
    return [f"no longer in values: {name.removeprefix('values.')}" for name in found.dropped]


def _left(found: Hardening) -> list[str]:
    names = (name.removeprefix("values.") for name in found.left or ())
    return [f"stays in values, as no field in use decides it: {name}" for name in names]
