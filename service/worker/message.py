"""One message through Apprise, in a process of its own: it reads an answer whole, however long."""

from __future__ import annotations

import importlib.util
import json
import logging
import resource
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from generator.core.errors import UserError
from generator.redaction.secret import Secret

if TYPE_CHECKING:
    from apprise import Apprise

    from service.settings.schema import Route

_MEMORY = 256 << 20


def require(routes: Sequence[Route]) -> None:
    """Raises UserError where there are routes and nothing that could send, or an address is none;
    without routes it imports nothing.
    """
    if routes and importlib.util.find_spec("apprise") is None:
        raise UserError(
            "the settings have notifications, and Apprise is not installed",
            hint="pip install 'gen-env[notify]', or remove notifications",
        )
    if wrong := [route.name for route in routes if _client(route.url) is None]:
        raise UserError(
            f"notifications: Apprise does not understand the url of {', '.join(wrong)}",
            hint="write it as Apprise does, such as slack://..., with what stands after it",
        )


def _client(url: Secret) -> Apprise | None:
    """What sends to an address; None where Apprise does not understand it.

    Apprise's own words are for nobody: they quote. What answers elsewhere has not taken a message.
    """
    import apprise

    logging.getLogger("apprise").disabled = True
    asset = apprise.AppriseAsset(app_id="gen-env", async_mode=False, http_redirects=False)
    found = apprise.Apprise(asset=asset)
    return found if found.add(url.text()) else None


def send(url: Secret, title: str, body: str, seconds: float) -> bool:
    """Send one message; whether the address confirmed it within so many seconds."""
    given = json.dumps([url.text(), title, body])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "service.worker.message"], input=given.encode(), timeout=seconds,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> int:
    """Send what stands on the standard input; 0 where the address confirmed it."""
    url, title, body = json.load(sys.stdin)
    client = _client(Secret(url))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    sent = client and client.notify(title=title, body=body, body_format="text")
    return 0 if sent else 1


if __name__ == "__main__":
    sys.exit(main())
