"""What gen-env asks of a forge: a few verbs, the values they take and give, and the limits."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import Protocol

from generator.forge.kind import ForgeKind as ForgeKind


class CheckState(enum.StrEnum):
    """How a check stands; a forge that knows fewer words shows the nearest one."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"
    CANCELLED = "cancelled"


class PullState(enum.StrEnum):
    """The life of a pull request (GitLab: merge request)."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


class DeploymentState(enum.StrEnum):
    """How the cluster takes a revision."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"


@dataclasses.dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as it is now. Repository ids are text; a deleted fork has none."""

    number: int
    title: str
    body: str
    state: PullState
    head_sha: str
    head_ref: str
    head_repository: str | None
    base_sha: str
    base_ref: str
    base_repository: str
    author: str
    url: str
    draft: bool = False
    labels: tuple[str, ...] = ()
    merge_sha: str | None = None
    """The commit on the base branch that merged it; None until then."""

    @property
    def from_fork(self) -> bool:
        """Whether its content comes from another repository, or from one that is gone."""
        return self.head_repository != self.base_repository


@dataclasses.dataclass(frozen=True, slots=True)
class Status:
    """The latest status of one context on a commit; `since` is the forge's own time stamp."""

    context: str
    state: CheckState
    description: str
    url: str
    creator: str
    since: str


@dataclasses.dataclass(frozen=True, slots=True)
class Deployment:
    """One word of ours on how an environment takes a commit; `since` is the forge's own time."""

    state: DeploymentState
    description: str
    url: str
    creator: str
    since: str


@dataclasses.dataclass(frozen=True, slots=True)
class Annotation:
    """A remark at a line of a file of the commit; `level` is notice, warning or failure."""

    path: str
    line: int
    level: str
    message: str
    title: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One check's outcome; without check runs a forge shows name, state, title and URL."""

    name: str
    state: CheckState
    title: str
    summary: str = ""
    text: str = ""
    url: str = ""
    annotations: tuple[Annotation, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a pull request, by the id of its author (names change, ids don't)."""

    id: int
    author: str
    body: str
    url: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What a forge takes. Budgets are what we aim for, in code points and in bytes alike."""

    comment_budget: int
    comment: int
    context: int = 255
    description: int = 140
    check_text: int = 65_535


LIMITS = {
    # The error of GitHub's API names 65,536 characters for a comment, and a pull request's
    # body really ends there.
    ForgeKind.GITHUB: Limits(comment_budget=60_000, comment=65_536),
    # A million is allowed, but the page gets slow long before.
    ForgeKind.GITLAB: Limits(comment_budget=200_000, comment=1_000_000),
    # No cap is documented; the budget keeps one report fit for all forges.
    ForgeKind.GITEA: Limits(comment_budget=60_000, comment=1_000_000),
}


class ForgePort(Protocol):
    """One repository on one forge.

    Every method raises `generator.forge.errors.ForgeError` (a UserError) when the forge refuses or
    can't be reached. Writes find what is there first, so that running them again changes nothing.
    """

    @property
    def kind(self) -> ForgeKind:
        """Which adapter this is."""

    @property
    def limits(self) -> Limits:
        """How long the texts may be."""

    def get_pr(self, number: int) -> PullRequest:
        """The pull request as it is now."""

    def list_open_prs(self) -> list[PullRequest]:
        """All open pull requests, by number."""

    def prs_of_commit(self, sha: str) -> list[PullRequest]:
        """The pull requests whose head this is, or that this commit merged."""

    def set_status(
        self, sha: str, context: str, state: CheckState, description: str, url: str = ""
    ) -> None:
        """Set one context's status; the description is shortened, an equal one not sent again."""

    def read_statuses(self, sha: str) -> list[Status]:
        """The latest status of every context, by context."""

    def report_check(self, sha: str, check: Check) -> None:
        """Show a check's outcome with all that the forge has room for."""

    def upsert_comment(self, number: int, marker: str, body: str) -> Comment:
        """Exactly one comment of ours with this marker: the oldest is edited, spares go.

        The marker is put in front of a body that lacks it.
        """

    def keep_issue(self, marker: str, title: str, body: str) -> None:
        """Exactly one open issue of ours with this marker: the oldest is edited, spares close."""

    def close_issue(self, marker: str) -> None:
        """No open issue of ours with this marker."""

    def ensure_pr(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        """The one open pull request from `branch` into `base`, with this title and body."""

    def report_deployment(
        self, environment: str, sha: str, state: DeploymentState, description: str, url: str = ""
    ) -> None:
        """Show on the forge how an environment takes a commit."""

    def read_deployments(self, environment: str, sha: str) -> list[Deployment]:
        """What `report_deployment` wrote, oldest first, as far back as the forge remembers.

        Deployments of others (a pipeline's, with an environment of the same name) do not count.
        """

    def can_write(self, user: str) -> bool:
        """Whether this user may push to the repository."""

    def commit_url(self, sha: str) -> str:
        """A link for people to a commit."""


def shorten(text: str, limit: int) -> str:
    """The text on one line of at most `limit` code points, with an ellipsis where it was cut."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def latest(statuses: Iterable[tuple[int, Status]]) -> list[Status]:
    """Of numbered statuses the highest number per context, sorted by context."""
    newest: dict[str, tuple[int, Status]] = {}
    for number, status in statuses:
        if status.context not in newest or number > newest[status.context][0]:
            newest[status.context] = (number, status)
    return [newest[context][1] for context in sorted(newest)]
