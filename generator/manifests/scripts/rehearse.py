"""The migration of the Airflow beside it on copies of a restored database, each revision measured.

Run by the Python of the target's image or environment, never imported by gen-env:

    rehearse.py SPEC                the whole; prints one JSON document
    rehearse.py --run FILE COMMAND  one command of Airflow; revisions go to FILE, a line each
    rehearse.py --target NAME…      which Airflow, Python and providers this is, as JSON

SPEC is JSON: `folder` (socket, and the files `ready`, `failed` and `done` that the server's side
and this one leave each other), `back` (commands), `repeat`, `options` (variables of Airflow),
`providers` (names whose versions are asked), `expected` (the revisions of Airflow that the dump may
have; any without). The result holds counts, names of tables and times,
nothing of a row: texts of errors go to standard error alone.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import json
import os
import platform
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ADMIN, _OWNER, _SOURCE, _EMPTY, _RUN = "rehearsal", "airflow", "airflow", "empty", "run"
_INTERVAL = 0.1
# Strongest last; weaker ones let others write.
_MODES = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
_URL = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
_TABLES = """select c.relname, l.mode, l.pid from pg_locks l join pg_class c on c.oid = l.relation
  join pg_namespace n on n.oid = c.relnamespace
  where l.granted and c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and l.database = (select oid from pg_database where datname = current_database()) and l.pid """
_FILES = """select c.oid, c.relname, coalesce(t.relname, ''), pg_relation_filenode(c.oid)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  left join pg_index i on i.indexrelid = c.oid left join pg_class t on t.oid = i.indrelid
  where c.relkind in ('r', 'i') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"""


class Failed(Exception):
    """A command of Airflow that ended with an error."""


def engine(url: str) -> Any:
    """Connections outside of transactions."""
    made = importlib.import_module("sqlalchemy").create_engine
    pool = importlib.import_module("sqlalchemy.pool").NullPool
    return made(url, isolation_level="AUTOCOMMIT", poolclass=pool)


def rows(connection: Any, query: str) -> list[Any]:
    """What a query without parameters gives."""
    return list(connection.exec_driver_sql(query.replace("%", "%%")))


def quoted(name: str) -> str:
    """A table's name in a query."""
    return '"' + name.replace('"', '""') + '"'


class Meter:
    """Measures each revision that Alembic applies, and writes it down."""

    def __init__(self, out: Path, url: str) -> None:
        self.out, self.engine = out, engine(url)
        self.held: dict[str, dict[str, float]] = {}
        self.peak, self.pid = 0, 0
        self.about: dict[str, Any] = {}
        self.files: dict[int, tuple[str, str, int]] = {}
        self.lock, self.ended = threading.Lock(), threading.Event()

    def watch(self) -> None:
        """Sample the locks and the size of the database until the end."""
        with self.engine.connect() as connection:
            last = time.monotonic()
            while not self.ended.wait(_INTERVAL):
                found = rows(connection, f"{_TABLES} <> pg_backend_pid()")
                size = rows(connection, "select pg_database_size(current_database())")[0][0]
                now = time.monotonic()
                with self.lock:
                    self.peak = max(self.peak, size)
                    for name, mode, _ in found:
                        self.note(name, mode, now - last)
                last = now

    def note(self, table: str, mode: str, seconds: float) -> None:
        """A lock that was seen."""
        if mode in _MODES:
            held = self.held.setdefault(table, {})
            held[mode] = held.get(mode, 0.0) + seconds

    @contextlib.contextmanager
    def measured(self, context: Any, transaction: Any) -> Iterator[None]:
        """One revision, from the begin of its transaction to the end of its commit."""
        with self.engine.connect() as connection:
            self.files = {row[0]: tuple(row[1:]) for row in rows(connection, _FILES)}
            before = self.counters(connection)
            with self.lock:
                self.held, self.peak = {}, 0
            self.about = {}
            start = time.monotonic()
            with transaction:
                yield
            seconds = time.monotonic() - start
            if self.about:
                wal, temporary = (
                    after - old
                    for after, old in zip(self.counters(connection), before, strict=True)
                )
                self.write(context, seconds, wal, temporary)

    def counters(self, connection: Any) -> tuple[int, int]:
        """Bytes of write-ahead log and of temporary files so far."""
        query = """select pg_current_wal_insert_lsn() - '0/0', temp_bytes
          from pg_stat_database where datname = current_database()"""
        wal, temporary = rows(connection, query)[0]
        return int(wal), int(temporary)

    def applied(self, ctx: Any, step: Any, **_: Any) -> None:
        """Called by Alembic at the end of a revision, whose transaction still holds all locks."""
        found = rows(ctx.connection, f"{_TABLES} = pg_backend_pid()")
        with self.lock:
            for name, mode, _pid in found:
                self.note(name, mode, 0.0)
        rewrites, indexes = set(), set()
        for oid, name, table, node in rows(ctx.connection, _FILES):
            old = self.files.get(oid)
            if old is not None and not table and old[2] != node:
                rewrites.add(name)
            elif table and (old is None or old[2] != node):
                indexes.add(table)
        known = {name for name, table, _ in self.files.values() if not table}
        self.about = {
            "revision": step.up_revision_id,
            "up": step.is_upgrade,
            "doc": str(getattr(step.up_revision, "doc", "") or "").strip()[:120],
            "tables": sorted({row[0] for row in found} & known),
            "rewrites": sorted(rewrites),
            "indexes": sorted(indexes & known),
        }

    def write(self, context: Any, seconds: float, wal: int, temporary: int) -> None:
        """One line for what was measured."""
        with self.lock:
            held, peak = self.held, self.peak
        known = {name for name, table, _ in self.files.values() if not table}
        locks = {
            name: [max(modes, key=_MODES.index), round(max(modes.values()), 3)]
            for name, modes in sorted(held.items()) if name in known
        }  # fmt: skip
        line = {
            "chain": context.version_table, **self.about, "seconds": round(seconds, 3),
            "locks": locks, "wal": wal, "temporary": temporary, "peak": peak,
        }  # fmt: skip
        with self.out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def run_command(out: Path, command: list[str]) -> None:
    """One command of Airflow in this process, as `airflow` would run it."""
    context = importlib.import_module("alembic.runtime.migration").MigrationContext
    meter = Meter(out, os.environ[_URL])
    init, begin = context.__init__, context.begin_transaction

    def initial(self: Any, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        self.on_version_apply_callbacks = (*self.on_version_apply_callbacks, meter.applied)

    def begun(self: Any, _per_migration: bool = False) -> Any:
        transaction = begin(self, _per_migration)
        return meter.measured(self, transaction) if _per_migration else transaction

    context.__init__, context.begin_transaction = initial, begun
    threading.Thread(target=meter.watch, daemon=True).start()
    sys.argv = command
    try:
        runpy.run_module("airflow", run_name="__main__")
    finally:
        meter.ended.set()


class Rehearsal:
    """All runs against one server."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec, self.folder = spec, Path(spec["folder"])
        self.home = Path(os.environ.get("REHEARSAL_HOME") or self.folder)

    def url(self, database: str, user: str = _OWNER) -> str:
        """Through the socket; nobody else can reach it."""
        return f"postgresql+psycopg2://{user}@/{database}?host={self.folder}"

    def query(self, text: str, database: str = "postgres", user: str = _ADMIN) -> list[Any]:
        """Rows of a query, or nothing for a command.

        The superuser enters no database that holds something of the dump.
        """
        with engine(self.url(database, user)).connect() as connection:
            done = connection.exec_driver_sql(text.replace("%", "%%"))
            return list(done) if done.returns_rows else []

    def wait(self) -> None:
        """Until the server has the database; exits where its side has failed."""
        while not (self.folder / "ready").exists():
            if (self.folder / "failed").exists():
                sys.exit("the database was not restored: see the log of the container database")
            time.sleep(0.2)

    def heads(self, database: str) -> dict[str, list[str]]:
        """The revisions of Airflow and its providers."""
        names = self.query("select tablename from pg_tables where tablename like 'alembic_version%'"
                           " and schemaname = 'public' order by 1", database, _OWNER)  # fmt: skip
        found = {}
        for (name,) in names:
            lines = self.query(f"select version_num from {quoted(name)}", database, _OWNER)
            found[name] = sorted(row[0] for row in lines)
        return found

    def rows(self, database: str) -> dict[str, int]:
        """The rows of every table, counted."""
        names = self.query("select tablename from pg_tables where schemaname = 'public'"
                           " order by 1", database, _OWNER)  # fmt: skip
        return {
            name: self.query(f"select count(*) from {quoted(name)}", database, _OWNER)[0][0]
            for (name,) in names
        }

    def size(self, database: str) -> int:
        """Bytes of the database."""
        return int(self.query(f"select pg_database_size('{database}')")[0][0])

    def fresh(self, template: str) -> None:
        """A copy to run on."""
        self.query(f"drop database if exists {_RUN} with (force)")
        self.query(f"create database {_RUN} template {template} owner {_OWNER}")
        self.query("checkpoint")

    def airflow(self, command: str) -> dict[str, Any]:
        """Run a command of Airflow on the copy. Raises Failed with what was measured until then."""
        out = self.home / "revisions.jsonl"
        out.unlink(missing_ok=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW__")}
        variables = {
            **kept, "AIRFLOW_HOME": str(self.home), "COLUMNS": "200",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False", **self.spec["options"], _URL: self.url(_RUN),
        }  # fmt: skip
        say(f"running {command}")
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, __file__, "--run", out, *command.split()],
            env=variables, cwd=self.home, stdout=sys.stderr, check=False,
        )  # fmt: skip
        seconds = round(time.monotonic() - start, 3)
        lines = out.read_text("utf-8").splitlines() if out.exists() else []
        found = {"command": command, "seconds": seconds, "revisions": [*map(json.loads, lines)]}
        if done.returncode:
            raise Failed({**found, "status": done.returncode})
        return found

    def whole(self) -> dict[str, Any]:
        """Everything, as the one document."""
        found: dict[str, Any] = {"format": 1, "target": target(self.spec["providers"]), "runs": []}
        if (manifest := self.folder / "manifest.json").exists():
            found["backup"] = json.loads(manifest.read_text("utf-8"))["name"]
        found["server"] = self.query("show server_version")[0][0]
        found |= {"heads": self.heads(_SOURCE), "rows": self.rows(_SOURCE)}
        (head,) = found["heads"]["alembic_version"] or ("",)
        if self.spec["expected"] and head not in self.spec["expected"]:
            expected = " or ".join(self.spec["expected"])
            sys.exit(f"the dump is of another schema: its revision is {head}, expected {expected}")
        found["size"] = self.size(_SOURCE)
        try:
            self.fresh(_EMPTY)
            found["empty"] = self.airflow("airflow db migrate")
            for _ in range(self.spec["repeat"]):
                self.fresh(_SOURCE)
                found["runs"].append(self.airflow("airflow db migrate"))
            found |= {"sizeAfter": self.size(_RUN), "headsAfter": self.heads(_RUN)}
            self.airflow("airflow db check-migrations --migration-wait-timeout 0")
        except Failed as error:
            return {**found, "failed": error.args[0]}
        return {**found, "back": self.back()}

    def back(self) -> dict[str, Any]:
        """The way back, on the copy that was migrated last."""
        found: dict[str, Any] = {"commands": []}
        try:
            for command in self.spec["back"]:
                found["commands"].append(self.airflow(command))
        except Failed as error:
            found["failed"] = error.args[0]
        return {**found, "heads": self.heads(_RUN), "rows": self.rows(_RUN)}


def target(names: list[str]) -> dict[str, Any]:
    """What runs the migrations: the versions of Airflow, Python and these providers."""
    providers = {}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            providers[name] = importlib.metadata.version(f"apache-airflow-providers-{name}")
    airflow = importlib.metadata.version("apache-airflow-core" if _is_core() else "apache-airflow")
    return {"airflow": airflow, "providers": providers, "python": platform.python_version()}


def _is_core() -> bool:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return bool(importlib.metadata.version("apache-airflow-core"))
    return False


def say(text: str) -> None:
    """Progress, beside the result."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """See above."""
    if sys.argv[1] == "--run":
        run_command(Path(sys.argv[2]), sys.argv[3:])
        return
    if sys.argv[1] == "--target":
        print(json.dumps(target(sys.argv[2:])))
        return
    rehearsal = Rehearsal(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    try:
        rehearsal.wait()
        print(json.dumps({**rehearsal.whole(), "at": int(time.time())}, sort_keys=True), flush=True)
    finally:
        (rehearsal.folder / "done").touch()


if __name__ == "__main__":
    main()
