"""GitLab's deliveries: https://docs.gitlab.com/user/project/integrations/webhook_events/."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.core.layered import lookup
from service.webhook import command, github
from service.webhook.event import CommentEvent, Event, Ignored, PullAction, PullEvent
from service.webhook.payload import long_text, number, sha, text

_ACTIONS = {
    "open": PullAction.OPENED,
    "reopen": PullAction.REOPENED,
    "close": PullAction.CLOSED,
    "merge": PullAction.MERGED,
}


def event(name: str, data: Mapping[str, Any]) -> Event:
    """The event of this name (X-Gitlab-Event)."""
    repository = text(data, "project", "path_with_namespace")
    match name:
        case "Merge Request Hook":
            return _merge_request(repository, data)
        case "Push Hook":
            return github.push(repository, data)
        case "Note Hook":
            return _note(repository, data)
        case _:
            return Ignored(f"{name or 'an unnamed event'} is ignored", repository)


def _merge_request(repository: str, data: Mapping[str, Any]) -> Event:
    request = lookup(data, "object_attributes")
    action, found = _action(data, request), number(request, "iid")
    if not (action and found and repository):
        return Ignored("this change of a merge request is ignored", repository)
    merge_sha = sha(request, "merge_commit_sha") if action is PullAction.MERGED else ""
    head = sha(request, "last_commit", "id")
    return PullEvent(repository, found, action, head, text(request, "target_branch"), merge_sha)


def _action(data: Mapping[str, Any], request: Any) -> PullAction | None:
    name = text(request, "action")
    if name != "update":
        return _ACTIONS.get(name)
    # Only `oldrev` tells that commits came; assignees are updates as well.
    if sha(request, "oldrev"):
        return PullAction.UPDATED
    changed = lookup(data, "changes")
    telling = ("draft", "work_in_progress", "target_branch")
    edited = isinstance(changed, dict) and any(key in changed for key in telling)
    if edited:
        return PullAction.EDITED
    return PullAction.LABELED if isinstance(changed, dict) and "labels" in changed else None


def _note(repository: str, data: Mapping[str, Any]) -> Event:
    note = lookup(data, "object_attributes")
    commands = command.parse(long_text(note, "note"))
    found, author = number(data, "merge_request", "iid"), text(data, "user", "username")
    new = text(note, "action") in ("", "create")
    if not (new and commands and found and author and repository):
        return Ignored("this note contains no command", repository)
    return CommentEvent(repository, found, author, commands)
