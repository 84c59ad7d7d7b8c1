"""From a verified delivery to an event; what is missing or odd becomes `Ignored`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from generator.forge.port import ForgeKind
from service.webhook import github, gitlab
from service.webhook.event import Event
from service.webhook.payload import text
from service.webhook.signature import Headers

_NAMES = {
    ForgeKind.GITHUB: ("x-github-event",),
    ForgeKind.GITEA: ("x-forgejo-event", "x-gitea-event"),
    ForgeKind.GITLAB: ("x-gitlab-event",),
}
_IDS = {
    ForgeKind.GITHUB: ("x-github-delivery",),
    ForgeKind.GITEA: ("x-forgejo-delivery", "x-gitea-delivery"),
    ForgeKind.GITLAB: ("idempotency-key", "webhook-id", "x-gitlab-event-uuid"),
}
_LONGEST = 200


def event_of(kind: ForgeKind, headers: Headers, data: Mapping[str, Any]) -> Event:
    """What the delivery says."""
    if kind is ForgeKind.GITLAB:
        return gitlab.event(event_name(kind, headers), data)
    return github.event(event_name(kind, headers), data)


def event_name(kind: ForgeKind, headers: Headers) -> str:
    """The forge's own word for the event."""
    return _first(headers, _NAMES[kind])[:_LONGEST]


def delivery_id(kind: ForgeKind, headers: Headers, body: bytes) -> str:
    """What a redelivery has in common with the first; where the forge says nothing, the body."""
    given = _first(headers, _IDS[kind])
    return given if given and len(given) <= _LONGEST else f"sha256-{body_digest(body)}"


def body_digest(body: bytes) -> str:
    """A name for these very bytes."""
    return hashlib.sha256(body).hexdigest()


def _first(headers: Headers, names: tuple[str, ...]) -> str:
    return text({"it": next((headers[name] for name in names if headers.get(name)), "")}, "it")
