"""GitHub, in the cloud or as Enterprise Server: REST API version 2022-11-28."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from generator.forge import github_checks
from generator.forge.errors import Forbidden, NotFound
from generator.forge.location import Location
from generator.forge.port import (
    Check,
    CheckState,
    Comment,
    Deployment,
    DeploymentState,
    ForgeKind,
    PullRequest,
    PullState,
    Status,
    shorten,
)
from generator.forge.rest import Dialect, RestForge
from generator.forge.transport import Transport

STATES = {
    CheckState.PENDING: "pending",
    CheckState.RUNNING: "pending",
    CheckState.SUCCESS: "success",
    CheckState.FAILURE: "failure",
    CheckState.ERROR: "error",
    CheckState.CANCELLED: "error",
}
_DEPLOYMENT = {
    DeploymentState.RUNNING: "in_progress",
    DeploymentState.SUCCESS: "success",
    DeploymentState.FAILURE: "failure",
}
_FROM_DEPLOYMENT = {
    "queued": DeploymentState.RUNNING,
    "pending": DeploymentState.RUNNING,
    "in_progress": DeploymentState.RUNNING,
    "success": DeploymentState.SUCCESS,
    "failure": DeploymentState.FAILURE,
    "error": DeploymentState.FAILURE,
}
# Workflows with an `environment:` make deployments too, of the task `deploy`.
_TASK = "gen-env:verify"
# The token of a workflow may not ask who it is; this is who it is.
_WORKFLOW_USER = "github-actions[bot]"


def pull_request(data: Mapping[str, Any]) -> PullRequest:
    """A pull request from GitHub's or Gitea's JSON, of the API or of a webhook."""
    head, base = data["head"], data["base"]
    merged = bool(data.get("merged") or data.get("merged_at"))
    closed = PullState.OPEN if data.get("state") == "open" else PullState.CLOSED
    return PullRequest(
        number=int(data["number"]),
        title=data.get("title") or "",
        body=data.get("body") or "",
        state=PullState.MERGED if merged else closed,
        head_sha=head["sha"],
        head_ref=head["ref"],
        head_repository=None if _is_adrift(head["ref"]) else _id(head.get("repo")),
        base_sha=base["sha"],
        base_ref=base["ref"],
        base_repository=_id(base.get("repo")) or "",
        # A deleted account leaves null behind.
        author=(data.get("user") or {}).get("login") or "ghost",
        url=data.get("html_url") or "",
        draft=bool(data.get("draft")),
        labels=tuple(sorted(str(label.get("name")) for label in data.get("labels") or [])),
        # Before the merge this is a trial merge, and an old one at times.
        merge_sha=data.get("merge_commit_sha") if merged else None,
    )


def status(data: Mapping[str, Any], state_key: str) -> Status:
    """One status from GitHub's or Gitea's JSON; a word we don't know counts as an error."""
    word = str(data.get(state_key) or "")
    known = word in ("pending", "success", "failure", "error")
    return Status(
        context=data.get("context") or "",
        state=CheckState(word) if known else CheckState.ERROR,
        description=data.get("description") or "",
        url=data.get("target_url") or "",
        creator=(data.get("creator") or {}).get("login") or "",
        since=data.get("created_at") or "",
    )


def deployment(data: Mapping[str, Any]) -> Deployment:
    """One status of a deployment from GitHub's JSON, its state one that `report_deployment` has."""
    return Deployment(
        state=_FROM_DEPLOYMENT[data["state"]],
        description=data.get("description") or "",
        url=data.get("log_url") or "",
        creator=(data.get("creator") or {}).get("login") or "",
        since=data.get("created_at") or "",
    )


def comment(data: Mapping[str, Any]) -> Comment:
    """One comment from GitHub's or Gitea's JSON."""
    author = str((data.get("user") or {}).get("id") or "")
    return Comment(int(data["id"]), author, data.get("body") or "", data.get("html_url") or "")


def _is_adrift(ref: str) -> bool:
    """Whether no branch stands behind a head: its repository is gone, or there never was one.

    Gitea then names the base repository as the head's. In its AGit flow anybody who may read can
    push such a head, so that the name must not pass for a branch of a writer.
    """
    return ref.startswith("refs/pull/")


def _id(repository: Mapping[str, Any] | None) -> str | None:
    return str(repository["id"]) if repository else None


class GitHub(RestForge):
    """One repository on GitHub; see `generator.forge.port.ForgePort` for what the verbs promise.

    `login` gives the name an App comments under; None asks the API whose token it is.
    """

    dialect = Dialect(
        kind=ForgeKind.GITHUB,
        states=STATES,
        pull_request=pull_request,
        read_status=functools.partial(status, state_key="state"),
        read_comment=comment,
    )

    def __init__(
        self,
        transport: Transport,
        location: Location,
        *,
        login: Callable[[], str] | None = None,
        check_runs: bool = False,
    ) -> None:
        super().__init__(transport, location, f"/repos/{location.repository}")
        self._login = login
        self._check_runs = check_runs

    def prs_of_commit(self, sha: str) -> list[PullRequest]:
        return self._prs(f"/commits/{sha}/pulls", {})

    def report_check(self, sha: str, check: Check) -> None:
        if self._check_runs:
            github_checks.report(self._http, self._repo, sha, check)
        else:
            super().report_check(sha, check)

    def _between(self, branch: str, base: str) -> dict[str, str]:
        owner = self._location.repository.partition("/")[0]
        return {"head": f"{owner}:{branch}", "base": base}

    def report_deployment(
        self, environment: str, sha: str, state: DeploymentState, description: str, url: str = ""
    ) -> None:
        text = shorten(description, self.limits.description)
        path = f"{self._repo}/deployments"
        number = self._deployment(environment, sha)
        if number is None:
            # GitHub would otherwise merge the base branch and wait for every status.
            body = {"auto_merge": False, "required_contexts": [], "task": _TASK}
            body |= {"ref": sha, "environment": environment}
            number = int(self._http.send("POST", path, body=body).data["id"])
        before = self._http.get(f"{path}/{number}/statuses", {"per_page": 1})
        wanted = {"state": _DEPLOYMENT[state], "description": text, "log_url": url}
        if before and all((before[0].get(key) or "") == value for key, value in wanted.items()):
            return
        sent = {key: value for key, value in wanted.items() if value}
        self._http.send("POST", f"{path}/{number}/statuses", body=sent, repeatable=True)

    def read_deployments(self, environment: str, sha: str) -> list[Deployment]:
        number = self._deployment(environment, sha)
        if number is None:
            return []
        pages = self._http.pages(f"{self._repo}/deployments/{number}/statuses")
        # GitHub itself says `inactive` when a later commit was deployed: no word on this one.
        listed = [data for data in pages if data.get("state") in _FROM_DEPLOYMENT]
        return [deployment(data) for data in sorted(listed, key=lambda data: int(data["id"]))]

    def _deployment(self, environment: str, sha: str) -> int | None:
        params = {"sha": sha, "environment": environment, "task": _TASK}
        ids = [int(data["id"]) for data in self._http.pages(f"{self._repo}/deployments", params)]
        return max(ids, default=None)

    def can_write(self, user: str) -> bool:
        path = f"{self._repo}/collaborators/{quote(user, safe='')}/permission"
        try:
            return (self._http.get(path) or {}).get("permission") in ("admin", "write")
        except NotFound:
            return False

    def _find_author(self) -> str:
        login = self._login() if self._login else ""
        if not login:
            try:
                return str(self._http.get("/user")["id"])
            except Forbidden:
                login = _WORKFLOW_USER
        return str(self._http.get(f"/users/{quote(login, safe='')}")["id"])
