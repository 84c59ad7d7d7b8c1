"""Pages for people: the dashboard, and the kept reports."""

from __future__ import annotations

import datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from generator.core.errors import UserError
from service.store import reports as report_store
from service.store import runs as run_store
from service.web.access import require_dashboard, require_own_page
from service.web.context import context

blueprint = Blueprint("pages", __name__)

_STYLE_ONLY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
# A report's own tag allows its style and script by their hashes. The sandbox takes the page's
# origin away, so that nothing in it could use the dashboard in the reader's name.
_REPORT_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("/")
def dashboard() -> str:
    """The dead letters and the last runs."""
    require_dashboard()
    here = context()
    runs = here.jobs.runs()
    with here.engine.connect() as connection:
        waiting, _ = run_store.depth(connection)
        reports = report_store.kept(connection, (found["report"] for found in runs))
    dead = here.jobs.dead(limit=100)
    return render_template("dashboard.html", dead=dead, runs=runs, reports=reports, waiting=waiting)


@blueprint.post("/runs/<identity>/retry")
def retry(identity: str) -> Answer:
    """Queue a given-up run again."""
    require_dashboard()
    require_own_page()
    try:
        context().jobs.retry(identity)
    except UserError as error:
        abort(Response(f"{error.message}\n", 409, mimetype="text/plain"))
    return redirect(url_for("pages.dashboard"), 303)


@blueprint.get("/reports/<identity>")
def report(identity: str) -> Response:
    """A kept report. Its name is the key: it stands in the pull request, for who may read that."""
    with context().engine.connect() as connection:
        found = report_store.read(connection, identity)
    if found is None or not found.html:
        abort(Response("Report not found, or already removed.\n", 404, mimetype="text/plain"))
    answer = Response(found.html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _REPORT_POLICY
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


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
        ("Content-Security-Policy", f"{_STYLE_ONLY}; form-action 'self'"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store" if request.endpoint != "static" else "max-age=3600"),
    ):
        answer.headers.setdefault(name, value)
    return answer
