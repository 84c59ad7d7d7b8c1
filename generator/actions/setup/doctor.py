"""`gen-env doctor` as steps: what gen-env works with here, each thing with a state and a remedy."""

from __future__ import annotations

import dataclasses
import enum
import functools
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from generator.actions.setup import doctor_machine
from generator.chart.cache import ChartCache
from generator.cluster import Cluster
from generator.core.counted import counted
from generator.core.errors import UserError
from generator.core.files import WorkTree
from generator.forge.port import ForgePort
from generator.git.worktree import Worktree
from generator.model import repository as model
from generator.tree import catalogue
from generator.tree.catalogue import Catalogue


class State(enum.StrEnum):
    """How one thing stands."""

    OK = "ok"
    WARNING = "warning"
    NOT_READ = "not looked at"


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, or why it was not, and what to do."""

    group: str
    subject: str
    state: State
    message: str = ""
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        """The documented shape."""
        return dataclasses.asdict(self)


Looked = tuple[State, str, str]
"""State, message, hint."""


Opener = Callable[[model.Forge, str | None, Mapping[str, str]], ForgePort]
"""Settings, remote and variables → the forge; raises UserError where it cannot be told."""


def assess(
    root: Path | None, opener: Opener, *, offline: bool, timeout: float
) -> tuple[Check, ...]:
    """Everything, in groups. What needs the network is asked for at once, each for `timeout`.

    Without a `root` there is no repository; `offline` asks nothing of other machines.
    """
    checks = [
        Check("machine", item.subject, State.OK if item.fits else State.WARNING, *item.words)
        for item in doctor_machine.looks(root)
    ]
    if root is None:
        checks.append(_charts(()))
        reason = "no gen-env.yaml here: run it in a repository, or create one: gen-env init PATH"
        return (*checks, *(Check(group, "", State.NOT_READ, reason) for group in _OF_A_REPOSITORY))
    found = catalogue.load(WorkTree(root))
    checks.append(_charts(_versions(found)))
    if found.settings is None:
        reason = "gen-env.yaml cannot be read: gen-env validate says why"
        return (*checks, *(Check(group, "", State.NOT_READ, reason) for group in _OF_A_REPOSITORY))
    checks.append(_engine(found))
    repository = found.settings.repository
    remote = [
        ("forge", "pull requests", functools.partial(_forge, root, repository.repository, opener))
    ]
    for name, cluster in repository.clusters.items():
        remote.append(("cluster", name, functools.partial(_cluster, cluster)))
    checks.append(_origin(root, repository.repository))
    return (*checks, *_remote(remote, offline=offline, timeout=timeout))


_OF_A_REPOSITORY = ("engine", "forge", "cluster")


def _versions(found: Catalogue) -> tuple[str, ...]:
    versions = {str(item.part("chart", "version") or "") for item in found.definitions.values()}
    return tuple(sorted(versions - {""}))


def _charts(wanted: Sequence[str]) -> Check:
    """The cache, and whether it holds the chart versions that definitions name."""
    cache = ChartCache.from_environment()
    try:
        have = cache.versions("airflow")
    except OSError as error:
        return Check("charts", str(cache.root), State.WARNING, f"cannot read: {error.strerror}")
    missing = [version for version in wanted if version not in have]
    text = f"{counted(len(have), 'version')}: {', '.join(have) or 'none'}"
    if missing:
        hint = f"gen-env chart pull {missing[0]}, or gen-env chart add FILE.tgz"
        return Check(
            "charts", str(cache.root), State.WARNING, f"lacks {', '.join(missing)}; {text}", hint
        )
    if not have:
        hint = "gen-env chart pull VERSION, or gen-env chart add FILE.tgz"
        return Check("charts", str(cache.root), State.WARNING, text, hint)
    return Check("charts", str(cache.root), State.OK, text)


def _engine(found: Catalogue) -> Check:
    assert found.settings is not None
    repository = found.settings.repository
    engines = sorted({engine for engine, _ in found.deployed.values()} or {repository.engine})
    names = " and ".join({"argocd": "Argo CD", "flux": "Flux"}[name] for name in engines)
    text = f"{names} for {counted(len(found.definitions), 'environment')}, by the definitions"
    return Check("engine", ", ".join(engines), State.OK, f"{text}; gen-env verify asks it")


def _origin(root: Path, settings: model.Forge) -> Check:
    """Whether the settings name the repository that this clone comes from."""
    try:
        origin = Worktree.find(root).remote_url()
    except UserError as error:
        return Check("forge", "origin", State.NOT_READ, error.message, error.hint)
    if origin is None:
        hint = f"git remote add origin {settings.url}"
        return Check("forge", "origin", State.WARNING, "no remote is called origin", hint)
    if _place(origin) != _place(settings.url):
        return Check(
            "forge",
            "origin",
            State.WARNING,
            f"origin is {origin}, but repository.url is {settings.url}",
            "set repository.url in gen-env.yaml to what Argo CD reads; a fork may differ",
        )
    return Check("forge", "origin", State.OK, origin)


def _place(url: str) -> str:
    """Host and path, the same for the ways in which an address is written."""
    rest = url.partition("://")[2] or url.replace(":", "/", 1)
    host, _, path = rest.rpartition("@")[2].partition("/")
    return f"{host.partition(':')[0]}/{path.strip('/').removesuffix('.git')}".lower()


def _forge(root: Path, settings: model.Forge, opener: Opener) -> Looked:
    try:
        remote = Worktree.find(root).remote_url()
        port = opener(settings, remote, os.environ)
    except UserError as error:
        return State.NOT_READ, error.message, error.hint
    try:
        pulls = port.list_open_prs()
    except UserError as error:
        return State.WARNING, error.message, error.hint
    text = f"{port.kind.value}: the token reads {counted(len(pulls), 'open pull request')}"
    return State.OK, f"{text}; its right to write is not tried", ""


# What of a cluster gen-env's objects need, where a definition asks for it.
_OPTIONAL = {
    "keda.sh": "KEDA",
    "monitoring.coreos.com": "Prometheus operator",
    "bitnami.com": "sealed-secrets",
    "gateway.networking.k8s.io": "Gateway API",
}


def _cluster(cluster: model.Cluster) -> Looked:
    """Whether its context answers, and whether the catalogue says what it serves."""
    if cluster.context is None:
        hint = "set its context in gen-env.yaml to a context of your kubeconfig"
        return State.NOT_READ, "the catalogue names no context", hint
    server = Cluster.connect(cluster.context)
    try:
        version = server.version()
        served = server.api_versions()
    except UserError as error:
        return State.WARNING, error.message, error.hint
    finally:
        server.close()
    groups = {item.partition("/")[0] for item in served}
    has = ", ".join(name for group, name in _OPTIONAL.items() if group in groups) or "none"
    absent = [item for item in cluster.api_versions if "/".join(item.split("/")[:2]) not in served]
    wrong = [f"does not serve {', '.join(absent)}"] if absent else []
    minor = ".".join(cluster.kubernetes_version.removeprefix("v").split(".")[:2])
    if not version.removeprefix("v").startswith(f"{minor}."):
        wrong.append(f"the catalogue says Kubernetes {cluster.kubernetes_version}")
    text = f"Kubernetes {version}; of {', '.join(_OPTIONAL.values())} it has: {has}"
    if wrong:
        hint = f"gen-env cluster inspect {cluster.context} prints the entry for gen-env.yaml"
        return State.WARNING, f"{'; '.join(wrong)}; {text}", hint
    return State.OK, text, ""


def _remote(
    looks: Sequence[tuple[str, str, Callable[[], Looked]]], *, offline: bool, timeout: float
) -> Iterator[Check]:
    """Each in a thread of its own, which is left behind when it takes longer than `timeout`."""
    if offline:
        for group, subject, _ in looks:
            yield Check(group, subject, State.NOT_READ, "offline")
        return
    results: dict[int, Looked] = {}

    def look(number: int, check: Callable[[], Looked]) -> None:
        try:
            results[number] = check()
        except UserError as error:
            results[number] = (State.WARNING, error.message, error.hint)
        except Exception as error:  # one look that breaks must not take the others with it
            results[number] = (State.WARNING, f"{type(error).__name__}", "")

    threads = [
        threading.Thread(target=look, args=(number, check), daemon=True)
        for number, (_, _, check) in enumerate(looks)
    ]
    for thread in threads:
        thread.start()
    for number, (group, subject, _) in enumerate(looks):
        threads[number].join(timeout)
        state, message, hint = results.get(
            number,
            (
                State.NOT_READ,
                f"no answer within {timeout:g} s",
                "check network and proxy, or give it longer: --timeout",
            ),
        )
        yield Check(group, subject, state, message, hint)
