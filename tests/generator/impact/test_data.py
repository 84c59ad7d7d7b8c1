import pytest

from generator.kube.resource import key_of
from tests.generator.impact.builders import (
    claim,
    found,
    from_secret,
    manifest,
    sealed,
    secret,
    workload,
)

KEEP = {"argocd.argoproj.io/sync-options": "Prune=false"}
CONFIRM = {"argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm"}
TEMPLATES = [{"metadata": {"name": "data"}, "spec": {}}]
DELETED = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}


@pytest.mark.parametrize(
    "lost",
    [
        claim(),
        manifest("v1", "Namespace", "n"),
        manifest("v1", "PersistentVolume", "v"),
        manifest("apiextensions.k8s.io/v1", "CustomResourceDefinition", "c"),
        workload(
            "postgresql",
            "StatefulSet",
            spec={**DELETED, "volumeClaimTemplates": [{"metadata": {"name": "data"}}]},
        ),
        manifest(
            "argoproj.io/v1alpha1",
            "Application",
            "a",
            metadata={"finalizers": ["resources-finalizer.argocd.argoproj.io/background"]},
        ),
    ],
)
def test_what_holds_data_is_an_error_when_pruned(lost):
    (item,) = found([lost, workload("x")], [workload("x")], "data-loss")
    assert item.severity == "error"


@pytest.mark.parametrize(
    ("annotations", "severity", "words"),
    [
        (CONFIRM, "error", "once the pruning is confirmed"),
        (KEEP, "warning", "stays in the cluster"),
        ({"helm.sh/resource-policy": "keep"}, "warning", "stays in the cluster"),
    ],
)
def test_protection_is_told(annotations, severity, words):
    (item,) = found([claim(annotations=annotations)], [], "data-loss")
    assert item.severity == severity and words in item.message


@pytest.mark.parametrize(
    ("suspend", "severity", "words"),
    [
        (False, "error", "Flux uninstalls the release, and with it every object"),
        (True, "warning", "which was not read: otherwise Flux uninstalls the release"),
    ],
)
def test_a_suspended_helm_release_is_deleted_without_uninstalling(suspend, severity, words):
    spec = {"suspend": suspend}
    gone = manifest("helm.toolkit.fluxcd.io/v2", "HelmRelease", "airflow", spec=spec)
    (item,) = found([gone, workload("x")], [workload("x")], "data-loss")
    assert item.severity == severity and words in item.message


PRUNE, POLICY = "kustomize.toolkit.fluxcd.io/prune", "helm.sh/resource-policy"


@pytest.mark.parametrize(
    ("mark", "by_helm", "severity"),
    [
        ({POLICY: "keep"}, True, "warning"),
        ({PRUNE: "disabled"}, True, "error"),
        ({POLICY: "keep"}, False, "error"),
        ({PRUNE: "disabled"}, False, "warning"),
        ({"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}, False, "warning"),
        (CONFIRM, False, "error"),
    ],
)
def test_under_flux_each_pruner_follows_its_own_mark_alone(mark, by_helm, severity):
    release = manifest("helm.toolkit.fluxcd.io/v2", "HelmRelease", "airflow")
    gone = claim(annotations=mark)
    key, by = key_of(release, "airflow"), [key_of(gone, "airflow")] if by_helm else []
    facts = {"application": key, "by_helm": frozenset(by)}
    (item,) = found([gone, release], [release], "data-loss", facts, {"application": key})
    assert item.severity == severity


def test_what_holds_no_data_is_no_loss():
    harmless = [
        workload("x"),
        workload("triggerer", "StatefulSet", spec=DELETED),
        manifest("argoproj.io/v1alpha1", "Application", "a"),
    ]
    assert found(harmless, [], "data-loss") == []
    assert found([claim()], [claim(size="20Gi")], "data-loss") == []


def test_everything_pruned_is_named():
    (item,) = found([claim(), workload("x")], [workload("x")], "pruned")
    assert "1 object that left git: PersistentVolumeClaim airflow/logs" in item.message
    assert found([claim()], [claim()], "pruned") == []


def test_what_is_kept_is_not_counted_as_deleted():
    kept = claim(annotations={"argocd.argoproj.io/sync-options": "Prune=false"})
    assert found([kept, workload("x")], [workload("x")], "pruned") == []


def test_a_pruned_secret_that_is_still_needed_is_an_error():
    pod = workload("scheduler", container_env=[from_secret("X", "s", "k")])
    (item,) = found([pod, secret("s", k="v")], [pod], "secret-pruned")
    assert item.severity == "error" and "scheduler still needs it" in item.message


def test_a_pruned_secret_that_nobody_needs_is_a_warning():
    (item,) = found([secret("s", k="v"), workload("x")], [workload("x")], "secret-pruned")
    assert item.severity == "warning"


def test_a_secret_that_becomes_sealed_stays():
    assert found([secret("s", k="v")], [sealed("s", k="Ag")], "secret-pruned") == []


def test_the_broker_and_claims_left_behind_are_told():
    redis = workload("redis", "StatefulSet")
    redis["metadata"]["labels"] = {"component": "redis"}
    (item,) = found([redis], [], "store-removed")
    assert "tasks queued in it are lost" in item.message
    postgres = workload("postgresql", "StatefulSet", spec={"volumeClaimTemplates": TEMPLATES})
    (item,) = found([postgres], [], "store-removed")
    assert "remain with their data" in item.message
    assert found([workload("x", "StatefulSet")], [], "store-removed") == []


def test_another_kind_under_the_same_name_is_told():
    base = workload("triggerer", "StatefulSet", spec={"volumeClaimTemplates": TEMPLATES})
    (item,) = found([base], [workload("triggerer")], "kind-changed")
    assert str(item.resource) == "Deployment airflow/airflow-triggerer"
    assert "volume claims remain" in item.message
    assert found([base], [workload("scheduler")], "kind-changed") == []
