"""`doctor`: whether everything that the service needs is there, and what to do where it isn't."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from generator.cluster import Cluster, ClusterError
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import Files
from generator.forge.credentials import App
from generator.forge.errors import Forbidden
from generator.pipeline import drift, requirements, review, toolchain
from generator.pipeline.repository import SETTINGS
from generator.pipeline.requirements import Need, Rule, missing_rights
from service.settings.forges import installation, opener
from service.settings.schema import Access, Connection, Settings, Verification
from service.telemetry import tracing
from service.worker import message
from service.worker.remote import branch_files, branch_head

_ADMIN = (
    "make gen-env's account an administrator of the repository, so that it may read others' rights"
)


_TOKEN = "gen-env-service token create NAME --role viewer|operator"
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


def tried(subject: str, look: Callable[[], object]) -> Finding:
    """Fine unless looking raises a UserError, which says what is wrong and what to do."""
    try:
        look()
    except UserError as error:
        return Finding(subject, error.message, error.hint)
    except OSError as error:
        return Finding(subject, f"{error.filename or subject}: {error.strerror}")
    return Finding(subject)


def assess(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one finding after the other; nothing is changed but the data folder."""
    folder = tried("data folder", lambda: _writable(settings.data_dir))
    yield folder
    if folder.problem:
        return  # the database and git's mirrors are in it
    database = tried("database", lambda: _database(settings))
    yield database
    yield tried("traces", lambda: tracing.require(os.environ))
    yield tried("notifications (nothing is sent)", lambda: message.require(settings.notifications))
    if not database.problem:
        yield from _api(settings)
    for connection in settings.connections:
        yield _webhook(connection)
        for repository in connection.repositories:
            place = f"{connection.name}: {repository}"
            yield tried(f"{place}: API", functools.partial(_forge, connection, repository))
            if connection.credentials is not None:
                asks = functools.partial(_others, connection, repository)
                yield tried(f"{place}: rights of others", asks)
            if isinstance(connection.credentials, App):
                asks = functools.partial(_app, connection, connection.credentials, repository)
                yield tried(f"{place}: permissions of the App", asks)
            git = functools.partial(_git, settings, connection, repository)
            found = tried(f"{place}: git", git)
            yield found
            if not found.problem:
                yield from _contents(settings, connection, repository, place)


def _writable(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise UserError(f"cannot write to {folder}", hint="give it to the service's user")


def _database(settings: Settings) -> None:
    from service.cli.migrate import prepare

    prepare(settings)


def _api(settings: Settings) -> Iterator[Finding]:
    """Who can use the API; a token that has ended is named, for its user sees only a refusal."""
    from service.store import tables, tokens

    engine = tables.engine(settings.database_url.text())
    with engine.connect() as connection:
        found = [(row.name, tokens.refusal(row, time.time())) for row in tokens.listed(connection)]
    engine.dispose()
    if settings.api_token is None and not any(not reason for _, reason in found):
        yield Finding("API tokens", "none is valid: the API is off", _TOKEN)
        return
    ended = [f"'{name}'" for name, reason in found if reason == "has expired"]
    yield Finding("API tokens", hint=f"expired: {', '.join(ended)}" if ended else "")


def _webhook(connection: Connection) -> Finding:
    subject = f"{connection.name}: webhook secret"
    if connection.webhook_secrets:
        return Finding(subject)
    return Finding(
        subject,
        "not set: deliveries are refused with 501",
        f"generate one (openssl rand -hex 32), name it in webhookSecrets, and give the forge "
        f"/webhooks/{connection.name}",
    )


def _forge(connection: Connection, repository: str) -> None:
    opener()(connection, repository).list_open_prs()


def _others(connection: Connection, repository: str) -> None:
    """Whether the forge tells who may write: without that no comment command is obeyed.

    The owner stands for somebody else; the answer does not matter, only that there is one.
    """
    try:
        opener()(connection, repository).can_write(repository.partition("/")[0])
    except Forbidden as error:
        raise UserError(f"comment commands are refused: {error.message}", hint=_ADMIN) from None


def _app(connection: Connection, app: App, repository: str) -> None:
    if missing := installation(connection, app, repository).missing():
        raise UserError(
            f"missing: {', '.join(missing)}",
            hint="change them in the App's settings; whoever installed it must then accept them",
        )


def _git(settings: Settings, connection: Connection, repository: str) -> None:
    if branch_head(settings.data_dir, connection, repository) is None:
        raise UserError(f"branch '{connection.branch}' not found", hint="set branch")


def _contents(
    settings: Settings, connection: Connection, repository: str, place: str
) -> Iterator[Finding]:
    """What the environments of the default branch need."""
    try:
        files = branch_files(settings.data_dir, connection, repository)
        found = requirements.needs(files)
    except UserError as error:
        yield Finding(f"{place}: {SETTINGS}", error.message, error.hint)
        return
    yield from _charts(place, files, found)
    if connection.verification is not None:
        yield from _rights(place, connection.verification, found)
        if connection.verification.drift_hour is not None:
            yield from _drift(place, connection.verification, files, found)


def _charts(place: str, files: Files, found: tuple[Need, ...]) -> Iterator[Finding]:
    """Whether every chart that an environment names is at hand, or can be fetched."""
    source = toolchain.charts(files)
    for version, digest in sorted(
        {(need.chart, need.digest or "") for need in found if need.chart}
    ):

        def look(version: str = version, digest: str = digest) -> None:
            if source.meant(version, digest or None) is None:
                raise UserError(
                    source.missing(version),
                    hint="let the service reach the chart's source, or: gen-env chart add FILE",
                )

        yield tried(f"{place}: chart {version}", look)


def _rights(place: str, known: Verification, found: tuple[Need, ...]) -> Iterator[Finding]:
    """Whether we may read what verification reads, by the clusters' own judgement."""
    for name in sorted(known.clusters):
        of_cluster = [need for need in found if need.cluster == name]
        here = [rule for need in of_cluster for rule in need.here]
        there = [rule for need in of_cluster for rule in need.hub]
        hub = known.hub(name)
        same = hub == known.clusters[name]
        look = functools.partial(_may, known.clusters[name], [*here, *(there if same else ())])
        yield tried(f"{place}: cluster {name}", look)
        if not same:
            yield tried(f"{place}: Argo CD of {name}", functools.partial(_may, hub, there))


def _drift(
    place: str, known: Verification, files: Files, found: tuple[Need, ...]
) -> Iterator[Finding]:
    """Whether the nightly comparison may read what the environments render."""
    chosen = [need for need in found if need.cluster in known.clusters]
    tools = review.Toolchain(toolchain.charts(files), toolchain.lazy(files), 1)
    for need in chosen[:_RENDERED]:
        asks = functools.partial(drift.missing_rights, files, need.environment, tools)
        look = functools.partial(_ask, known.clusters[need.cluster], asks, _VIEW)
        yield tried(f"{place}: drift of {need.environment}", look)
    if (left := len(chosen) - _RENDERED) > 0:
        yield Finding(f"{place}: drift", hint=f"{counted(left, 'environment')} not looked at")


def _ask(place: Access, asks: Callable[[Cluster], list[str]], hint: str) -> None:
    with contextlib.closing(place.open()) as cluster:
        try:
            missing = asks(cluster)
        except ClusterError as error:
            raise UserError(
                error.message, hint=error.hint or "check kubeconfig and network"
            ) from None
    if missing:
        listed = "; ".join(missing[:10])
        more = f"; and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise UserError(f"{listed}{more}", hint=hint)


def _may(place: Access, rules: list[Rule]) -> None:
    _ask(place, lambda cluster: missing_rights(cluster, rules), _ROLE)
    if not rules:
        raise UserError(
            "no environment of the default branch is in it", hint="check its name in gen-env.yaml"
        )
