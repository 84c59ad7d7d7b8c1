"""Fields that the API server refuses beside each other, held to cases that one was asked about."""

import pytest

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
