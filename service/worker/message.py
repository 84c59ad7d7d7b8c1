"""One message through Apprise, in a process of its own: it reads an answer whole, however long."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

from generator.redaction.secret import Secret
from service.settings import routes

_MEMORY = 256 << 20


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
    client = routes.client(Secret(url))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    sent = client and client.notify(title=title, body=body, body_format="text")
    return 0 if sent else 1


if __name__ == "__main__":
    sys.exit(main())
