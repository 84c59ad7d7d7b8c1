"""Transactions of many threads at once: all kept, each with its own result or error."""

import itertools
import threading
import types
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from service.store import batch, tables
from service.store.batch import Batches
from service.telemetry import logs


def insert(name):
    def work(connection):
        connection.execute(tables.turn.insert().values(name=name, taken=0, seen_sha=""))
        return name

    return work


def names(engine):
    with engine.connect() as connection:
        return sorted(connection.execute(sa.select(tables.turn.c.name)).scalars())


@pytest.mark.few(1)
def test_all_are_kept_and_everybody_gets_their_own_result(engine):
    batches = Batches(engine)
    wanted = [f"n{number:03}" for number in range(60)]
    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(lambda name: batches.run(insert(name)), wanted)) == wanted
    assert names(engine) == wanted


def test_one_that_fails_spoils_nothing_for_the_others(engine):
    batches = Batches(engine)
    batches.run(insert("twice"))

    def attempt(name):
        try:
            return batches.run(insert(name))
        except sa.exc.IntegrityError:
            return "refused"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(attempt, ["a", "twice", "b", "c", "twice", "d"]))
    assert found == ["a", "refused", "b", "c", "refused", "d"]
    assert names(engine) == ["a", "b", "c", "d", "twice"]


def test_those_who_wait_go_in_one_transaction(tmp_path):
    url = f"sqlite:///{tmp_path}/x.sqlite"
    tables.prepare_file(url)
    engine = tables.engine(url)
    tables.metadata.create_all(engine)
    commits = []
    sa.event.listen(engine, "commit", commits.append)
    batches, inside, go = Batches(engine), threading.Event(), threading.Event()

    def slow(connection):
        inside.set()
        assert go.wait(20)

    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(batches.run, slow)
        assert inside.wait(20)
        others = [pool.submit(batches.run, insert(f"n{number}")) for number in range(5)]
        while len(batches._waiting) < 5:
            pass
        go.set()
        first.result(20)
        assert [other.result(20) for other in others] == [f"n{number}" for number in range(5)]
    assert len(commits) == 2
    engine.dispose()


@pytest.mark.few(1)
def test_work_is_done_in_the_context_of_who_asked(engine):
    batches = Batches(engine)

    def ask(name):
        with logs.bound(delivery=name):
            return batches.run(lambda _connection: logs.ids()["delivery"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, "abcdefgh")) == list("abcdefgh")


def test_a_file_that_stays_locked_is_told_to_all_within_a_forges_patience(tmp_path, monkeypatch):
    tenths = itertools.count()  # each look at the clock takes one: nobody waits for it
    clock = types.SimpleNamespace(monotonic=lambda: next(tenths) / 10, sleep=lambda _: None)
    monkeypatch.setattr(batch, "time", clock)
    url = f"sqlite:///{tmp_path}/x.sqlite"
    tables.prepare_file(url)
    engine = tables.engine(url)
    tables.metadata.create_all(engine)
    batches, began = Batches(engine), clock.monotonic()

    def ask(name):
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            batches.run(insert(name))
        return clock.monotonic() - began

    with engine.connect() as other, ThreadPoolExecutor(6) as pool:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        assert max(pool.map(ask, "abcdef")) < 9
    assert names(engine) == []
    engine.dispose()


def test_another_process_that_writes_is_waited_for(tmp_path):
    url = f"sqlite:///{tmp_path}/x.sqlite"
    tables.prepare_file(url)
    engine = tables.engine(url)
    tables.metadata.create_all(engine)
    with engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        timer = threading.Timer(0.3, other.rollback)
        timer.start()
        assert Batches(engine).run(insert("a")) == "a"
        timer.join()
    engine.dispose()
