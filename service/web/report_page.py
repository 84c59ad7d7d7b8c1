"""A kept report, with a headline that says what it is of."""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, render_template

from service.store import overview
from service.store import reports as report_store
from service.web.context import context

blueprint = Blueprint("reports", __name__)
# A report's own tag allows its style and script by their hashes. The sandbox takes the page's
# origin away, so that nothing in it could use the dashboard in the reader's name.
_POLICY = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# After the link that skips to the content: it is the first thing that a keyboard reaches.
_BODY = re.compile(r"<body[^>]*>(?:\s*<a class=\"skip\"[^>]*>[^<]*</a>)?")


@blueprint.get("/reports/<identity>")
def report(identity: str) -> Response:
    """A kept report. Its name is the key: it stands in the pull request, for who may read that."""
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
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
