"""Which providers' chains of revisions an image's Airflow runs, by its options.

Airflow 3 runs the database manager of the auth manager and those of `[database]
external_db_managers`; from 3.2.0 on also those that installed providers name (`RunDBManager` of
`utils/db_manager.py`). A chain that does not run is neither migrated nor looked at when a pod
starts.
"""

from __future__ import annotations

import dataclasses

from generator.airflow import releases

FAB_AUTH = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
"""`[core] auth_manager` of every chart since 1.16.0, the first that renders Airflow 3."""
SIMPLE_AUTH = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
"""What Airflow 3 itself takes where nothing is set."""

_DISCOVERY = (3, 2)


@dataclasses.dataclass(frozen=True, slots=True)
class _Chain:
    """A provider's manager, what makes it run, and since when the provider names it.

    `named` is the provider's release whose `get_provider_info` has `db-managers`, `commands` the
    one with `cli`.
    """

    manager: str
    named: tuple[int, ...]
    commands: tuple[int, ...] = ()
    auth_manager: str = ""
    executor: str = ""
    """Starts the chain itself in the scheduler (`EdgeExecutor.start`), since `named`."""


_CHAINS = {
    "edge3": _Chain(
        "airflow.providers.edge3.models.db.EdgeDBManager", (3, 1), executor="EdgeExecutor"
    ),
    "fab": _Chain(
        "airflow.providers.fab.auth_manager.models.db.FABDBManager",
        (3, 4),
        (3, 2),
        auth_manager=FAB_AUTH,
    ),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """The options that decide; without others the chart's defaults.

    `unread` says where one of them may be set out of sight.
    """

    auth_manager: str = FAB_AUTH
    external: tuple[str, ...] = ()
    executors: tuple[str, ...] | None = ()
    """Short names; None if unknown."""
    unread: str = ""


CHART = Options()


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """Whether a chain runs; `why` not, and in `assumed` what was not read where that decides.

    `down` is the command for a downgrade, '' where there is none.
    """

    runs: bool
    down: str = ""
    why: str = ""
    assumed: str = ""


def answer(provider: str, version: str, airflow: str, options: Options) -> Answer:
    """Whether that provider's chain runs in an image; unknown options are assumed to run it."""
    chain = _CHAINS[provider]
    numbers, release = releases.parse(version) or (), releases.parse(airflow) or ()
    if release >= _DISCOVERY and numbers >= chain.named:
        return Answer(True, _down(provider, True, options))
    by_auth = bool(chain.auth_manager) and options.auth_manager == chain.auth_manager
    by_executor = chain.executor in (options.executors or ()) and numbers >= chain.named
    commands = by_auth or (release >= _DISCOVERY and numbers >= chain.commands)
    down = _down(provider, commands, options)
    unread = options.unread or _executor_unread(chain, options)
    if not unread and (by_auth or by_executor or chain.manager in options.external):
        return Answer(True, down)
    if unread:
        reason = (
            f"whether the chain of {provider} runs with Airflow {airflow} is not known "
            f"({unread}): assumed that it does"
        )
        return Answer(True, _down(provider, True, options), assumed=reason)
    return Answer(False, down, _why_not(chain, airflow, options))


def _executor_unread(chain: _Chain, options: Options) -> str:
    return "its executors cannot be read" if chain.executor and options.executors is None else ""


def _down(provider: str, commands: bool, options: Options) -> str:
    """Edge has no downgrade: `EdgeDBManager` does not implement it."""
    if provider != "fab":
        return ""
    if commands:
        return "airflow fab-db downgrade"
    manager = _CHAINS[provider].manager
    return f"airflow db-manager downgrade {manager}" if manager in options.external else ""


def _why_not(chain: _Chain, airflow: str, options: Options) -> str:
    setting = (
        f"[core] auth_manager is {options.auth_manager.rpartition('.')[2]}"
        if chain.auth_manager
        else f"no {chain.executor} starts it"
    )
    manager = chain.manager.rpartition(".")[2]
    return (
        f"it does not run with Airflow {airflow}, where {setting} and [database] "
        f"external_db_managers does not list {manager}"
    )
