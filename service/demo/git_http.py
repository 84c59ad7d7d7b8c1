"""Git over HTTP: git's own `http-backend` behind a WSGI application."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from flask import Request, Response


def answer(root: Path, request: Request, path: str) -> Response:
    """What git answers to a request for a path below the folder of bare repositories."""
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "PATH_INFO": f"/{path}",
        "QUERY_STRING": request.query_string.decode(),
        "REQUEST_METHOD": request.method,
        "REMOTE_USER": "gen-env",
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
    }
    body = request.get_data()
    environment["CONTENT_LENGTH"] = str(len(body))
    done = subprocess.run(
        ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = headers.pop("Status", "200").split()[0]
    return Response(content, int(status), headers)
