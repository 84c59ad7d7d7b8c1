"""Gitea's and Forgejo's deliveries: GitHub's shapes, with a few words of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.webhook import github
from service.webhook.event import Event, Ignored
from service.webhook.payload import text


def event(name: str, data: Mapping[str, Any]) -> Event:
    """The event of this name (X-Gitea-Event, X-Forgejo-Event)."""
    repository = text(data, "repository", "full_name")
    match name:
        case "pull_request" | "pull_request_sync" | "pull_request_label":
            return github.pull(repository, data)
        case "push":
            return github.push(repository, data)
        # Newer versions tell the two apart in the name, older ones in the body alone.
        case "issue_comment" | "pull_request_comment":
            return github.comment(repository, data)
        case _:
            return Ignored(f"{name or 'an unnamed event'} is ignored", repository)
