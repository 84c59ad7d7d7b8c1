"""The table of runs as a queue: who gets which run, and who may still write to it."""

import collections
import dataclasses
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from generator.core.errors import UserError
from service.model.job import Job, Kind, State
from service.queue.claims import Claims
from service.queue.jobs import Jobs
from service.settings.schema import Settings
from service.store import overview, runs, tables
from service.store.runs import Outcome
from service.worker.process import housekeeping

ONE, TWO = ("forge", "team/one"), ("forge", "team/two")
DONE = Outcome(State.DONE, "fine")


class Queue:
    """Jobs and workers over one database; a worker with `lease` 0 is silent from the start."""

    def __init__(self, engine):
        self.engine, self.jobs = engine, Jobs(engine)

    def worker(self, name="w", lease=60.0):
        return Claims(self.engine, name, lease)

    def put(self, number, place=ONE, kind=Kind.COMMAND, **details):
        return self.jobs.submit(Job(kind, *place, number, "", details))

    def begin(self, claim):
        with self.engine.begin() as connection:
            return runs.begin(connection, claim.run, 1.0, claim.owner)

    def finish(self, claim, outcome=DONE):
        with self.engine.begin() as connection:
            return runs.finish(connection, claim.run, outcome, 2.0, claim.owner)

    def row(self, identity):
        with self.engine.connect() as connection:
            return runs.read(connection, identity)


@pytest.fixture
def queue(engine):
    return Queue(engine)


def take(worker, *places, waits=False):
    return worker.take(places or (ONE, TWO), waits=waits)


def drained(worker):
    found = []
    while claim := take(worker):
        found.append(claim.run)
    return found


def test_of_many_workers_each_run_goes_to_one(queue):
    wanted = {queue.put(number, (ONE, TWO)[number % 2]) for number in range(40)}
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(drained, [queue.worker(f"w{number}") for number in range(8)])
        taken = [identity for part in found for identity in part]
    # Nobody waits for a row that another has: what one passes over is left for the next.
    taken += drained(queue.worker("last"))
    assert collections.Counter(taken) == dict.fromkeys(wanted, 1)


def test_a_silent_workers_run_is_taken_over_and_nothing_that_it_says_counts(queue):
    identity = queue.put(1)
    late = take(queue.worker("silent", lease=0.0))
    assert queue.begin(late).attempts == 1
    claim = take(queue.worker("living"))
    assert (claim.run, claim.lost, claim.failures) == (identity, 1, 0)
    assert take(queue.worker("third")) is None
    assert queue.begin(late) is None and not queue.finish(late, Outcome(State.FAILURE, "stale"))
    with queue.engine.begin() as connection:
        assert not runs.is_running(connection, identity, late.owner)
        assert not runs.hold(connection, identity, late.owner)
        assert ("takeovers", "", 1.0) in runs.tallies(connection)
    queue.worker("silent").renew([late])
    queue.worker("silent").release(late, after=-9.0)
    assert take(queue.worker("third")) is None
    assert queue.begin(claim).attempts == 2 and queue.finish(claim)
    assert not queue.finish(claim, Outcome(State.ERROR, "again"))
    assert (queue.row(identity).state, queue.row(identity).summary) == ("done", "fine")


def test_a_lease_that_is_renewed_lasts(queue):
    queue.put(1)
    claim = take(queue.worker("w", lease=0.0))
    queue.worker("w").renew([claim])
    assert take(queue.worker("other")) is None
    with queue.engine.connect() as connection:
        assert [row["id"] for row in overview.workers(connection)] == ["w"]


def test_a_worker_that_renews_late_does_not_take_its_own_run_again(queue):
    queue.put(1)
    worker = queue.worker(lease=0.0)
    claim = take(worker)
    assert worker.take((ONE,), waits=False, busy=[claim]) is None
    assert take(worker).run == claim.run


def test_whoever_leaves_has_nothing_any_more(queue):
    identity = queue.put(1)
    worker, near = queue.worker("w"), queue.worker("w1")
    take(worker)
    queue.put(2)
    kept = take(near)
    worker.hand_back()
    assert take(queue.worker("other")).run == identity
    assert queue.begin(kept) and take(queue.worker("other")) is None


def test_a_worker_that_is_stopped_in_good_order_costs_a_run_nothing(queue):
    identity = queue.put(1)
    for number in range(9):
        worker = queue.worker(f"w{number}")
        claim = take(worker)
        assert (claim.run, claim.lost, claim.failures) == (identity, 0, 0)
        assert queue.begin(claim)
        worker.hand_back()
        assert queue.row(identity).state == "queued"
        assert not queue.finish(claim)


def test_a_try_that_failed_waits_and_counts(queue):
    identity, worker = queue.put(1), queue.worker()
    claim = take(worker)
    queue.begin(claim)
    worker.release(claim, after=60.0)
    assert queue.row(identity).state == "queued" and take(worker) is None
    with queue.engine.begin() as connection:
        connection.execute(tables.run.update().values(due=0.0))
    assert dataclasses.astuple(take(worker)) == (identity, "w/2", 1, 0)


def test_of_two_who_retry_a_run_at_once_one_queues_it(queue, monkeypatch):
    identity = queue.put(1)
    assert queue.finish(take(queue.worker()), Outcome(State.DEAD, "gone"))
    row = queue.row(identity)
    monkeypatch.setattr(runs, "read", lambda *_: row)  # as both read it
    queue.jobs.retry(identity)
    with pytest.raises(UserError, match="not in the dead-letter list"):
        queue.jobs.retry(identity)
    assert len(drained(queue.worker("next"))) == 1


def test_runs_of_one_key_go_in_their_order_and_never_side_by_side(queue):
    first, second = queue.put(1), queue.put(1)
    worker = queue.worker()
    claim = take(worker)
    assert claim.run == first and take(worker) is None
    queue.begin(claim)
    worker.release(claim, after=60.0)
    assert take(worker) is None
    with queue.engine.begin() as connection:
        connection.execute(tables.run.update().values(due=0.0))
    claim = take(worker)
    assert claim.run == first and queue.finish(claim)
    assert take(worker).run == second


def test_a_superseded_run_is_never_taken_and_one_at_work_is_waited_for(queue):
    worker = queue.worker()
    queue.put(1, kind=Kind.CHECK)
    queue.put(1, kind=Kind.CHECK)
    claim = take(worker)
    queue.begin(claim)
    newest = queue.put(1, kind=Kind.CHECK)
    assert not queue.finish(claim) and queue.row(claim.run).state == "superseded"
    assert take(worker) is None
    worker.release(claim)
    assert take(worker).run == newest and take(worker) is None


def test_the_repository_that_waited_longest_is_served_next(queue):
    for number in range(3):
        queue.put(number, ONE)
    for number in range(2):
        queue.put(number, TWO)
    worker = queue.worker()
    taken = [queue.row(take(worker).run).repository for _ in range(5)]
    assert taken == ["team/one", "team/two", "team/one", "team/two", "team/one"]


def test_a_repository_that_the_settings_do_not_name_is_left_to_who_knows_it(queue):
    identity = queue.put(1, TWO)
    assert take(queue.worker(), ONE) is None
    assert take(queue.worker(), TWO).run == identity


def test_what_follows_a_cluster_is_taken_apart(queue):
    watched = queue.put(1, kind=Kind.VERIFY, environment="a", sha="5e")
    other = queue.put(1)
    assert take(queue.worker(), waits=True).run == watched
    assert take(queue.worker()).run == other


def test_runs_of_a_repository_that_no_worker_serves_end_with_the_reason(queue):
    served, gone, running = queue.put(1, ONE), queue.put(2, TWO), queue.put(3, TWO)
    claim = take(queue.worker("dead", lease=0.0), TWO)
    assert claim.run == gone and queue.begin(claim)
    now = time.time()
    for at, ended in ((now, []), (now + 7200, sorted([gone, running]))):
        with queue.engine.begin() as connection:
            runs.take_turn(connection, f"{runs.SERVED}{'/'.join(ONE)}", 600.0, at)
            found = runs.end_strays(connection, at - 3600, at)
            assert sorted(row.id for row in found) == ended
    assert queue.row(served).state == "queued"
    for identity in (gone, running):
        row = queue.row(identity)
        assert (row.state, row.owner) == ("error", "")
        assert row.summary == "not run: no worker has this repository in its settings"
    assert not queue.finish(claim)


def keeps_house(queue, *places, at):
    connections = [{"name": name, "forge": "github", "repositories": [repository]}
                   for name, repository in places]  # fmt: skip
    settings = Settings.model_validate({"connections": connections})
    housekeeping(settings, queue.jobs, at)


@pytest.mark.parametrize("noted", [False, True])
def test_a_queue_as_old_as_the_stop_of_all_workers_is_left_to_them(queue, noted):
    start = time.time()
    if noted:  # else as after an earlier version of gen-env
        keeps_house(queue, ONE, at=start)
        keeps_house(queue, TWO, at=start)
    waits = queue.put(2, TWO)
    back = start + 10_000
    keeps_house(queue, ONE, at=back)
    assert queue.row(waits).state == "queued"
    for minutes in range(10, 80, 10):
        keeps_house(queue, ONE, at=back + minutes * 60)
        over = minutes * 60 > 3600
        assert queue.row(waits).state == ("error" if over else "queued")
