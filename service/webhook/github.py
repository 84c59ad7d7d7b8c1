"""GitHub's deliveries (https://docs.github.com/en/webhooks/webhook-events-and-payloads), and those
of Gitea and Forgejo: the same shapes, with a few words of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator.core.layered import lookup
from service.webhook import command
from service.webhook import event as events
from service.webhook.event import Event, Ignored, PullAction
from service.webhook.payload import branch, long_text, number, sha, text

# Gitea and Forgejo write `synchronized`, and of labels that they were updated or cleared.
ACTIONS = {
    "opened": PullAction.OPENED,
    "synchronize": PullAction.UPDATED,
    "synchronized": PullAction.UPDATED,
    "reopened": PullAction.REOPENED,
    "ready_for_review": PullAction.EDITED,
    "converted_to_draft": PullAction.EDITED,
    "edited": PullAction.EDITED,
    "labeled": PullAction.LABELED,
    "unlabeled": PullAction.LABELED,
    "label_updated": PullAction.LABELED,
    "label_cleared": PullAction.LABELED,
}
# gh-readonly-queue/main/pr-12-<sha>
_QUEUED = re.compile(r"/pr-([1-9][0-9]{0,8})-[0-9a-f]+$")


def event(name: str, data: Mapping[str, Any]) -> Event:
    """The event of this name (X-GitHub-Event, X-Gitea-Event, X-Forgejo-Event)."""
    repository = text(data, "repository", "full_name")
    match name:
        case "ping":
            return events.Ping()
        case "pull_request" | "pull_request_sync" | "pull_request_label":
            return pull(repository, data)
        case "push":
            return push(repository, data)
        # Newer Giteas tell a pull request's apart in the name, older ones in the body alone.
        case "issue_comment" | "pull_request_comment":
            return comment(repository, data)
        case "check_run" | "check_suite":
            return _rerun(repository, name, data)
        case "merge_group":
            return _merge_group(repository, data)
        case _:
            return Ignored(f"{name or 'an unnamed event'} is ignored", repository)


def pull(repository: str, data: Mapping[str, Any]) -> Event:
    """A pull request's change."""
    request = lookup(data, "pull_request")
    base_ref = text(request, "base", "ref")
    found = number(request, "number") or number(data, "number")
    action = ACTIONS.get(text(data, "action"))
    # An edited title changes nothing; another base branch does.
    if text(data, "action") == "edited" and not lookup(data, "changes.base"):
        action = None
    merge_sha = ""
    if text(data, "action") == "closed":
        merged = lookup(request, "merged") is True
        action = PullAction.MERGED if merged else PullAction.CLOSED
        merge_sha = sha(request, "merge_commit_sha") if merged else ""
    if not (action and found and repository):
        return Ignored("this change of a pull request is ignored", repository)
    return events.PullEvent(
        repository, found, action, sha(request, "head", "sha"), base_ref, merge_sha
    )


def push(repository: str, data: Mapping[str, Any]) -> Event:
    """A branch that moved; tags and deleted branches are not for us."""
    moved, commit = branch(data, "ref"), sha(data, "after")
    if not (moved and commit and repository):
        return Ignored("this push moves no branch", repository)
    return events.PushEvent(repository, moved, commit, sha(data, "before"))


def comment(repository: str, data: Mapping[str, Any]) -> Event:
    """Commands in a new comment on a pull request; an edited one may be another person's words."""
    is_pull = bool(lookup(data, "issue.pull_request")) or lookup(data, "is_pull") is True
    commands = command.parse(long_text(data, "comment", "body"))
    found, author = number(data, "issue", "number"), text(data, "comment", "user", "login")
    if text(data, "action") != "created" or not (is_pull and commands and found and author):
        return Ignored("this comment contains no command", repository)
    return events.CommentEvent(repository, found, author, commands)


def _rerun(repository: str, name: str, data: Mapping[str, Any]) -> Event:
    run = lookup(data, (name,))
    commit = sha(run, "head_sha")
    if text(data, "action") != "rerequested" or not (commit and repository):
        return Ignored("this check was not requested again", repository)
    pulls = lookup(run, "pull_requests")
    # Empty for a re-requested run of a fork, and in the published samples: then the commit tells.
    listed = [number(item, "number") for item in pulls] if isinstance(pulls, list) else []
    return events.RerunEvent(repository, commit, tuple(sorted({item for item in listed if item})))


def _merge_group(repository: str, data: Mapping[str, Any]) -> Event:
    group = lookup(data, "merge_group")
    head, base = sha(group, "head_sha"), sha(group, "base_sha")
    if text(data, "action") != "checks_requested" or not (head and base and repository):
        return Ignored("this merge group requests no check", repository)
    queued = _QUEUED.search(branch(group, "head_ref"))
    brings = int(queued[1]) if queued else 0
    return events.MergeGroupEvent(repository, head, base, branch(group, "base_ref"), brings)
