"""Which function assesses which kind, and the order of the results."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from generator.health.argocd import assess_application, assess_application_set
from generator.health.autoscaling import (
    assess_autoscaler,
    assess_disruption_budget,
    assess_scaled_job,
    assess_scaled_object,
)
from generator.health.batch import assess_cron_job, assess_job
from generator.health.conditions import assess_ready, assess_standard
from generator.health.crds import assess_definition
from generator.health.flux import assess_flux, assess_helm_release, assess_helm_repository
from generator.health.monitoring import assess_monitor
from generator.health.networking import assess_api_service, assess_ingress, assess_service
from generator.health.pods import assess_pod
from generator.health.routes import assess_http_route, assess_route
from generator.health.secrets import (
    assess_certificate,
    assess_cluster_external_secret,
    assess_external_secret,
    assess_sealed_secret,
)
from generator.health.status import Health, Status, progressing, unknown
from generator.health.storage import assess_claim
from generator.health.workloads import (
    assess_daemon_set,
    assess_deployment,
    assess_replica_set,
    assess_stateful_set,
)
from generator.kube.fields import at, condition, text
from generator.kube.resource import Key, Object, key_of

_HOOK_FINALIZER = "argocd.argoproj.io/hook-finalizer"

_ASSESSORS: dict[tuple[str, str], Callable[[Object], Health]] = {
    ("apps", "Deployment"): assess_deployment,
    ("apps", "StatefulSet"): assess_stateful_set,
    ("apps", "DaemonSet"): assess_daemon_set,
    ("apps", "ReplicaSet"): assess_replica_set,
    ("", "Pod"): assess_pod,
    ("batch", "Job"): assess_job,
    ("batch", "CronJob"): assess_cron_job,
    ("", "PersistentVolumeClaim"): assess_claim,
    ("", "Service"): assess_service,
    ("networking.k8s.io", "Ingress"): assess_ingress,
    ("extensions", "Ingress"): assess_ingress,
    ("gateway.networking.k8s.io", "HTTPRoute"): assess_http_route,
    ("route.openshift.io", "Route"): assess_route,
    ("apiregistration.k8s.io", "APIService"): assess_api_service,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): assess_definition,
    ("autoscaling", "HorizontalPodAutoscaler"): assess_autoscaler,
    ("policy", "PodDisruptionBudget"): assess_disruption_budget,
    ("keda.sh", "ScaledObject"): assess_scaled_object,
    ("keda.sh", "ScaledJob"): assess_scaled_job,
    ("argoproj.io", "Application"): assess_application,
    ("argoproj.io", "ApplicationSet"): assess_application_set,
    ("helm.toolkit.fluxcd.io", "HelmRelease"): assess_helm_release,
    ("kustomize.toolkit.fluxcd.io", "Kustomization"): assess_flux,
    ("source.toolkit.fluxcd.io", "HelmRepository"): assess_helm_repository,
    ("source.toolkit.fluxcd.io", "GitRepository"): assess_flux,
    ("source.toolkit.fluxcd.io", "OCIRepository"): assess_flux,
    ("source.toolkit.fluxcd.io", "HelmChart"): assess_flux,
    ("source.toolkit.fluxcd.io", "Bucket"): assess_flux,
    ("bitnami.com", "SealedSecret"): assess_sealed_secret,
    ("external-secrets.io", "ExternalSecret"): assess_external_secret,
    ("external-secrets.io", "ClusterExternalSecret"): assess_cluster_external_secret,
    ("external-secrets.io", "SecretStore"): assess_ready,
    ("external-secrets.io", "ClusterSecretStore"): assess_ready,
    ("external-secrets.io", "PushSecret"): assess_ready,
    ("cert-manager.io", "Certificate"): assess_certificate,
    ("cert-manager.io", "Issuer"): assess_ready,
    ("cert-manager.io", "ClusterIssuer"): assess_ready,
    ("monitoring.coreos.com", "ServiceMonitor"): assess_monitor,
    ("monitoring.coreos.com", "PodMonitor"): assess_monitor,
    ("monitoring.coreos.com", "PrometheusRule"): assess_monitor,
}


def assess(manifest: Object, *, now: datetime.datetime | None = None) -> Health:
    """The health of one object as the API server gave it.

    A kind without a function of its own goes by its Ready, Stalled and Reconciling conditions.
    `now` adds to a message how long a pod has been waiting for a node; it never changes a status.
    """
    key = key_of(manifest) if isinstance(manifest.get("metadata"), Mapping | None) else None
    if key is None or not key.kind:
        return unknown("not a Kubernetes object: it has no kind, or its metadata is not a mapping")
    deleting = text(manifest, "metadata", "deletionTimestamp")
    if deleting and _HOOK_FINALIZER not in _finalizers(manifest):
        return progressing(_deletion_words(manifest, deleting))
    assess_kind = _ASSESSORS.get((key.group, key.kind), assess_standard)
    health = assess_kind(manifest)
    if now is not None and key.kind == "Pod" and health.status is Status.PROGRESSING:
        return Health(health.status, health.message + _waited(manifest, now))
    return health


def assess_all(
    manifests: Iterable[Object], *, now: datetime.datetime | None = None
) -> list[tuple[Key, str, Health]]:
    """Every object's identity, apiVersion and health, in the one order; lists are opened."""
    assessed = [
        (key_of(item), str(item.get("apiVersion") or ""), assess(item, now=now))
        for manifest in manifests
        for item in _opened(manifest)
    ]
    return sorted(assessed, key=lambda entry: entry[0].sort_key)


def as_json(assessed: Iterable[tuple[Key, str, Health]]) -> list[dict[str, str]]:
    """The documented shape of `gen-env health -o json`."""
    return [
        {
            "apiVersion": api_version,
            "kind": key.kind,
            "namespace": key.namespace,
            "name": key.name,
            "status": health.status.value,
            "message": health.message,
        }
        for key, api_version, health in assessed
    ]


def _opened(manifest: Object) -> Iterator[Object]:
    """The members of a `List`, each with the kind that the list gives it if it has none."""
    kind, members = text(manifest, "kind"), manifest.get("items")
    if not kind.endswith("List") or not isinstance(members, list):
        yield manifest
        return
    for member in members:
        if isinstance(member, Mapping):
            yield from _opened({**_inherited(manifest, kind), **member})


def _inherited(manifest: Object, kind: str) -> dict[str, Any]:
    member_kind = kind.removesuffix("List")
    if not member_kind:
        return {}
    return {"apiVersion": manifest.get("apiVersion"), "kind": member_kind}


def _finalizers(manifest: Object) -> list[str]:
    found = at(manifest, "metadata", "finalizers")
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _deletion_words(manifest: Object, since: str) -> str:
    holding = ", ".join(_finalizers(manifest))
    return f"pending deletion since {since}" + (f", held by {holding}" if holding else "")


def _waited(manifest: Object, now: datetime.datetime) -> str:
    scheduled = condition(manifest, "PodScheduled")
    created = text(manifest, "metadata", "creationTimestamp")
    if scheduled is None or scheduled.status != "False" or not created:
        return ""
    try:
        since = datetime.datetime.fromisoformat(created)
    except ValueError:
        return ""
    if since.tzinfo is None:
        return ""
    return f" (for {max(int((now - since).total_seconds()), 0) // 60} min)"
