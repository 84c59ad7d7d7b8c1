"""What runs in a release and who talks to whom: the words in which every chart line answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

from generator.core.layered import lookup


class Names(Protocol):
    """What the chart calls the objects of one release in one namespace."""

    @property
    def full(self) -> str:
        """The prefix of the objects' names."""

    @property
    def postgresql(self) -> str:
        """Service and StatefulSet of the bundled PostgreSQL."""

    def of_part(self, component: str) -> str:
        """Deployment, StatefulSet or Service of a component."""

    def labels(self, component: str) -> dict[str, str]:
        """Labels that select a component's pods, and its Service."""


Ports = tuple[tuple[int, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """Traffic that must pass: from a component to a component, or to or from an outside peer.

    `source` and `destination` are component labels, or `peer:<name>` for something outside:
    dns, database, broker, git, bundles, logs, identity, secretsBackend, mail, otel, kubernetes,
    statsd, cloudIdentity (a cloud's token service), node (credentials that nodes offer), ingress,
    gateway, route, monitoring, keda, tasks (declared task egress).
    """

    source: str
    destination: str
    ports: Ports
    why: str
    unread: str = ""
    """What was not read where it decides whether the flow is needed; '' if it is."""
    secret: str = ""
    """The Secret of which every key is a variable, where that is what was not read."""
    variables: tuple[str, ...] = ()
    """The variables that would name the peer."""


@dataclasses.dataclass(frozen=True, slots=True)
class BackupJobs:
    """The jobs that make and prove backups: component labels, and what they need."""

    parts: tuple[str, ...]
    secret: str
    identity: str
    s3: bool
    """Whether backups are in a bucket."""
    keys: bool
    """Whether its keys are in the Secret; else the account's role counts."""
    annotations: Mapping[str, str]
    """Of the account."""


@dataclasses.dataclass(frozen=True, slots=True)
class Topology:
    """The parts of one release and the switches that decide its traffic."""

    names: Names
    airflow_3: bool
    executors: tuple[str, ...]
    parts: tuple[str, ...]
    values: Mapping[str, Any]
    older_names: frozenset[str] = frozenset()
    """Keys of `values` that the chart reads under an older name."""
    backup: BackupJobs | None = None
    entrances: tuple[str, ...] = ()
    """Fields of ways in that the definition declares and no value of the chart has to show."""

    @property
    def server(self) -> str:
        """Component label of the UI and API."""
        return "api-server" if self.airflow_3 else "webserver"

    @property
    def celery(self) -> bool:
        """Whether Celery workers run."""
        return "CeleryExecutor" in self.executors

    @property
    def kubernetes(self) -> bool:
        """Whether tasks run as pods of their own."""
        return "KubernetesExecutor" in self.executors

    @property
    def local(self) -> bool:
        """Whether tasks run inside the scheduler."""
        return "LocalExecutor" in self.executors

    def has(self, component: str) -> bool:
        """Whether pods with this component label exist."""
        return component in self.parts

    def on(self, key: str) -> bool:
        """Whether a switch in the values is on."""
        return lookup(self.values, key) is True
