"""What the REST APIs of all forges have in common; a `Dialect` holds their words for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from generator.forge import sticky_comment, upsert
from generator.forge.errors import NotFound
from generator.forge.location import Location
from generator.forge.port import (
    LIMITS,
    Check,
    CheckState,
    Comment,
    ForgeKind,
    Limits,
    PullRequest,
    Status,
    latest,
    shorten,
)
from generator.forge.transport import Params, Transport

Json = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Dialect:
    """A forge's paths below its repository, names of fields, and the readers of its JSON.

    `repository` is the path of the repository; `comment` is of one comment, `comments` of all.
    """

    kind: ForgeKind
    states: Mapping[CheckState, str]
    pull_request: Callable[[Json], PullRequest]
    read_status: Callable[[Json], Status]
    read_comment: Callable[[Json], Comment]
    pulls: str = "/pulls"
    commits: str = "/commits"
    comments: str = "/issues/{number}/comments"
    comment: str = "/issues/comments/{comment}"
    open: str = "open"
    context: str = "context"
    body: str = "body"
    branches: tuple[str, str] = ("head", "base")
    edit: str = "PATCH"
    issue_number: str = "number"
    author: str = "user"
    closed: tuple[str, str] = ("state", "closed")
    issue_filter: Mapping[str, str] = dataclasses.field(default_factory=dict)
    page_size: str = "per_page"


class RestForge:
    """The verbs of `generator.forge.port.ForgePort` that differ in words alone."""

    dialect: ClassVar[Dialect]

    def __init__(self, transport: Transport, location: Location, repository: str) -> None:
        self._http = transport
        self._location = location
        self._repo = repository
        self._author = ""
        self.kind = self.dialect.kind
        self.limits: Limits = LIMITS[self.kind]

    def get_pr(self, number: int) -> PullRequest:
        return self.dialect.pull_request(self._http.get(f"{self._pulls}/{number}"))

    def list_open_prs(self) -> list[PullRequest]:
        return self._prs(self.dialect.pulls, {"state": self.dialect.open})

    def _prs(self, path: str, params: Params) -> list[PullRequest]:
        pulls = map(self.dialect.pull_request, self._list(path, params))
        return sorted(pulls, key=lambda pull: pull.number)

    def set_status(
        self, sha: str, context: str, state: CheckState, description: str, url: str = ""
    ) -> None:
        context = context[: self.limits.context]
        text, word = shorten(description, self.limits.description), self.dialect.states[state]
        if upsert.is_set(self.read_statuses(sha), self.dialect.states, (context, word, text, url)):
            return
        body = {self.dialect.context: context, "state": word, "description": text}
        self._post_status(sha, body | ({"target_url": url} if url else {}))

    def _post_status(self, sha: str, body: Mapping[str, str]) -> None:
        self._http.send("POST", f"{self._repo}/statuses/{sha}", body=body, repeatable=True)

    def read_statuses(self, sha: str) -> list[Status]:
        entries = self._list(f"{self.dialect.commits}/{sha}/statuses")
        return latest((int(data["id"]), self.dialect.read_status(data)) for data in entries)

    def report_check(self, sha: str, check: Check) -> None:
        self.set_status(sha, check.name, check.state, check.title, check.url)

    def upsert_comment(self, number: int, marker: str, body: str) -> Comment:
        return sticky_comment.upsert(self, number, marker, body, limit=self.limits.comment)

    def keep_issue(self, marker: str, title: str, body: str) -> None:
        texts = {"title": title, self.dialect.body: f"{marker}\n{body}"}
        numbers = self._open_issues(marker)
        if not numbers:
            self._http.send("POST", f"{self._repo}/issues", body=texts)
            return
        self._edit_issue(numbers[0], texts)
        for spare in numbers[1:]:
            self._edit_issue(spare, dict([self.dialect.closed]))

    def close_issue(self, marker: str) -> None:
        for number in self._open_issues(marker):
            self._edit_issue(number, dict([self.dialect.closed]))

    def _open_issues(self, marker: str) -> list[int]:
        """Ours: anybody may copy the marker. GitHub lists pull requests among them."""
        params = {"state": self.dialect.open, **self.dialect.issue_filter}
        listed = self._list("/issues", params)
        author = self.author()
        return sorted(
            int(data[self.dialect.issue_number])
            for data in listed
            if marker in (data.get(self.dialect.body) or "")
            and not data.get("pull_request")
            and str((data.get(self.dialect.author) or {}).get("id")) == author
        )

    def _edit_issue(self, number: int, body: Mapping[str, str]) -> None:
        self._http.send(self.dialect.edit, f"{self._repo}/issues/{number}", body=body)

    def ensure_pr(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        texts = {"title": title, self.dialect.body: body}
        ends = dict(zip(self.dialect.branches, (branch, base), strict=True))

        def create() -> PullRequest:
            answer = self._http.send("POST", self._pulls, body=texts | ends)
            return self.dialect.pull_request(answer.data)

        def edit(pull: PullRequest) -> PullRequest:
            path = f"{self._pulls}/{pull.number}"
            answer = self._http.send(self.dialect.edit, path, body=texts)
            return self.dialect.pull_request(answer.data)

        def find() -> PullRequest | None:
            return self._open_pr(branch, base)

        return upsert.ensure_pr(find, create, edit, title=title, body=body)

    def _open_pr(self, branch: str, base: str) -> PullRequest | None:
        params = {"state": self.dialect.open, **self._between(branch, base)}
        for pull in self._prs(self.dialect.pulls, params):
            if (pull.head_ref, pull.base_ref) == (branch, base) and not pull.from_fork:
                return pull
        return None

    def _between(self, branch: str, base: str) -> dict[str, str]:
        """What narrows a list of pull requests to those from one branch into another."""
        return dict(zip(self.dialect.branches, (branch, base), strict=True))

    def commit_url(self, sha: str) -> str:
        return self._location.commit_url(sha)

    # What `sticky_comment.Comments` needs.

    def author(self) -> str:
        if not self._author:
            self._author = self._find_author()
        return self._author

    def _find_author(self) -> str:
        return str(self._http.get("/user")["id"])

    def comments(self, number: int) -> Iterable[Comment]:
        return map(self.dialect.read_comment, self._list(self._comments(number)))

    def create_comment(self, number: int, body: str) -> Comment:
        path = self._repo + self._comments(number)
        return self.dialect.read_comment(self._http.send("POST", path, body={"body": body}).data)

    def edit_comment(self, number: int, comment: int, body: str) -> Comment:
        path = self._comment(number, comment)
        answer = self._http.send(self.dialect.edit, path, body={"body": body})
        return self.dialect.read_comment(answer.data)

    def delete_comment(self, number: int, comment: int) -> None:
        try:
            self._http.send("DELETE", self._comment(number, comment))
        except NotFound:
            return

    @property
    def _pulls(self) -> str:
        return self._repo + self.dialect.pulls

    def _comments(self, number: int) -> str:
        return self.dialect.comments.format(number=number)

    def _comment(self, number: int, comment: int) -> str:
        return self._repo + self.dialect.comment.format(number=number, comment=comment)

    def _list(self, path: str, params: Params | None = None) -> Iterable[Any]:
        return self._http.pages(self._repo + path, params, size=self.dialect.page_size)
