"""What comes after a merge, played on a forge on loopback with a real git behind it."""

import contextlib
from datetime import UTC, datetime

from generator.forge.port import CheckState as ForgeState
from generator.redaction.secret import Secret
from service.follow_up import verify as verify_module
from service.model.job import CheckOutcome, Job, Kind, State
from service.settings.schema import Access, Connection, Verification
from service.store import tables
from service.worker.process import remind
from service.worker.runner import Runner, work
from tests.bare import Bare, Branches
from tests.fakes import forge as fake_forge
from tests.generator.promotion.world import STAGED as STAGED
from tests.service import scene
from tests.service.check import world as check_worlds
from tests.service.webapp import application

POLICY = """\
promotion: {paths: {main: [staging, production]}, automatic: true}
rollback: {automatic: true}
argocd: {project: {manage: true}}
policy: {tiers: {production: {soak: 72h, promotionOnly: true}}}
"""
STAGING = "environments/staging/environment.yaml"
PRODUCED = "environments/production/environment.yaml"
# The stand-in forge wrote all its statuses at noon of the first.
VERIFIED = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
HOUR = 3600.0
SOAKED = VERIFIED + 73 * HOUR


def access(context, kubeconfig=None):
    """How a cluster is reached, as the settings have it."""
    return Access.model_construct(context=context, kubeconfig=kubeconfig)


class World(check_worlds.World):
    """The forge, a clone, and a runner that does what is queued when it is told to."""

    verifier = None
    step = 0.0

    def serve(self, here):
        self.here = here
        self.now = VERIFIED + HOUR
        self.connection = Connection.model_construct(
            name="forge",
            forge=self.kind.value,
            url=self.git.url,
            api_url=self.api,
            repositories=[self.store.repository],
            token=Secret(fake_forge.TOKEN),
            username="x-access-token",
        )
        self.store.branches = Branches(Bare(self.bare))
        return self

    def verifying(self, *clusters, **more):
        """Clusters by the names that gen-env.yaml has for them."""
        known = dict.fromkeys(clusters or ("main",), access("nowhere"))
        found = Verification.model_construct(clusters=known, timeout_seconds=60)
        self.connection = scene.changed(self.connection, verification=scene.changed(found, **more))

    @property
    def runner(self):
        settings = scene.changed(
            self.here.settings, connections=(self.connection,), data_dir=self.data
        )
        runner = Runner(
            settings, self.here.jobs, lambda connection, name: self.forge,
            lambda request: CheckOutcome(State.SUCCESS, "fine"), self._work, self.clock,
        )  # fmt: skip
        return runner

    def clock(self):
        self.now += self.step
        return self.now

    def clock_runs(self, step):
        """From now on every look at the clock takes so many seconds."""
        self.step = step

    def _work(self, task):
        if task.job.kind is Kind.VERIFY and self.verifier:
            return verify_module.verify(task, self.verifier)
        return work(task)

    def submit(self, kind, number=0, **details):
        job = Job(kind, "forge", self.store.repository, number, "test", details)
        return self.here.jobs.submit(job)

    def run(self, kind, number=0, **details):
        """Queue and carry out one job; its row."""
        identity = self.submit(kind, number, **details)
        self.runner.perform(identity)
        self.follow()
        return next(row for row in self.rows() if row.id == identity)

    def rows(self, kind=None):
        query = tables.run.select().order_by(tables.run.c.queued, tables.run.c.seq)
        with self.here.engine.connect() as connection:
            found = list(connection.execute(query))
        return [row for row in found if kind is None or row.kind == kind.value]

    def drain(self, *left_out):
        """Carry out everything that is queued, and what follows from it."""
        while queued := [
            row for row in self.rows() if row.state == "queued" and row.kind not in left_out
        ]:
            for row in queued:
                self.runner.perform(row.id)
                self.follow()

    def queued(self):
        return sorted((row.kind, row.number) for row in self.rows() if row.state == "queued")

    def pass_time(self, until):
        """The clock goes on; what is due then is queued."""
        self.now = until
        return remind(self.here.jobs, until)

    def reminders(self):
        with self.here.engine.connect() as connection:
            rows = connection.execute(tables.timer.select().order_by(tables.timer.c.due))
            return [(row.kind, row.number, row.due) for row in rows]

    # What people see.

    def shown(self, sha, context):
        """State and description of one context, as they are now."""
        found = [s for s in self.store.statuses if (s["sha"], s["context"]) == (sha, context)]
        return (found[-1]["state"], found[-1]["description"]) if found else None

    def gates(self, number):
        return self.shown(self.store.pulls[number]["sha"], "gen-env/gates")

    def verified(self, environment, sha, state="success"):
        """What a verification has written."""
        self.forge.set_status(sha, f"gen-env/verify/{environment}", _STATES[state], "said")

    # What people do.

    def merged(self, path, *pairs, number=0):
        """A change on main, generated; its commit."""
        self.work.git("switch", "--quiet", "main")
        for old, new in pairs:
            self.work.edit(path, old, new)
        sha = self.commit(generate=True)
        self.merge()
        self.follow()
        if number:
            self.store.pulls[number] |= {"state": "closed", "merged": True, "merge_sha": sha}
        return sha

    def release(self):
        """A new image in staging, merged; the commit."""
        return self.merged(STAGING, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"), ("1b2c3d4e" * 8, "5e" * 32))

    def pulls(self, state="open"):
        return [pull for pull in self.store.pulls.values() if pull["state"] == state]


_STATES = {state.value: state for state in ForgeState}


@contextlib.contextmanager
def made(root, template, kind):
    """A world of its own."""
    with (
        check_worlds.made(root, template, kind, make=World) as world,
        application(root) as (_, here),
    ):
        yield world.serve(here)
