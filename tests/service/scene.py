"""A service on loopback: settings, a small forge, real processes."""

import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

SECRET = "canary-webhook-secret-0123456789"
TOKEN = "canary-forge-token-0123456789"
API = "canary-api-token-0123456789"
ROOT = Path(__file__).parents[2]
REPOSITORIES = ("team/one", "team/two")


def sha_of(number):
    return hashlib.sha1(str(number).encode()).hexdigest()


def pull_body(repository, number, head, action="opened"):
    return {
        "action": action,
        "number": number,
        "repository": {"full_name": repository},
        "pull_request": {
            "number": number,
            "head": {"sha": head, "ref": "change"},
            "base": {"sha": sha_of("base"), "ref": "main"},
        },
    }


def signed(body, delivery, secret=SECRET, event="pull_request"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return raw, {
        "Content-Type": "application/json",
        "X-Gitea-Event": event,
        "X-Gitea-Delivery": delivery,
        "X-Gitea-Signature": hmac.new(secret.encode(), raw, "sha256").hexdigest(),
    }


def write_settings(folder, forge_url, port, database=None, **limits):
    """A settings file with everything set; secrets in files beside it."""
    for name, value in (("hook", SECRET), ("token", TOKEN), ("api", API)):
        (folder / name).write_text(value + "\n")
    settings = {
        "dataDir": "data",
        "listen": f"127.0.0.1:{port}",
        "pollSeconds": 0,
        "apiToken": {"file": "api"},
        "limits": {
            "leaseSeconds": 4,
            "retrySeconds": 0.2,
            "settleSeconds": 0,
            "attempts": 3,
            **limits,
        },
        "connections": [
            {
                "name": "forge",
                "forge": "gitea",
                "url": forge_url,
                "repositories": list(REPOSITORIES),
                "webhookSecrets": [{"file": "hook"}],
                "token": {"file": "token"},
            }
        ],
    }
    if database:
        (folder / "database").write_text(database)
        settings["database"] = {"file": "database"}
    path = folder / "settings.yaml"
    path.write_text(json.dumps(settings))  # JSON is YAML
    return path


def changed(settings, **values):
    """Settings, or a part of them, with other values, as they are after they were read."""
    return settings.model_copy(update=values)


class Forge:
    """Pull requests and statuses of a Gitea, as much of it as the worker itself asks for."""

    def __init__(self):
        self.heads = {}
        self.statuses = []
        self.down = False
        scene = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                parts = self.path.partition("?")[0].strip("/").split("/")
                if scene.down:
                    self._answer(503, {"message": "down"})
                elif parts[5:6] == ["pulls"] and len(parts) == 7:
                    name, number = "/".join(parts[3:5]), int(parts[6])
                    self._answer(200, scene.pull(name, number))
                else:
                    self._answer(200, [])

            def do_POST(self):
                data = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                scene.statuses.append((self.path.rsplit("/", 1)[1], data))
                self._answer(201, {"id": 1, **data})

            def _answer(self, status, data):
                raw = json.dumps(data).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def pull(self, name, number):
        head = self.heads.get((name, number), sha_of(number))
        repository = {"id": 7, "full_name": name}
        return {
            "number": number, "title": "t", "body": "", "state": "open", "merged": False,
            "html_url": f"{self.url}/{name}/pulls/{number}", "user": {"login": "ann", "id": 5},
            "head": {"sha": head, "ref": "change", "repo": repository, "repo_id": 7},
            "base": {"sha": sha_of("base"), "ref": "main", "repo": repository, "repo_id": 7},
            "labels": [], "mergeable": True, "draft": False,
        }  # fmt: skip

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def forge():
    made = Forge()
    try:
        yield made
    finally:
        made.close()


def environment(**more):
    passed = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return {
        **passed,
        "PYTHONPATH": str(ROOT),
        "GEN_ENV_SERVICE_CHECK": "tests.service.stand_in_check:check",
        **more,
    }


def start(role, config, log, **more):
    """One process of the service, its output in `log`; PROJECT's own interpreter."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "service.cli.main", role, "--config", str(config)],
            env=environment(**more),
            stdout=output,
            stderr=output,
            cwd=config.parent,
            start_new_session=True,
        )


def kill(process, *, hard=True):
    """End a process that the test started (and so its group's id is ours)."""
    if process.poll() is None:
        process.kill() if hard else process.terminate()
    process.wait(60)


def request(port, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_for(what, seconds=300, every=0.1):
    """Until `what()` is true; its last value. The time is for a machine that is busy."""
    end = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < end:
        time.sleep(every)
    return found


def answers(port, path="/healthz"):
    def ask():
        try:
            return request(port, "GET", path)[0] == 200
        except OSError:
            return False

    return ask
