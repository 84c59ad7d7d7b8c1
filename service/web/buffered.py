"""A gunicorn worker in which one loop reads all requests, and threads only get whole ones.

gunicorn's own threads read from the client themselves: as many slow clients as there are threads
keep everybody out, probes included. waitress reads beside the threads; this adds a deadline for
each request, because a client that sends a byte now and then is never idle.
"""

from __future__ import annotations

import os
import time
from typing import Any

from gunicorn.workers.base import Worker
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

READ_SECONDS = 15
"""How long a client may take to send one request."""
CONNECTIONS = 1000
"""Connections of one process; further ones wait until the kernel's queue is full."""
_IDLE_SECONDS = 5
_HEADER_BYTES = 32 * 1024


class _Request(HTTPRequestParser):  # type: ignore[misc]
    """A request that knows when its first byte came."""

    def __init__(self, adj: Adjustments) -> None:
        super().__init__(adj)
        self.began = time.time()


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class = _Request


class _Server(TcpWSGIServer):  # type: ignore[misc]
    channel_class = _Channel

    def maintenance(self, now: float) -> None:
        """Close what is idle, and what takes too long to send its request."""
        super().maintenance(now)
        for channel in self.active_channels.values():
            begun = channel.request
            if begun is not None and begun.began < now - READ_SECONDS:
                channel.will_close = True


class BufferedWorker(Worker):  # type: ignore[misc]
    """Serves the application on gunicorn's socket until told to stop."""

    def run(self) -> None:
        """Answer until SIGTERM; then take nothing new, and end what has begun."""
        threads = ThreadedTaskDispatcher()
        threads.set_thread_count(self.cfg.threads)
        places: dict[int, Any] = {}
        server = self._server(threads, places)
        while self.alive:
            self._turn(places)
        # The listening socket alone: threads wake the loop through the server until they are done.
        wasyncore.dispatcher.close(server)
        end = time.monotonic() + self.cfg.graceful_timeout
        # What has arrived is answered.
        while time.monotonic() < end and any(
            isinstance(place, _Channel) and (place.requests or place.total_outbufs_len)
            for place in places.values()
        ):
            self._turn(places)
        threads.shutdown(timeout=1)

    def _server(self, threads: ThreadedTaskDispatcher, places: dict[int, Any]) -> _Server:
        [listener] = self.sockets
        adjustments = Adjustments(
            sockets=[listener.sock],
            channel_timeout=_IDLE_SECONDS,
            cleanup_interval=1,
            connection_limit=CONNECTIONS,
            max_request_header_size=_HEADER_BYTES,
            # Refused while it is read: what is larger is never kept, in memory or on disk.
            max_request_body_size=self.wsgi.config["MAX_CONTENT_LENGTH"],
            # The access rules look at these headers: who came through a proxy is not on this host.
            clear_untrusted_proxy_headers=False,
            ident=None,
        )
        place = (listener.sock.family, None, None, listener.sock.getsockname())
        return _Server(
            self.wsgi, places, True, listener.sock,
            dispatcher=threads, adj=adjustments, bind_socket=False, sockinfo=place,
        )  # fmt: skip

    def _turn(self, places: dict[int, Any]) -> None:
        self.notify()
        wasyncore.poll2(1.0, places)
        if self.ppid != os.getppid():
            self.alive = False
