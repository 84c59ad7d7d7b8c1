import pytest

from generator.seal.scopes import CLUSTER_WIDE, NAMESPACE_WIDE, Scope, label, marks, scope_of


@pytest.mark.parametrize(
    ("scope", "expected"),
    [(Scope.STRICT, "ns/name"), (Scope.NAMESPACE_WIDE, "ns"), (Scope.CLUSTER_WIDE, "")],
)
def test_the_label_binds_as_far_as_the_scope_says(scope, expected):
    assert label(scope, "ns", "name") == expected


@pytest.mark.parametrize("scope", list(Scope))
def test_annotations_lead_back_to_their_scope(scope):
    assert scope_of({"annotations": marks(scope)}) is scope


def test_cluster_wide_wins_over_namespace_wide():
    both = {CLUSTER_WIDE: "true", NAMESPACE_WIDE: "true"}
    assert scope_of({"annotations": both}) is Scope.CLUSTER_WIDE


@pytest.mark.parametrize(
    "metadata", [{}, {"annotations": None}, {"annotations": {CLUSTER_WIDE: "1"}}]
)
def test_anything_but_true_is_strict(metadata):
    assert scope_of(metadata) is Scope.STRICT
