"""A forge for one repository, as far as the service speaks with it: the API of Gitea, in memory.

It serves this machine alone, and what it knows is gone when it ends. Pull requests, comments and
statuses are kept as Gitea shows them.
"""

from __future__ import annotations

import contextlib
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
_USERS = {BOT: {"login": BOT, "id": 1}, PERSON: {"login": PERSON, "id": 2}}
_NAMED = {"id": 1, "full_name": REPOSITORY}
_WAIT_SECONDS = 0.3


class Forge:
    """What it knows, and the webhook that it calls."""

    def __init__(self, root: Path, url: str, token: str, secret: str) -> None:
        self.root, self.url, self.token = root, url, token
        self.gitdir = root / f"{REPOSITORY}.git"
        self.hook = ""
        self.pulls: dict[int, dict[str, Any]] = {}
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

    def open_pull(self, branch: str, title: str, body: str, author: str = PERSON) -> dict[str, Any]:
        """A new pull request into main."""
        with self._lock:
            number = len(self.pulls) + 1
            pull = self.pulls[number] = {
                "number": number, "title": title, "body": body, "user": _USERS[author],
                "state": "open", "merged": False, "merge_commit_sha": None, "draft": False,
                "labels": [], "html_url": f"{self.url}/{REPOSITORY}/pulls/{number}",
                "head": {"ref": branch, "sha": "", "repo": _NAMED},
                "base": {"ref": "main", "sha": self.head("main"), "repo": _NAMED},
            }  # fmt: skip
            self._move(pull)
        self._tell_of_pull(pull, "opened")
        return pull

    def _move(self, pull: dict[str, Any]) -> bool:
        """Take over where the branch stands; whether it has moved."""
        sha = self.head(pull["head"]["ref"])
        if pull["merged"] or sha in ("", pull["head"]["sha"]):
            return False
        pull["head"]["sha"] = sha
        self.git("update-ref", f"refs/pull/{pull['number']}/head", sha)
        return True

    def pushed(self) -> None:
        """After a push: heads move along, and the service is told."""
        with self._lock:
            moved = [pull for pull in self.pulls.values() if self._move(pull)]
        for pull in moved:
            self._tell_of_pull(pull, "synchronized", "pull_request_sync")

    def merge(self, number: int) -> bool:
        """Merge a pull request, as the button does; False where it conflicts."""
        with self._lock:
            pull, before = self.pulls[number], self.head("main")
            sha = pull["head"]["sha"]
            tree = self.git("merge-tree", "--write-tree", before, sha, check=False)
            if len(tree.split()) != 1 or pull["merged"]:
                return False
            words = ("-p", before, "-p", sha, "-m", f"Merge #{number}: {pull['title']}")
            after = self.git("commit-tree", tree, *words)
            self.git("update-ref", "refs/heads/main", after)
            pull |= {"state": "closed", "merged": True, "merge_commit_sha": after}
            for other in self.pulls.values():
                other["base"]["sha"] = after
        self._tell_of_pull(pull, "closed")
        self._tell("push", {"ref": "refs/heads/main", "before": before, "after": after})
        return True

    def comment(self, number: int, author: str, body: str) -> dict[str, Any]:
        """A new comment; the service is told of a person's."""
        page = self.pulls[number]["html_url"]
        made = {"id": next(self._ids), "user": _USERS[author], "body": body, "html_url": page}
        self.comments[made["id"]] = made
        if author == PERSON:
            about = {"is_pull": True, "issue": {"number": number}, "comment": made}
            self._tell("issue_comment", {"action": "created", **about})
        return made

    def comments_of(self, number: int) -> list[dict[str, Any]]:
        """The comments on a pull request."""
        page = self.pulls[number]["html_url"]
        return [item for item in self.comments.values() if item["html_url"] == page]

    def add_status(self, sha: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """A new status of a commit."""
        made = {"id": next(self._ids), "sha": sha, **data, "status": data["state"]}
        self.statuses.append(made)
        return made

    def statuses_of(self, sha: str) -> list[dict[str, Any]]:
        """All statuses of a commit, newest first."""
        return [item for item in reversed(self.statuses) if item["sha"] == sha]

    def standing(self, sha: str) -> dict[str, dict[str, Any]]:
        """The newest status of each name."""
        return {item["context"]: item for item in reversed(self.statuses_of(sha))}

    def _tell_of_pull(self, pull: dict[str, Any], action: str, event: str = "pull_request") -> None:
        self._tell(event, {"action": action, "number": pull["number"], "pull_request": pull})

    def _tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Tell the service, a moment later as forges do; a lost delivery is the poll's."""
        raw = json.dumps({**data, "repository": _NAMED}).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Gitea-Event": event,
            "X-Gitea-Delivery": str(uuid.uuid4()),
            "X-Gitea-Signature": hmac.new(self.secret.encode(), raw, hashlib.sha256).hexdigest(),
        }
        threading.Thread(target=_post, args=(self.hook, raw, headers), daemon=True).start()


def _post(url: str, raw: bytes, headers: Mapping[str, str]) -> None:
    import urllib3

    time.sleep(_WAIT_SECONDS)
    # The service starts, or restarts.
    patience = urllib3.Retry(
        8, allowed_methods=None, status_forcelist=range(500, 600), backoff_factor=0.1
    )
    with contextlib.suppress(urllib3.exceptions.HTTPError):
        urllib3.request("POST", url, body=raw, headers=headers, timeout=10.0, retries=patience)
