"""The manifest from which GitHub makes the App (docs.github.com, "Registering a GitHub App from a
manifest").
"""

from __future__ import annotations

import html
import json
from typing import Any

from generator.core.errors import UserError
from generator.core.http_policy import split
from generator.forge.github_app import EVENTS, PERMISSIONS

# Nothing listens there: the code, from which the private key can be had, is left to the browser.
_BACK = "http://127.0.0.1:1/"
_PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Create the GitHub App</title>
<form action="{action}" method="post">
<input type="hidden" name="manifest" value="{manifest}">
<button>Create the GitHub App on {action}</button>
</form>
"""


def manifest(url: str, connection: str, name: str) -> dict[str, Any]:
    """The App of a service at `url`, with what the code needs and no more; UserError for http."""
    parts = split(url)
    if parts is None or parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise UserError(f"invalid address '{url[:200]}'", hint="give the publicUrl, with https")
    root = f"https://{parts.netloc}{parts.path.rstrip('/')}"
    return {
        "name": name,
        "url": root,
        "hook_attributes": {"url": f"{root}/webhooks/{connection}", "active": True},
        "redirect_url": _BACK,
        "public": False,
        "default_permissions": dict(PERMISSIONS),
        "default_events": list(EVENTS),
    }


def page(found: dict[str, Any], forge: str, organization: str) -> str:
    """A page with one button, which gives GitHub the manifest in the reader's browser."""
    owner = f"/organizations/{organization}" if organization else ""
    action = f"{forge.rstrip('/')}{owner}/settings/apps/new"
    return _PAGE.format(action=html.escape(action), manifest=html.escape(json.dumps(found)))
