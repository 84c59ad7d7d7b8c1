"""How environments stand by git and the forge: versions, verified since when, what waits for whom.

Nothing is written, and no cluster is asked: what runs there is for `verify` and `diff --live`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from generator.core.basis import NotRead
from generator.core.errors import UserError
from generator.forge.port import PullRequest
from generator.model.adoption import STEPS
from generator.promotion import evidence, history, pause_marker
from generator.promotion.base_branch import BaseBranch
from generator.promotion.evidence import Evidence
from generator.promotion.gates import branch_pattern
from generator.promotion.promote import Toolchain

_HASHED = ("promote", "rollback")
_CLUSTER = NotRead("cluster", reason="not asked", hint="gen-env verify ENV, gen-env diff --live")


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """One environment on the default branch.

    `waiting` are open pull requests of gen-env's, None where they could not be read.
    """

    environment: str
    airflow: str
    chart: str
    image: str
    commit: str
    paused: bool
    evidence: Evidence
    waiting: tuple[PullRequest, ...] | None
    not_read: tuple[NotRead, ...]

    def as_json(self) -> dict[str, Any]:
        """The documented shape."""
        found = self.evidence
        return {
            "environment": self.environment,
            "airflow": self.airflow,
            "chart": self.chart,
            "image": self.image,
            "commit": self.commit,
            "paused": self.paused,
            "evidence": {
                "standing": found.standing.value,
                "revision": found.revision,
                "since": found.since.isoformat() if found.since else None,
                "reason": found.reason,
            },
            "waiting": None if self.waiting is None else list(map(_pull, self.waiting)),
            "notRead": [item.as_json() for item in self.not_read],
        }


def _pull(item: PullRequest) -> dict[str, Any]:
    return {"number": item.number, "title": item.title, "url": item.url}


def statuses(base_branch: BaseBranch, names: Sequence[str], tools: Toolchain) -> tuple[Status, ...]:
    """Each of these environments, or all; raises UserError for an unknown name.

    What the forge does not tell is named as not read.
    """
    definitions = base_branch.found.chosen(names)
    pulls, unread = _open(tools)
    return tuple(_status(base_branch, item.name, tools, pulls, unread) for item in definitions)


def _status(
    base_branch: BaseBranch,
    name: str,
    tools: Toolchain,
    pulls: Sequence[PullRequest] | None,
    unread: tuple[NotRead, ...],
) -> Status:
    definition = base_branch.definition(name)
    commits = history.same_state(base_branch, name)
    found = evidence.unreadable(commits[0], tools.why_none)
    if tools.forge is not None:
        found = evidence.read(tools.forge, name, commits)
    if found.standing is evidence.Standing.UNREADABLE:
        unread = (*unread, NotRead("evidence", name, found.reason))
    tag, digest = (definition.part("image", part) for part in ("tag", "digest"))
    return Status(
        name,
        str(definition.part("airflow", "version") or ""),
        str(definition.part("chart", "version") or ""),
        "@".join(str(part) for part in (tag, digest) if part),
        commits[0],
        pause_marker.is_paused(definition.document.text),
        found,
        None if pulls is None else tuple(item for item in pulls if _concerns(item, name)),
        (*unread, _CLUSTER),
    )


def _open(tools: Toolchain) -> tuple[Sequence[PullRequest] | None, tuple[NotRead, ...]]:
    if tools.forge is None:
        return None, (NotRead("pull requests", reason=tools.why_none),)
    try:
        return tools.forge.list_open_prs(), ()
    except UserError as error:
        return None, (NotRead("pull requests", reason=error.message),)


def _concerns(pull: PullRequest, name: str) -> bool:
    """Whether a branch of gen-env's for that environment is proposed, from this repository."""
    if pull.from_fork:
        return False
    kind = pull.head_ref.partition("/")[0]
    called = f"{kind}/{name.replace('/', '-')}"
    if kind in _HASHED:
        return bool(branch_pattern(name, kind).fullmatch(pull.head_ref))
    if kind == "harden":
        return pull.head_ref in {f"{called}-{step}" for step in STEPS}
    return kind == "pause" and pull.head_ref == called
