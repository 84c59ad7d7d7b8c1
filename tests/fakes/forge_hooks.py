"""The stand-in's webhooks: what each forge tells of an event, signed and sent as it does."""

import dataclasses
import hmac
import http.client
import json
import queue
import threading
import time
import uuid
from urllib.parse import urlsplit

from generator.forge.port import ForgeKind
from tests.fakes import forge_gitea as gitea
from tests.fakes import forge_github_shapes as github
from tests.fakes import forge_gitlab as gitlab

# GitHub and GitLab give up after ten seconds; neither tries again.
PATIENCE = 10
_LAB = {"opened": "open", "synchronize": "update", "reopened": "reopen", "closed": "close"}


@dataclasses.dataclass
class Delivery:
    """One delivery as it was sent, and the answer's status (0 where there was none)."""

    event: str
    raw: bytes
    headers: dict
    status: int = 0
    body: bytes = b""


class Hook:
    """One webhook of the repository: deliveries go out one after the other, in the background.

    A `patient` one has somebody who delivers again what nobody has taken.
    """

    patient = False

    def __init__(self, store, kind, url, secret):
        self.store, self.kind, self.url, self.secret = store, kind, url, secret
        self.sent = []
        self._waiting = queue.Queue()
        threading.Thread(target=self._work, daemon=True).start()

    # What happens on the forge.

    def pull(self, number, action, *, before=""):
        """A pull request was opened, synchronize'd, reopened or closed (and merged, perhaps)."""
        self._waiting.put((*self.pull_event(number, action, before), None))

    def push(self, branch, before, after):
        body = {
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": after,
            "repository": self._repository(),
            "project": {"path_with_namespace": self.store.repository},
            "commits": [],
        }
        if self.kind is ForgeKind.GITHUB:
            body |= _pushed(self.store, before, after)
        self._waiting.put((*self._named("push", "Push Hook", body), None))

    def comment(self, number, author, text):
        """Somebody wrote a comment: it is there, and it is told."""
        made = self.store.comments[self.store.add_comment(number, author, text)]
        self._waiting.put((*self.comment_event(number, made), None))

    def rerun(self, run):
        """Somebody clicked on "re-run" beside a check run."""
        shown = github.check_run(self.store, run)
        body = {"action": "rerequested", "check_run": shown, **self._around(501)}
        self._waiting.put(("check_run", body, None))

    def again(self, delivery, *, fresh=False):
        """Deliver once more, as the button does; `fresh` gives it another id, as a replay may."""
        headers = dict(delivery.headers)
        if fresh:
            headers = {
                key: str(uuid.uuid4()) if key in _IDS else value for key, value in headers.items()
            }
        made = Delivery(delivery.event, delivery.raw, headers)
        self._waiting.put((delivery.event, None, made))

    def idle(self):
        """Whether everything has gone out."""
        return self._waiting.unfinished_tasks == 0

    # What is told of it.

    def pull_event(self, number, action, before=""):
        data = self.store.pulls[number]
        if self.kind is ForgeKind.GITLAB:
            return "Merge Request Hook", self._merge_request(data, action, before)
        shape = github if self.kind is ForgeKind.GITHUB else gitea
        word = f"{action}d" if shape is gitea and action == "synchronize" else action
        body = {"action": word, "number": number, "pull_request": shape.pull(self.store, data)}
        if action == "synchronize":
            body |= {"before": before, "after": data["sha"]}
        return "pull_request", {**body, **self._around(data["author"])}

    def _merge_request(self, data, action, before):
        action = "merge" if data["merged"] and action == "closed" else _LAB[action]
        shown = gitlab.merge_request(self.store, data)
        attributes = {
            **{key: shown[key] for key in ("id", "iid", "title", "state", "target_branch")},
            "source_branch": data["head"],
            "action": action,
            "last_commit": {"id": data["sha"]},
            "merge_commit_sha": data["merge_sha"],
        }
        if action == "update":
            attributes["oldrev"] = before
        return {
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "user": gitlab.user(self.store, data["author"]),
            "project": self._project(),
            "object_attributes": attributes,
            "changes": {},
        }

    def comment_event(self, number, made):
        data = self.store.pulls[number]
        if self.kind is ForgeKind.GITLAB:
            note = {"id": made["id"], "note": made["body"], "noteable_type": "MergeRequest"}
            return "Note Hook", {
                "object_kind": "note",
                "user": gitlab.user(self.store, made["author"]),
                "project": self._project(),
                "object_attributes": {**note, "action": "create"},
                "merge_request": {"iid": number},
            }
        if self.kind is ForgeKind.GITEA:
            issue = {"number": number, "pull_request": {"merged": data["merged"]}}
            told = {"comment": gitea.comment(self.store, made), "issue": issue, "is_pull": True}
        else:
            told = {
                "comment": github.comment(self.store, made),
                "issue": github.issue(self.store, data),
            }
        return "issue_comment", {"action": "created", **told, **self._around(made["author"])}

    def _around(self, author):
        user = (github if self.kind is ForgeKind.GITHUB else gitea).user(self.store, author)
        return {"repository": self._repository(), "sender": user}

    def _repository(self):
        shape = github if self.kind is ForgeKind.GITHUB else gitea
        return shape.repository(self.store)

    def _project(self):
        return {"id": self.store.repository_id, "path_with_namespace": self.store.repository}

    def _named(self, event, of_gitlab, body):
        return (of_gitlab if self.kind is ForgeKind.GITLAB else event), body

    # How it is sent.

    def signed(self, event, body, secret=None):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        secret, identity = secret or self.secret, str(uuid.uuid4())
        signature = hmac.new(secret.encode(), raw, "sha256").hexdigest()
        match self.kind:
            case ForgeKind.GITHUB:
                headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": identity,
                           "X-Hub-Signature-256": f"sha256={signature}"}  # fmt: skip
            case ForgeKind.GITLAB:
                headers = {"X-Gitlab-Event": event, "X-Gitlab-Event-UUID": identity,
                           "X-Gitlab-Token": secret}  # fmt: skip
            case ForgeKind.GITEA:
                headers = {"X-Gitea-Event": event, "X-Gitea-Delivery": identity,
                           "X-Gitea-Signature": signature, "X-GitHub-Event": event,
                           "X-Hub-Signature-256": f"sha256={signature}"}  # fmt: skip
        return Delivery(event, raw, {"Content-Type": "application/json", **headers})

    def send(self, delivery):
        """Send it now; the answer's status is kept with it."""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
        try:
            connection.request("POST", place.path, delivery.raw, delivery.headers)
            answer = connection.getresponse()
            delivery.status, delivery.body = answer.status, answer.read()
        except OSError:
            delivery.status = 0
        finally:
            connection.close()
        self.sent.append(delivery)
        return delivery.status

    def _work(self):
        while True:
            event, body, ready = self._waiting.get()
            try:
                if not ready:
                    self._judge(event, body)
                delivery = ready or self.signed(event, body)
                while self.send(delivery) in (0, 503) and self.patient:
                    time.sleep(0.1)
            finally:
                self._waiting.task_done()

    def _judge(self, event, body):
        """GitHub describes its deliveries as well."""
        judge = self.store.judges.get("/api/v3")
        if judge and self.kind is ForgeKind.GITHUB:
            self.store.violations += judge.hook_faults(event, body.get("action", ""), body)


_IDS = ("X-GitHub-Delivery", "X-Gitlab-Event-UUID", "X-Gitea-Delivery")


def _pushed(store, before, after):
    return {
        "base_ref": None,
        "compare": f"{github.PAGES}/{store.repository}/compare/{before}...{after}",
        "created": not before.strip("0"),
        "deleted": False,
        "forced": False,
        "head_commit": None,
        "pusher": {"name": "alice"},
        "sender": github.user(store, 502),
    }
