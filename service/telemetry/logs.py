"""One line of JSON for each event, on stderr; no secret gets through."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from generator.redaction.secret import Secret
from generator.redaction.text import redact_prose
from service.telemetry import tracing

_FIELDS = ("connection", "repository", "number", "kind", "run", "delivery", "event", "trace")


class JsonLines(logging.Formatter):
    """Time, level, logger, message, the ids of the work; everything passes the redactor."""

    def __init__(self, secrets: Iterable[Secret]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact_prose(record.getMessage(), self._secrets),
        }
        context = ids()
        for name in _FIELDS:
            if value := getattr(record, name, None) or context.get(name):
                line[name] = redact_prose(value, self._secrets) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[1]:
            # The place tells us what we need; the text may quote what nobody should see.
            line["error"] = type(record.exc_info[1]).__name__
            line["at"] = place_of(record.exc_info[1])
        return json.dumps(line)


def configure(secrets: Iterable[Secret], level: int = logging.INFO) -> None:
    """Send everything that is logged in this process through one handler."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines(secrets))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These tell of every request and every poll.
    for name in ("urllib3", "gunicorn.access"):
        logging.getLogger(name).setLevel(logging.ERROR)


def place_of(error: BaseException) -> str:
    """Where in the source an error came up: `folder/file.py:line`."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    path = Path(frames[-1].filename)
    return f"{path.parent.name}/{path.name}:{frames[-1].lineno}"


def kind_and_place(error: BaseException) -> str:
    """Of a bug that and no more: its own words may quote a value."""
    return f"{type(error).__name__} at {place_of(error)}"


_IDS: ContextVar[Mapping[str, Any]] = ContextVar("gen_env_ids", default={})  # noqa: B039 never changed

PARENT = "traceparent"
DELIVERY = "delivery"
PERSON = "person"
"""Who retried what the run does again."""


@contextlib.contextmanager
def bound(**ids: Any) -> Iterator[None]:
    """Within this, every line that is logged carries these ids beside those around it."""
    token = _IDS.set({**_IDS.get(), **ids})
    try:
        yield
    finally:
        _IDS.reset(token)


def ids() -> Mapping[str, Any]:
    """The ids of the current work."""
    return _IDS.get()


def origin() -> dict[str, str]:
    """What a run that is queued now remembers of where it came from."""
    found = {name: str(_IDS.get().get(name) or "") for name in (DELIVERY, PERSON)}
    found[PARENT] = tracing.traceparent()
    return {name: value for name, value in found.items() if value}
