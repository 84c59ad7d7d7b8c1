"""An OpenTelemetry collector of yours, as a definition names it."""

from __future__ import annotations

import urllib.parse
from typing import NamedTuple

HTTP_PORT = 4318
"""OTLP over HTTP, which is meant where no port is written."""
_GRPC_PORT = 4317


class Collector(NamedTuple):
    """Where OpenTelemetry data goes."""

    host: str
    port: int
    tls: bool

    @property
    def grpc(self) -> bool:
        """Whether the port is OTLP/gRPC's own."""
        return self.port == _GRPC_PORT

    def url(self, signal: str) -> str:
        """The variable's value: gRPC takes scheme and place alone, HTTP the signal's path too."""
        place = f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"
        return place if self.grpc else f"{place}/v1/{signal}"


def collector(endpoint: str) -> Collector:
    """`host:port`, `host` (port 4318) or `https://host:port` as its parts."""
    parts = urllib.parse.urlsplit(endpoint if "://" in endpoint else f"//{endpoint}")
    host = parts.hostname or ""
    return Collector(
        f"[{host}]" if ":" in host else host, parts.port or HTTP_PORT, parts.scheme == "https"
    )
