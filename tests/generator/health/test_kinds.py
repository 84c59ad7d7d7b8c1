"""The remaining kinds, from storage to monitoring."""

import json

import pytest

from generator import health
from tests.generator.health.objects import cond, obj, reports


def judged(api_version, kind, status=None, *, spec=None, **metadata):
    return health.assess(obj(api_version, kind, spec=spec, status=status, **metadata))


def claim(phase, **spec):
    return judged("v1", "PersistentVolumeClaim", {"phase": phase} if phase else None, spec=spec)


def test_a_claim_is_judged_by_its_phase():
    assert claim("Bound", volumeName="pv-1").message == "bound to pv-1"
    assert claim("Pending").status == "Progressing"
    assert "default storage class" in claim("Pending").message
    assert "storage class slow" in claim("Pending", storageClassName="slow").message
    assert claim("Lost", volumeName="pv-1").status == "Degraded"
    assert claim("Odd").status == "Unknown"
    assert claim(None).status == "Progressing"


ADDRESS = {"loadBalancer": {"ingress": [{"ip": "10.0.0.9"}]}}


def test_only_a_load_balancer_or_an_ingress_waits_for_an_address():
    assert judged("v1", "Service", {"loadBalancer": {}}, spec={}).status == "Healthy"
    balanced = {"type": "LoadBalancer"}
    assert judged("v1", "Service", {"loadBalancer": {}}, spec=balanced).status == "Progressing"
    assert "10.0.0.9" in judged("v1", "Service", ADDRESS, spec=balanced).message
    waiting = judged("networking.k8s.io/v1", "Ingress", spec={"ingressClassName": "nginx"})
    assert (waiting.status, "controller of nginx" in waiting.message) == ("Progressing", True)
    assert judged("networking.k8s.io/v1", "Ingress", ADDRESS).status == "Healthy"
    assert judged("extensions/v1beta1", "Ingress", ADDRESS).status == "Healthy"


def test_an_api_service_is_given_time():
    def api(*conditions):
        return judged("apiregistration.k8s.io/v1", "APIService", reports(*conditions))

    assert api(cond("Available", "True", "Passed")).status == "Healthy"
    assert api(cond("Available", "False", "MissingEndpoints", "none")).status == "Progressing"
    assert api().status == "Progressing"


HPA_TABLE = [
    ([cond("AbleToScale", "True", "ReadyForNewScale")], "Healthy"),
    ([cond("AbleToScale", "False", "FailedGetScale", "not found")], "Degraded"),
    (
        [
            cond("AbleToScale", "True", "SucceededGetScale"),
            cond("ScalingActive", "False", "FailedGetResourceMetric", "no metrics"),
        ],
        "Degraded",
    ),
    ([cond("ScalingActive", "False", "ScalingDisabled")], "Suspended"),
    ([cond("AbleToScale", "True"), cond("ScalingActive", "False", "ScalingDisabled")], "Suspended"),
    ([cond("AbleToScale", "True"), cond("ScalingActive", "False", "Other")], "Progressing"),
    ([cond("AbleToScale", "False", "BackoffBoth")], "Degraded"),
    ([], "Progressing"),
]


@pytest.mark.parametrize(("conditions", "status"), HPA_TABLE)
def test_an_autoscaler_is_judged_by_what_it_can_read_and_do(conditions, status):
    new = judged("autoscaling/v2", "HorizontalPodAutoscaler", reports(*conditions))
    annotation = {"autoscaling.alpha.kubernetes.io/conditions": json.dumps(conditions)}
    old = judged("autoscaling/v1", "HorizontalPodAutoscaler", {}, annotations=annotation)
    assert (new.status, old) == (status, new)


def test_an_autoscaler_that_keda_switched_off_while_there_is_no_work_is_healthy():
    status = reports(cond("AbleToScale", "True"), cond("ScalingActive", "False", "ScalingDisabled"))
    owners = [{"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "worker"}]
    found = judged("autoscaling/v2", "HorizontalPodAutoscaler", status, ownerReferences=owners)
    assert found.status == "Healthy"


def test_an_unreadable_autoscaler_annotation_is_unknown():
    for value in ("{", "{}", 3):
        annotations = {"autoscaling.alpha.kubernetes.io/conditions": value}
        old = judged("autoscaling/v1", "HorizontalPodAutoscaler", {}, annotations=annotations)
        assert old.status == "Unknown"


def test_a_budget_with_too_few_pods_is_well_but_one_that_cannot_be_computed_is_not():
    def budget(*conditions):
        return judged("policy/v1", "PodDisruptionBudget", reports(*conditions)).status

    assert budget(cond("DisruptionAllowed", "True", "SufficientPods")) == "Healthy"
    assert budget(cond("DisruptionAllowed", "False", "InsufficientPods")) == "Healthy"
    assert budget(cond("DisruptionAllowed", "False", "SyncFailed")) == "Degraded"
    assert budget() == "Progressing"


READY, UNREADY = cond("Ready", "True", "Ok"), cond("Ready", "False", "Broken", "no source")
PAUSED, FALLBACK = cond("Paused", "True"), cond("Fallback", "True", "FallbackExists")


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ([READY], "Healthy"),
        ([UNREADY], "Degraded"),
        ([READY, FALLBACK], "Degraded"),
        ([READY, PAUSED], "Suspended"),
        ([UNREADY, PAUSED], "Degraded"),
        ([PAUSED], "Progressing"),
        ([], "Progressing"),
    ],
)
def test_a_scaled_object_fails_before_it_pauses(conditions, status):
    assert judged("keda.sh/v1alpha1", "ScaledObject", reports(*conditions)).status == status


@pytest.mark.parametrize(
    ("value", "status"), [("true", "Suspended"), ("", "Suspended"), ("False", "Healthy")]
)
def test_a_scaled_object_pauses_by_its_annotation_as_keda_reads_it(value, status):
    annotations = {"autoscaling.keda.sh/paused": value}
    found = judged("keda.sh/v1alpha1", "ScaledObject", reports(READY), annotations=annotations)
    assert found.status == status


def test_a_scaled_job_with_unknown_readiness_is_degraded():
    def scaled(*conditions):
        return judged("keda.sh/v1alpha1", "ScaledJob", reports(*conditions)).status

    assert scaled(cond("Ready", "Unknown")) == "Degraded"
    assert scaled(READY) == "Healthy"
    assert scaled(READY, PAUSED) == "Suspended"
    assert scaled() == "Progressing"


def sealed(*conditions, **status):
    return judged(
        "bitnami.com/v1alpha1", "SealedSecret", reports(*conditions, **status), generation=2
    )


def test_a_sealed_secret_is_well_when_the_present_ciphertext_was_unsealed():
    assert sealed(cond("Synced", "True"), observedGeneration=2).status == "Healthy"
    assert sealed(cond("Synced", "True"), observedGeneration=1).status == "Progressing"
    refused = sealed(cond("Synced", "False", message="no key could decrypt secret"))
    assert refused.status == "Degraded"
    assert "no key could decrypt" in refused.message and "seal it again" in refused.message
    assert sealed().status == "Progressing"


def test_an_external_secret_counts_only_for_the_present_spec():
    def external(*conditions, **status):
        manifest = obj(
            "external-secrets.io/v1",
            "ExternalSecret",
            status=reports(*conditions, **status),
            generation=2,
        )
        return health.assess(manifest).status

    assert external(READY, syncedResourceVersion="2-abc") == "Healthy"
    assert external(READY, syncedResourceVersion="1-abc") == "Progressing"
    assert external(READY) == "Healthy"
    assert external(UNREADY) == "Degraded"
    assert external() == "Progressing"


def test_the_newest_condition_of_a_cluster_external_secret_decides():
    def external(*conditions):
        kind = "ClusterExternalSecret"
        return judged("external-secrets.io/v1", kind, reports(*conditions)).status

    assert external(cond("NotReady", "True"), READY) == "Healthy"
    assert external(READY, cond("PartiallyReady", "True")) == "Degraded"
    assert external() == "Progressing"


def test_a_renewal_of_a_certificate_is_progress():
    def certificate(*conditions):
        return judged("cert-manager.io/v1", "Certificate", reports(*conditions)).status

    assert certificate(READY) == "Healthy"
    assert certificate(UNREADY, cond("Issuing", "True", "DoesNotExist")) == "Progressing"
    assert certificate(UNREADY) == "Degraded"
    assert certificate() == "Progressing"


FLUX = ("helm.toolkit.fluxcd.io/v2", "HelmRelease")


@pytest.mark.parametrize(
    ("conditions", "spec", "status"),
    [
        ([READY, cond("Released", "True")], {}, "Healthy"),
        ([READY, cond("Released", "False", "UpgradeFailed")], {}, "Degraded"),
        ([UNREADY, cond("Reconciling", "True")], {}, "Degraded"),
        ([cond("Ready", "Unknown"), cond("Reconciling", "True", "Progressing")], {}, "Progressing"),
        ([READY, cond("Stalled", "True", "RetriesExceeded")], {}, "Degraded"),
        ([READY], {"suspend": True}, "Suspended"),
        ([], {}, "Progressing"),
    ],
)
def test_a_helm_release_follows_ready_stalled_and_reconciling(conditions, spec, status):
    assert judged(*FLUX, reports(*conditions), spec=spec).status == status


def test_a_ready_of_an_older_generation_is_not_believed():
    older = cond("Ready", "True", "Ok", observedGeneration=3)
    kustomization = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization")
    assert judged(*kustomization, reports(older), generation=4).status == "Progressing"
    assert judged(*kustomization, reports(older), generation=3).status == "Healthy"
    failing = cond("Ready", "False", "ArtifactFailed", observedGeneration=4)
    behind = reports(failing, observedGeneration=-1)
    assert judged(*kustomization, behind, generation=4).status == "Degraded"


def test_a_helm_repository_of_type_oci_has_nothing_to_report():
    kind = ("source.toolkit.fluxcd.io/v1", "HelmRepository")
    assert judged(*kind, spec={"type": "oci"}).status == "Healthy"
    assert judged(*kind, spec={"type": "oci", "suspend": True}).status == "Suspended"
    assert judged(*kind, spec={}).status == "Progressing"


def application(**status):
    return judged("argoproj.io/v1alpha1", "Application", status)


def test_an_application_repeats_argo_cds_word_with_its_reasons():
    assert application(health={"status": "Healthy"}, sync={"status": "Synced"}).status == "Healthy"
    broken = application(
        health={"status": "Degraded"},
        sync={"status": "OutOfSync"},
        conditions=[
            {"type": "ComparisonError", "message": "no such path"},
            {"type": "OrphanedResourceWarning", "message": "not interesting"},
        ],
        operationState={"phase": "Failed", "message": "one object failed"},
    )
    assert broken == health.Health(
        health.Status.DEGRADED,
        "OutOfSync; ComparisonError: no such path; operation Failed: one object failed",
    )
    assert application().status == "Progressing"
    assert application(health={"status": "Splendid"}).status == "Unknown"


def test_an_application_set_reports_errors_first():
    def app_set(*conditions):
        return judged("argoproj.io/v1alpha1", "ApplicationSet", reports(*conditions)).status

    current = cond("ResourcesUpToDate", "True")
    assert app_set(cond("ErrorOccurred", "False"), current) == "Healthy"
    assert app_set(cond("ErrorOccurred", "True"), current) == "Degraded"
    assert app_set(cond("RolloutProgressing", "True"), current) == "Progressing"
    assert app_set() == "Progressing"


def test_a_service_monitor_is_degraded_only_when_a_prometheus_refuses_it():
    def monitor(status=None):
        return judged("monitoring.coreos.com/v1", "ServiceMonitor", status)

    refused = {"namespace": "monitoring", "name": "k8s", "conditions": [cond("Accepted", "False")]}
    assert monitor().status == "Healthy"
    assert monitor({"bindings": [{"conditions": [cond("Accepted", "True")]}]}).status == "Healthy"
    verdict = monitor({"bindings": [refused]})
    assert (verdict.status, "monitoring/k8s" in verdict.message) == ("Degraded", True)


def test_a_definition_is_well_once_it_is_established():
    def definition(*conditions):
        kind = "CustomResourceDefinition"
        return judged("apiextensions.k8s.io/v1", kind, reports(*conditions)).status

    assert definition(cond("Established", "True")) == "Healthy"
    assert definition(cond("Established", "False", "Installing")) == "Progressing"
    assert definition(cond("NamesAccepted", "False"), cond("Established", "True")) == "Degraded"
    assert definition(cond("NamesAccepted", "True")) == "Degraded"
    assert definition() == "Progressing"


def test_other_kinds_go_by_the_standard_conditions():
    def other(*conditions, spec=None, **metadata):
        return judged(
            "example.com/v1", "Widget", reports(*conditions), spec=spec, **metadata
        ).status

    assert other(READY) == "Healthy"
    assert other(UNREADY) == "Degraded"
    assert other(cond("Ready", "Unknown")) == "Progressing"
    assert other(cond("Stalled", "True")) == "Degraded"
    assert other(cond("Reconciling", "True")) == "Progressing"
    assert other(cond("Progressing", "True")) == "Healthy"
    assert other(spec={"suspend": True}) == "Suspended"
    assert judged("v1", "ConfigMap").status == "Healthy"


PARENT = {"name": "public", "namespace": "gateways", "sectionName": "https"}
ACCEPTED = cond("Accepted", "True", "Accepted", observedGeneration=2)
RESOLVED = cond("ResolvedRefs", "True", "ResolvedRefs", observedGeneration=2)


def routed(*states, parents=(PARENT,)):
    """The health of an HTTPRoute; each state is what one controller says of one parent."""
    status = {"parents": [{"parentRef": of, "conditions": list(said)} for of, *said in states]}
    spec = {"parentRefs": list(parents)}
    return judged("gateway.networking.k8s.io/v1", "HTTPRoute", status, spec=spec, generation=2)


@pytest.mark.parametrize(
    ("states", "status", "words"),
    [
        ([(PARENT, ACCEPTED, RESOLVED)], "Healthy", "gateways/public (https)"),
        ([], "Progressing", "no controller speaks of Gateway gateways/public"),
        ([({**PARENT, "sectionName": "http"}, ACCEPTED, RESOLVED)], "Progressing", "no controller"),
        ([(PARENT, ACCEPTED)], "Progressing", "ResolvedRefs"),
        (
            [(PARENT, cond("Accepted", "False", "NotAllowedByListeners", "no"), RESOLVED)],
            "Degraded",
            "NotAllowedByListeners: no",
        ),
        (
            [(PARENT, ACCEPTED, cond("ResolvedRefs", "False", "BackendNotFound"))],
            "Degraded",
            "BackendNotFound",
        ),
        ([(PARENT, cond("Accepted", "False", "Pending"), RESOLVED)], "Progressing", "Pending"),
        ([(PARENT, cond("Accepted", "Unknown"), RESOLVED)], "Progressing", "Accepted"),
        (
            [(PARENT, cond("Accepted", "False", observedGeneration=1), RESOLVED)],
            "Progressing",
            "current spec",
        ),
        (
            [(PARENT, ACCEPTED, RESOLVED), (PARENT, cond("Accepted", "False", "Other"), RESOLVED)],
            "Degraded",
            "Other",
        ),
        (
            [(PARENT, ACCEPTED, RESOLVED, cond("PartiallyInvalid", "True", "UnsupportedValue"))],
            "Degraded",
            "UnsupportedValue",
        ),
    ],
)
def test_an_http_route_is_judged_by_every_parent(states, status, words):
    found = routed(*states)
    assert (found.status, words in found.message) == (status, True), found


def test_the_worst_parent_decides_and_a_parent_is_of_the_routes_namespace_by_default():
    other = {"name": "own"}
    both = (PARENT, other)
    said = {"name": "own", "namespace": "data", "kind": "Gateway"}
    refused = cond("Accepted", "False", "NoMatchingParent")
    well = (PARENT, ACCEPTED, RESOLVED)
    assert routed(well, (said, ACCEPTED, RESOLVED), parents=both).status == "Healthy"
    assert "Gateway data/own" in routed(well, parents=both).message
    assert routed(well, (said, refused, RESOLVED), parents=both).status == "Degraded"
    assert routed(well, parents=()).status == "Degraded"


@pytest.mark.parametrize(
    ("routers", "status", "words"),
    [
        ([("default", "a.example.com", "True", "")], "Healthy", "a.example.com"),
        ([("default", "a.example.com", "False", "HostAlreadyClaimed")], "Degraded", "default"),
        ([("default", "old.example.com", "True", "")], "Progressing", "no router"),
        ([], "Progressing", "no router"),
        (
            [("one", "a.example.com", "True", ""), ("two", "a.example.com", "False", "Refused")],
            "Degraded",
            "two",
        ),
    ],
)
def test_a_route_is_judged_by_the_routers_that_speak_of_its_host(routers, status, words):
    said = [
        {"routerName": name, "host": host, "conditions": [cond("Admitted", admitted, reason)]}
        for name, host, admitted, reason in routers
    ]
    found = judged(
        "route.openshift.io/v1", "Route", {"ingress": said}, spec={"host": "a.example.com"}
    )
    assert (found.status, words in found.message) == (status, True), found
