"""/api/v1: deliveries, checks, verifications and reports as JSON, behind a token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, g, request
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from generator.core.errors import UserError
from service.model.job import Kind, State
from service.store import overview, runs
from service.store import reports as report_store
from service.store.tables import delivery, listed
from service.telemetry import logs
from service.web.access import require_api
from service.web.context import context
from service.web.openapi import DOCUMENT

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
_MOST = 200
_LONGEST = 400
_RUN = (
    "id", "kind", "connection", "repository", "number", "reason", "state", "summary", "head_sha",
    "environments", "attempts", "queued", "started", "ended", "report",
)  # fmt: skip
_OF_CHECKS = {"kind", "reason", "head_sha", "environments"}


@blueprint.before_request
def guard() -> None:
    """Everything but the description needs a token; what changes something, an operator's."""
    if request.endpoint != "api.openapi":
        g.person = require_api(operate=request.method not in ("GET", "HEAD", "OPTIONS"))


@blueprint.get("/openapi.json")
def openapi() -> dict[str, Any]:
    """The description of this API."""
    return DOCUMENT


@blueprint.get("/deliveries")
def deliveries() -> dict[str, Any]:
    """Accepted deliveries, newest first."""
    page = _page()
    columns = (delivery.c.connection, delivery.c.id, delivery.c.received, delivery.c.event,
               delivery.c.repository, delivery.c.outcome, delivery.c.run)  # fmt: skip
    query = sa.select(*columns).order_by(delivery.c.received.desc(), delivery.c.id)
    with context().engine.connect() as connection:
        return {"deliveries": listed(connection, query.limit(page["limit"]).offset(page["offset"]))}


@blueprint.get("/checks")
def checks() -> dict[str, Any]:
    """Runs of every kind, newest first; `state` may be given several times."""
    try:
        states = [State(text) for text in request.args.getlist("state")]
    except ValueError:
        raise BadRequest(f"state must be one of {', '.join(State)}") from None
    found = context().jobs.runs(states=states, **_page())
    return {"checks": [{key: row[key] for key in _RUN} for row in found]}


@blueprint.get("/checks/<identity>")
def check(identity: str) -> dict[str, Any]:
    """One run."""
    with context().engine.connect() as connection:
        row = runs.read(connection, identity)
    if row is None:
        raise NotFound("run not found")
    return {key: row._mapping[key] for key in _RUN}


@blueprint.post("/checks/<identity>/retry")
def retry(identity: str) -> tuple[dict[str, Any], int]:
    """Queue a given-up run again."""
    try:
        with logs.bound(**{logs.PERSON: g.person}):
            return {"id": context().jobs.retry(identity)}, 202
    except UserError as error:
        return {"error": error.message}, 409


@blueprint.get("/verifications")
def verifications() -> dict[str, Any]:
    """What became of merged commits in each environment, newest first."""
    page = _page()
    chosen: dict[str, Any] = {
        name: request.args.get(name, "") for name in ("repository", "environment", "sha")
    }
    for name, text in chosen.items():
        if not text.isprintable() or len(text) > _LONGEST:
            raise BadRequest(f"{name} must be a short text")
    with context().engine.connect() as connection:
        rows = overview.verified(connection, **page, **chosen)
    return {"verifications": [_verification(row) for row in rows]}


@blueprint.get("/verifications/<identity>")
def verification(identity: str) -> dict[str, Any]:
    """One verification, with the conditions that were judged for as long as they are kept."""
    with context().engine.connect() as connection:
        row = runs.read(connection, identity)
        # As they were queued before, those of a merge as a whole have no environment.
        if row is None or row.kind != Kind.VERIFY.value or "environment" not in row.details:
            raise NotFound("verification not found")
        kept = report_store.read(connection, row.report)
    found = json.loads(kept.json) if kept and kept.json else {}
    named = ("conditions", "resources", "diagnosis")
    judged = {name: found.get(name, []) for name in named} | {"basis": found.get("basis")}
    return _verification(dict(row._mapping)) | judged


@blueprint.get("/reports")
def reports() -> dict[str, Any]:
    """Which reports are kept, newest first."""
    page = _page()
    with context().engine.connect() as connection:
        return {"reports": report_store.names(connection, **page)}


@blueprint.get("/reports/<identity>")
def report(identity: str) -> dict[str, Any]:
    """One report, as the check made it."""
    with context().engine.connect() as connection:
        found = report_store.read(connection, identity)
    if found is None:
        raise NotFound("report not found, or already removed")
    return {"id": identity, "report": json.loads(found.json) if found.json else None}


@blueprint.errorhandler(HTTPException)
def refused(error: HTTPException) -> Any:
    """Every refusal is JSON; a 401 keeps its challenge."""
    kept = {key: value for key, value in error.get_headers() if key == "WWW-Authenticate"}
    return {"error": error.description or error.name}, error.code or 500, kept


def _verification(row: Mapping[str, Any]) -> dict[str, Any]:
    environment = str(row["details"].get("environment", ""))
    return {
        **{key: row[key] for key in _RUN if key not in _OF_CHECKS},
        "environment": environment,
        "sha": str(row["details"].get("sha", "")),
        # Empty until there is one, and for a run that was given up.
        "verdict": str(row["environments"].get(environment, "")),
    }


def _page() -> dict[str, Any]:
    found = {}
    for name, default, least, most in (("limit", "50", 1, _MOST), ("offset", "0", 0, 10_000_000)):
        text = request.args.get(name, default)
        if not text.isascii() or not text.isdecimal() or len(text) > 8:
            raise BadRequest(f"{name} must be a number")
        found[name] = int(text)
        if not least <= found[name] <= most:
            raise BadRequest(f"{name} must be between {least} and {most}")
    return found
