"""`doctor`: whether everything that the service needs is there, and what to do where it isn't."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from generator.cluster import Cluster, ClusterError
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Files
from generator.forge.credentials import App
from generator.forge.errors import Forbidden
from generator.forge.port import ForgePort
from generator.pipeline import drift, requirements, review, toolchain
from generator.pipeline.repository import SETTINGS
from generator.pipeline.requirements import Need, Rule, missing_rights
from service.check.mirror import branch_files, branch_head
from service.settings.forges import installation, opener
from service.settings.schema import Access, Connection, Settings, Verification
from service.telemetry import tracing
from service.worker import message

_ADMIN = (
    "make gen-env's account an administrator of the repository, so that it may read others' rights"
)
OpenPort = Callable[[Connection, str], ForgePort]
_TOKEN = "gen-env-service token create NAME --role viewer|operator"
_ISSUES = "switch issues on in the repository, and let the token read and write them"
_VIEW = "give the identity `get` on these kinds; the ClusterRole `view` has no Secrets"
_RENDERED = 20
"""Environments that are rendered to learn their kinds; those of one repository are much alike."""
_ROLE = "gen-env verify ENV --print-role gives the roles that are needed"


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; without a problem it is fine."""

    subject: str
    problem: str = ""
    hint: str = ""


def tried(subject: str, look: Callable[..., object], *about: Any) -> Finding:
    """Fine unless looking raises a UserError, which says what is wrong and what to do."""
    try:
        look(*about)
    except UserError as error:
        return Finding(subject, error.message, error.hint)
    except OSError as error:
        return Finding(subject, f"{error.filename or subject}: {error.strerror}")
    return Finding(subject)


def assess(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one finding after the other; nothing is changed but the data folder."""
    from service.cli.migrate import make_folder, prepare

    yield (folder := tried("data folder", make_folder, settings.data_dir))
    if folder.problem:
        return  # the database and git's mirrors are in it
    yield (database := tried("database", prepare, settings))
    yield tried("traces", tracing.require, os.environ)
    yield tried("notifications (nothing is sent)", message.require, settings.notifications)
    if not database.problem:
        yield _api(settings)
    for connection in settings.connections:
        yield _webhook(connection)
        for repository in connection.repositories:
            yield from _repository(settings, connection, repository)


def _api(settings: Settings) -> Finding:
    """Who can use the API; a token that has ended is named, for its user sees only a refusal."""
    from service.store import tables, tokens

    with tables.opened(settings.database_url.text()) as engine, engine.connect() as connection:
        found = [(row.name, tokens.refusal(row, time.time())) for row in tokens.listed(connection)]
    if settings.api_token is None and all(reason for _, reason in found):
        return Finding("API tokens", "none is valid: the API is off", _TOKEN)
    ended = [f"'{name}'" for name, reason in found if reason == "has expired"]
    return Finding("API tokens", hint=f"expired: {', '.join(ended)}" if ended else "")


def _webhook(connection: Connection) -> Finding:
    subject = f"{connection.name}: webhook secret"
    if connection.webhook_secrets:
        return Finding(subject)
    hint = (
        "generate one (openssl rand -hex 32), name it in webhookSecrets, and give the forge "
        f"/webhooks/{connection.name}"
    )
    return Finding(subject, "not set: deliveries are refused with 501", hint)


def _repository(settings: Settings, connection: Connection, repository: str) -> Iterator[Finding]:
    place, about = f"{connection.name}: {repository}", (connection, repository)
    open_port = opener()
    yield tried(f"{place}: API", lambda: open_port(*about).list_open_prs())
    if connection.credentials is not None:
        yield tried(f"{place}: rights of others", _others, open_port, *about)
    if connection.app is not None:
        yield tried(f"{place}: permissions of the App", _app, *about)
    yield (git := tried(f"{place}: git", branch_head, settings.data_dir, *about))
    if git.problem:
        return
    try:
        files = branch_files(settings.data_dir, *about)
        found = requirements.needs(files)
    except UserError as error:
        yield Finding(f"{place}: {SETTINGS}", error.message, error.hint)
        return
    charts = {(need.chart, need.digest or "") for need in found if need.chart}
    for version, digest in sorted(charts):
        yield tried(f"{place}: chart {version}", _chart, toolchain.charts(files), version, digest)
    if (known := connection.verification) is not None:
        yield from _rights(place, known, found)
        if known.drift_hour is not None:
            yield tried(f"{place}: issues", _issues, open_port, *about)
            yield from _drift(place, known, files, found)


def _others(open_port: OpenPort, connection: Connection, repository: str) -> None:
    """Whether the forge tells who may write: without that no comment command is obeyed.

    The owner stands for somebody else; the answer does not matter, only that there is one.
    """
    try:
        open_port(connection, repository).can_write(repository.partition("/")[0])
    except Forbidden as error:
        raise UserError(f"comment commands are refused: {error.message}", hint=_ADMIN) from None


def _issues(open_port: OpenPort, connection: Connection, repository: str) -> None:
    """Whether there are issues, one of which tells of drift; none has this marker."""
    try:
        open_port(connection, repository).close_issue("<!-- gen-env doctor -->")
    except UserError as error:
        raise UserError(
            f"drift is reported without an issue: {error.message}", hint=_ISSUES
        ) from None


def _app(connection: Connection, repository: str) -> None:
    app = connection.credentials
    assert isinstance(app, App)
    if missing := installation(connection, app, repository).missing():
        raise UserError(
            f"missing: {', '.join(missing)}",
            hint="change them in the App's settings; whoever installed it must then accept them",
        )


def _chart(source: toolchain.Charts, version: str, digest: str) -> None:
    """Whether a chart that an environment names is at hand, or can be fetched."""
    if source.meant(version, digest or None) is None:
        hint = "let the service reach the chart's source, or: gen-env chart add FILE"
        raise UserError(source.missing(version), hint=hint)


def _rights(place: str, known: Verification, found: tuple[Need, ...]) -> Iterator[Finding]:
    """Whether we may read what verification reads, by the clusters' own judgement."""
    for name, cluster in sorted(known.clusters.items()):
        of_cluster = [need for need in found if need.cluster == name]
        here = [rule for need in of_cluster for rule in need.here]
        there = [rule for need in of_cluster for rule in need.hub]
        hub = known.hub(name)
        rules = [*here, *there] if hub == cluster else here
        yield tried(f"{place}: cluster {name}", _may, cluster, rules)
        if hub != cluster:
            yield tried(f"{place}: Argo CD of {name}", _may, hub, there)


def _drift(
    place: str, known: Verification, files: Files, found: tuple[Need, ...]
) -> Iterator[Finding]:
    """Whether the nightly comparison may read what the environments render."""
    chosen = [need for need in found if need.cluster in known.clusters]
    tools = review.Toolchain(toolchain.charts(files), toolchain.lazy(files), 1)
    for need in chosen[:_RENDERED]:
        asks = functools.partial(drift.missing_rights, files, need.environment, tools)
        yield tried(
            f"{place}: drift of {need.environment}", _ask, known.clusters[need.cluster], asks, _VIEW
        )
    if (left := len(chosen) - _RENDERED) > 0:
        yield Finding(f"{place}: drift", hint=f"{counted(left, 'environment')} not looked at")


def _ask(place: Access, asks: Callable[[Cluster], list[str]], hint: str) -> None:
    with contextlib.closing(place.open()) as cluster:
        try:
            missing = asks(cluster)
        except ClusterError as error:
            why = error.hint or "check kubeconfig and network"
            raise UserError(error.message, hint=why) from None
    if missing:
        more = f"; and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise UserError(f"{'; '.join(missing[:10])}{more}", hint=hint)


def _may(place: Access, rules: list[Rule]) -> None:
    _ask(place, lambda cluster: missing_rights(cluster, rules), _ROLE)
    if not rules:
        raise UserError(
            "no environment of the default branch is in it", hint="check its name in gen-env.yaml"
        )
