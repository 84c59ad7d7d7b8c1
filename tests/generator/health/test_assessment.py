import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import health
from generator.health.assessment import _ASSESSORS, as_json
from generator.health.status import Status
from tests.effort import examples
from tests.generator.health.objects import cond, obj, read, reports

ISSUE_KINDS = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("v1", "Pod"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
    ("v1", "PersistentVolumeClaim"),
    ("networking.k8s.io/v1", "Ingress"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
    ("apiregistration.k8s.io/v1", "APIService"),
    ("argoproj.io/v1alpha1", "Application"),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
    ("bitnami.com/v1alpha1", "SealedSecret"),
    ("external-secrets.io/v1", "ExternalSecret"),
    ("keda.sh/v1alpha1", "ScaledObject"),
    ("cert-manager.io/v1", "Certificate"),
]


@pytest.mark.parametrize(("api_version", "kind"), ISSUE_KINDS)
def test_an_object_that_no_controller_has_seen_is_progressing_and_says_so(api_version, kind):
    verdict = health.assess(obj(api_version, kind, spec={}, generation=1))
    assert verdict.status == "Progressing"
    assert verdict.message


def test_an_object_that_is_being_deleted_names_what_holds_it():
    leaving = obj(
        "v1",
        "PersistentVolumeClaim",
        status={"phase": "Bound"},
        deletionTimestamp="2026-01-05T10:00:00Z",
        finalizers=["kubernetes.io/pvc-protection"],
    )
    assert health.assess(leaving) == health.Health(
        Status.PROGRESSING,
        "pending deletion since 2026-01-05T10:00:00Z, held by kubernetes.io/pvc-protection",
    )


def test_a_hook_that_argo_cd_keeps_for_its_result_is_still_judged():
    done = obj(
        "batch/v1",
        "Job",
        status=reports(cond("Complete", "True"), succeeded=1),
        deletionTimestamp="2026-01-05T10:00:00Z",
        finalizers=["argocd.argoproj.io/hook-finalizer"],
    )
    assert health.assess(done).status == "Healthy"


@pytest.mark.parametrize("manifest", [{}, {"kind": "Pod", "metadata": 3}, {"metadata": {}}])
def test_what_is_no_object_is_unknown(manifest):
    assert health.assess(manifest).status == "Unknown"


def test_lists_are_opened_and_results_stand_in_the_one_order():
    listed = read(
        """
        apiVersion: v1
        kind: List
        items:
        - {apiVersion: v1, kind: Service, metadata: {name: b, namespace: data}, spec: {}}
        - apiVersion: v1
          kind: ConfigMapList
          items: [{metadata: {name: a, namespace: data}}]
        """
    )
    job = obj("batch/v1", "Job", status=reports(cond("Complete", "True"), succeeded=1))

    assert as_json(health.assess_all([job, listed])) == [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "namespace": "data",
            "name": "a",
            "status": "Healthy",
            "message": "exists; a ConfigMap reports no readiness",
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "namespace": "data",
            "name": "b",
            "status": "Healthy",
            "message": "type ClusterIP needs no address",
        },
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "namespace": "data",
            "name": "thing",
            "status": "Healthy",
            "message": "complete: 1 succeeded",
        },
    ]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "conditions",
                    "type",
                    "status",
                    "phase",
                    "replicas",
                    "waiting",
                    "state",
                    "reason",
                    "containerStatuses",
                    "loadBalancer",
                    "ingress",
                    "health",
                    "suspend",
                    "bindings",
                    "annotations",
                    "autoscaling.alpha.kubernetes.io/conditions",
                    "lastScheduleTime",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@examples(150)
@given(kind=st.sampled_from(sorted(_ASSESSORS)), spec=ANYTHING, status=ANYTHING, metadata=ANYTHING)
def test_no_object_however_malformed_breaks_the_judge(kind, spec, status, metadata):
    group, name = kind
    manifest = {
        "apiVersion": f"{group}/v1" if group else "v1",
        "kind": name,
        "metadata": metadata,
        "spec": spec,
        "status": status,
    }
    assert health.assess(manifest).status in set(Status)
