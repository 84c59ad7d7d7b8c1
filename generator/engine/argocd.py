"""What Argo CD applies: the Application of an environment, projects, the root of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from generator import manifests
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.definition.definition import ROOT
from generator.definition.own_kinds import allowed_kinds
from generator.model.adoption import ApplicationSettings
from generator.model.environment import Environment
from generator.model.repository import Repository
from generator.model.sync import Window
from generator.release.chart_line import GroupKind
from generator.release.release import Release

UNMANAGED_WINDOWS = Rule(
    "sync/unmanaged-windows",
    Severity.ERROR,
    "Sync windows for an AppProject that gen-env does not manage",
    "Windows are part of the project; its owner must add them.",
    "Argo CD",
)

GENERATED = "generated"
CHART_FOLDER = "chart"
PROJECTS = "bootstrap/projects"
ROOT_INCLUDE = f"{{{ROOT}/*/{GENERATED}/application.yaml,{PROJECTS}/*.yaml}}"
"""What the root Application reads; `*` matches `/` too."""
_FINALIZER = "resources-finalizer.argocd.argoproj.io"
_GIT = "git"


def project_name(release: Release) -> str:
    """The AppProject's name, with team and environment filled in."""
    own = release.environment.destination.project
    if own is not None:
        return own
    pattern = release.resolved.settings.repository.argocd.project.name
    team = release.environment.team or release.environment.metadata.name
    name = pattern.replace("{team}", team)
    return name.replace("{environment}", release.resolved.name.replace("/", "-"))


def application(release: Release, *, complete: bool, folders: Sequence[str] = ()) -> dict[str, Any]:
    """The Application; `complete` is false while a secret is a stub, and nothing then syncs.

    `folders` are those of the environment that hold objects. Each is a source of its own, read
    without recursion: a list of files would prune what a later commit renames, for as long as the
    root has not brought the new list. One of them carries the values too (`ref`).
    """
    repository = release.resolved.settings.repository
    metadata: dict[str, Any] = {
        "name": release.application,
        "namespace": repository.argocd.namespace,
        "labels": {
            "app.kubernetes.io/managed-by": "gen-env",
            "gen-env.dev/environment": release.resolved.name.replace("/", "."),
            "gen-env.dev/tier": release.environment.metadata.tier,
        },
    }
    adoption = release.environment.adoption
    kept = _kept_settings(release.environment)
    if kept is not None:
        metadata["labels"] = {**kept.labels, **metadata["labels"]}
        if kept.annotations:
            metadata["annotations"] = dict(kept.annotations)
    if release.environment.metadata.tier == "development" and not adoption:
        # Deleting a development Application cleans up; from staging up it leaves all in place.
        metadata["finalizers"] = [_FINALIZER]
    if kept is not None and kept.finalizers:
        finalizers = kept_finalizers(kept.finalizers, release.environment.metadata.tier)
        metadata.update({"finalizers": finalizers} if finalizers else {})
    spec: dict[str, Any] = {
        "project": project_name(release),
        "destination": {
            "server": release.resolved.cluster.server,
            "namespace": release.environment.namespace,
        },
        "sources": _sources(release, repository, folders),
        **(_kept(kept, release, complete=complete) if kept else _own(release, complete=complete)),
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": metadata,
        "spec": spec,
    }


def kept_finalizers(finalizers: Iterable[str], tier: str) -> list[str]:
    """Those of an adopted Application that stay: from staging up none that deletes its objects."""
    return [name for name in finalizers if tier == "development" or not _deletes(name)]


def _deletes(finalizer: str) -> bool:
    return finalizer.partition("/")[0] == _FINALIZER


def _sources(
    release: Release, repository: Repository, folders: Sequence[str]
) -> list[dict[str, Any]]:
    prefix = repository.repository.prefix
    folder = f"{prefix}{release.resolved.definition.folder}"
    git = {
        "repoURL": repository.repository.url,
        "targetRevision": repository.repository.branch,
    }
    # Argo CD drops a `directory` without filter, and would then look for another tool to use.
    objects: list[dict[str, Any]] = [
        {**git, "path": f"{folder}/{place}", "directory": {"include": "*.yaml"}}
        for place in folders
    ]
    values = f"{folder}/{GENERATED}/values.yaml"
    helm = {"releaseName": release.environment.release, "valueFiles": [f"${_GIT}/{values}"]}
    source = repository.chart
    if source.source == "rendered":
        return objects
    if source.source == "vendored":
        chart = {
            **git,
            "path": f"{prefix}{source.path}",
            "helm": {**helm, "valueFiles": [f"/{values}"]},
        }
        return [chart, *objects]
    chart = {
        "repoURL": source.url.removeprefix("oci://"),
        "chart": "airflow",
        "targetRevision": release.environment.chart.version,
        "helm": helm,
    }
    first, *others = objects or [git]
    return [chart, {**first, "ref": _GIT}, *others]


def _own(release: Release, *, complete: bool) -> dict[str, Any]:
    """gen-env's own way of syncing."""
    return {"syncPolicy": _policy(release, complete=complete), "revisionHistoryLimit": 10}


def _kept(kept: ApplicationSettings, release: Release, *, complete: bool) -> dict[str, Any]:
    """The way of syncing that an adopted Application had before."""
    policy = dict(kept.sync_policy)
    if not complete or release.environment.sync.automated is False:
        policy.pop("automated", None)
    found = {
        "syncPolicy": policy,
        "ignoreDifferences": [dict(item) for item in kept.ignore_differences],
        "info": [dict(item) for item in kept.info],
        "revisionHistoryLimit": kept.revision_history_limit,
    }
    return {name: value for name, value in found.items() if value not in (None, {}, [])}


def _kept_settings(environment: Environment) -> ApplicationSettings | None:
    adoption = environment.adoption
    return adoption.application if adoption and "rest" not in adoption.steps else None


def is_automated(environment: Environment) -> bool:
    """Whether Argo CD syncs an environment by itself, once no secret is a stub."""
    kept = _kept_settings(environment)
    if kept is None:
        return bool(environment.sync.automated)
    return environment.sync.automated is not False and "automated" in kept.sync_policy


def _policy(release: Release, *, complete: bool) -> dict[str, Any]:
    sync = release.environment.sync
    policy: dict[str, Any] = {
        "retry": {
            "limit": sync.retry_limit,
            "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"},
        },
        "syncOptions": [
            "CreateNamespace=false",
            "FailOnSharedResource=true",
            "PruneLast=true",
            "ServerSideApply=true",
        ],
    }
    if sync.automated and complete:
        policy["automated"] = {"prune": sync.prune, "selfHeal": sync.self_heal}
    return policy


def windows_problem(release: Release) -> tuple[Problem, ...]:
    """Sync windows live in the AppProject: without managing it, its owner must add them."""
    windows = release.environment.sync.windows
    if not windows or release.resolved.settings.repository.argocd.project.manage:
        return ()
    from generator.yaml.writer import dump

    snippet = dump({"spec": {"syncWindows": [_window(release, item) for item in windows]}})
    return (
        release.resolved.problem(
            UNMANAGED_WINDOWS,
            f"sync.windows need the AppProject {project_name(release)}, which gen-env does not"
            " manage (argocd.project.manage)",
            "sync",
            "windows",
            hint="give its owner this, and remove sync.windows:\n" + snippet.rstrip(),
        ),
    )


def _window(release: Release, window: Window) -> dict[str, Any]:
    return {
        "kind": window.kind,
        "schedule": window.schedule,
        "duration": window.duration,
        "timeZone": window.time_zone,
        "manualSync": window.manual_sync,
        "applications": [release.application],
    }


def project(repository: Repository, name: str, releases: Sequence[Release]) -> dict[str, Any]:
    """One managed AppProject: only the sources, destinations and kinds that its releases use."""
    sources = {repository.repository.url}
    if repository.chart.source in ("repository", "oci"):
        sources.add(repository.chart.url.removeprefix("oci://"))
    destinations = sorted(
        {(item.resolved.cluster.server, item.environment.namespace) for item in releases}
    )
    wide, namespaced = _kinds(releases)
    spec: dict[str, Any] = {
        "description": "Apache Airflow environments, managed by gen-env",
        "sourceRepos": sorted(sources),
        "destinations": [
            {"server": server, "namespace": namespace} for server, namespace in destinations
        ],
        "clusterResourceWhitelist": _entries(wide),
        "namespaceResourceWhitelist": _entries(namespaced),
    }
    windows = [
        _window(item, window) for item in releases for window in item.environment.sync.windows
    ]
    if windows:
        spec["syncWindows"] = windows
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {
            "name": name,
            "namespace": repository.argocd.namespace,
            "labels": {"app.kubernetes.io/managed-by": "gen-env"},
        },
        "spec": spec,
    }


def _kinds(releases: Sequence[Release]) -> tuple[set[GroupKind], set[GroupKind]]:
    """Kinds without and with a namespace: gen-env's own, those of the releases' charts, and those
    that policy lets these environments bring."""
    wide: set[GroupKind] = set()
    namespaced: set[GroupKind] = set()
    own = {item["kind"] for release in releases for item in manifests.optional(release)}
    for kind in manifests.kinds():
        if kind.optional and kind.resource.kind not in own:
            continue
        known = namespaced if kind.resource.namespaced else wide
        known.add((kind.resource.group, kind.resource.kind))
    for release in releases:
        namespaced.update(release.line.kinds)
        if release.environment.rbac.multi_namespace:
            wide.update(release.line.cluster_kinds)
        store = release.environment.secrets.store
        if store is not None and store.kind == "SecretStore":
            namespaced.add(("external-secrets.io", store.kind))
        if release.environment.manifests:
            names = (kind.partition(".") for kind in allowed_kinds(release.resolved))
            namespaced.update((group, kind) for kind, _, group in names)
    return wide, namespaced


def _entries(kinds: set[GroupKind]) -> list[dict[str, str]]:
    """Entries of a whitelist; Argo CD denies every kind that a managed project does not list."""
    return [{"group": group, "kind": kind} for group, kind in sorted(kinds)]


def root(repository: Repository) -> dict[str, Any]:
    """The app of apps: it finds every Application by its path and never removes one by itself."""
    git = repository.repository
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": repository.argocd.root.name,
            "namespace": repository.argocd.namespace,
            "labels": {"app.kubernetes.io/managed-by": "gen-env"},
        },
        "spec": {
            "project": "default",
            "destination": {
                "server": "https://kubernetes.default.svc",
                "namespace": repository.argocd.namespace,
            },
            "source": {
                "repoURL": git.url,
                "targetRevision": git.branch,
                "path": git.prefix.rstrip("/") or ".",
                "directory": {"recurse": True, "include": ROOT_INCLUDE},
            },
            "syncPolicy": {
                "automated": {"prune": False, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true"],
            },
        },
    }
