"""What verification asks of a cluster: the part of `generator.cluster.Cluster` that it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from generator.cluster.connection import Stream
from generator.cluster.objects import Event, Listing
from generator.kube.resource_type import ResourceType


class ClusterPort(Protocol):
    """Lists, watches, logs and the way to a Service; every call may raise ClusterError."""

    @property
    def name(self) -> str:
        """How messages call this cluster."""

    def list(
        self, resource: ResourceType, namespace: str, *, selector: str = "", fields: str = ""
    ) -> Listing:
        """The collection at one version."""

    def watch(
        self,
        resource: ResourceType,
        namespace: str,
        *,
        version: str,
        selector: str = "",
        fields: str = "",
        seconds: float = 240.0,
        opened: Callable[[Stream], None] | None = None,
    ) -> Iterator[Event]:
        """Changes since that version."""

    def log_tail(
        self, namespace: str, pod: str, container: str, *, previous: bool, lines: int
    ) -> tuple[str, ...]:
        """The last lines of a log."""

    def service_get(self, namespace: str, service: str, port: str, path: str) -> bytes:
        """What a Service answers through the API server's proxy."""
