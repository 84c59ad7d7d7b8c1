"""Pages for people; all of them are read from the database, and none waits for anything."""

from __future__ import annotations

import datetime
import hashlib
import logging
import re
from typing import Any

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from generator.core.errors import UserError
from service.model.job import Kind, State
from service.store import overview
from service.store import reports as report_store
from service.store import runs as run_store
from service.store.tables import Rows
from service.telemetry import logs
from service.web import board
from service.web.access import require_dashboard, require_own_page
from service.web.context import commit_url, context, pull_url

blueprint = Blueprint("pages", __name__)
reports = Blueprint("reports", __name__)
log = logging.getLogger("gen_env.pages")
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
# A report's own tag allows its style and script by their hashes. The sandbox takes the page's
# origin away, so that nothing in it could use the dashboard in the reader's name.
_REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# After the link that skips to the content: it is the first thing that a keyboard reaches.
_BODY = re.compile(r"<body[^>]*>(?:\s*<a class=\"skip\"[^>]*>[^<]*</a>)?")
_PAGE = 50
_NEED_A_PERSON = (State.FAILURE, State.ERROR, State.DEAD)
_FILTERS = ("kind", "state", "repository", "number")
_OFFSET = re.compile(r"[0-9]{1,6}")
_IMPACT = re.compile(r"\bimpact/[a-z-]+")
_NUMBER = re.compile(r"[0-9]{0,9}")
_WORD = re.compile(r"[A-Za-z0-9_.+/-]{0,400}")


@blueprint.before_request
def guard() -> None:
    """Everything needs the right to see it; what changes something, an operator's own click."""
    changes = request.method == "POST"
    g.person = require_dashboard(operate=changes)
    if changes:
        require_own_page()


@blueprint.get("/")
def dashboard() -> Response:
    """The environments, and what waits for a person."""
    here = context()
    with here.engine.connect() as connection:
        groups = board.groups(
            here.settings, overview.branches(connection), overview.verifications(connection),
            overview.comparisons(connection), here.clock(),
        )  # fmt: skip
        waiting, dead = run_store.depth(connection)[0], run_store.dead(connection)
        pulls = overview.pulls(connection, _PAGE + 1, states=_NEED_A_PERSON)
        return _page(
            "overview.html", groups=list(groups), dead=dead, waiting=waiting,
            pulls=pulls[:_PAGE], more=len(pulls) > _PAGE,
        )  # fmt: skip


@blueprint.get("/pulls")
def pulls() -> Response:
    """The open pull requests, with their newest check."""
    offset = _offset()
    with context().engine.connect() as connection:
        found = overview.pulls(connection, _PAGE + 1, offset)
        kept = report_store.kept(connection, (row["report"] for row in found))
    for row in found:
        row["impacts"] = sorted(set(_IMPACT.findall(row["summary"])))
    return _page("pulls.html", pulls=found[:_PAGE], reports=kept, **_paging(offset, found))


@blueprint.get("/runs")
def runs() -> Response:
    """Runs of every kind, filtered and in pages."""
    offset, here = _offset(), context()
    chosen = {name: request.args.get(name, "") for name in _FILTERS}
    if not _WORD.fullmatch(chosen["repository"]) or not _NUMBER.fullmatch(chosen["number"]):
        abort(400)
    try:
        kind = Kind(chosen["kind"]) if chosen["kind"] else None
        states = [State(chosen["state"])] if chosen["state"] else []
    except ValueError:
        abort(400)
    found = here.jobs.runs(
        states=states, kind=kind, repository=chosen["repository"],
        number=int(chosen["number"] or 0), limit=_PAGE + 1, offset=offset,
    )  # fmt: skip
    with here.engine.connect() as connection:
        kept = report_store.kept(connection, (row["report"] for row in found))
    return _page(
        "runs.html", runs=found[:_PAGE], reports=kept, chosen=chosen,
        kinds=list(Kind), states=list(State), **_paging(offset, found),
    )  # fmt: skip


@blueprint.get("/queue")
def queue() -> Response:
    """What waits and runs, by whom, and what was given up."""
    here = context()
    with here.engine.connect() as connection:
        unfinished = overview.unfinished(connection)
        workers = overview.workers(connection)
        since = here.clock() - here.settings.limits.lease_seconds
    dead = here.jobs.runs(states=[State.DEAD], limit=_PAGE + 1)
    return _page(
        "queue.html", unfinished=unfinished, workers=workers, since=since, dead=dead[:_PAGE],
        more=len(dead) > _PAGE,
    )  # fmt: skip


@blueprint.get("/audit")
def audit() -> Response:
    """Who accepted, overrode, allowed and retried what."""
    offset = _offset()
    with context().engine.connect() as connection:
        found = overview.granted(connection, _PAGE + 1, offset)
    return _page("audit.html", grants=found[:_PAGE], **_paging(offset, found))


@blueprint.post("/runs/<identity>/retry")
def retry(identity: str) -> Answer:
    """Queue a given-up run again."""
    try:
        with logs.bound(**{logs.PERSON: g.person}):
            fresh = context().jobs.retry(identity)
        log.info("retried by %s", g.person, extra={"run": fresh})
    except UserError as error:
        abort(Response(f"{error.message}\n", 409, mimetype="text/plain"))
    return redirect(url_for("pages.queue"), 303)


@reports.get("/reports/<identity>")
def report(identity: str) -> Response:
    """A kept report. Its name, known to readers of the pull request alone, is the key to it."""
    with context().engine.connect() as connection:
        found = report_store.read(connection, identity)
        made = overview.of_report(connection, identity)
    if found is None or not found.html:
        abort(Response("Report not found, or already removed.\n", 404, mimetype="text/plain"))
    text = found.html
    if made is not None and (body := _BODY.search(text)):
        head = render_template("headline.html", run=made)
        text = f"{text[: body.end()]}\n{head}{text[body.end() :]}"
    answer = Response(text, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _REPORT_POLICY
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _page(template: str, **content: Any) -> Response:
    """The page, or 304 where the reader's copy is the same: open tabs ask again and again."""
    text = render_template(template, **content)
    answer = Response(text, mimetype="text/html")
    answer.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32], weak=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "Authorization"
    answer.make_conditional(request)
    return answer


def _offset() -> int:
    text = request.args.get("offset", "0")
    return int(text) if _OFFSET.fullmatch(text) else abort(400)


def _paging(offset: int, found: Rows) -> dict[str, Any]:
    """Addresses of the pages before and after; one row more than a page was asked for."""
    chosen: dict[str, Any] = {key: request.args[key] for key in _FILTERS if key in request.args}

    def address(start: int) -> str:
        return url_for(request.endpoint or "", **chosen, offset=start or None)

    return {
        "newer": address(max(0, offset - _PAGE)) if offset else "",
        "older": address(offset + _PAGE) if len(found) > _PAGE else "",
    }


blueprint.app_template_global()(pull_url)
blueprint.app_template_global()(commit_url)


@blueprint.app_template_filter("moment")
def moment(seconds: float | None) -> str:
    """A time for people, in UTC."""
    if seconds is None:
        return ""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


@blueprint.after_app_request
def harden(answer: Response) -> Response:
    """Headers that every answer carries unless it set its own."""
    for name, value in (
        ("Content-Security-Policy", _POLICY),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store" if request.endpoint != "static" else "max-age=3600"),
    ):
        answer.headers.setdefault(name, value)
    return answer
