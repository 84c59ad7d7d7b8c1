"""A real Gitea on loopback: its API, git over HTTP, webhooks, rights; its pages are not built."""

import base64
import contextlib
import dataclasses
import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from tests.cluster import process, programs
from tests.loopback import free_port

_SETTINGS = """\
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = {folder}
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[repository]
ROOT = {folder}/repositories
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
DISABLE_SSH = true
OFFLINE_MODE = true
STATIC_ROOT_PATH = {static}
[security]
INSTALL_LOCK = true
SECRET_KEY = only-for-this-test
PASSWORD_HASH_ALGO = pbkdf2$320000$50
[webhook]
ALLOWED_HOST_LIST = loopback
[log]
MODE = console
LEVEL = warn
"""
PASSWORD = "a-Password-of-this-test-1"
RIGHTS = "write:repository,write:issue,read:user"
"""What docs/service.md asks of the service's token, in Gitea's words."""


@dataclasses.dataclass
class Gitea:
    """A running server; `root` administers it."""

    url: str
    command: tuple
    log: Path
    environ: dict
    process: subprocess.Popen | None = None

    def start(self):
        """Start it, and wait until it answers."""
        with self.log.open("ab") as output:
            words = [*map(str, self.command), "web"]
            self.process = subprocess.Popen(words, stdout=output, stderr=output, env=self.environ)
        process.until(lambda: self.call("GET", "/version"), "Gitea", log=self.log)

    def stop(self):
        """End it in good order; what it holds stays on the disk."""
        process.stop(self.process)

    def add_user(self, name, *more):
        """A new account with the password of the test."""
        mail = f"{name}@example.com"
        self._admin("user", "create", "--username", name, "--password", PASSWORD,
                    "--email", mail, "--must-change-password=false", *more)  # fmt: skip

    def token(self, name, scopes):
        """A new token of an account."""
        named = ("--username", name, "--token-name", secrets.token_hex(4))
        return self._admin("user", "generate-access-token", *named, "--scopes", scopes, "--raw")

    def _admin(self, *words):
        done = subprocess.run([*self.command, "admin", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""

    def call(self, method, path, body=None, *, user="root"):
        """One request to the API in the name of an account; the decoded answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, method=method)
        pair = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        request.add_header("Authorization", f"Basic {pair}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read()}") from None

    def commit(self, repository, path, text, branch, *, user="root"):
        """A commit that adds one file, on a branch that is made from main where it is new."""
        content = base64.b64encode(text.encode()).decode()
        place = {"branch": "main", "new_branch": branch} if branch != "main" else {}
        body = {"content": content, "message": f"Add {path}", **place}
        made = self.call("POST", f"/repos/{repository}/contents/{path}", body, user=user)
        return made["commit"]["sha"]


@contextlib.contextmanager
def running(folder):
    """Start Gitea below `folder`; stop exactly this one at the end."""
    program, port = programs.find("gitea"), free_port()
    settings = folder / "app.ini"
    # Translations and templates: they are files of the module.
    listed = ["go", "list", "-m", "-f", "{{.Dir}}", "code.gitea.io/gitea"]
    place = subprocess.run(listed, cwd=programs.TOOLS / "gitea", check=True, capture_output=True)
    static = place.stdout.decode().strip()
    assert static, "the module is not in Go's cache: go mod download, in tests/cluster/tools/gitea"
    text = _SETTINGS.format(folder=folder, port=port, static=static)
    settings.write_text(text, encoding="utf-8")
    command = (program, "--config", settings)
    environ = {**os.environ, "HOME": str(folder), "GITEA_WORK_DIR": str(folder)}
    subprocess.run([*command, "migrate"], check=True, capture_output=True, env=environ)
    found = Gitea(f"http://127.0.0.1:{port}", command, folder / "gitea.log", environ)
    found.add_user("root", "--admin")
    try:
        found.start()
        yield found
    finally:
        found.stop()
