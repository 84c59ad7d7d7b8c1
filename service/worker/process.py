"""The worker process: runs what is queued, polls the forges, keeps the house clean."""

from __future__ import annotations

import functools
import logging
import os
import pkgutil
import signal
import socket
import threading
import time
import uuid

import sqlalchemy as sa

from generator.core.errors import UserError
from service.check.mirror import branch_files, branch_head
from service.check.reporter import Check
from service.model.job import Job, Kind
from service.queue.claims import Claims
from service.queue.jobs import Jobs
from service.settings.forges import opener
from service.settings.schema import Settings
from service.store import notices, reminders, reports, runs, tables
from service.telemetry import tracing
from service.telemetry.meter import METER, Flusher
from service.worker import message
from service.worker.cleanup import own_folder, tidy
from service.worker.executor import Executor
from service.worker.notify import Sender
from service.worker.poll import poll
from service.worker.runner import Runner

log = logging.getLogger("gen_env.worker")
IDENTITY = "GEN_ENV_SERVICE_EXECUTOR"
CHECK = "GEN_ENV_SERVICE_CHECK"
_HOUSEKEEPING_SECONDS = 600.0
_STRAY_SECONDS = 3_600.0
"""As long a repository may be in no worker's settings: those of several hosts change one by one."""
_HOUR, _DAY = 3_600.0, 86_400.0


def run(settings: Settings) -> int:
    """Work until SIGTERM or SIGINT; then finish what runs, within the drain time."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    tracing.configure("worker")
    message.require(settings.notifications)
    identity = os.environ.get(IDENTITY) or new_identity()
    with own_folder(settings.data_dir, identity):
        left = _work(settings, identity, stop)
    log.info("worker ends")
    if left:
        # Its threads would keep us until they are done; another worker has the work by now.
        logging.shutdown()
        os._exit(0)
    return 0


def _work(settings: Settings, identity: str, stop: threading.Event) -> bool:
    """Until told to stop; whether something is left that still runs."""
    engine = tables.engine(settings.database_url.text())
    jobs = Jobs(engine)
    runner = Runner(settings, jobs, opener(), _check(settings, engine))
    claims = Claims(engine, identity, settings.limits.lease_seconds)
    places = [(connection.name, repository) for connection, repository in settings.places]
    executor = Executor(settings.limits, runner, claims, places)
    executor.start()
    log.info("worker is ready")
    chores = threading.Thread(target=_chores, args=(settings, jobs, stop), daemon=True)
    chores.start()
    Sender(settings, engine).start(stop)
    flusher = Flusher(runs.writer(engine))
    flusher.start()
    # The kernel may give a signal to any thread, and then nothing wakes this one.
    while not stop.wait(1.0):
        pass
    log.info("worker drains")
    left = executor.stop()
    flusher.stop()
    tracing.stop()
    return left


def new_identity() -> str:
    """A name that no worker has had: a used one would let two processes do the same run."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:12]}"


def housekeeping(settings: Settings, jobs: Jobs, now: float) -> None:
    """Drop what is too old or too much (reports, deliveries, finished runs), and end the runs that
    no worker will take.
    """
    limits = settings.limits
    with jobs.engine.begin() as connection:
        for name in sorted(f"{known.name}/{repository}" for known, repository in settings.places):
            runs.take_turn(connection, f"{runs.SERVED}{name}", _HOUSEKEEPING_SECONDS, now)
        last = runs.last_turn(connection, "housekeeping")
        if not runs.take_turn(connection, "housekeeping", _HOUSEKEEPING_SECONDS, now):
            return
        if now - last > 2 * _HOUSEKEEPING_SECONDS:
            # After a stop of all workers the first one back must not end what the others will run.
            runs.serve_all(connection, now)
        before = now - limits.report_days * _DAY
        reports.clean(connection, before=before, most_bytes=limits.report_bytes)
        notices.forget(connection, now - limits.delivery_days * _DAY)
        runs.forget(connection, deliveries=now - limits.delivery_days * _DAY, runs=before)
        METER.gauge("kept_bytes", reports.total(connection), what="reports")
        for row in runs.end_strays(connection, now - _STRAY_SECONDS, now):
            METER.add("runs", kind=row.kind, state=row.state)
            place = {"connection": row.connection, "repository": row.repository, "run": row.id}
            log.warning("run ends: %s", row.summary, extra=place)


def remind(jobs: Jobs, now: float) -> int:
    """Queue the jobs whose moment has come; returns how many."""
    with jobs.engine.begin() as connection:
        due = reminders.take(connection, now)
        for job in due:
            jobs.accept(connection, job)
    return len(due)


def compare_nightly(settings: Settings, jobs: Jobs, now: float) -> None:
    """Queue the comparison of clusters with the default branches: once after each `driftHour`."""
    for connection, repository in settings.places:
        known = connection.verification
        if known is None or known.drift_hour is None:
            continue
        since = (now - known.drift_hour * _HOUR) % _DAY
        job = Job(Kind.DRIFT, connection.name, repository, reason=reminders.REASON)
        with jobs.engine.begin() as transaction:
            if runs.take_turn(transaction, f"drift:{connection.name}/{repository}", since, now):
                jobs.accept(transaction, job)


def _check(settings: Settings, engine: sa.Engine) -> Check:
    """The check of the service, or the one that the environment names (`module:function`)."""
    if named := os.environ.get(CHECK, ""):
        try:
            found: Check = pkgutil.resolve_name(named)
        except (ImportError, AttributeError, ValueError):
            raise UserError(f"{CHECK} names no function", hint="write module:function") from None
        return found
    from service.check.run import Toolchain, check

    key, seconds = tables.shared_key(engine, "marker"), settings.limits.check_seconds
    return functools.partial(check, toolchain=Toolchain(marker_key=key, seconds=seconds))


def _chores(settings: Settings, jobs: Jobs, stop: threading.Event) -> None:
    looking = opener()
    head = functools.partial(branch_head, settings.data_dir)
    files = functools.partial(branch_files, settings.data_dir)
    while not stop.wait(min(5.0, settings.limits.lease_seconds)):
        try:
            # First what needs the database alone: a poll waits for forges.
            remind(jobs, time.time())
            compare_nightly(settings, jobs, time.time())
            housekeeping(settings, jobs, time.time())
            if settings.poll_seconds:
                poll(settings, jobs, looking, head, files=files)
            tidy(settings, time.time(), _HOUSEKEEPING_SECONDS)
        except Exception as error:  # the database may be away for a while; this must live on
            log.warning("chores failed: %s", type(error).__name__)
