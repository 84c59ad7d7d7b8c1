"""What is done with each field of an Application, an ApplicationSet and a HelmRelease.

A field that this table does not hold is not read, and is named; so is one of a later version of the
kind. Sources: Argo CD's `application.crd.yaml` (v1alpha1) and Flux' `helm.toolkit.fluxcd.io` (v2).
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Mapping
from typing import Any

from generator.core.basis import NotRead
from generator.core.layered import Path, dotted
from generator.yaml.reader import Document


class Use(enum.StrEnum):
    """What becomes of a field."""

    READ = "read"
    CARRIED = "carried over"
    """A setting of the Application itself; adoption writes it into the definition."""
    NO_EFFECT = "has no effect"
    """It changes neither the objects nor the Application."""
    LOST = "is lost"
    """It changes no object and has no counterpart; adoption names it."""
    UNREAD = "is not read"
    """It changes what the cluster is given, and only the engine itself knows how."""


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """A field that the table names, with the reason where it is not read or lost."""

    use: Use
    reason: str = ""


Table = Mapping[str, "Field | Table"]

_READ, _CARRIED, _NONE = Field(Use.READ), Field(Use.CARRIED), Field(Use.NO_EFFECT)


def _unread(reason: str) -> Field:
    return Field(Use.UNREAD, reason)


def _lost(reason: str) -> Field:
    return Field(Use.LOST, reason)


def _all(field: Field, *names: str) -> dict[str, Field | Table]:
    return dict.fromkeys(names, field)


_METADATA: Table = {
    **_all(_READ, "name", "namespace"),
    **_all(_CARRIED, "labels", "annotations", "finalizers"),
    **_all(_NONE, "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"),
    **_all(_NONE, "selfLink", "generateName"),
    "ownerReferences": _lost("another object owns it and may write it back"),
}

ARGOCD_HELM: Table = {
    **_all(_READ, "valueFiles", "values", "valuesObject", "parameters", "releaseName"),
    **_all(_READ, "namespace", "kubeVersion", "apiVersions"),
    **_all(_READ, "ignoreMissingValueFiles", "skipSchemaValidation"),
    **_all(_NONE, "version", "passCredentials", "skipCrds", "skipTests"),
    "fileParameters": _unread("Argo CD reads its files as values"),
}

ARGOCD_SOURCE: Table = {
    **_all(_READ, "repoURL", "chart", "path", "targetRevision", "ref", "name"),
    "helm": ARGOCD_HELM,
    "kustomize": _unread("Kustomize renders this source"),
    "directory": _unread("Argo CD reads this source as plain manifests"),
    "plugin": _unread("a config management plugin renders this source"),
}

_ARGOCD_SPEC: Table = {
    **_all(_READ, "project", "destination", "source", "sources"),
    **_all(_CARRIED, "syncPolicy", "ignoreDifferences", "info", "revisionHistoryLimit"),
    "sourceHydrator": _unread("the hydrator takes the manifests from another branch"),
}

APPLICATION: Table = {
    **_all(_READ, "apiVersion", "kind"),
    **_all(_NONE, "status", "operation"),
    "metadata": _METADATA,
    "spec": _ARGOCD_SPEC,
}

APPLICATION_SET: Table = {
    **_all(_READ, "apiVersion", "kind"),
    **_all(_NONE, "status", "metadata"),
    "spec": {
        "template": {"metadata": _METADATA, "spec": _ARGOCD_SPEC},
        # A template of a generator is named where the generators are read.
        **_all(_READ, "generators", "goTemplate", "goTemplateOptions"),
        **_all(_NONE, "syncPolicy", "strategy", "preservedFields", "applyNestedSelectors"),
        **_all(_NONE, "ignoreApplicationDifferences"),
        "templatePatch": _unread("it changes the Application after the template"),
    },
}

_FLUX_STEP: Table = {
    **_all(_NONE, "timeout", "retries", "remediation", "strategy", "crds", "createNamespace"),
    **_all(_NONE, "disableWait", "disableWaitForJobs", "disableTakeOwnership", "replace", "force"),
    **_all(_NONE, "skipCRDs", "cleanupOnFail", "serverSideApply"),
    "preserveValues": _unread("values of the release before it stay in force"),
    **_all(_READ, "disableSchemaValidation"),
    **_all(_NONE, "disableOpenAPIValidation"),
    "disableHooks": _unread("the chart's hooks are not run"),
}

_TESTS = _lost("Argo CD runs no tests of a chart")
_FLUX_CHART: Table = {
    **_all(_READ, "chart", "version", "sourceRef"),
    **_all(_NONE, "interval", "reconcileStrategy", "verify", "suspend", "accessFrom"),
    **_all(_NONE, "ignoreMissingValuesFiles"),
    "valuesFiles": _unread("files inside the chart replace its default values"),
    "valuesFile": _unread("a file inside the chart replaces its default values"),
}
FLUX_SOURCES: Mapping[str, Table] = {
    "HelmChart": _FLUX_CHART,
    "OCIRepository": {
        "url": _READ,
        "ref": _all(_READ, "tag", "semver", "semverFilter", "digest"),
        **_all(_NONE, "layerSelector", "provider", "secretRef", "verify", "serviceAccountName"),
        **_all(_NONE, "certSecretRef", "proxySecretRef", "interval", "timeout", "ignore"),
        **_all(_NONE, "insecure", "suspend"),
    },
}
"""`spec` of the sources that a HelmRelease names by `chartRef`."""

HELM_RELEASE: Table = {
    **_all(_READ, "apiVersion", "kind"),
    "status": _NONE,
    "metadata": {**_METADATA, **_all(_NONE, "labels", "annotations", "finalizers")},
    "spec": {
        **_all(_READ, "releaseName", "targetNamespace", "values", "valuesFrom", "chartRef"),
        "chart": {
            "metadata": _NONE,
            "spec": _FLUX_CHART,
        },
        "install": _FLUX_STEP,
        "upgrade": _FLUX_STEP,
        **_all(_NONE, "interval", "timeout", "maxHistory", "persistentClient"),
        **_all(_NONE, "rollback", "uninstall", "storageNamespace"),
        "test": {**_all(_NONE, "timeout", "ignoreFailures", "filters"), "enable": _TESTS},
        "driftDetection": _lost("Argo CD has syncPolicy.automated.selfHeal and ignoreDifferences"),
        "suspend": _lost("Argo CD syncs it, unless sync.automated is false"),
        **_all(_NONE, "waitStrategy", "healthCheckExprs", "healthChecks"),
        "serviceAccountName": _lost("Argo CD applies with its own service account"),
        "dependsOn": _lost("Argo CD orders Applications by sync waves"),
        "kubeConfig": _unread("it names another cluster by a Secret or a ConfigMap"),
        "postRenderers": _unread("Flux changes the rendered objects with them"),
        "commonMetadata": _unread("Flux adds these labels and annotations to every object"),
    },
}

BY_KIND: Mapping[str, Table] = {
    "Application": APPLICATION,
    "ApplicationSet": APPLICATION_SET,
    "HelmRelease": HELM_RELEASE,
}

# Scalars are their source text here.
_EMPTY = frozenset({"", "false", "null", "~"})


def fields(data: Any, table: Table, path: Path = ()) -> Iterator[tuple[Path, Field]]:
    """Every field that holds something, as deep as the table goes; unknown ones are not read."""
    for key, value in data.items() if isinstance(data, Mapping) else ():
        entry = table.get(str(key), _unread("gen-env does not know this field"))
        if not value or (isinstance(value, str) and value.lower() in _EMPTY):
            continue
        if isinstance(entry, Field):
            yield (*path, str(key)), entry
        else:
            yield from fields(value, entry, (*path, str(key)))


def unread(document: Document, data: Any, table: Table, path: Path = ()) -> Iterator[NotRead]:
    """What of `data`, which stands at `path` of the document, is not read."""
    for place, field in fields(data, table, path):
        if field.use is Use.UNREAD:
            yield NotRead(dotted(place), where(document, place), field.reason)


def lost(document: Document, data: Any, table: Table, path: Path = ()) -> Iterator[NotRead]:
    """What of it has no counterpart once gen-env deploys the release."""
    for place, field in fields(data, table, path):
        if field.use is Use.LOST:
            yield NotRead(dotted(place), where(document, place), field.reason)


def where(document: Document, path: Path) -> str:
    """`file:line` of a path in a document."""
    line = document.line(path)
    return f"{document.path}:{line}" if line else document.path
