"""Airflow asked for its own health: from outside first, then through the API server's proxy."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from generator.cluster.errors import ClusterError
from generator.cluster.errors import Trouble as ClusterTrouble
from generator.core import http
from generator.core.http_policy import FetchError, Policy, Trouble
from generator.verify.port import ClusterPort
from generator.verify.snapshot import AirflowAnswer
from generator.verify.target import Endpoint

# A way in may speak plain http: nothing secret is sent.
_POLICY = Policy(
    max_bytes=65_536, connect_seconds=8.0, read_seconds=8.0, total_seconds=20.0, plain_hosts=None
)
_EVERY = 10.0

Get = Callable[[str], tuple[int, bytes]]
"""An HTTP GET: status and body; raises OSError when nobody answers."""


def http_get(url: str) -> tuple[int, bytes]:
    """GET without following redirects: a login page is no answer of Airflow's."""
    try:
        response = http.get(url, _POLICY, headers={"Accept": "application/json"})
    except FetchError as error:
        if error.trouble in (Trouble.LIMIT, Trouble.SLOW):
            return error.status, b""
        raise ConnectionError(error.message) from None
    return response.status, response.body


def ask(
    endpoint: Endpoint, namespace: str, cluster: ClusterPort, get: Get = http_get
) -> tuple[AirflowAnswer | None, str]:
    """Airflow's answer, or why no way leads to it.

    Where somebody answers, but not with Airflow's document (503 while the pods start), the answer
    carries the problem: that is something to wait for. Only when every way is closed to us is the
    answer None.
    """
    answered: list[AirflowAnswer] = []
    closed: list[str] = []
    for way in (_from_outside, _by_proxy):
        found, problem = way(endpoint, namespace, cluster, get)
        if found is not None and not found.problem:
            return found, ""
        if found is not None:
            answered.append(found)
        elif problem:
            closed.append(problem)
    if answered:
        return answered[0], ""
    return None, "; ".join(closed) or "neither a way in from outside nor a Service to query"


class Asker:
    """Asks every few seconds in a thread of its own: heartbeats cannot be watched."""

    def __init__(
        self, once: Callable[[], tuple[AirflowAnswer | None, str]], stop: threading.Event
    ) -> None:
        self._once = once
        self._stop = stop
        self._lock = threading.Lock()
        self._last: tuple[AirflowAnswer | None, str] = (None, "")

    def read(self) -> tuple[AirflowAnswer | None, str]:
        """The last answer; neither answer nor problem before the first one."""
        with self._lock:
            return self._last

    def read_anew(self) -> tuple[AirflowAnswer | None, str]:
        """An answer of now."""
        return self._once()

    def run(self) -> None:
        """Ask until told to stop."""
        try:
            while not self._stop.is_set():
                found = self._once()
                with self._lock:
                    self._last = found
                self._stop.wait(_EVERY * (0.9 + random.random() / 5))
        finally:
            with self._lock:
                self._last = (None, "asking stopped")


def _from_outside(
    endpoint: Endpoint, namespace: str, cluster: ClusterPort, get: Get
) -> tuple[AirflowAnswer | None, str]:
    if not endpoint.url:
        return None, ""
    url = endpoint.url.rstrip("/") + endpoint.path
    try:
        status, data = get(url)
    except OSError as error:
        return None, f"{url} cannot be reached from here ({error})"
    document = _document(data)
    if status == 200 and document is not None:
        return AirflowAnswer(f"GET {url}", document), ""
    if 300 <= status < 500 and status not in (404, 408, 429):
        return None, f"{url} answered {status}: something in front of Airflow requires a login"
    return AirflowAnswer(f"GET {url}", {}, f"{url} answered {status}, not Airflow's health"), ""


def _by_proxy(
    endpoint: Endpoint, namespace: str, cluster: ClusterPort, get: Get
) -> tuple[AirflowAnswer | None, str]:
    if not endpoint.service:
        return None, ""
    way = f"Service {endpoint.service} through the API server's proxy"
    try:
        data = cluster.service_get(namespace, endpoint.service, endpoint.port, endpoint.path)
    except ClusterError as error:
        if error.trouble in (ClusterTrouble.SERVER, ClusterTrouble.NOT_FOUND):
            return AirflowAnswer(way, {}, f"{way}: {error.message}"), ""
        return None, f"{way}: {error.message}"
    document = _document(data)
    if document is None:
        return AirflowAnswer(way, {}, f"{way} returned no health document"), ""
    return AirflowAnswer(way, document), ""


def _document(data: bytes) -> Mapping[str, Any] | None:
    try:
        parsed = json.loads(data)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) and "metadatabase" in parsed else None
