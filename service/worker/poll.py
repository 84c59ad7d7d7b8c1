"""The back-stop: a slow look at the forge for what no delivery told of."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from generator.core.errors import UserError
from generator.core.files import Files
from generator.forge.port import ForgePort, PullRequest
from generator.pipeline import repository as definitions
from generator.promotion import pause_marker, standing
from service.model.job import UNFINISHED, Job, Kind, Reason, State
from service.queue.intake import push_jobs
from service.queue.jobs import Jobs
from service.settings.schema import Connection, Settings
from service.store import overview, runs
from service.store.tables import Row
from service.telemetry.meter import METER

log = logging.getLogger("gen_env.poll")
FORMAT = 2
"""The version of what `stand` returns; what an earlier version of gen-env stored is read again."""


def poll(
    settings: Settings,
    jobs: Jobs,
    forge: Callable[[Connection, str], ForgePort],
    head: Callable[[Connection, str], str | None],
    clock: Callable[[], float] = time.time,
    files: Callable[[Connection, str], Files] | None = None,
) -> int:
    """Look at every repository whose turn it is; returns how many jobs that led to.

    One of all workers looks in each interval. `head` gives the default branch's commit, `files`
    what it holds. A repository that cannot be read is passed over until its next turn.
    """
    queued = 0
    for connection, repository in settings.places:
        name = f"poll:{connection.name}/{repository}"
        with jobs.engine.begin() as transaction:
            mine = runs.take_turn(transaction, name, settings.poll_seconds, clock())
        if not mine:
            continue
        try:
            pulls = forge(connection, repository).list_open_prs()
            sha = head(connection, repository)
        except Exception as error:  # one forge that is away must not hide the others
            about = {"connection": connection.name, "repository": repository}
            log.warning("cannot poll: %s", type(error).__name__, extra=about)
            continue
        with jobs.engine.begin() as transaction:
            known = runs.newest_checks(transaction, connection.name, repository)
            stale = [pull.number for pull in pulls if is_stale(known.get(pull.number), pull)]
            place = (connection.name, repository)
            asked = [Job(Kind.CHECK, *place, number, Reason.POLL.value) for number in stale]
            found = len(asked)
            if sha:
                before = runs.note_sha(transaction, name, sha)
                moved = push_jobs(connection, repository, sha, before, Reason.POLL.value)
                # The first look only learns where the branch stands; a push that a delivery told of
                # has a run already.
                if before not in ("", sha) and not runs.knows_push(transaction, moved[0], sha):
                    asked, found = [*asked, *moved], found + 1
            for job in asked:
                jobs.accept(transaction, job)
        METER.add("polled", found)
        queued += found
        if sha and files:
            read = functools.partial(files, connection, repository)
            _stands(jobs, "/".join(place), sha, read, clock())
    return queued


def is_stale(last: Row | None, pull: PullRequest) -> bool:
    """Whether the pull request needs a check that nobody has asked for."""
    if last is None:
        return True
    if last.state in UNFINISHED:
        return False
    if last.state == State.DEAD.value:
        # A forge that was away answers again; everything else waits for a person or a new head.
        return bool(last.transient)
    return bool(last.head_sha != pull.head_sha)


def _stands(jobs: Jobs, name: str, sha: str, read: Callable[[], Files], now: float) -> None:
    """Keep what the pages show of the branch, and that it stood there now."""
    with jobs.engine.connect() as transaction:
        before = overview.branches(transaction).get(name)
    try:
        content = before["content"] if before is not None and before["sha"] == sha else {}
        if content.get("format") != FORMAT:
            content = stand(read())
    except UserError as error:
        log.warning("cannot read the branch: %s", error.message, extra={"repository": name})
        return
    with jobs.engine.begin() as transaction:
        overview.keep_branch(transaction, name, sha, content, now)


def stand(files: Files) -> Mapping[str, Any]:
    """What stands on a branch, as the overview shows it; `unread` names the environments whose
    definition cannot be read.
    """
    found = definitions.load(files)
    settings = found.settings.repository if found.settings else None
    return {
        "format": FORMAT,
        "environments": [
            {
                "name": name,
                "tier": item.tier,
                "airflow": str(item.part("airflow", "version") or ""),
                "chart": str(item.part("chart", "version") or ""),
                "tag": str(item.part("image", "tag") or ""),
                "paused": pause_marker.is_paused(item.document.text),
                **standing.read(files, found.settings, item),
            }
            for name, item in sorted(found.definitions.items())
        ],
        "unread": sorted(found.names - set(found.definitions)),
        "paths": {name: list(path) for name, path in settings.promotion.paths.items()}
        if settings
        else {},
    }
