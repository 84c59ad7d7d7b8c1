"""GitLab, gitlab.com or self-managed: API v4. Pull requests are its merge requests."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from generator.forge.errors import NotFound, Rejected
from generator.forge.location import Location
from generator.forge.port import (
    CheckState,
    Comment,
    Deployment,
    DeploymentState,
    ForgeKind,
    PullRequest,
    PullState,
    Status,
)
from generator.forge.rest import Dialect, RestForge
from generator.forge.transport import Transport
from generator.redaction.secret import Secret

_TO_FORGE = {
    CheckState.PENDING: "pending",
    CheckState.RUNNING: "running",
    CheckState.SUCCESS: "success",
    CheckState.FAILURE: "failed",
    CheckState.ERROR: "failed",
    CheckState.CANCELLED: "canceled",
}
_FROM_FORGE = {
    "created": CheckState.PENDING,
    "pending": CheckState.PENDING,
    "running": CheckState.RUNNING,
    "success": CheckState.SUCCESS,
    "failed": CheckState.FAILURE,
    "canceled": CheckState.CANCELLED,
}
_DEPLOYMENT = {
    DeploymentState.RUNNING: "running",
    DeploymentState.SUCCESS: "success",
    DeploymentState.FAILURE: "failed",
}
_FROM_DEPLOYMENT = {
    "created": DeploymentState.RUNNING,
    "running": DeploymentState.RUNNING,
    "success": DeploymentState.SUCCESS,
    "failed": DeploymentState.FAILURE,
    "canceled": DeploymentState.FAILURE,
}
_STATE = {"opened": PullState.OPEN, "locked": PullState.OPEN, "merged": PullState.MERGED}
# "Cannot transition status via :run from :running": the answer to a state that it has already.
_REPEATED = re.compile(r"Cannot transition status via :\w+ from :(\w+)")
_DEVELOPER = 30
# One that we still report on is among the newest; older ones have ended anyway.
_DEPLOYMENTS = 100


def bearer(token: Secret) -> tuple[dict[str, str], Secret]:
    """GitLab's header for a personal, project, group or OAuth token, and the token."""
    return {"Authorization": f"Bearer {token.text()}"}, token


def merge_request(data: Mapping[str, Any]) -> PullRequest:
    """A merge request from the JSON of GitLab's API."""
    state = _STATE.get(str(data.get("state")), PullState.CLOSED)
    # A fast-forward leaves no merge commit: then the head itself is what arrived.
    arrived = data.get("merge_commit_sha") or data.get("squash_commit_sha") or data.get("sha")
    source = data.get("source_project_id")
    return PullRequest(
        number=int(data["iid"]),
        title=data.get("title") or "",
        body=data.get("description") or "",
        state=state,
        head_sha=data.get("sha") or "",
        head_ref=data["source_branch"],
        head_repository=None if source is None else str(source),
        base_sha=(data.get("diff_refs") or {}).get("base_sha") or "",
        base_ref=data["target_branch"],
        base_repository=str(data["target_project_id"]),
        author=(data.get("author") or {}).get("username") or "ghost",
        url=data.get("web_url") or "",
        draft=bool(data.get("draft", data.get("work_in_progress"))),
        labels=tuple(sorted(str(label) for label in data.get("labels") or [])),
        merge_sha=arrived if state is PullState.MERGED else None,
    )


def status(data: Mapping[str, Any]) -> Status:
    """One commit status; a word we don't know (skipped, manual) counts as an error."""
    ended = data.get("finished_at") or data.get("started_at") or data.get("created_at")
    return Status(
        context=data.get("name") or "",
        state=_FROM_FORGE.get(str(data.get("status")), CheckState.ERROR),
        description=data.get("description") or "",
        url=data.get("target_url") or "",
        creator=(data.get("author") or {}).get("username") or "",
        since=ended or "",
    )


def deployment(data: Mapping[str, Any]) -> Deployment:
    """One deployment from GitLab's JSON, its status one that `report_deployment` has."""
    return Deployment(
        state=_FROM_DEPLOYMENT[data["status"]],
        description="",
        url="",
        creator=(data.get("user") or {}).get("username") or "",
        since=data.get("updated_at") or data.get("created_at") or "",
    )


def note(data: Mapping[str, Any]) -> Comment:
    """One comment from GitLab's JSON; notes have no address of their own in it."""
    author = str((data.get("author") or {}).get("id") or "")
    return Comment(int(data["id"]), author, data.get("body") or "")


class GitLab(RestForge):
    """One project on GitLab; see `generator.forge.port.ForgePort` for what the verbs promise."""

    dialect = Dialect(
        kind=ForgeKind.GITLAB,
        states=_TO_FORGE,
        pull_request=merge_request,
        read_status=status,
        read_comment=note,
        pulls="/merge_requests",
        commits="/repository/commits",
        comments="/merge_requests/{number}/notes",
        comment="/merge_requests/{number}/notes/{comment}",
        open="opened",
        context="name",
        body="description",
        branches=("source_branch", "target_branch"),
        edit="PUT",
        issue_number="iid",
        author="author",
        closed=("state_event", "close"),
    )

    def __init__(self, transport: Transport, location: Location) -> None:
        project = quote(location.repository, safe="")
        super().__init__(transport, location, f"/projects/{project}")

    def list_open_prs(self) -> list[PullRequest]:
        """As promised, but a listed merge request has no `base_sha`; `get_pr` has it."""
        return super().list_open_prs()

    def prs_of_commit(self, sha: str) -> list[PullRequest]:
        return self._prs(f"/repository/commits/{sha}/merge_requests", {})

    def _post_status(self, sha: str, body: Mapping[str, str]) -> None:
        try:
            super()._post_status(sha, body)
        except Rejected as error:
            if not _repeats(error, body["state"]):
                raise

    def report_deployment(
        self, environment: str, sha: str, state: DeploymentState, description: str, url: str = ""
    ) -> None:
        """As promised; GitLab's deployments have room for neither description nor URL."""
        wanted, path = _DEPLOYMENT[state], f"{self._repo}/deployments"
        existing = next(iter(self._deployments(environment, sha)), {})
        if existing.get("status") == wanted:
            return
        if existing.get("status") in ("created", "running"):
            self._http.send("PUT", f"{path}/{existing['id']}", body={"status": wanted})
            return
        branch = (self._http.get(self._repo) or {}).get("default_branch")
        body = {"environment": environment, "sha": sha, "ref": branch, "tag": False}
        self._http.send("POST", path, body=body | {"status": wanted})

    def read_deployments(self, environment: str, sha: str) -> list[Deployment]:
        """As promised; one that ended tells of its end alone."""
        return [deployment(data) for data in reversed(self._deployments(environment, sha))]

    def _deployments(self, environment: str, sha: str) -> list[Mapping[str, Any]]:
        """Deployments of this commit, newest first; one that has ended can't be set anew."""
        params = {"environment": environment, "order_by": "id", "sort": "desc"}
        deployments = self._http.pages(f"{self._repo}/deployments", params)
        newest = itertools.islice(deployments, _DEPLOYMENTS)
        # A job of a pipeline makes deployments too: those have a `deployable`, the job.
        return [
            data
            for data in newest
            if data.get("sha") == sha
            and not data.get("deployable")
            and data.get("status") in _FROM_DEPLOYMENT
        ]

    def can_write(self, user: str) -> bool:
        users = self._http.get("/users", {"username": user}) or []
        try:
            member = self._http.get(f"{self._repo}/members/all/{users[0]['id']}")
        except (IndexError, NotFound):
            return False
        active = member.get("state", "active") == "active"
        return active and int(member.get("access_level", 0)) >= _DEVELOPER

    def comments(self, number: int) -> Iterable[Comment]:
        notes = self._list(self._comments(number), {"sort": "asc"})
        return (note(data) for data in notes if not data.get("system"))


def _repeats(error: Rejected, wanted: str) -> bool:
    """Whether GitLab complains about a state it has already, or pending while it runs."""
    transition = _REPEATED.search(error.message) if error.status == 400 else None
    return transition is not None and (
        transition[1] == wanted or (transition[1], wanted) == ("running", "pending")
    )
