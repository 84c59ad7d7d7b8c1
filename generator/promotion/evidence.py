"""The evidence that an environment is verified: what verification writes on its commits."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from datetime import UTC, datetime

from generator.core.errors import UserError
from generator.forge.errors import ForgeError
from generator.forge.port import CheckState, Deployment, DeploymentState, ForgePort, Status
from generator.verify.result import Outcome, Verdict

CONTEXT = "gen-env/verify"
_AS_DEPLOYMENT = {
    CheckState.PENDING: DeploymentState.RUNNING,
    CheckState.RUNNING: DeploymentState.RUNNING,
    CheckState.SUCCESS: DeploymentState.SUCCESS,
    CheckState.FAILURE: DeploymentState.FAILURE,
    CheckState.ERROR: DeploymentState.FAILURE,
    CheckState.CANCELLED: DeploymentState.FAILURE,
}
_AS_STATUS = {
    DeploymentState.RUNNING: CheckState.RUNNING,
    DeploymentState.SUCCESS: CheckState.SUCCESS,
    DeploymentState.FAILURE: CheckState.FAILURE,
}


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


def record(
    forge: ForgePort,
    environment: str,
    sha: str,
    state: CheckState,
    description: str,
    url: str = "",
) -> str:
    """Write what verification found on a commit: a status, and a deployment where there are any.

    A success that stands there stays untouched: its time says since when. Gives why the deployment
    could not be shown, or nothing; raises ForgeError for the status.
    """
    context = context_of(environment)
    stands = any(
        (item.context, item.state) == (context, state) for item in forge.read_statuses(sha)
    )
    if not (stands and state is CheckState.SUCCESS):
        forge.set_status(sha, context, state, description, url)
    try:
        forge.report_deployment(environment, sha, _AS_DEPLOYMENT[state], description, url)
    except ForgeError as error:
        return error.message
    return ""


def read(forge: ForgePort, environment: str, commits: Sequence[str]) -> Evidence:
    """The evidence on commits that hold the same files of the environment, oldest first.

    What cannot be read becomes the evidence's reason; nothing raises.
    """
    revision = commits[0] if commits else ""
    found: list[tuple[str, Status]] = []
    unread = ""
    try:
        for sha in commits:
            words = [
                item for item in forge.read_statuses(sha) if item.context == context_of(environment)
            ]
            deployed, failure = _deployments(forge, environment, sha)
            unread = unread or failure
            found += [(sha, item) for item in sorted([*deployed, *words], key=_order)]
    except UserError as error:
        return unreadable(revision, error.message)
    evidence = decide(environment, revision, found)
    if unread and evidence.standing is Standing.ABSENT:
        said = f"{evidence.reason}, and deployments cannot be read: {unread}"
        return dataclasses.replace(evidence, reason=said)
    return evidence


def _deployments(forge: ForgePort, environment: str, sha: str) -> tuple[list[Status], str]:
    """Deployments as statuses, oldest first; a token without a right to them is no obstacle."""
    try:
        found = forge.read_deployments(environment, sha)
    except ForgeError as error:
        return [], error.message
    return [_as_status(environment, item) for item in found], ""


def _as_status(environment: str, item: Deployment) -> Status:
    return Status(
        context_of(environment),
        _AS_STATUS[item.state],
        item.description,
        item.url,
        item.creator,
        item.since,
    )


def _order(item: Status) -> datetime:
    return _moment(item.since) or datetime.max.replace(tzinfo=UTC)


def unreadable(revision: str, reason: str) -> Evidence:
    """No evidence, because it could not be read."""
    return Evidence(Standing.UNREADABLE, revision, reason=reason)


def decide(environment: str, revision: str, found: Sequence[tuple[str, Status]]) -> Evidence:
    """The evidence in the words of one context, oldest commit first and oldest word first.

    The last word counts; the time runs from the first success after the last failure.
    """
    if not found:
        reason = f"no status {context_of(environment)} or deployment on {revision[:12]}"
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


# A cluster that could not be seen says nothing about the commit: what stands there stays.
_STATES = {
    Outcome.VERIFIED: CheckState.SUCCESS,
    Outcome.FAILED: CheckState.FAILURE,
    Outcome.TIMED_OUT: CheckState.FAILURE,
    Outcome.SUPERSEDED: CheckState.CANCELLED,
    Outcome.NOT_SYNCED: CheckState.PENDING,
    Outcome.PRUNE_CONFIRMATION: CheckState.PENDING,
    Outcome.PENDING: CheckState.RUNNING,
}


def record_verification(forge: ForgePort, verdict: Verdict, url: str = "") -> tuple[str, ...]:
    """Record a verdict on its commit; gives what could not be recorded, and why.

    Raises ForgeError when the forge refuses the status.
    """
    state = _STATES.get(verdict.outcome)
    if state is None:
        return (f"not recorded: the verdict is {verdict.outcome.value}",)
    why = record(forge, verdict.environment, verdict.revision, state, verdict.summary, url)
    return (f"recorded as a status alone, no deployment: {why}",) if why else ()
