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


@pytest.mark.parametrize("name", ["example.com/owner", "eks.amazonaws.com/token-expiration"])
def test_another_annotation_is_no_identity(name):
    base, head = ([*accounts(role, name), *works()] for role in ("one", "two"))
    assert found(base, head, "identity") == found(base, head, "not-restarted") == []


@pytest.mark.parametrize("now", [account("b", "two"), manifest("v1", "ServiceAccount", "b")])
def test_another_service_account_is_another_identity(now):
    before = [account("a", "one"), workload("worker", serviceAccountName="a")]
    after = workload("worker", serviceAccountName="b")
    (item,) = found(before, [now, after], "identity")
    assert f"ServiceAccount a → b): {EKS} is not what it was" in item.message
    (item,) = found(before, [after], "identity")
    assert "may differ, as ServiceAccount b is not rendered" in item.message
    assert found(before, [account("b", "one"), after], "identity") == []


def test_pods_that_ask_for_another_role_have_another_identity():
    """One cause is one finding, whatever their accounts are."""
    base, head = (
        [
            workload(name, annotations={"vault.hashicorp.com/role": role}, serviceAccountName=name)
            for name in ("scheduler", "worker")
        ]
        for role in ("a", "b")
    )
    (item,) = found(base, head, "identity")
    assert "scheduler and worker get another identity" in item.message and len(item.also) == 1


def test_an_identity_that_goes_is_told_as_none():
    pod = workload("worker", serviceAccountName="a")
    (item,) = found([pod, account("a", "one")], [pod, manifest("v1", "ServiceAccount", "a")],
                    "identity")  # fmt: skip
    assert "is removed: pods have no such identity" in item.message
