"""Web and worker killed (-9) at random moments: nothing is lost, nothing is said twice."""

import collections
import random
import time

import pytest

from generator.forge.port import ForgeKind
from tests.effort import pick
from tests.service import scene
from tests.service.check.test_run import AUTH
from tests.service.check.world import DEV
from tests.service.end_to_end import stage as stages

pytestmark = pytest.mark.slow
DELIVERIES = pick(40, 40, 200)
PULLS = pick(10, 10, 20)
KILLS = pick(3, 3, 8)


class Chaos:
    """Kills one process after the other, each at a random moment, and starts it again."""

    def __init__(self, stage, names, seed):
        self.stage, self.names = stage, names
        self.chance = random.Random(seed)

    def strike(self, most=0.5):
        time.sleep(self.chance.random() * most)
        name = self.chance.choice(self.names)
        self.stage.kill(name)
        self.stage.start(name)


def begun(stage, names):
    for hook in stage.hooks.values():
        hook.patient = True
    for name in names:
        stage.start(name)
    assert stage.ready(), stage.log.read_text()[-3000:]


def told(stage, number, count):
    """The forge tells of another head, which no git has: the quick check asks for none."""
    pull, before = stage.store.pulls[number], stage.store.pulls[number]["sha"]
    pull["sha"] = scene.sha_of(f"{number}-{count}")
    stage.store.commits.add(pull["sha"])
    stage.hook(number).pull(number, "synchronize", before=before)


def hundreds(stage, names):
    """Deliveries by the hundred with kills in between; every sixth is delivered twice."""
    stage.environment["GEN_ENV_SERVICE_CHECK"] = "tests.service.end_to_end.quick_check:check"
    chaos = Chaos(stage, names, seed=4)
    begun(stage, names)
    hook = stage.hooks[ForgeKind.GITHUB]
    for count in range(DELIVERIES):
        if count < PULLS:
            number = stage.store.add_pull(sha=scene.sha_of(f"{count + 1}-{count}"))
            stage.kinds[number] = ForgeKind.GITHUB
            hook.pull(number, "opened")
        else:
            told(stage, count % PULLS + 1, count)
        if count % 6 == 5:
            scene.wait_for(lambda: hook.sent, every=0.02)
            hook.again(hook.sent[-1])
        if count % (DELIVERIES // KILLS) == DELIVERIES // KILLS - 1:
            chaos.strike()
    stage.settle()


def assert_nothing_lost(stage, deliveries):
    hook = stage.hooks[ForgeKind.GITHUB]
    taken = {sent.headers["X-GitHub-Delivery"] for sent in hook.sent if sent.status == 202}
    assert len(taken) == deliveries
    found = [row for row in stage.rows() if row["kind"] == "check"]
    # One run for each delivery, one outcome for each run, and none for what came twice.
    states = collections.Counter(row["state"] for row in found)
    assert len(found) == deliveries and set(states) <= {"success", "superseded"}, states
    assert all(row["ended"] for row in stage.rows())
    for number, pull in stage.store.pulls.items():
        newest = max(stage.checks(number), key=lambda row: row["seq"])
        assert (newest["state"], newest["head_sha"]) == ("success", pull["sha"])
        [comment] = stage.ours(number)
        assert comment.endswith(f"judged {pull['sha']}")
        assert stage.said_of(pull["sha"])[-1] == "success"


def assert_no_secret_told(stage):
    log = stage.log.read_text()
    for canary in (stages.HOOK_SECRET, stages.API_TOKEN, *stage.store.tokens):
        assert canary not in log


def test_hundreds_of_deliveries_survive_on_sqlite(tmp_path, template, caches):
    with stages.made(tmp_path, template, caches, retrySeconds=0.2) as stage:
        hundreds(stage, ["web", "worker"])
        assert_nothing_lost(stage, DELIVERIES)
        assert_no_secret_told(stage)


def test_hundreds_of_deliveries_survive_on_postgresql_with_two_workers(
    tmp_path, template, caches, postgresql
):
    with stages.made(tmp_path, template, caches, postgresql, retrySeconds=0.2) as stage:
        hundreds(stage, ["web", "worker1", "worker2"])
        assert_nothing_lost(stage, DELIVERIES)
        assert_no_secret_told(stage)


def test_real_checks_survive_with_their_pushes_and_comments(tmp_path, template, caches):
    """Few, and whole: fetch, regenerate, push back, render, compare, tell."""
    with stages.made(tmp_path, template, caches, retrySeconds=0.2) as stage:
        chaos = Chaos(stage, ["web", "worker", "worker"], seed=11)
        begun(stage, ["web", "worker"])
        pulls = {}
        for capacity in (401, 402, 403):
            stage.work.git("switch", "-q", "main")
            text = f"{AUTH}\ntriggerer: {{capacity: {capacity}}}"
            # The tree is left as it is: the service pushes it, and its own push is told as well.
            number = stage.change(DEV, AUTH, text, branch=f"feature-{capacity}", generate=False)
            pulls[number] = (capacity, stage.store.pulls[number]["sha"])
            chaos.strike(most=3)
        for _ in range(3):
            if not stage.idle():
                chaos.strike(most=3)
        stage.settle()
        for number, (capacity, before) in pulls.items():
            after = stage.store.pulls[number]["sha"]
            assert stage._bare("rev-list", "--count", f"{before}..{after}") == "1"
            [comment] = stage.ours(number)
            assert "gen-env: passed" in comment and str(capacity) in comment
            assert stage.said_of(after)[-1] == "success"
            newest = max(stage.checks(number), key=lambda row: row["seq"])
            assert (newest["state"], newest["head_sha"]) == ("success", after)
        states = {row["state"] for row in stage.rows() if row["kind"] == "check"}
        assert states <= {"success", "superseded"}
        assert_no_secret_told(stage)
