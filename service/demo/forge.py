"""A forge for one repository, as far as the service speaks with it: the API of Gitea, in memory.

It serves this machine alone, and what it knows is gone when it ends.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import itertools
import json
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = "demo/airflow-gitops"
BOT, PERSON = "gen-env", "you"
_USERS = {BOT: 1, PERSON: 2}
_WAIT_SECONDS = 0.3


@dataclasses.dataclass
class Pull:
    """A pull request; its head is where its branch stands."""

    number: int
    title: str
    body: str
    branch: str
    sha: str
    author: str
    merge_sha: str = ""


class Forge:
    """What it knows, and the webhook that it calls."""

    def __init__(self, root: Path, url: str, token: str, secret: str) -> None:
        self.root, self.url, self.token = root, url, token
        self.gitdir = root / f"{REPOSITORY}.git"
        self.hook = ""
        self.pulls: dict[int, Pull] = {}
        self.comments: dict[int, dict[str, Any]] = {}
        self.statuses: list[dict[str, Any]] = []
        self.secret = secret
        self._ids = itertools.count(1)
        self._lock = threading.RLock()

    def git(self, *arguments: str, check: bool = True) -> str:
        """One command of git on the repository."""
        command = ["git", f"--git-dir={self.gitdir}", "-c", "user.name=you",
                   "-c", "user.email=you@example.com", *arguments]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=check)
        return done.stdout.strip()

    def head(self, branch: str) -> str:
        """The commit of a branch, empty where there is none."""
        return self.git("rev-parse", "--quiet", "--verify", f"refs/heads/{branch}", check=False)

    # What people and the service do.

    def open_pull(self, branch: str, title: str, body: str, author: str = PERSON) -> Pull:
        """A new pull request into main."""
        with self._lock:
            pull = Pull(len(self.pulls) + 1, title, body, branch, self.head(branch), author)
            self.pulls[pull.number] = pull
            self.git("update-ref", f"refs/pull/{pull.number}/head", pull.sha)
        self._deliver("pull_request", self._event(pull, "opened"))
        return pull

    def pushed(self) -> None:
        """After a push: heads move along, and the service is told."""
        with self._lock:
            moved = [item for item in self.pulls.values() if not item.merge_sha]
            moved = [item for item in moved if self.head(item.branch) not in ("", item.sha)]
            for pull in moved:
                pull.sha = self.head(pull.branch)
                self.git("update-ref", f"refs/pull/{pull.number}/head", pull.sha)
        for pull in moved:
            self._deliver("pull_request_sync", self._event(pull, "synchronized"))

    def merge(self, number: int) -> bool:
        """Merge a pull request, as the button does; False where it conflicts."""
        with self._lock:
            pull, before = self.pulls[number], self.head("main")
            tree = self.git("merge-tree", "--write-tree", before, pull.sha, check=False)
            if len(tree.split()) != 1 or pull.merge_sha:
                return False
            words = ("-p", before, "-p", pull.sha, "-m", f"Merge #{number}: {pull.title}")
            pull.merge_sha = self.git("commit-tree", tree, *words)
            self.git("update-ref", "refs/heads/main", pull.merge_sha)
        self._deliver("pull_request", self._event(pull, "closed"))
        self._deliver("push", {
            "ref": "refs/heads/main", "before": before, "after": pull.merge_sha,
            "repository": {"full_name": REPOSITORY},
        })  # fmt: skip
        return True

    def comment(self, number: int, author: str, body: str) -> dict[str, Any]:
        """A new comment; the service is told of a person's."""
        identity = next(self._ids)
        made = {"id": identity, "number": number, "author": author, "body": body}
        self.comments[identity] = made
        if author == PERSON:
            self._deliver("issue_comment", {
                "action": "created", "is_pull": True, "issue": {"number": number},
                "comment": self.comment_json(made), "repository": {"full_name": REPOSITORY},
            })  # fmt: skip
        return made

    def add_status(self, sha: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """A new status of a commit."""
        made = {"id": next(self._ids), "sha": sha, **data}
        self.statuses.append(made)
        return made

    def statuses_of(self, sha: str) -> list[dict[str, Any]]:
        """All statuses of a commit, newest first."""
        return [item for item in reversed(self.statuses) if item["sha"] == sha]

    def standing(self, sha: str) -> dict[str, dict[str, Any]]:
        """The newest status of each name."""
        return {item["context"]: item for item in reversed(self.statuses_of(sha))}

    # What the API shows.

    def pull_json(self, pull: Pull) -> dict[str, Any]:
        """A pull request as Gitea shows it."""
        repository = {"id": 1, "full_name": REPOSITORY}
        return {
            "number": pull.number, "title": pull.title, "body": pull.body,
            "state": "closed" if pull.merge_sha else "open", "merged": bool(pull.merge_sha),
            "merge_commit_sha": pull.merge_sha or None, "draft": False, "labels": [],
            "html_url": f"{self.url}/{REPOSITORY}/pulls/{pull.number}",
            "user": {"login": pull.author, "id": _USERS[pull.author]},
            "head": {"ref": pull.branch, "sha": pull.sha, "repo": repository},
            "base": {"ref": "main", "sha": self.head("main"), "repo": repository},
        }  # fmt: skip

    def comment_json(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """A comment as Gitea shows it."""
        user = {"login": made["author"], "id": _USERS[made["author"]]}
        page = f"{self.url}/{REPOSITORY}/pulls/{made['number']}"
        return {"id": made["id"], "user": user, "body": made["body"], "html_url": page}

    def _event(self, pull: Pull, action: str) -> dict[str, Any]:
        shown = self.pull_json(pull)
        return {"action": action, "number": pull.number, "pull_request": shown,
                "repository": {"full_name": REPOSITORY}}  # fmt: skip

    def _deliver(self, event: str, data: Mapping[str, Any]) -> None:
        """Tell the service, a moment later as forges do; a lost delivery is the poll's."""
        raw = json.dumps(data).encode()
        signature = hmac.new(self.secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Gitea-Event": event,
            "X-Gitea-Delivery": str(uuid.uuid4()),
            "X-Gitea-Signature": signature,
        }
        threading.Thread(target=_post, args=(self.hook, raw, headers), daemon=True).start()


def _post(url: str, raw: bytes, headers: Mapping[str, str]) -> None:
    import requests

    time.sleep(_WAIT_SECONDS)
    for _ in range(20):
        try:
            if requests.post(url, raw, headers=dict(headers), timeout=10).status_code < 500:
                return
        except requests.RequestException:
            pass  # the service starts, or restarts
        time.sleep(1)
