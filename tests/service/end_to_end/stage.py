"""A forge with real git and signed deliveries, and the service's own processes beside it."""

import contextlib
import json
import os
import subprocess
import time

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from generator.forge.port import ForgeKind
from service.settings.resolve import load
from service.store import tables
from tests import forge_contract
from tests.fakes import forge as fake_forge
from tests.fakes.forge_hooks import Hook
from tests.loopback import free_port
from tests.service import scene
from tests.service.check import world as worlds

CONTEXT = "gen-env/check"
FINAL = {"success", "failure", "error"}
# Found nowhere but where they belong; the token is what the stand-in forge takes.
HOOK_SECRET = "canary-hook-secret-7f3a9c15"
API_TOKEN = "canary-api-token-b82e4d60"
APP = "app"
KINDS = (*ForgeKind, APP)
APIS = {**worlds.APIS, APP: "api/v3"}
APP_USER = 701
ANSWER = "### gen-env: answer to a command\n"


class Stage(worlds.World):
    """A world whose forge tells of what happens; a pull request belongs to one connection."""

    def __init__(self, *given):
        super().__init__(*given)
        self.kinds, self.opening = {}, ForgeKind.GITHUB
        self.hooks, self.commanded = {}, set()
        self.base = self.head("main")
        self.store.head_of = self.head
        self.store.merge = self.merged
        self.store.changed = self.told
        self.store.judges = forge_contract.contracts()
        self.git.accept("x-access-token", self.store.tokens)
        self.config = self.log = self.settings = None
        self.processes, self.port, self.environment = {}, free_port(), {}

    # What the forge does.

    def ref(self, number):
        kind = self.kinds.get(number, self.opening)
        return f"refs/{'merge-requests' if kind is ForgeKind.GITLAB else 'pull'}/{number}/head"

    def open(self, *given, kind=ForgeKind.GITHUB, **more):
        self.opening = kind
        number = super().open(*given, **more)
        self.kinds[number] = kind
        self.hook(number).pull(number, "opened")
        return number

    def hook(self, number):
        return self.hooks[self.kinds[number]]

    def follow(self):
        """After a push, by whomever: heads move along, and whoever has asked is told."""
        before = {number: pull["sha"] for number, pull in self.store.pulls.items()}
        super().follow()
        for number, pull in self.store.pulls.items():
            moved = number in self.kinds and pull["sha"] != before[number]
            if moved and pull["state"] == "open":
                self.hook(number).pull(number, "synchronize", before=before[number])
        base = self.head("main")
        if base != self.base:
            # Connections share the one repository; only who has something open there is told.
            waiting = (n for n, pull in self.store.pulls.items() if pull["state"] == "open")
            for kind in {self.opening, *(self.kinds[n] for n in waiting if n in self.kinds)}:
                self.hooks[kind].push("main", self.base, base)
            self.base = base

    def told(self, pull, action):
        """Closed, reopened or merged through the API."""
        if pull["number"] in self.kinds:
            self.hook(pull["number"]).pull(pull["number"], action)
            self.follow()

    def close(self, number, *, state="closed"):
        self.store.edit_pull(self.store.pulls[number], {"state": state})

    def say(self, number, text, author=fake_forge.ALICE):
        self.commanded.add(number)
        self.hook(number).comment(number, author, text)

    def merged(self, pull):
        """A merge commit on the base branch, as the button makes it."""
        head = self._bare("rev-parse", self.ref(pull["number"]))
        tree = self._bare("merge-tree", "--write-tree", pull["base"], head)
        parents = ("-p", pull["base"], "-p", head)
        sha = self._bare("commit-tree", tree, *parents, "-m", f"Merge #{pull['number']}")
        self._bare("update-ref", f"refs/heads/{pull['base']}", sha)
        return sha

    def _bare(self, *arguments):
        # The forge's own commits, whoever runs the test.
        who = {f"GIT_{role}_{part}": "forge@example.com" for role in ("AUTHOR", "COMMITTER")
               for part in ("NAME", "EMAIL")}  # fmt: skip
        done = subprocess.run(
            ["git", f"--git-dir={self.bare}", *arguments],
            capture_output=True, text=True, check=True, env={**os.environ, **who},
        )  # fmt: skip
        return done.stdout.strip()

    # What the service is.

    def configure(self, caches, database=None, **limits):
        """Settings for one connection per forge, all to this one repository; nothing starts yet."""
        self.root.joinpath("service").mkdir()
        self.config = self.root / "service" / "settings.yaml"
        self.log = self.root / "service.log"
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.store.app_key = key.public_key()
        self.store.users[APP_USER] = "gen-env[bot]"
        self.store.rights[APP_USER] = "write"
        self.store.add_user("payments")
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        for name, value in (("hook", HOOK_SECRET), ("token", fake_forge.TOKEN),
                            ("api", API_TOKEN), ("key", pem.decode())):  # fmt: skip
            (self.config.parent / name).write_text(value)
        connections = [self._connection(kind) for kind in KINDS]
        settings = {
            "dataDir": "data",
            "listen": f"127.0.0.1:{self.port}",
            "pollSeconds": 0,
            "apiToken": {"file": "api"},
            "limits": {
                "leaseSeconds": 4,
                "settleSeconds": 0,
                "retrySeconds": 1,
                "attempts": 5,
                **limits,
            },
            "connections": connections,
        }
        if database:
            (self.config.parent / "database").write_text(database)
            settings["database"] = {"file": "database"}
        self.config.write_text(json.dumps(settings))
        self.settings = load(self.config, {})
        self.engine = tables.engine(self.settings.database_url.text())
        for kind in KINDS:
            spoken = ForgeKind.GITHUB if kind is APP else kind
            url = f"http://127.0.0.1:{self.port}/webhooks/{kind}"
            self.hooks[kind] = Hook(self.store, spoken, url, HOOK_SECRET)
        self.environment = {
            "GEN_ENV_SERVICE_CHECK": "",
            "GEN_ENV_OFFLINE": "1",
            "GEN_ENV_CHART_CACHE": str(caches / "charts"),
            "GEN_ENV_RENDER_CACHE": str(caches / "renders"),
        }

    def _connection(self, kind):
        made = {
            "name": str(kind),
            "forge": "github" if kind is APP else str(kind),
            "url": self.git.url,
            "apiUrl": f"{self.api}/{APIS[kind]}",
            "repositories": [self.store.repository],
            "webhookSecrets": [{"file": "hook"}],
            "username": "x-access-token",
        }
        if kind is APP:
            return {**made, "app": {"id": "12", "key": {"file": "key"}}}
        return {**made, "token": {"file": "token"}}

    def start(self, name):
        """A process: its role, with a number where there are several of it."""
        self.store.clock = time.time()
        role = name.rstrip("0123456789")
        self.processes[name] = scene.start(role, self.config, self.log, **self.environment)

    def kill(self, name, *, hard=True):
        scene.kill(self.processes.pop(name), hard=hard)

    def end(self):
        for name in list(self.processes):
            self.kill(name, hard=False)

    def ready(self):
        return scene.wait_for(scene.answers(self.port, "/readyz"))

    # What came of it.

    def rows(self, number=None):
        with self.engine.connect() as connection:
            query = sa.select(tables.run).order_by(tables.run.c.queued, tables.run.c.seq)
            found = [dict(row._mapping) for row in connection.execute(query)]
        return [row for row in found if number in (None, row["number"])]

    def checks(self, number):
        return [row for row in self.rows(number) if row["kind"] == "check"]

    def idle(self):
        """Nothing is left to do, and the forge has told everything; or a run was given up."""
        states = {row["state"] for row in self.rows()}
        told = all(hook.idle() for hook in self.hooks.values())
        return "dead" in states or (told and not states & {"queued", "running"})

    def _unfinished(self):
        return [row for row in self.rows() if row["state"] in ("queued", "running")]

    def settle(self, seconds=300):
        """Until everything that follows from what happened is over."""
        # Twice: a delivery may have become a run between the two looks.
        settled = scene.wait_for(lambda: self.idle() and self.idle(), seconds, 0.05)
        dead = [row for row in self.rows() if row["state"] == "dead"]
        assert settled and not dead, f"{self._unfinished() or dead}\n{self._told()}"

    def _told(self):
        return self.log.read_text()[-4000:]

    def said_of(self, sha):
        """The states of our check on a commit, in the order in which they were sent."""
        statuses = [s for s in self.store.statuses if s["sha"] == sha]
        return [s["state"] for s in statuses if s["context"] == CONTEXT]

    def ours(self, number):
        """Our comments on a pull request, without the one that answers commands."""
        return [body for body in self._bodies(number) if ANSWER not in body]

    def answered(self, number):
        """The lines of the one comment that answers commands; none before the first command."""
        answers = [body for body in self._bodies(number) if ANSWER in body]
        assert len(answers) == (number in self.commanded), answers
        return [line for body in answers for line in body.partition(ANSWER)[2].strip().splitlines()]

    def _bodies(self, number):
        users = (fake_forge.BOT, APP_USER)
        return [c["body"] for c in self.store.comments_of(number) if c["author"] in users]

    def assert_one_of_each(self, number, sha=None):
        """One comment, one answer where there was a command, and one final status of the head;
        gives the comment and the state.
        """
        sha = sha or self.store.pulls[number]["sha"]
        self.answered(number)
        said = self.said_of(sha)
        [comment] = self.ours(number)
        assert [state for state in said if state in FINAL] == said[-1:], said
        return comment, said[-1]

    def stored(self):
        """Every byte that the service keeps: database, mirrors, reports, logs."""
        kept = [path for path in self.settings.data_dir.rglob("*") if path.is_file()]
        return {path: path.read_bytes() for path in [*kept, self.log]}


@contextlib.contextmanager
def made(root, template, caches, database=None, **limits):
    """A stage with nothing running yet; what was started is ended."""
    with worlds.made(root, template, make=Stage) as stage:
        stage.configure(caches, database, **limits)
        try:
            yield stage
        finally:
            stage.end()
            stage.engine.dispose()
