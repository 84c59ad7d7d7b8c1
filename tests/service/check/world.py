"""A forge on loopback with a real git behind it, a repository on it, and its checks."""

import contextlib
import datetime
import json
import subprocess

from generator.forge.connect import connect
from generator.forge.credentials import Token
from generator.forge.location import Location
from generator.forge.port import ForgeKind
from generator.redaction.secret import Secret
from service.check.reporter import CheckRequest, Context
from service.check.run import Toolchain, check
from service.model.job import Grants
from service.settings.schema import Connection
from tests.fakes import forge as fake_forge
from tests.fakes import git_server
from tests.repositories import Repo
from tests.templates import Templates, copied

NOW = datetime.datetime(2026, 6, 1, 12, tzinfo=datetime.UTC)
APIS = {ForgeKind.GITHUB: "api/v3", ForgeKind.GITLAB: "api/v4", ForgeKind.GITEA: "api/v1"}
REPORT = "https://gen-env.example.com/reports/r1"
OTHER_PROJECT = 99
DEV = "environments/dev/environment.yaml"


class World:
    """One repository: `work` is a person's clone, `store` what the forge's API knows."""

    def __init__(self, root, store, api, git, kind):
        self.root, self.store, self.git, self.kind = root, store, git, kind
        self.api = api
        self.bare = git.root / f"{store.repository}.git"
        self.work = Repo(root / "work")
        self.data = root / "data"
        location = Location(kind, api, f"{api}/{APIS[kind]}", store.repository)
        token = Token(Secret(fake_forge.TOKEN))
        self.forge = connect(location, token, sleep=lambda _: None, clock=lambda: 0.0)
        self.current = True
        self.asked = 0
        self.after_ask = lambda count: None
        self.options = {}
        self.runs = 0
        self.tools = Toolchain(marker_key=b"marker-key", now=lambda: NOW)
        git.pushed = self.follow

    # What people do.

    def branch(self, name, *, base="main"):
        self.work.git("switch", "--quiet", "--create", name, base)

    def commit(self, message="Change", *, generate=False):
        if generate:
            self.generate()
        self.work.commit(message)
        return self.work.git("rev-parse", "HEAD")

    def generate(self, *names):
        done = self.work.run("generate", *names)
        assert done.code == 0, done.said

    def push(self, branch=None, *, force=False):
        branch = branch or self.work.git("branch", "--show-current")
        mark = "+" if force else ""
        self.work.git("push", "--quiet", str(self.bare), f"{mark}HEAD:refs/heads/{branch}")
        self.follow()
        return self.work.git("rev-parse", "HEAD")

    def open(self, branch=None, *, fork=False, base="main", **more):
        """A pull request from the branch of the work tree; of a fork it has no branch here."""
        branch = branch or self.work.git("branch", "--show-current")
        sha = self.work.git("rev-parse", "HEAD")
        project = OTHER_PROJECT if fork else None
        number = self.store.add_pull(head=branch, base=base, sha=sha, fork=project, **more)
        if fork:
            self.work.git("push", "--quiet", str(self.bare), f"+HEAD:{self.ref(number)}")
        else:
            self.push(branch, force=True)
        return number

    def change(self, path, old, new, *, branch="feature", generate=True, **more):
        """A pull request that replaces some text; gives its number."""
        self.branch(branch)
        self.work.edit(path, old, new)
        self.commit(generate=generate)
        return self.open(**more)

    def merge(self, sha="HEAD"):
        self.work.git("push", "--quiet", str(self.bare), f"+{sha}:refs/heads/main")

    def ref(self, number):
        kind = "merge-requests" if self.kind is ForgeKind.GITLAB else "pull"
        return f"refs/{kind}/{number}/head"

    def follow(self):
        """What a forge does after a push: the heads of its pull requests move along."""
        refs = dict(
            line.split()
            for line in self._bare("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        )
        for pull in self.store.pulls.values():
            sha = refs.get(f"refs/heads/{pull['head']}")
            if sha and pull["head_repository"] == self.store.repository_id:
                pull["sha"] = sha
                self._bare("update-ref", self.ref(pull["number"]), sha)
        self.store.commits |= set(refs.values())

    def _bare(self, *arguments):
        done = subprocess.run(
            ["git", f"--git-dir={self.bare}", *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def show(self, revision):
        return self._bare("show", revision)

    def head(self, branch):
        return self._bare("rev-parse", f"refs/heads/{branch}")

    # What the service does.

    def is_current(self):
        self.asked += 1
        self.after_ask(self.asked)
        return self.current

    def request(self, number, *, sha=None, grants=None, **more):
        self.runs += 1
        connection = Connection.model_construct(
            name="main",
            forge=self.kind.value,
            url=self.git.url,
            repositories=[self.store.repository],
            token=Secret(fake_forge.TOKEN),
            username="x-access-token",
            **self.options,
        )
        place = (connection, self.store.repository, f"run-{self.runs}")
        context = Context(*place, self.forge, self.data, REPORT, self.is_current)
        pull = self.store.pulls.get(number)
        head = sha if sha is not None else pull["sha"]
        return CheckRequest(context, number, head, grants=grants or Grants(), **more)

    def check(self, number, **more):
        return check(self.request(number, **more), self.tools)

    # What people see.

    def statuses(self, sha):
        return [s["state"] for s in self.store.statuses if s["sha"] == sha]

    def said(self):
        """The states in the order in which they were sent."""
        seen = [s for s in self.store.seen if s.method == "POST" and "/statuses/" in s.path]
        return [s.body["state"] for s in seen]

    def status(self, sha):
        return next(s for s in reversed(self.store.statuses) if s["sha"] == sha)

    def comment(self, number):
        """The one comment of the service, or nothing."""
        found = [c for c in self.store.comments_of(number) if c["author"] == fake_forge.BOT]
        assert len(found) <= 1
        return found[0]["body"] if found else ""

    def texts(self):
        """Everything that left the service for the forge."""
        return json.dumps([[s.path, s.body] for s in self.store.seen if s.method != "GET"])


@contextlib.contextmanager
def made(root, template, kind=ForgeKind.GITHUB, make=World):
    """A world of its own, with the template as its main branch."""
    store = fake_forge.Store()
    bare = root / "git" / f"{store.repository}.git"
    bare.parent.mkdir(parents=True)
    copied(template, root / "work")
    Templates(template.parent).copy(
        f"{template.name}.git", lambda folder: _served(template, folder), bare
    )
    with fake_forge.serving(store) as api, git_server.serving(root / "git") as git:
        git.require("x-access-token", fake_forge.TOKEN)
        yield make(root, store, api, git, kind)


def _served(template, bare):
    """The template as its forge has it."""
    subprocess.run(["git", "clone", "--quiet", "--bare", template, bare], check=True)
    for key, value in (("uploadpack.allowAnySHA1InWant", "true"), ("http.receivepack", "true")):
        subprocess.run(["git", f"--git-dir={bare}", "config", key, value], check=True)


def problems(outcome):
    """Rule → severities, of everything in the report."""
    content = json.loads(outcome.json_report)
    found = [*content["problems"], *(p for e in content["environments"] for p in e["problems"])]
    return {(item["rule"], item["severity"]) for item in found}


def rules(outcome, severity="error"):
    return {rule for rule, found in problems(outcome) if found == severity}


def report(outcome):
    return json.loads(outcome.json_report)
