"""A collection kept up to date by list and watch, through whatever the API server does."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from generator.cluster.connection import Stream
from generator.cluster.errors import ClusterError, Trouble
from generator.cluster.objects import Listing
from generator.kube.fields import name_of, text
from generator.kube.resource import Object
from generator.verify.snapshot import Source
from generator.verify.subscriptions import Subscription

_FIRST_DELAY = 0.5
_LONGEST_DELAY = 30.0
_LONGEST_WISH = 120.0
_RARELY = 10.0
"""Seconds at least between tries where only a person can help: a right is missing."""
_WATCH_SECONDS = 120.0
_MAX_EVENTS = 300

Pause = Callable[[float], object]


class Reflector:
    """One subscription in one thread. What cannot be read is told as a problem, never guessed."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        changed: threading.Event,
        stop: threading.Event,
        pause: Pause | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.subscription = subscription
        self._changed = changed
        self._stop = stop
        self._pause = pause or stop.wait
        self._chance = chance
        self._lock = threading.Lock()
        self._objects: dict[tuple[str, str], Object] = {}
        self._problem = "not read yet"
        self._version = ""
        self._failures = 0
        self._stream: Stream | None = None

    def read(self) -> tuple[tuple[Object, ...], str]:
        """The objects as last seen, and why they may not be believed (nothing if they may)."""
        with self._lock:
            return tuple(self._objects[key] for key in sorted(self._objects)), self._problem

    def read_anew(self) -> tuple[tuple[Object, ...], str]:
        """The objects as they are now, straight from the server; the watch is left alone."""
        try:
            return self._listed().items, ""
        except ClusterError as error:
            return (), _words(error)

    def run(self) -> None:
        """Keep up until told to stop; any end of it makes the source unavailable."""
        try:
            while not self._stop.is_set():
                self._round()
        except Exception as error:
            self._fail(f"reading stopped: {type(error).__name__}")
            raise
        finally:
            self._fail("reading stopped")

    def close(self) -> None:
        """Wake the thread that waits for the next line of its watch."""
        with self._lock:
            stream = self._stream
        if stream is not None:
            stream.close()

    def _round(self) -> None:
        try:
            self._list()
            while not self._stop.is_set():
                self._follow()
        except ClusterError as error:
            if self._stop.is_set():
                return
            self._failures += 1
            if error.trouble is not Trouble.GONE:
                self._fail(_words(error))
            self._pause(self._delay(error))

    def _listed(self) -> Listing:
        wanted = self.subscription
        return wanted.cluster.list(
            wanted.resource, wanted.namespace, selector=wanted.selector, fields=wanted.fields
        )

    def _list(self) -> None:
        listing = self._listed()
        with self._lock:
            self._objects = {_key(item): item for item in listing.items}
            self._version = listing.version
            self._bound()
            self._problem = ""
        self._changed.set()

    def _follow(self) -> None:
        """One watch, to its orderly end; after that the next one goes on from its version."""
        wanted = self.subscription
        events = wanted.cluster.watch(
            wanted.resource,
            wanted.namespace,
            version=self._version,
            selector=wanted.selector,
            fields=wanted.fields,
            seconds=_WATCH_SECONDS,
            opened=self._opened,
        )
        for event in events:
            with self._lock:
                self._version = event.version or self._version
                if event.type == "DELETED":
                    self._objects.pop(_key(event.object), None)
                elif event.type in ("ADDED", "MODIFIED"):
                    self._objects[_key(event.object)] = event.object
                self._bound()
            if event.type != "BOOKMARK":
                self._changed.set()
        self._failures = 0

    def _opened(self, stream: Stream) -> None:
        with self._lock:
            self._stream = stream
        if self._stop.is_set():
            stream.close()

    def _fail(self, words: str) -> None:
        with self._lock:
            self._problem = words
        self._changed.set()

    def _delay(self, error: ClusterError) -> float:
        """Twice as long after each failure, with jitter, and no less than the server asked for."""
        delay = min(_FIRST_DELAY * 2.0 ** min(self._failures - 1, 10), _LONGEST_DELAY)
        if error.trouble in (Trouble.FORBIDDEN, Trouble.NOT_FOUND):
            delay = max(delay, _RARELY)
        options = min(error.retry_after or 0.0, _LONGEST_WISH)
        return max(delay * (0.5 + self._chance() / 2), options + self._chance())

    def _bound(self) -> None:
        """Only the newest events are kept; everything else is bounded by the list."""
        surplus = len(self._objects) - _MAX_EVENTS
        if self.subscription.source is Source.EVENTS and surplus > 0:
            for key in sorted(self._objects, key=self._age)[:surplus]:
                del self._objects[key]

    def _age(self, key: tuple[str, str]) -> tuple[str, tuple[str, str]]:
        event = self._objects[key]
        return (text(event, "lastTimestamp") or text(event, "metadata", "creationTimestamp"), key)


def _key(manifest: Object) -> tuple[str, str]:
    return text(manifest, "metadata", "namespace"), name_of(manifest)


def _words(error: ClusterError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
