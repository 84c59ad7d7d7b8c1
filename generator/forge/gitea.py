"""Gitea and Forgejo: API v1. It has no deployments; a status `deploy/<environment>` stands in."""

from __future__ import annotations

import functools
from urllib.parse import quote

from generator.forge.errors import NotFound
from generator.forge.github import STATES, comment, pull_request, status
from generator.forge.location import Location
from generator.forge.port import (
    CheckState,
    Deployment,
    DeploymentState,
    ForgeKind,
    PullRequest,
)
from generator.forge.rest import Dialect, RestForge
from generator.forge.transport import Transport
from generator.redaction.secret import Secret

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


class Gitea(RestForge):
    """One repository on Gitea or Forgejo; see `generator.forge.port.ForgePort` for the promises."""

    dialect = Dialect(
        kind=ForgeKind.GITEA,
        states=STATES,
        pull_request=pull_request,
        read_status=functools.partial(status, state_key="status"),
        read_comment=comment,
        page_size="limit",
        issue_filter={"type": "issues"},
    )

    def __init__(self, transport: Transport, location: Location) -> None:
        super().__init__(transport, location, f"/repos/{location.repository}")

    def prs_of_commit(self, sha: str) -> list[PullRequest]:
        pulls = {pull.number: pull for pull in self.list_open_prs() if pull.head_sha == sha}
        try:
            merged = pull_request(self._http.get(f"{self._repo}/commits/{sha}/pull"))
            pulls[merged.number] = merged
        except NotFound:
            pass  # no pull request, or a Gitea too old to know the question
        return [pulls[number] for number in sorted(pulls)]

    def _between(self, branch: str, base: str) -> dict[str, str]:
        return {}  # its list knows no such filter

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
            permission = (self._http.get(path) or {}).get("permission")
        except NotFound:
            return False
        return permission in ("owner", "admin", "write")
