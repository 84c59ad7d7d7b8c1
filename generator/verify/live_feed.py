"""The live source of snapshots: one reflector per collection, one asker for Airflow."""

from __future__ import annotations

import contextlib
import datetime
import threading
from collections.abc import Iterable, Sequence
from typing import Protocol

from generator.cluster.errors import ClusterError
from generator.kube.resource import Object
from generator.verify.airflow_probe import Asker, Get, ask, http_get
from generator.verify.port import ClusterPort
from generator.verify.reflector import Pause, Reflector
from generator.verify.secret_ages import secret_ages
from generator.verify.snapshot import AirflowAnswer, Snapshot, Source
from generator.verify.subscriptions import subscriptions
from generator.verify.target import Expected

_LOG_LINES = 20
_NICE_TO_HAVE = frozenset({Source.EVENTS})
"""What only helps to explain: without it everything can still be judged."""

Reading = tuple[Source, tuple[tuple[Object, ...], str]]
Logs = dict[tuple[str, str], tuple[str, ...]]


class Feed(Protocol):
    """Where the loop gets its snapshots from."""

    def snapshot(self, now: datetime.datetime) -> Snapshot:
        """What is known, kept up to date by watches."""

    def fresh(self, now: datetime.datetime) -> Snapshot:
        """What the servers say now, asked anew."""

    def wait(self, seconds: float) -> None:
        """Return when something changed, or after that time."""

    def logs(self, wanted: Sequence[tuple[str, str, bool]]) -> Logs:
        """The last lines of these containers: pod, container, whether of the previous run."""


class LiveFeed:
    """Threads that follow everything one environment needs; a context manager ends them."""

    def __init__(
        self,
        expected: Expected,
        cluster: ClusterPort,
        hub: ClusterPort,
        *,
        pause: Pause | None = None,
        get: Get = http_get,
    ) -> None:
        self._expected = expected
        self._cluster = cluster
        self._changed = threading.Event()
        self._stop = threading.Event()
        self._reflectors = [
            Reflector(item, changed=self._changed, stop=self._stop, pause=pause)
            for item in subscriptions(expected, cluster, hub)
        ]
        self._asker: Asker | None = None
        endpoint = expected.endpoint
        if endpoint is not None:
            self._asker = Asker(lambda: ask(endpoint, expected.namespace, cluster, get), self._stop)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> LiveFeed:
        runs = [item.run for item in self._reflectors]
        for run in (*runs, *([self._asker.run] if self._asker else [])):
            thread = threading.Thread(target=run, name="gen-env verify", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for reflector in self._reflectors:
            reflector.close()
        for thread in self._threads:
            thread.join(timeout=2.0)

    def snapshot(self, now: datetime.datetime) -> Snapshot:
        """What the watches have told so far."""
        readings = [(item.subscription.source, item.read()) for item in self._reflectors]
        airflow = self._asker.read() if self._asker else (None, "")
        return assembled(now, readings, airflow)

    def fresh(self, now: datetime.datetime) -> Snapshot:
        """Every collection listed anew, and Airflow asked anew."""
        readings = [(item.subscription.source, item.read_anew()) for item in self._reflectors]
        airflow = self._asker.read_anew() if self._asker else (None, "")
        return assembled(now, readings, airflow)

    def wait(self, seconds: float) -> None:
        """Until something changed; a burst of changes is taken as one."""
        if self._changed.wait(seconds):
            self._stop.wait(min(0.1, seconds))
            self._changed.clear()

    def logs(self, wanted: Sequence[tuple[str, str, bool]]) -> Logs:
        """Logs as far as they can be had: none of them is needed to judge."""
        found: Logs = {}
        for pod, container, previous in wanted:
            with contextlib.suppress(ClusterError):
                found[pod, container] = self._cluster.log_tail(
                    self._expected.namespace, pod, container, previous=previous, lines=_LOG_LINES
                )
        return found


def assembled(
    now: datetime.datetime,
    readings: Iterable[Reading],
    airflow: tuple[AirflowAnswer | None, str],
) -> Snapshot:
    """One snapshot of what the sources gave, and of what they could not give."""
    objects: dict[Source, tuple[Object, ...]] = {}
    problems: dict[Source, str] = {}
    for source, (items, problem) in readings:
        objects[source] = (*objects.get(source, ()), *items)
        if problem and source not in _NICE_TO_HAVE:
            problems.setdefault(source, problem)
    answer, problem = airflow
    if problem:
        problems[Source.AIRFLOW] = problem
    application = objects.get(Source.APPLICATION, ())
    manifests = objects.get(Source.MANIFESTS, ())
    return Snapshot(
        taken_at=now,
        application=application[0] if application else None,
        kustomizations=objects.get(Source.KUSTOMIZATIONS, ()),
        secrets=tuple(secret_ages(manifests)),
        airflow=answer,
        unavailable=problems,
        workloads=objects.get(Source.WORKLOADS, ()),
        pods=objects.get(Source.PODS, ()),
        jobs=objects.get(Source.JOBS, ()),
        events=objects.get(Source.EVENTS, ()),
        claims=objects.get(Source.CLAIMS, ()),
        manifests=manifests,
        autoscalers=objects.get(Source.AUTOSCALERS, ()),
        scaled_objects=objects.get(Source.SCALED_OBJECTS, ()),
    )
