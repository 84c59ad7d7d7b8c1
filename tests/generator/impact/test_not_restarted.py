import pytest

from tests.generator.impact.builders import found, manifest, workload

EKS, GKE = "eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account"


def account(name, role, annotation=EKS):
    return manifest("v1", "ServiceAccount", name, metadata={"annotations": {annotation: role}})


def works(**pod):
    return [workload(name, serviceAccountName=name, **pod) for name in ("scheduler", "worker")]


def accounts(role, annotation=EKS):
    return [account(name, role, annotation) for name in ("scheduler", "worker")]


@pytest.mark.parametrize("annotation", [EKS, "azure.workload.identity/client-id"])
def test_running_pods_keep_the_identity_that_they_were_created_with(annotation):
    base = [*accounts("one", annotation), *works()]
    (item,) = found(base, [*accounts("two", annotation), *works()], "not-restarted")
    assert "scheduler and worker keep the old identity" in item.message
    assert [key.name for key in item.also] == ["worker"]


def test_restarted_pods_take_the_new_identity():
    head = [*accounts("two"), *works(image="r/airflow:3.2.2")]
    assert found([*accounts("one"), *works()], head, "not-restarted") == []
    (item,) = found([*accounts("one"), *works()], head, "identity")
    assert "from their creation on" in item.message and "one" not in item.message


def test_an_identity_that_is_asked_for_with_each_token_needs_no_restart():
    base, head = ([*accounts(role, GKE), *works()] for role in ("one", "two"))
    assert found(base, head, "not-restarted") == []
    (item,) = found(base, head, "identity")
    assert "from their next token on" in item.message


def test_another_annotation_is_no_identity():
    base, head = ([*accounts(role, "example.com/owner"), *works()] for role in ("one", "two"))
    assert found(base, head, "identity") == []
