"""The evidence that an environment is verified: what verification wrote on its commits."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from datetime import UTC, datetime

from generator.errors import UserError
from generator.forge.port import CheckState, ForgePort, Status

CONTEXT = "gen-env/verify"


class Standing(enum.StrEnum):
    """What the forge knows about a revision of an environment."""

    VERIFIED = "verified"
    FAILED = "failed"
    RUNNING = "running"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """How a revision stands; `since` is when it was first verified without a failure after.

    `reason` says in words why there is none, or what the verification said.
    """

    standing: Standing
    revision: str
    since: datetime | None = None
    by: str = ""
    reason: str = ""
    url: str = ""


def context_of(environment: str) -> str:
    """The context under which verification reports an environment."""
    return f"{CONTEXT}/{environment}"


def read(forge: ForgePort, environment: str, commits: Sequence[str]) -> Evidence:
    """The evidence on commits that hold the same files of the environment, oldest first.

    What cannot be read becomes the evidence's reason; nothing raises.
    """
    revision = commits[0] if commits else ""
    found: list[tuple[str, Status]] = []
    try:
        for sha in commits:
            for status in forge.read_statuses(sha):
                if status.context == context_of(environment):
                    found.append((sha, status))
    except UserError as error:
        return unreadable(revision, error.message)
    return judge(environment, revision, found)


def unreadable(revision: str, reason: str) -> Evidence:
    """No evidence, because it could not be read."""
    return Evidence(Standing.UNREADABLE, revision, reason=reason)


def judge(environment: str, revision: str, found: Sequence[tuple[str, Status]]) -> Evidence:
    """The evidence in the statuses of one context, oldest commit first.

    The last word counts; the time runs from the first success after the last failure.
    """
    if not found:
        reason = f"no status {context_of(environment)} on {revision[:12]}"
        return Evidence(Standing.ABSENT, revision, reason=reason)
    sha, last = found[-1]
    if last.state is not CheckState.SUCCESS:
        running = last.state in (CheckState.PENDING, CheckState.RUNNING)
        standing = Standing.RUNNING if running else Standing.FAILED
        return Evidence(standing, sha, None, last.creator, last.description, last.url)
    first_sha, first = found[-1]
    for sha, status in reversed(found):
        if status.state is not CheckState.SUCCESS:
            break
        first_sha, first = sha, status
    since = _moment(first.since)
    if since is None:
        return unreadable(first_sha, f"the forge's time stamp '{first.since}' cannot be read")
    return Evidence(Standing.VERIFIED, first_sha, since, last.creator, last.description, last.url)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
