"""`gen-env upgrade --dags bundles`: what git-sync fetches becomes a DAG bundle of Airflow 3."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from generator.actions.upgrades.change import Change
from generator.airflow.image_release import Runs
from generator.core.errors import UserError
from generator.core.layered import lookup
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.definition import Definition
from generator.diff import what_runs
from generator.model.dags import GitSync
from generator.model.environment import Environment
from generator.pipeline.generate import Built
from generator.release.git_connection import KNOWN_HOSTS, NAME_SUFFIX, uses_ssh
from generator.release.release import Release
from generator.yaml import edit
from generator.yaml.errors import YamlError

CANNOT_CONVERT = Rule(
    "dags/cannot-convert",
    Severity.ERROR,
    "git-sync that cannot become a DAG bundle",
    "No DAG would be found afterwards.",
    command="upgrade",
)

_BUNDLE = "dags"
_PROVIDER = "git"
_READS_KNOWN_HOSTS = (0, 3)
"""The first provider whose connections name a file of known hosts (its wheels were compared)."""
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_NO_COUNTERPART = ("depth", "maxFailures", "resources")


def change(before: Built | None, item: Definition) -> Change:
    """The definition with a bundle in the place of git-sync; unchanged where that cannot be.

    Raises UserError where the DAGs do not come from git-sync.
    """
    moves = ("DAGs: gitSync → bundles",)
    release = before.release if before else None
    if release is None:
        return Change(item.document.text, moves)
    sync = release.environment.dags.git_sync
    if sync is None:
        raise UserError(
            f"the DAGs of {item.name} do not come from git-sync",
            path=item.path,
            hint="--dags bundles converts dags.gitSync alone",
        )
    runs = what_runs.by_values(release.values, release.environment.image.facts)
    if refused := tuple(_refused(release, runs)):
        return Change(item.document.text, moves, problems=refused)
    secret = _secret(release, sync)
    text = _edited(item, _bundle(sync, secret), _mounts(release, sync))
    return Change(
        text,
        moves,
        (*_notes(release, item, sync, runs), *_not_read(runs)),
        tuple(_steps(release, item.name, sync, secret)),
    )


def network(before: Built | None, after: Built | None) -> Iterator[str]:
    """Which components reach the git server, and whether others than before."""
    if before is None or after is None or before.release is None or after.release is None:
        return
    old, new = (_reaching(built.release) for built in (before, after) if built.release)
    same = "as before" if old == new else f"before: {', '.join(old)}"
    yield (
        f"the git server is reached by {', '.join(new)} ({same}), now by Airflow's own container:"
        " proxies and authorities that were set for git-sync do not reach it"
    )


def _reaching(release: Release) -> list[str]:
    flows = release.line.flows(release.topology)
    return sorted({flow.source for flow in flows if flow.destination == "peer:git"})


def _refused(release: Release, runs: Runs) -> Iterator[Problem]:
    environment, resolved = release.environment, release.resolved
    if not environment.airflow_3:
        yield resolved.problem(
            CANNOT_CONVERT,
            f"Airflow {environment.airflow.version} does not know DAG bundles",
            *("airflow", "version"),
            hint=f"first Airflow 3: gen-env upgrade {resolved.name} --airflow VERSION",
        )
    if runs.providers is not None and _PROVIDER not in runs.providers:
        yield resolved.problem(
            CANNOT_CONVERT,
            f"the image does not have the provider {_PROVIDER}: image.facts do not name it",
            *("image", "facts", "providers"),
            hint="install apache-airflow-providers-git and the git program, then run "
            f"gen-env image inspect {resolved.name}",
        )


def _secret(release: Release, sync: GitSync) -> str | None:
    """A name for the Secret of the connection that none of the present ones has."""
    if sync.public and not uses_ssh(sync.repository):
        return None
    taken = {need.name for need in release.needs}
    name = f"{release.environment.release}{NAME_SUFFIX}"
    while name in taken:
        name += "-1"
    return name


def _bundle(sync: GitSync, secret: str | None) -> dict[str, Any]:
    bundle: dict[str, Any] = {
        "name": _BUNDLE,
        "type": "git",
        "repository": sync.repository,
        "ref": sync.ref,
        "refreshInterval": _seconds(sync.period),
    }
    if sync.sub_path:
        bundle["subPath"] = sync.sub_path
    if secret is not None:
        bundle["secretName"] = secret
    return bundle


def _seconds(period: str) -> int:
    """A duration in whole seconds, at least one."""
    parts = re.findall(r"([0-9.]+)(ms|s|m|h)", period)
    return max(1, math.ceil(sum(float(number) * _UNITS[unit] for number, unit in parts)))


def _mounts(release: Release, sync: GitSync) -> dict[str, Any]:
    """Chart values that give every Airflow container git-sync's known hosts as a file."""
    if not sync.known_hosts or not uses_ssh(sync.repository):
        return {}
    name = f"{release.environment.release}-git-known-hosts"
    folder, _, file = KNOWN_HOSTS.rpartition("/")
    lines = "".join(f"  {line}\n" for line in sync.known_hosts.splitlines())
    data = f"{file}: |\n{lines}"
    return {
        "extraConfigMaps": {name: {"useHelmHooks": False, "data": data}},
        "volumes": [{"name": "git-known-hosts", "configMap": {"name": name}}],
        "volumeMounts": [{"name": "git-known-hosts", "mountPath": folder, "readOnly": True}],
    }


def _edited(item: Definition, bundle: Mapping[str, Any], mounts: Mapping[str, Any]) -> str:
    text, file = item.document.text, item.path
    try:
        text = edit.set_value(text, ("dags", "bundles"), [bundle], file=file)
        text = edit.remove(text, ("dags", "gitSync"), file=file)
    except YamlError:  # As where the one value of `dags` is written in a form with no room.
        text = edit.set_value(item.document.text, ("dags",), {"bundles": [bundle]}, file=file)
    for key, value in mounts.items():
        present = item.part("values", key)
        if isinstance(value, list):
            value = [*(present or ()), *value]
            text = edit.set_value(text, ("values", key), value, file=file)
            continue
        for name, content in value.items():
            text = edit.set_value(text, ("values", key, name), content, file=file)
    return text


def _notes(release: Release, item: Definition, sync: GitSync, runs: Runs) -> Iterator[str]:
    environment = release.environment
    if item.part("dags", "gitSync") is None:
        yield "dags.gitSync comes from the defaults in gen-env.yaml; the bundle replaces it here"
    yield from _start(environment)
    yield (
        "each pod keeps a clone with the whole history in its own file system; the git-sync"
        " containers and the volume that they filled are gone"
    )
    yield (
        "a run keeps the version of the DAGs that it began with; git-sync exchanged the files"
        " under running tasks"
    )
    yield (
        f"the DAGs move from Airflow's own bundle to bundle {_BUNDLE}: a task that was queued"
        " before cannot start where only the new bundle is configured"
    )
    if re.fullmatch(r"[0-9a-f]{7,64}", sync.ref):
        yield (
            "another commit in dags.bundles[].ref changes airflow.cfg, and every component that"
            " reads it restarts, as with git-sync; a branch is followed without restarts"
        )
    lost = [name for name in _NO_COUNTERPART if item.part("dags", "gitSync", name) is not None]
    if lost:
        yield f"no counterpart in a bundle: {', '.join(f'dags.gitSync.{name}' for name in lost)}"
    yield "git submodules are not fetched: git-sync fetched them"
    if environment.security.read_only_root_filesystem:
        yield (
            "the root file system is read-only: the bundle needs a writable folder"
            " (dag_processor.dag_bundle_storage_path; by default below the temporary folder)"
        )
    yield from _known_hosts(sync, runs)
    yield from _left_over(environment)


def _start(environment: Environment) -> Iterator[str]:
    each = "each task pod" if environment.runs("KubernetesExecutor") else "each worker"
    yield (
        f"cold start: the DAG processor and {each} clone the repository before they read the"
        " first DAG"
    )


def _known_hosts(sync: GitSync, runs: Runs) -> Iterator[str]:
    if not uses_ssh(sync.repository):
        return
    if not sync.known_hosts:
        yield (
            "the git server's identity is not checked, as before: dags.gitSync.knownHosts is not"
            " set, and the connection names no known hosts"
        )
        return
    yield (
        f"dags.gitSync.knownHosts becomes the file {KNOWN_HOSTS} (values.extraConfigMaps,"
        " values.volumes, values.volumeMounts); the connection must name it"
    )
    version = (runs.providers or {}).get(_PROVIDER)
    numbers = [int(part) for part in re.findall(r"[0-9]+", version)[:2]] if version else None
    if numbers is not None and tuple(numbers) < _READS_KNOWN_HOSTS:
        yield f"provider git {version} does not read known_hosts_file: it needs 0.3.0 or later"


def _left_over(environment: Environment) -> Iterator[str]:
    for key in ("dags.gitSync", "images.gitSync", "dags.persistence"):
        if lookup(environment.values, key) is not None:
            yield f"values.{key} is left from the old source of DAGs: remove it"


def _not_read(runs: Runs) -> Iterator[str]:
    if runs.providers is None:
        yield (
            "not read: whether the image has the provider git (gen-env image inspect writes"
            " image.facts)"
        )
    yield "not read: whether the image has the git program, and whether the connection works"


def _steps(release: Release, name: str, sync: GitSync, secret: str | None) -> Iterator[str]:
    old = _old_secret(release)
    if secret is not None:
        ssh = uses_ssh(sync.repository)
        how = "--ssh-key FILE" if ssh else "--user NAME"
        what = "the private key" if ssh else "user and token"
        yield (
            f"seal the connection from {what}: gen-env seal {name} {secret} {how} (what is sealed"
            f" in {old} cannot be copied: a sealed value holds for its Secret alone)"
        )
    yield "pause DAGs and wait until no task is queued or running"
    yield "review gen-env diff, merge, and let the engine sync"
    yield f"gen-env verify {name}; then look whether every DAG is parsed, and unpause"
    if secret is not None and old:
        yield f"remove Secret {old} where nothing else reads it"


def _old_secret(release: Release) -> str:
    keys = ("dags.gitSync.sshKeySecret", "dags.gitSync.credentialsSecret")
    names = (lookup(release.values, key) for key in keys)
    return next((str(name) for name in names if name), "")
