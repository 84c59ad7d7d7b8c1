"""Program: processes that start together over one database, some of them killed; prints failures.

Arguments: settings file, rounds, processes at once, seed, and `fresh` for a new file each round.
"""

import os
import random
import signal
import sys
import time
import uuid
from pathlib import Path

import sqlalchemy as sa

from service.cli import migrate
from service.settings.resolve import load
from service.store import tables


def child(settings, gate):
    """Wait for the gate, prepare and write, as a web or worker process does."""
    os.read(gate, 1)
    migrate.prepare(settings)
    engine = tables.engine(settings.database_url.text())
    for _ in range(5):
        row = {"name": f"{uuid.uuid4()}", "taken": 0, "seen_sha": ""}
        with engine.begin() as connection:
            connection.execute(tables.turn.insert().values(row))


def spawn(settings, gate, opener):
    pid = os.fork()
    if pid:
        return pid
    status = 0
    try:
        os.close(opener)
        child(settings, gate)
    except BaseException as error:
        print(f"FAILED {type(error).__name__}: {error}", flush=True)
        status = 1
    os._exit(status)


def one_round(settings, count, chance):
    """Start all at once, kill some of them within their first moments, reap the rest."""
    gate, opener = os.pipe()
    pids = [spawn(settings, gate, opener) for _ in range(count)]
    os.close(gate)
    os.close(opener)  # end of file for all of them: go
    victims = chance.sample(pids, chance.randrange(count))
    for pid in victims:
        time.sleep(chance.random() * 0.1)
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


def main(config, rounds, count, seed, fresh=""):
    settings = load(Path(config), {})
    chance = random.Random(int(seed))
    for _ in range(int(rounds)):
        one_round(settings, int(count), chance)
        if fresh and settings.database_url.text().startswith("sqlite:"):
            check_whole(settings)
            for found in settings.data_dir.glob("service.sqlite*"):
                found.unlink()
    print("end")


def check_whole(settings):
    """What the killed left behind is fit for the next one."""
    migrate.prepare(settings)
    engine = tables.engine(settings.database_url.text())
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.version)).all() == [(tables.VERSION,)]
        assert connection.execute(sa.text("PRAGMA integrity_check")).scalar() == "ok"
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
    engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
