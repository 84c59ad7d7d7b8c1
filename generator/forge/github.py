"""GitHub, in the cloud or as Enterprise Server: REST API version 2022-11-28."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

from generator.forge import github_checks, sticky_comment, upsert
from generator.forge.errors import Forbidden, NotFound
from generator.forge.location import Location
from generator.forge.port import (
    LIMITS,
    Check,
    CheckState,
    Comment,
    Deployment,
    DeploymentState,
    ForgeKind,
    Limits,
    PullRequest,
    PullState,
    Status,
    latest,
    shorten,
)
from generator.forge.transport import Transport

_TO_FORGE = {
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


class GitHub:
    """One repository on GitHub; see `generator.forge.port.ForgePort` for what the verbs promise.

    `login` gives the name an App comments under; None asks the API whose token it is.
    """

    def __init__(
        self,
        transport: Transport,
        location: Location,
        *,
        login: Callable[[], str] | None = None,
        check_runs: bool = False,
    ) -> None:
        self._http = transport
        self._location = location
        self._repo = f"/repos/{location.repository}"
        self._login = login
        self._check_runs = check_runs
        self._author = ""
        self.kind = ForgeKind.GITHUB
        self.limits: Limits = LIMITS[ForgeKind.GITHUB]

    def get_pr(self, number: int) -> PullRequest:
        return pull_request(self._http.get(f"{self._repo}/pulls/{number}"))

    def list_open_prs(self) -> list[PullRequest]:
        return self._prs("/pulls", {"state": "open"})

    def prs_of_commit(self, sha: str) -> list[PullRequest]:
        return self._prs(f"/commits/{sha}/pulls", {})

    def _prs(self, path: str, params: Mapping[str, str]) -> list[PullRequest]:
        found = map(pull_request, self._http.pages(self._repo + path, params))
        return sorted(found, key=lambda pull: pull.number)

    def set_status(
        self, sha: str, context: str, state: CheckState, description: str, url: str = ""
    ) -> None:
        context = context[: self.limits.context]
        text = shorten(description, self.limits.description)
        wanted = (context, _TO_FORGE[state], text, url)
        if upsert.is_set(self.read_statuses(sha), _TO_FORGE, wanted):
            return
        body = {"state": wanted[1], "context": context, "description": text}
        body |= {"target_url": url} if url else {}
        self._http.send("POST", f"{self._repo}/statuses/{sha}", body=body, repeatable=True)

    def read_statuses(self, sha: str) -> list[Status]:
        pages = self._http.pages(f"{self._repo}/commits/{sha}/statuses")
        return latest((int(data["id"]), status(data, "state")) for data in pages)

    def report_check(self, sha: str, check: Check) -> None:
        if self._check_runs:
            github_checks.report(self._http, self._repo, sha, check)
        else:
            self.set_status(sha, check.name, check.state, check.title, check.url)

    def upsert_comment(self, number: int, marker: str, body: str) -> Comment:
        return sticky_comment.upsert(self, number, marker, body, limit=self.limits.comment)

    def ensure_pr(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        path = f"{self._repo}/pulls"
        wanted = {"title": title, "body": body}

        def create() -> PullRequest:
            content = {**wanted, "head": branch, "base": base}
            return pull_request(self._http.send("POST", path, body=content).data)

        def edit(found: PullRequest) -> PullRequest:
            answer = self._http.send("PATCH", f"{path}/{found.number}", body=wanted)
            return pull_request(answer.data)

        def find() -> PullRequest | None:
            return self._open_pr(branch, base)

        return upsert.ensure_pr(find, create, edit, title=title, body=body)

    def _open_pr(self, branch: str, base: str) -> PullRequest | None:
        owner = self._location.repository.partition("/")[0]
        params = {"state": "open", "head": f"{owner}:{branch}", "base": base}
        same = (p for p in self._prs("/pulls", params) if p.head_ref == branch and not p.from_fork)
        return next(same, None)

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
        found = [data for data in pages if data.get("state") in _FROM_DEPLOYMENT]
        return [deployment(data) for data in sorted(found, key=lambda data: int(data["id"]))]

    def _deployment(self, environment: str, sha: str) -> int | None:
        params = {"sha": sha, "environment": environment, "task": _TASK}
        found = [int(data["id"]) for data in self._http.pages(f"{self._repo}/deployments", params)]
        return max(found, default=None)

    def can_write(self, user: str) -> bool:
        path = f"{self._repo}/collaborators/{quote(user, safe='')}/permission"
        try:
            return (self._http.get(path) or {}).get("permission") in ("admin", "write")
        except NotFound:
            return False

    def file_url(self, sha: str, path: str, line: int | None = None) -> str:
        return self._location.file_url(sha, path, line)

    def commit_url(self, sha: str) -> str:
        return self._location.commit_url(sha)

    # What `sticky.Comments` needs.

    def author(self) -> str:
        if not self._author:
            self._author = self._find_author()
        return self._author

    def _find_author(self) -> str:
        login = self._login() if self._login else ""
        if not login:
            try:
                return str(self._http.get("/user")["id"])
            except Forbidden:
                login = _WORKFLOW_USER
        return str(self._http.get(f"/users/{quote(login, safe='')}")["id"])

    def comments(self, number: int) -> Iterable[Comment]:
        return map(comment, self._http.pages(f"{self._repo}/issues/{number}/comments"))

    def create_comment(self, number: int, body: str) -> Comment:
        path = f"{self._repo}/issues/{number}/comments"
        return comment(self._http.send("POST", path, body={"body": body}).data)

    def edit_comment(self, number: int, comment_id: int, body: str) -> Comment:
        path = f"{self._repo}/issues/comments/{comment_id}"
        return comment(self._http.send("PATCH", path, body={"body": body}).data)

    def delete_comment(self, number: int, comment_id: int) -> None:
        try:
            self._http.send("DELETE", f"{self._repo}/issues/comments/{comment_id}")
        except NotFound:
            return


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
        mergeable=data.get("mergeable"),
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
