"""An Argo CD Application read into the few facts that verification goes by.

Field names after `pkg/apis/application/v1alpha1/types.go` of Argo CD 3.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any

from generator.kube.fields import at, entries, section, text
from generator.kube.resource import Object
from generator.verify.snapshot import moment_at

_PRUNE_WAIT = "waiting for pruning confirmation of"
"""Argo CD says it in the operation's message (gitops-engine/pkg/sync/sync_context.go)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Revisions:
    """What was compared or synced: the commits of the git sources, the version of the chart."""

    git: tuple[str, ...] = ()
    chart: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """The last or running operation; `results` are its `syncResult.resources`."""

    phase: str
    message: str
    started_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    revisions: Revisions
    results: tuple[Mapping[str, Any], ...]
    is_dry_run: bool

    @property
    def is_running(self) -> bool:
        """Running, about to be retried, or being ended."""
        return self.phase in ("Running", "Terminating")

    @property
    def identity(self) -> str:
        """What tells this operation from the next one."""
        return self.started_at.isoformat() if self.started_at else ""

    @property
    def awaits_prune(self) -> str:
        """The object that waits for somebody to confirm its deletion, or nothing."""
        found = self.message.partition(_PRUNE_WAIT)
        return found[2].strip() if self.phase == "Running" and found[1] else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Application:
    """One Application as Argo CD left it."""

    manifest: Object
    sync_status: str
    revisions: Revisions
    compares_present_spec: bool
    is_automated: bool
    is_deleting: bool
    is_requested: bool
    reconciled_at: datetime.datetime | None
    operation: Operation | None
    errors: tuple[str, ...]


def read_application(manifest: Object, repository: str) -> Application:
    """The facts of one Application; `repository` tells its git sources from others."""
    spec, sync = section(manifest, "spec"), section(manifest, "status", "sync")
    compared = section(sync, "comparedTo")
    return Application(
        manifest=manifest,
        sync_status=text(sync, "status"),
        revisions=read_revisions(sync, sources_of(compared) or sources_of(spec), repository),
        compares_present_spec=not compared or same_sources(compared, spec),
        is_automated=_is_automated(spec),
        is_deleting=bool(text(manifest, "metadata", "deletionTimestamp")),
        is_requested=bool(section(manifest, "operation")),
        reconciled_at=moment_at(manifest, "status", "reconciledAt"),
        operation=_operation(section(manifest, "status", "operationState"), spec, repository),
        errors=tuple(_errors(manifest)),
    )


def read_revisions(
    holder: Mapping[str, Any], sources: list[Mapping[str, Any]], repository: str
) -> Revisions:
    """`revisions` stand in the order of `sources`; a single source has `revision`.

    A chart's revision is its version. An OCI source without `chart` has a digest there, which is
    no version: then the version that was asked for counts.
    """
    listed = at(holder, "revisions")
    values = listed if isinstance(listed, list) and listed else [text(holder, "revision")]
    git: list[str] = []
    chart = ""
    for source, value in zip(sources, values, strict=False):
        if text(source, "repoURL").startswith("oci://"):
            chart = text(source, "targetRevision")
        elif text(source, "chart"):
            chart = str(value)
        elif value and (not repository or _same_repository(text(source, "repoURL"), repository)):
            git.append(str(value))
    return Revisions(tuple(dict.fromkeys(git)), chart)


def sources_of(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """`sources`, or the one `source` as a list."""
    several = entries(spec, "sources")
    single = section(spec, "source")
    return several or ([single] if single else [])


def same_sources(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two specs name the same sources, whatever empty fields they write out."""
    return [_pruned(item) for item in sources_of(one)] == [
        _pruned(item) for item in sources_of(other)
    ]


def same_version(one: str, other: str) -> bool:
    """Whether two chart versions are one: Helm takes `v1.22.0` for `1.22.0`."""
    return one.removeprefix("v") == other.removeprefix("v")


def _operation(
    state: Mapping[str, Any], spec: Mapping[str, Any], repository: str
) -> Operation | None:
    if not state:
        return None
    result = section(state, "syncResult")
    requested = section(state, "operation", "sync")
    holder = result or requested
    sources = sources_of(holder) or sources_of(spec)
    return Operation(
        phase=text(state, "phase"),
        message=text(state, "message"),
        started_at=moment_at(state, "startedAt"),
        finished_at=moment_at(state, "finishedAt"),
        revisions=read_revisions(holder, sources, repository),
        results=tuple(entries(result, "resources")),
        is_dry_run=requested.get("dryRun") is True,
    )


def _is_automated(spec: Mapping[str, Any]) -> bool:
    """`automated: {}` switches it on; since Argo CD 3.1 `enabled: false` switches it off."""
    automated = at(spec, "syncPolicy", "automated")
    return isinstance(automated, Mapping) and automated.get("enabled") is not False


def _errors(manifest: Object) -> list[str]:
    return [
        f"{text(item, 'type')}: {text(item, 'message')}"
        for item in entries(manifest, "status", "conditions")
        if text(item, "type").endswith("Error")
    ]


def _same_repository(one: str, other: str) -> bool:
    return _plain_url(one) == _plain_url(other)


def _plain_url(url: str) -> str:
    return url.rstrip("/").removesuffix(".git").rstrip("/").lower()


def _pruned(value: Any) -> Any:
    """Without empty members: the API server drops them, people write them."""
    if isinstance(value, Mapping):
        kept = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, "", [], {}, False)}
    if isinstance(value, list | tuple):
        return [_pruned(item) for item in value]
    return value
