"""What the current work is about: ids that every log line carries, and what follows from it too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from service import tracing

_IDS: ContextVar[Mapping[str, Any]] = ContextVar("gen_env_ids", default={})  # noqa: B039 never changed

PARENT = "traceparent"
DELIVERY = "delivery"


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
    found = {DELIVERY: str(_IDS.get().get(DELIVERY) or ""), PARENT: tracing.traceparent()}
    return {name: value for name, value in found.items() if value}
