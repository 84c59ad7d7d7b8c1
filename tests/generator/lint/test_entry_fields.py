"""Fields that the API server refuses beside each other, held to cases that one was asked about."""

import pytest

from generator.helmvalues.values import ValuesInput
from generator.lint.objects import kubernetes_schema
from generator.lint.objects.context import Context, RenderedInput
from generator.lint.objects.field_bounds import problems
from tests.generator.lint.entry_cases import REFUSED, TAKEN, made


def rules(*manifests):
    return [problem.rule for problem in problems(RenderedInput(manifests, Context()))]


def test_each_field_that_is_refused_is_one_error():
    for manifest in REFUSED:
        assert set(rules(manifest)) == {"kubernetes/invalid-field"}, manifest


def test_what_the_server_takes_is_let_pass():
    for manifest in TAKEN:
        assert rules(manifest) == [], manifest


def test_claims_of_a_stateful_set_are_judged_like_others():
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWrite"]}}
    owner = {"kind": "StatefulSet", "metadata": {"name": "db"}}
    (one, two) = problems(
        RenderedInput([{**owner, "spec": {"volumeClaimTemplates": [claim]}}], Context())
    )
    assert "ReadWrite" in one.message and "storage" in two.message


@pytest.mark.parametrize("spec", [None, "text", [1], {"ports": 1, "type": 3, "externalIPs": {}}])
@pytest.mark.parametrize("kind", ["Service", "Ingress", "NetworkPolicy", "PersistentVolumeClaim"])
def test_malformed_objects_are_left_to_the_schema(kind, spec):
    rules({**made(kind), "spec": spec})


def test_a_path_without_its_type_is_left_to_the_schema():
    path = {"path": "/", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
    ingress = made("Ingress", rules=[{"http": {"paths": [path]}}])
    assert rules(ingress) == []
    (one,) = kubernetes_schema.problems([ingress], "1.34")
    assert "lacks the key pathType" in one.message


def test_a_budget_of_the_chart_is_left_to_the_check_of_its_values():
    budget = made("PodDisruptionBudget", minAvailable=1)
    of_chart = {**budget, "metadata": {"name": "a", "labels": {"chart": "airflow-1.22.0"}}}
    assert rules(of_chart) == rules(budget) == ["kubernetes/invalid-field"]
    context = Context(values=ValuesInput({}, {}, "1.22.0"))
    (one,) = problems(RenderedInput((of_chart, budget), context))
    assert one.message.startswith("PodDisruptionBudget web: ")
