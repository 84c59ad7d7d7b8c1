"""Gitea and Forgejo: API v1. It has no deployments; a status `deploy/<environment>` stands in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from generator.forge import sticky_comment, upsert
from generator.forge.errors import NotFound
from generator.forge.github import comment, pull_request, status
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
    Status,
    latest,
    shorten,
)
from generator.forge.transport import Transport
from generator.redaction.secret import Secret

_TO_FORGE = {
    CheckState.PENDING: "pending",
    CheckState.RUNNING: "pending",
    CheckState.SUCCESS: "success",
    CheckState.FAILURE: "failure",
    CheckState.ERROR: "error",
    CheckState.CANCELLED: "error",
}
_DEPLOYMENT = {
    DeploymentState.RUNNING: CheckState.PENDING,
    DeploymentState.SUCCESS: CheckState.SUCCESS,
    DeploymentState.FAILURE: CheckState.FAILURE,
}
_FROM_STATUS = {
    CheckState.PENDING: DeploymentState.RUNNING,
    CheckState.SUCCESS: DeploymentState.SUCCESS,
    CheckState.FAILURE: DeploymentState.FAILURE,
    CheckState.ERROR: DeploymentState.FAILURE,
}


def bearer(token: Secret) -> tuple[dict[str, str], Secret]:
    """Gitea's header for a token, and the token."""
    return {"Authorization": f"token {token.text()}"}, token


class Gitea:
    """One repository on Gitea or Forgejo; see `generator.forge.port.ForgePort` for the promises."""

    def __init__(self, transport: Transport, location: Location) -> None:
        self._http = transport
        self._location = location
        self._repo = f"/repos/{location.repository}"
        self._author = ""
        self.kind = ForgeKind.GITEA
        self.limits: Limits = LIMITS[ForgeKind.GITEA]

    def get_pr(self, number: int) -> PullRequest:
        return pull_request(self._http.get(f"{self._repo}/pulls/{number}"))

    def list_open_prs(self) -> list[PullRequest]:
        found = map(pull_request, self._list("/pulls", {"state": "open"}))
        return sorted(found, key=lambda pull: pull.number)

    def prs_of_commit(self, sha: str) -> list[PullRequest]:
        found = {pull.number: pull for pull in self.list_open_prs() if pull.head_sha == sha}
        try:
            merged = pull_request(self._http.get(f"{self._repo}/commits/{sha}/pull"))
            found[merged.number] = merged
        except NotFound:
            pass  # no pull request, or a Gitea too old to know the question
        return [found[number] for number in sorted(found)]

    def set_status(
        self, sha: str, context: str, state: CheckState, description: str, url: str = ""
    ) -> None:
        context = context[: self.limits.context]
        text = shorten(description, self.limits.description)
        wanted = (context, _TO_FORGE[state], text, url)
        if upsert.is_set(self.read_statuses(sha), _TO_FORGE, wanted):
            return
        body = {"context": context, "state": wanted[1], "description": text, "target_url": url}
        self._http.send("POST", f"{self._repo}/statuses/{sha}", body=body, repeatable=True)

    def read_statuses(self, sha: str) -> list[Status]:
        found = self._list(f"/commits/{sha}/statuses", {})
        return latest((int(data["id"]), status(data, "status")) for data in found)

    def report_check(self, sha: str, check: Check) -> None:
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
        for pull in self.list_open_prs():
            if (pull.head_ref, pull.base_ref) == (branch, base) and not pull.from_fork:
                return pull
        return None

    def report_deployment(
        self, environment: str, sha: str, state: DeploymentState, description: str, url: str = ""
    ) -> None:
        self.set_status(sha, f"deploy/{environment}", _DEPLOYMENT[state], description, url)

    def read_deployments(self, environment: str, sha: str) -> list[Deployment]:
        """As promised, but of the stand-in's words only the last one is known."""
        return [
            Deployment(
                _FROM_STATUS[item.state], item.description, item.url, item.creator, item.since
            )
            for item in self.read_statuses(sha)
            if item.context == f"deploy/{environment}" and item.state in _FROM_STATUS
        ]

    def can_write(self, user: str) -> bool:
        path = f"{self._repo}/collaborators/{quote(user, safe='')}/permission"
        try:
            found = (self._http.get(path) or {}).get("permission")
        except NotFound:
            return False
        return found in ("owner", "admin", "write")

    def file_url(self, sha: str, path: str, line: int | None = None) -> str:
        return self._location.file_url(sha, path, line)

    def commit_url(self, sha: str) -> str:
        return self._location.commit_url(sha)

    def _list(self, path: str, params: dict[str, str | int]) -> Iterable[Any]:
        return self._http.pages(self._repo + path, params, size="limit")

    # What `sticky.Comments` needs.

    def author(self) -> str:
        if not self._author:
            self._author = str(self._http.get("/user")["id"])
        return self._author

    def comments(self, number: int) -> Iterable[Comment]:
        return map(comment, self._list(f"/issues/{number}/comments", {}))

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
