"""POST /webhooks/<connection>: checked, kept and queued before the answer, in milliseconds."""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, request
from werkzeug.exceptions import HTTPException

from service.queue import intake
from service.queue.intake import Taken
from service.settings.schema import Connection
from service.store import database
from service.store.runs import Delivery
from service.telemetry import logs, tracing
from service.web.context import context
from service.webhook import payload
from service.webhook.event import Event, Ignored, Ping
from service.webhook.extract import body_digest, delivery_id, event_name, event_of
from service.webhook.signature import Headers, verify

blueprint = Blueprint("webhooks", __name__)
log = logging.getLogger("gen_env.webhooks")

Answer = tuple[dict[str, Any], int]


@blueprint.post("/webhooks/<name>")
def receive(name: str) -> Answer:
    """404 unknown connection, 501 no secret, 413 too big, 401 signature, 400 no JSON object, 403
    another repository, 503 queue full or database away; else 202 (200 when there is nothing to
    do).
    """
    here = context()
    connection = here.settings.connection(name)
    if connection is None:
        return {"error": "connection not found"}, 404
    if not connection.webhook_secrets:
        return {"error": "this connection has no secret yet"}, 501
    # Bounded by MAX_CONTENT_LENGTH, with a length and without one.
    body = request.get_data(cache=False)
    headers = {key.lower(): value for key, value in request.headers.items()}
    secrets = connection.webhook_secrets
    if not verify(connection.kind, headers, body, secrets, now=here.clock()):
        log.warning("refused: wrong signature", extra={"connection": name})
        return {"error": "invalid signature"}, 401
    try:
        data = payload.parse(body)
    except payload.PayloadError as error:
        return {"error": str(error)}, 400
    return _accept(connection, headers, body, event_of(connection.kind, headers, data))


def _accept(connection: Connection, headers: Headers, body: bytes, event: Event) -> Answer:
    repository = "" if isinstance(event, Ping) else event.repository
    # A secret speaks for its own repositories; events that we ignore need no place in the list.
    if repository and connection.repository(repository) is None:
        if not isinstance(event, Ignored):
            log.warning("refused: another repository", extra={"connection": connection.name})
        return {"error": "this repository does not belong to the connection"}, 403
    found = Delivery(
        connection.name,
        delivery_id(connection.kind, headers, body),
        body_digest(body),
        event_name(connection.kind, headers),
        repository,
        intake.content_of(event),
    )
    ids = {"connection": connection.name, "delivery": found.id, "event": found.event,
           "repository": repository, "number": getattr(event, "number", 0)}  # fmt: skip
    with logs.bound(**ids), tracing.span("delivery", ids, kind="server", parent="") as told:
        told["outcome"] = "unavailable"
        try:
            receipt = context().intake.receive(connection, found, event)
        except (sa.exc.OperationalError, sa.exc.TimeoutError) as error:
            log.error("the database does not take this delivery: %s", database.words_of(error))
            return {"error": "try again in a moment"}, 503
        told["outcome"] = receipt.taken.value
        log.info("delivery %s", receipt.taken.value, extra={"run": receipt.run})
    if receipt.taken is Taken.FULL:
        return {"error": "the queue is full; deliver this again later"}, 503
    # Never 4xx for what we ignore: GitLab switches a webhook off that is refused too often.
    status = 200 if receipt.taken is Taken.IGNORED else 202
    return {"status": receipt.taken.value, "run": receipt.run or None}, status


@blueprint.errorhandler(HTTPException)
def refused(error: HTTPException) -> Answer:
    """The same plain shape for what the framework refuses (413, 405)."""
    return {"error": error.description or error.name}, error.code or 500
