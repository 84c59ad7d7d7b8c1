"""What Flux applies: the HelmRelease of an environment with its chart's source, and Kustomizations.

Field names after fluxcd.io/flux/components: helm v2, kustomize v1, source v1. All objects are in
the namespace of Flux itself, where its GitRepository is: none refers to another namespace, so that
`--no-cross-namespace-refs` may be on, and the environment's namespace holds Airflow alone.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.engine.argocd import GENERATED
from generator.kube.resource import Object
from generator.manifests import rbac
from generator.manifests.metadata import FLUX_GUARD
from generator.model.adoption import HelmReleaseSettings
from generator.model.repository import Repository
from generator.release.release import Release
from generator.seal import sealed_secret

NOT_FOR_FLUX = Rule(
    "sync/not-for-flux",
    Severity.ERROR,
    "A setting that Flux does not have",
    "It would look as if it held, and nothing would follow it.",
    "Flux",
)

NOT_FOR_ARGOCD = Rule(
    "sync/not-for-argocd",
    Severity.ERROR,
    "A setting that only Flux has",
    "It would look as if it held, and nothing would follow it.",
    "Argo CD",
)

LONG_NAME = Rule(
    "sync/long-name",
    Severity.ERROR,
    "A name that Flux cannot put into a label",
    "The controller labels every object with the name of its Kustomization; nothing is applied.",
    "Flux",
)

PREREQUISITES = f"{GENERATED}/prerequisites"
"""What must be there before the release: namespace, policies, Secrets."""
RELEASE = f"{GENERATED}/release"
KUSTOMIZATION = "kustomization.yaml"
ROOTS = "bootstrap/flux"
VALUES_KEY = "values.yaml"
VALUES_FILE = f"{VALUES_KEY}=../{VALUES_KEY}"

_INTERVAL, _RETRY = "10m", "2m"
_PREREQUISITES_TIMEOUT = "5m"
_LONGEST = 63
_MARGIN = 300  # seconds beside the wait for migrations: images, the user's Job, a probe


def name_of_prerequisites(application: str) -> str:
    """The first Kustomization, on which that of the release depends."""
    return f"{application}-prerequisites"


def access(application: str, repository: Repository) -> tuple[rbac.Rule, ...]:
    """What `verify` reads of an environment's objects of Flux."""
    names = [application, name_of_prerequisites(application)]
    return rbac.flux_rules(repository.flux.namespace, application, names)


def cluster_file(release: Release) -> str:
    """The file with the Kustomizations of an environment, in the folder of its cluster's Flux."""
    settings = release.resolved.settings.repository
    folder = settings.flux.folder(release.environment.destination.cluster)
    return f"{folder}/{release.resolved.name}.yaml"


def in_cluster(
    release: Release, before: Collection[str], *, complete: bool
) -> list[dict[str, Any]]:
    """The Kustomizations of an environment: for the files `before`, if any, and for the release.

    Without automated sync, and while a secret is a stub (not `complete`), both are suspended.
    """
    spec = {} if _is_automated(release) and complete else {"suspend": True}
    release_spec: dict[str, Any] = {"healthChecks": _health_checks(release)}
    if not before:
        return [_kustomization(release, release.application, RELEASE, release_spec | spec)]
    first: dict[str, Any] = {"wait": True, "healthCheckExprs": [_SEALED]}
    release_spec["dependsOn"] = [{"name": name_of_prerequisites(release.application)}]
    return [
        _kustomization(
            release, name_of_prerequisites(release.application), PREREQUISITES, first | spec
        ),
        _kustomization(release, release.application, RELEASE, release_spec | spec),
    ]


def _is_automated(release: Release) -> bool:
    """Whether Flux applies the environment by itself; it did before an adoption."""
    automated = release.environment.sync.automated
    return automated is not False if _kept(release) else bool(automated)


def _kept(release: Release) -> HelmReleaseSettings | None:
    """The settings of an adopted HelmRelease that still hold."""
    adoption = release.environment.adoption
    return adoption.helm_release if adoption and "rest" not in adoption.steps else None


# The controller reports no Ready condition (fluxcd.io/flux/cheatsheets/cel-healthchecks).
_SYNCED = "status.conditions.filter(e, e.type == 'Synced').all(e, e.status == '{}')"
_SEALED = {
    "apiVersion": sealed_secret.API_VERSION,
    "kind": sealed_secret.KIND,
    "current": _SYNCED.format("True"),
    "failed": _SYNCED.format("False"),
}


def _kustomization(release: Release, name: str, place: str, more: dict[str, Any]) -> dict[str, Any]:
    settings = release.resolved.settings.repository
    folder = f"{settings.repository.prefix}{release.resolved.definition.folder}"
    timeout = _PREREQUISITES_TIMEOUT if place == PREREQUISITES else _seconds(2 * _wait(release))
    spec: dict[str, Any] = {
        "interval": _INTERVAL,
        "retryInterval": _RETRY,
        "timeout": timeout,
        "sourceRef": {"kind": "GitRepository", "name": settings.flux.source},
        "path": f"./{folder}/{place}",
        "prune": release.environment.sync.prune,
        **more,
    }
    if not _cleans_up(release):
        spec["deletionPolicy"] = "Orphan"
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": _metadata(release, name),
        "spec": spec,
    }


def _cleans_up(release: Release) -> bool:
    """Whether deleting the objects of Flux removes what they made: in development alone."""
    environment = release.environment
    return environment.metadata.tier == "development" and environment.adoption is None


def _metadata(release: Release, name: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": release.resolved.settings.repository.flux.namespace,
        "labels": {
            "app.kubernetes.io/managed-by": "gen-env",
            "gen-env.dev/environment": release.resolved.name.replace("/", "."),
            "gen-env.dev/tier": release.environment.metadata.tier,
        },
    }
    return metadata if _cleans_up(release) else {**metadata, "annotations": dict(FLUX_GUARD)}


def _health_checks(release: Release) -> list[dict[str, Any]]:
    """The HelmRelease, and the workloads, for which Helm itself does not wait."""
    settings = release.resolved.settings.repository
    own = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "name": release.application,
        "namespace": settings.flux.namespace,
    }
    workloads = [
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "name": name,
            "namespace": release.environment.namespace,
        }
        for kind, name in release.line.workloads(release.topology)
    ]
    return [own, *workloads]


def objects(release: Release) -> list[dict[str, Any]]:
    """What the second Kustomization applies for the chart: its source, and the HelmRelease."""
    chart = release.resolved.settings.repository.chart
    made = {"repository": _helm_repository, "oci": _oci_repository}.get(chart.source)
    return [*([made(release)] if made else []), _helm_release(release)]


def _helm_repository(release: Release) -> dict[str, Any]:
    url = release.resolved.settings.repository.chart.url
    return _source(release, "HelmRepository", {"interval": _INTERVAL, "url": url})


def _oci_repository(release: Release) -> dict[str, Any]:
    url = release.resolved.settings.repository.chart.url.rstrip("/")
    scheme = "" if url.startswith("oci://") else "oci://"
    spec = {
        "interval": _INTERVAL,
        "url": f"{scheme}{url}/airflow",
        "layerSelector": {
            "mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
            "operation": "copy",
        },
        "ref": {"tag": release.environment.chart.version},
    }
    return _source(release, "OCIRepository", spec)


def _source(release: Release, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": kind,
        "metadata": _metadata(release, release.application),
        "spec": spec,
    }


def _helm_release(release: Release) -> dict[str, Any]:
    environment, kept = release.environment, _kept(release)
    storage = environment.destination.storage_namespace or environment.namespace
    spec: dict[str, Any] = {
        "interval": _INTERVAL,
        "releaseName": environment.release,
        "targetNamespace": environment.namespace,
        "storageNamespace": storage,
        **_chart(release),
        "valuesFrom": [
            {"kind": "ConfigMap", "name": values_name(release), "valuesKey": VALUES_KEY}
        ],
        **(kept.spec if kept else _own_actions(release)),
    }
    metadata = _metadata(release, release.application)
    if kept:
        metadata["labels"] = {**kept.labels, **metadata["labels"]}
        metadata["annotations"] = {**kept.annotations, **metadata.get("annotations", {})}
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": metadata,
        "spec": spec,
    }


def _own_actions(release: Release) -> dict[str, Any]:
    """gen-env's own way of installing.

    A failed one is tried again as it is: Flux's remediation would uninstall, or roll back over a
    migration of the database.
    """
    action: dict[str, Any] = {
        "disableWait": True,
        "strategy": {"name": "RetryOnFailure", "retryInterval": _RETRY},
    }
    return {
        "timeout": _seconds(_wait(release)),
        "maxHistory": 10,
        "install": action,
        "upgrade": action,
        "driftDetection": {"mode": "enabled" if _heals(release) else "warn"},
    }


def _chart(release: Release) -> dict[str, Any]:
    settings = release.resolved.settings.repository
    if settings.chart.source == "oci":
        return {"chartRef": {"kind": "OCIRepository", "name": release.application}}
    spec = {
        "chart": "airflow",
        "version": release.environment.chart.version,
        "sourceRef": {"kind": "HelmRepository", "name": release.application},
    }
    if settings.chart.source == "vendored":
        spec = {
            "chart": f"./{settings.repository.prefix}{settings.chart.path}",
            # Not `Revision`: each commit would give the chart, so every pod, a new version label.
            "reconcileStrategy": "ChartVersion",
            "sourceRef": {"kind": "GitRepository", "name": settings.flux.source},
        }
    return {"chart": {"spec": spec}}


def _heals(release: Release) -> bool:
    sync = release.environment.sync
    return bool(sync.automated and sync.self_heal)


def _wait(release: Release) -> int:
    """How long one action of Helm may take: its hooks, of which the migration is the longest."""
    return release.environment.jobs.migrations_wait_timeout + _MARGIN


def _seconds(number: int) -> str:
    return f"{number}s"


def values_name(release: Release) -> str:
    """The ConfigMap with the values; other values give another name, so Helm runs at once."""
    text = json.dumps(release.values, sort_keys=True, default=str)
    return f"{release.application}-values-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def kustomizations(
    release: Release, before: Iterable[str], after: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """The kustomization.yaml files of an environment, by path.

    They name every file that is applied, the paths `before` and `after` from the top of the
    repository: a folder without one would be read with all that is in it.
    """
    folder = release.resolved.definition.folder
    found = {}
    first, second = f"{folder}/{PREREQUISITES}", f"{folder}/{RELEASE}"
    if before := sorted(before):
        found[f"{first}/{KUSTOMIZATION}"] = _kustomize(first, before)
    values = {
        "name": values_name(release),
        "namespace": release.resolved.settings.repository.flux.namespace,
        "files": [VALUES_FILE],
        "options": {"disableNameSuffixHash": True},
    }
    found[f"{second}/{KUSTOMIZATION}"] = {
        **_kustomize(second, sorted(after)),
        "configMapGenerator": [values],
    }
    return found


def _kustomize(folder: str, paths: Sequence[str]) -> dict[str, Any]:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [posixpath.relpath(path, folder) for path in paths],
    }


def roots(repository: Repository, clusters: Iterable[str]) -> dict[str, list[Object]]:
    """For `flux.root.own`: source and Kustomization of each cluster's folder, by path.

    A person applies them once; what they apply is never removed by them.
    """
    if repository.flux.root != "own":
        return {}
    return {f"{ROOTS}/{name}.yaml": _root(repository, name) for name in sorted(set(clusters))}


def _root(repository: Repository, cluster: str) -> list[Object]:
    flux, git = repository.flux, repository.repository
    metadata = {
        "namespace": flux.namespace,
        "labels": {"app.kubernetes.io/managed-by": "gen-env"},
    }
    secret = {"secretRef": {"name": flux.secret_name}} if flux.secret_name else {}
    return [
        {
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": flux.source, **metadata},
            "spec": {"interval": "1m", "url": git.url, "ref": {"branch": git.branch}, **secret},
        },
        {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": "airflow-environments", **metadata},
            "spec": {
                "interval": _INTERVAL,
                "sourceRef": {"kind": "GitRepository", "name": flux.source},
                "path": f"./{git.prefix}{flux.folder(cluster)}",
                "prune": False,
            },
        },
    ]


def problems(release: Release) -> tuple[Problem, ...]:
    """Settings of an environment that Flux cannot apply, such as those that only Argo CD has."""
    environment = release.environment
    found: list[Problem] = []
    if environment.engine != "flux":
        return tuple(_not_for_argocd(release))
    if environment.sync.windows:
        found.append(_not_for_flux(release, "sync windows", _WINDOWS, "sync", "windows"))
    if environment.destination.project is not None:
        found.append(_not_for_flux(release, "an AppProject", "remove it", "destination", "project"))
    if len(name_of_prerequisites(release.application)) > _LONGEST:
        message = (
            f"{name_of_prerequisites(release.application)} is longer than {_LONGEST} characters"
        )
        hint = "Flux labels objects with it; set a shorter destination.application"
        found.append(
            release.resolved.problem(LONG_NAME, message, "destination", "application", hint=hint)
        )
    if release.resolved.settings.repository.chart.source == "rendered":
        found.append(_not_for_flux(release, "charts rendered in git", _RENDERED, "engine"))
    if environment.adoption is not None and environment.adoption.application is not None:
        settings = "settings of an Application", "remove them"
        found.append(_not_for_flux(release, *settings, "adoption", "application"))
    return tuple(found)


_WINDOWS = "remove them; gen-env pause suspends an environment, and gen-env pause --resume ends it"
_RENDERED = "set chart.source in gen-env.yaml to repository, oci or vendored, or engine to argocd"


def _not_for_argocd(release: Release) -> Iterator[Problem]:
    adoption = release.environment.adoption
    for value, *path in (
        (release.environment.destination.storage_namespace, "destination", "storageNamespace"),
        (adoption and adoption.helm_release, "adoption", "helmRelease"),
    ):
        if value is not None:
            message = f"engine argocd does not know {'.'.join(path)}"
            yield release.resolved.problem(NOT_FOR_ARGOCD, message, *path, hint="remove it")


def _not_for_flux(release: Release, thing: str, hint: str, *path: str) -> Problem:
    message = f"engine flux does not know {thing}"
    return release.resolved.problem(NOT_FOR_FLUX, message, *path, hint=hint)
