"""A team's GitOps repository: a bare remote on disk, a clone, and the forge that serves it."""

import contextlib
import copy
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from generator.forge.port import ForgeKind
from generator.pipeline import toolchain
from generator.promotion import forge_access
from generator.promotion.base_branch import base_branch
from generator.promotion.promote import Toolchain
from tests.bare import Anything, Bare, Branches
from tests.fakes.forge import BOT, REPOSITORY, TOKEN, Store, serving
from tests.repositories import PRODUCTION, SETTINGS, STAGING, Repo, changed, repository
from tests.templates import copied

NOW = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
VERIFIED = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "1b2c3d4e" * 8
PATHS = "promotion: {paths: {main: [staging, production]}}\n"
STAGED = changed(STAGING, ("tag: 3.2.2-r1}", f'tag: 3.2.2-r1, digest: "{DIGEST}"}}'))
DEFINITION = "environments/production/environment.yaml"
FROM = "environments/staging/environment.yaml"


class World:
    """Remote, clone and forge together."""

    def __init__(self, folder, store, templates):
        self.folder, self.url, self.store = Path(folder), store.url, store
        self.templates = templates
        self.bare = Bare(self.folder / "remote.git")
        store.branches, store.commits = Branches(self.bare), Anything()
        self.repo = Repo(self.folder / "clone")
        self.take("begun", World.begin)

    @property
    def settings(self):
        address = ("https://git.example.com/airflow.git", f"{self.url}/{REPOSITORY}.git")
        return changed(SETTINGS, address) + PATHS

    def begin(self):
        """Remote and clone with two environments on main."""
        self.bare.init()
        files = {"settings": self.settings, "staging": STAGED, "production": PRODUCTION}
        assert repository(self.repo.root, **files).run("generate").code == 0
        self.repo.init()
        self.repo.git("remote", "add", "origin", str(self.bare.path))
        self.push()

    def begin_staged(self):
        """Instead: with a new image in staging, on main, and verified; `stage` at less cost."""
        self.take("released", lambda made: (made.begin(), made.release()))
        self.verified("staging")

    def take(self, name, make):
        """Become a copy of the world of this name, which `make` makes once for this address."""

        def made(folder):
            world = copy.copy(self)
            world.folder, world.repo = folder, Repo(folder / "clone")
            world.bare = Bare(folder / "remote.git")
            make(world)

        template = self.templates.place(f"promotion-{name}-{self.url.rpartition(':')[2]}", made)
        for part in (self.repo.root, self.bare.path):
            shutil.rmtree(part, ignore_errors=True)
            copied(template / part.name, part)
        self.repo.git("remote", "set-url", "origin", str(self.bare.path))

    def push(self, repo=None):
        (repo or self.repo).git("push", "--quiet", "--set-upstream", "origin", "main")

    def clone(self, name="other"):
        """Another person's clone."""
        target = self.folder / name
        subprocess.run(["git", "clone", "--quiet", str(self.bare.path), str(target)], check=True)
        return Repo(target)

    def merge(self, path, *pairs, message="Change", repo=None, push=True):
        """Edit a file on main, generate, commit and push."""
        repo = repo or self.repo
        repo.write(path, changed(repo.read(path), *pairs))
        assert repo.run("generate").code == 0
        repo.commit(message)
        if push:
            self.push(repo)

    def stage(self, tag="3.2.2-r2", digest="5e6f7a8b" * 8):
        """A new image in staging, on main, and verified."""
        self.release(tag, digest)
        self.verified("staging")

    def release(self, tag="3.2.2-r2", digest="5e6f7a8b" * 8):
        """A new image in staging, on main."""
        present = self.repo.yaml(FROM)["image"]
        self.merge(
            FROM,
            (f"tag: {present['tag']}", f"tag: {tag}"),
            (present["digest"], f"sha256:{digest}"),
            message=f"Use image {tag}",
        )

    def configure(self, text):
        """More settings in gen-env.yaml."""
        self.repo.write("gen-env.yaml", self.settings.replace(PATHS, "") + text)
        self.repo.run("generate")
        self.repo.commit("Change settings")
        self.push()

    def verified(self, environment, state="success", sha=None):
        """What verification writes on a commit."""
        self.store.statuses.append(
            {
                "id": self.store.next_id(),
                "sha": sha or self.repo.git("rev-parse", "main"),
                "creator": BOT,
                "state": state,
                "context": f"gen-env/verify/{environment}",
                "description": "all healthy",
                "target_url": "",
            }
        )

    def base_branch(self, repo=None, *, fetch=True):
        return base_branch((repo or self.repo).root, fetch=fetch)

    def tools(self, *, forge=True):
        place = self.base_branch(fetch=False)
        charts, renderer = toolchain.charts(), toolchain.lazy(place.files)
        if not forge:
            return Toolchain(charts, renderer, None, "no token for gitea")
        environment = {"GEN_ENV_FORGE_TOKEN": TOKEN}
        port = forge_access.forge_of(place.settings.repository.repository, None, environment)
        assert port.kind is ForgeKind.GITEA
        return Toolchain(charts, renderer, port)

    def pulls(self, state="open"):
        return [item for item in self.store.pulls.values() if item["state"] == state]

    def show(self, revision, path):
        """A file at a revision, in the remote."""
        done = subprocess.run(
            ["git", "--git-dir", str(self.bare.path), "show", f"{revision}:{path}"],
            capture_output=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None


@contextlib.contextmanager
def world(folder, server, templates):
    """A world that lasts as long as the block, behind the address of that server."""
    store = Store()
    with serving(store, server):
        yield World(folder, store, templates)
