"""One API server: credentials from a kubeconfig or the pod, requests, streams, errors in words."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from generator.cluster.errors import ClusterError, Trouble, from_status, unreachable

_CONNECT_TIMEOUT = 10.0
_READ_TIMEOUT = 30.0
_MAX_LINE = 16 * 1024 * 1024
"""Bytes: ten times what etcd stores as one object."""
_MAX_ANSWER = 256 * 1024 * 1024


class Connection:
    """Requests to one API server, by any number of threads.

    `load` makes a client of the official library with fresh credentials. It is called at the first
    request, and again after the server refused the credentials (a token that expired).
    """

    def __init__(self, load: Callable[[], Any], name: str) -> None:
        self.name = name
        self._load = load
        self._lock = threading.Lock()
        self._client: Any = None

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> tuple[int, bytes]:
        """Status and body of a good answer; raises ClusterError for everything else."""
        what = f"{method} {path} at {self.name}"
        response = self._send(method, path, query, body, content_type, accept, _READ_TIMEOUT)
        with _broken_is_unreachable(what):
            data = response.read(_MAX_ANSWER + 1)
            response.release_conn()
        if len(data) > _MAX_ANSWER:
            raise ClusterError(Trouble.SERVER, f"{what}: the answer is too large")
        if not 200 <= response.status < 300:
            self._refused(response, data, what)
        return response.status, data

    def server(self) -> str:
        """The URL that requests go to; raises ClusterError for a kubeconfig without it."""
        return str(self._ready().configuration.host)

    def json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """The JSON object of an answer."""
        _, data = self.request(method, path, **options)
        try:
            parsed = json.loads(data)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise ClusterError(Trouble.SERVER, f"{method} {path} at {self.name}: not a JSON object")
        return parsed

    def stream(self, path: str, *, query: Mapping[str, str], timeout: float) -> Stream:
        """The lines of a long answer; `timeout` is how long it may be silent."""
        what = f"GET {path} at {self.name}"
        response = self._send("GET", path, query, None, "", "application/json", timeout)
        if response.status >= 300:
            with _broken_is_unreachable(what):
                data = response.read(65_536)
            response.close()
            self._refused(response, data, what)
        return Stream(response, what)

    def close(self) -> None:
        """Let go of the pool; a later request opens a new one."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.rest_client.pool_manager.clear()

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: object,
        content_type: str,
        accept: str,
        timeout: float,
    ) -> Any:
        headers = {"Accept": accept, "User-Agent": "gen-env"}
        if body is not None:
            headers["Content-Type"] = content_type
        text = None if body is None else json.dumps(body)
        with _broken_is_unreachable(f"{method} {path} at {self.name}"):
            client = self._ready()
            headers |= _credentials(client.configuration)
            answer = client.rest_client.pool_manager.request(
                method,
                client.configuration.host + path + _query(query),
                headers=headers,
                body=text,
                preload_content=False,
                redirect=False,
                retries=False,
                timeout=_timeout(timeout),
            )
        return answer

    def _ready(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._load()
            return self._client

    def _refused(self, response: Any, data: bytes, what: str) -> None:
        if response.status == 401:
            self.close()
        asked = response.headers.get("Retry-After", "")
        raise from_status(
            response.status,
            _words(data),
            what,
            retry_after=float(asked) if asked.isdecimal() else None,
        )


class Stream:
    """The lines of one open answer; `close` ends it from any thread."""

    def __init__(self, response: Any, what: str) -> None:
        self._response = response
        self._what = what
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        """Every complete line. Raises ClusterError when the connection breaks or falls silent."""
        buffer = bytearray()
        for segment in self._segments():
            buffer += segment
            while (end := buffer.find(b"\n")) >= 0:
                yield bytes(buffer[:end])
                del buffer[: end + 1]
            if len(buffer) > _MAX_LINE:
                raise ClusterError(Trouble.SERVER, f"{self._what}: a line is too long")

    def _segments(self) -> Iterator[bytes]:
        try:
            with _broken_is_unreachable(self._what):
                yield from self._response.stream(amt=None, decode_content=False)
        except (AttributeError, ValueError):
            # What http.client makes of an answer that another thread closed while it was reading.
            if not self._closed:
                raise
            raise unreachable(self._what, "closed") from None

    def close(self) -> None:
        """End the answer; a thread that waits for its next line wakes up."""
        self._closed = True
        connection = getattr(self._response, "connection", None)
        sock = getattr(connection, "sock", None)
        if isinstance(sock, socket.socket):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._response.close()


def from_kubeconfig(path: str, context: str) -> Callable[[], Any]:
    """A loader for one context of a kubeconfig; an empty context is the current one."""

    def load() -> Any:
        from kubernetes import client, config
        from kubernetes.config.config_exception import ConfigException

        settings = client.Configuration()
        try:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=path,
                context=context or None,
                client_configuration=settings,
                persist_config=False,
            )
        except (ConfigException, OSError, TypeError, ValueError) as error:
            where = f"context {context or '(current)'} of {Path(path).name}"
            raise ClusterError(
                Trouble.UNREACHABLE,
                f"cannot use {where}: {_first(error)}",
                hint="`kubectl config get-contexts` lists the available contexts",
            ) from None
        return client.ApiClient(settings)

    return load


def from_pod() -> Any:
    """A client with the service account of the pod that we run in."""
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    settings = client.Configuration()
    try:
        config.load_incluster_config(settings)  # type: ignore[no-untyped-call]
    except ConfigException as error:
        raise ClusterError(Trouble.UNREACHABLE, f"not in a cluster: {error}") from None
    return client.ApiClient(settings)


@contextlib.contextmanager
def _broken_is_unreachable(what: str) -> Iterator[None]:
    import urllib3

    try:
        yield
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise unreachable(what, f"{type(error).__name__}: {error}") from None


def _credentials(settings: Any) -> dict[str, str]:
    """The headers that say who we are; asking for them renews a token that is about to expire."""
    return {
        str(item["key"]): str(item["value"])
        for item in settings.auth_settings().values()
        if item.get("in") == "header" and item.get("value")
    }


def _query(query: Mapping[str, str] | None) -> str:
    return "?" + urllib.parse.urlencode(query) if query else ""


def _first(error: Exception) -> str:
    """The first line of an error: what a credential plugin printed after it stays out."""
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


def _timeout(read: float) -> Any:
    import urllib3

    return urllib3.Timeout(connect=_CONNECT_TIMEOUT, read=read)


def _words(data: bytes) -> str:
    """The message of a `Status` object, or the beginning of whatever else was answered."""
    text = data[:4_096].decode("utf-8", "replace")
    with contextlib.suppress(ValueError):
        parsed = json.loads(data)
        if isinstance(parsed, dict) and parsed.get("message"):
            return str(parsed["message"])
    return text.strip()[:300]
