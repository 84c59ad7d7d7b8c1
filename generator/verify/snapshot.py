"""What the cluster showed at one moment, as plain data: never the contents of a Secret."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any

from generator.kube.fields import text
from generator.kube.resource import Key, Object, key_of


class Source(enum.StrEnum):
    """The parts of a snapshot, each read on its own and each able to be missing."""

    APPLICATION = "application"
    WORKLOADS = "workloads"
    PODS = "pods"
    JOBS = "jobs"
    EVENTS = "events"
    CLAIMS = "claims"
    MANIFESTS = "manifests"
    SECRETS = "secrets"
    AUTOSCALERS = "autoscalers"
    SCALED_OBJECTS = "scaled-objects"
    AIRFLOW = "airflow"
    KUSTOMIZATIONS = "kustomizations"


@dataclasses.dataclass(frozen=True, slots=True)
class SecretMeta:
    """When a Secret got its current contents, and the kind that reports it; nothing about them.

    Until the present ciphertext is unsealed, `changed_at` is when it was applied. With `at_latest`
    the contents are at most that new: a periodic refresh does not say whether it changed them.
    """

    name: str
    changed_at: datetime.datetime
    source: str = "Secret"
    is_unsealed: bool = True
    at_latest: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class AirflowAnswer:
    """What Airflow's health endpoint answered, and by which way it was asked.

    `problem` says why there is no document although somebody answered: the way exists, and
    may yet lead to Airflow.
    """

    way: str
    document: Mapping[str, Any]
    problem: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One moment. `unavailable` names what could not be read, with the reason in words.

    `application` is the Application, or the HelmRelease under Flux, with its `kustomizations`.
    `logs` holds the last lines of containers by (pod, container), for those that were asked for.
    """

    taken_at: datetime.datetime
    application: Object | None = None
    kustomizations: tuple[Object, ...] = ()
    workloads: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    jobs: tuple[Object, ...] = ()
    events: tuple[Object, ...] = ()
    claims: tuple[Object, ...] = ()
    manifests: tuple[Object, ...] = ()
    secrets: tuple[SecretMeta, ...] = ()
    autoscalers: tuple[Object, ...] = ()
    scaled_objects: tuple[Object, ...] = ()
    airflow: AirflowAnswer | None = None
    unavailable: Mapping[Source, str] = dataclasses.field(default_factory=dict)
    logs: Mapping[tuple[str, str], tuple[str, ...]] = dataclasses.field(default_factory=dict)

    def find(self, key: Key) -> Object | None:
        """The live object of that identity, among all that were read."""
        for manifest in (
            *self.workloads,
            *self.jobs,
            *self.claims,
            *self.manifests,
            *self.autoscalers,
            *self.scaled_objects,
        ):
            if key_of(manifest) == key:
                return manifest
        return None


def moment(value: str) -> datetime.datetime | None:
    """The time in an RFC 3339 text, or None; the API writes whole seconds in UTC."""
    try:
        parsed = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)


def moment_at(manifest: object, *path: str) -> datetime.datetime | None:
    """The time at the path, or None."""
    return moment(text(manifest, *path))


def written(value: datetime.datetime) -> str:
    """A time as the API writes it."""
    return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
