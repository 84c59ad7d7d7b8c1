import copy
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.diff.compare import compare
from generator.diff.model import Action, Limits, Side
from generator.diff.noise import ORDER
from generator.impact import registry
from generator.kube.resource import key_of
from tests.effort import examples
from tests.generator.diff.trees import at, everything, places, removed, replaced

TREE = everything()
PLACES = [(index, path) for index, item in enumerate(TREE) for path in places(item)]
MARK = "mut4ted"
MASKS = ("<masked: changed>", "<sealed: resealed>", "<masked>", "<sealed>", "<not yet sealed>")


def side(*manifests, namespace="airflow"):
    return Side("r", tuple(manifests), namespace=namespace)


def config(name="c", **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def other(value):
    """Something else of the same type, or of the nearest type that can be told apart."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}{MARK}"
    return MARK if value is None else [value, MARK]


def reported(compared):
    """The identities of the tree's objects that a comparison mentions in any way."""
    keys = set()
    for change in compared.changes:
        keys.update(key for key in (change.key, change.old_key) if key)
    for folded in compared.folded:
        keys.update(folded.resources)
    return keys


@examples(400)
@given(st.sampled_from(PLACES), st.sampled_from(["other", "removed", "null", "text"]))
def test_one_changed_field_is_reported_and_nothing_else(place, way):
    index, path = place
    before = TREE[index]
    value = at(before, path)
    if way == "removed":
        after = removed(before, path)
    else:
        new = {"other": other(value), "null": None, "text": f"{value}"}[way]
        after = replaced(before, path, new)
    if repr(after) == repr(before) or not isinstance(after, dict) or not after.get("kind"):
        return
    head = [*TREE[:index], after, *TREE[index + 1 :]]
    compared = compare(side(*TREE), side(*head))
    expected = {key_of(before, "airflow"), key_of(after, "airflow")}
    assert reported(compared) == expected
    if len(expected) == 1:
        assert len(compared.changes) + bool(compared.folded) >= 1
    shown = "\n".join(change.diff for change in compared.changes)
    if MARK in repr(after) and compared.changes:
        assert MARK in shown or any(mask in shown for mask in MASKS)


@examples(100)
@given(
    st.sampled_from(PLACES),
    st.sampled_from([None, 5, -1, "x", "", [], {}, [5], ["x"], {"a": 1}, True, 1.5, [None], [{}]]),
)
def test_malformed_objects_never_stop_a_comparison(place, junk):
    index, path = place
    head = [*TREE[:index], replaced(TREE[index], path, junk), *TREE[index + 1 :]]
    for base, new in ((side(*TREE), side(*head)), (side(*head), side(*TREE))):
        compare(base, new)
        registry.find(base, new)


@pytest.mark.parametrize("junk", [None, 5, "text", [], {}, {"kind": None}, {"kind": "X"}])
def test_what_is_no_object_is_a_problem_or_a_change(junk):
    compared = compare(side(), side(junk))
    assert compared.changes or compared.problems or junk is None


def test_equal_sides_have_no_changes():
    compared = compare(side(*TREE), side(*copy.deepcopy(TREE)))
    assert compared.changes == () and compared.folded == ()


def test_comparison_does_not_depend_on_the_order_of_objects():
    head = [replaced(item, ("metadata", "annotations"), {"x": "y"}) for item in TREE]
    assert compare(side(*TREE), side(*head)) == compare(side(*TREE[::-1]), side(*head[::-1]))


def test_objects_are_added_and_removed():
    changes = compare(side(config("a", x="1")), side(config("b", y="2"))).changes
    assert [(change.action, change.key.name) for change in changes] == [
        (Action.REMOVED, "a"),
        (Action.ADDED, "b"),
    ]


def test_missing_namespace_is_the_environments():
    given = config("a")
    explicit = {**given, "metadata": {"name": "a", "namespace": "airflow"}}
    changes = compare(side(given), side(explicit)).changes
    assert [change.action for change in changes] == [Action.MODIFIED]
    assert changes[0].old_key is None


def test_an_api_version_that_moves_keeps_the_pair():
    old = {"apiVersion": "extensions/v1beta1", "kind": "Ingress", "metadata": {"name": "i"}}
    new = {**old, "apiVersion": "networking.k8s.io/v1"}
    (change,) = compare(side(old), side(new)).changes
    assert (change.action, change.api_version) == (Action.MODIFIED, "networking.k8s.io/v1")
    assert change.old_key.group == "extensions"


def test_a_namespace_that_moves_keeps_the_pair():
    (change,) = compare(side(config("a", x="1"), namespace="old"), side(config("a", x="1"))).changes
    assert (change.old_key.namespace, change.key.namespace) == ("old", "airflow")


def test_a_generated_suffix_keeps_the_pair_only_if_the_content_is_alike():
    old = config("c-5f8b2c97d4", a="1", b="2", c="3", d="4")
    new = config("c-7g9k4t2m6h", a="1", b="2", c="3", d="5")
    (change,) = compare(side(old), side(new)).changes
    assert change.old_key.name == "c-5f8b2c97d4"
    strange = config("c-7g9k4t2m6h", v="7", w="8", x="9", y="0")
    assert len(compare(side(old), side(strange)).changes) == 2


def test_a_repeated_object_is_a_problem_and_still_compared():
    compared = compare(side(config("a", x="1")), side(config("a", x="1"), config("a", x="2")))
    assert [problem.rule for problem in compared.problems] == ["diff/repeated-object"]
    assert len(compared.changes) == 1


def test_what_is_no_object_is_a_problem_and_the_rest_compared():
    compared = compare(side(), side({"text": "x"}, config("a")))
    assert [problem.rule for problem in compared.problems] == ["diff/not-an-object"]
    assert len(compared.changes) == 1


def test_items_of_a_list_are_objects():
    listing = {"apiVersion": "v1", "kind": "List", "items": [config("a", x="1")]}
    assert compare(side(listing), side(config("a", x="1"))).changes == ()


def test_order_of_keys_is_folded_and_counted():
    given = config("a", x="1", y="2")
    turned = dict(reversed(given.items()))
    compared = compare(side(given), side(turned))
    assert compared.changes == ()
    assert [(folded.field, folded.count) for folded in compared.folded] == [(ORDER, 1)]


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("labels", "chart"),
        ("labels", "helm.sh/chart"),
        ("labels", "app.kubernetes.io/version"),
        ("labels", "heritage"),
        ("annotations", "checksum/airflow-config"),
        ("annotations", "gen-env.dev/secret-hash-airflow-fernet"),
    ],
)
@pytest.mark.parametrize("old", ["1", None])
def test_noise_is_folded_and_counted(field, name, old):
    base = {"kind": "Pod", "metadata": {"name": "p", field: {name: old} if old else {}}}
    head = {"kind": "Pod", "metadata": {"name": "p", field: {name: "2"}}}
    compared = compare(side(base), side(head))
    assert compared.changes == ()
    assert [folded.field for folded in compared.folded] == [f"{field[:-1]} {name}"]


def test_noise_in_a_selector_is_no_noise():
    base = {"kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"chart": "1"}}}
    head = {"kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"chart": "2"}}}
    assert len(compare(side(base), side(head)).changes) == 1


def test_noise_beside_a_change_leaves_the_diff_but_is_counted():
    base = {"kind": "Pod", "metadata": {"name": "p", "labels": {"chart": "1", "a": "b"}}, "x": 1}
    head = {"kind": "Pod", "metadata": {"name": "p", "labels": {"chart": "2", "a": "b"}}, "x": 2}
    compared = compare(side(base), side(head))
    (change,) = compared.changes
    assert "chart" not in change.diff and "a: b" in change.diff
    assert compared.folded[0].field == "label chart"


def test_text_in_a_config_map_is_compared_line_by_line():
    cfg = "[core]\nparallelism = 32\nempty = \n\n[logging]\nlevel = INFO\n"
    base, head = config(**{"airflow.cfg": cfg}), config(**{"airflow.cfg": cfg.replace("32", "64")})
    (change,) = compare(side(base), side(head)).changes
    assert "-    parallelism = 32\n+    parallelism = 64" in change.diff
    assert (change.added_lines, change.removed_lines) == (1, 1)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1, "1"),
        (1, True),
        (1, 1.0),
        ("true", True),
        (None, "null"),
        (None, ""),
        ([], {}),
        ("a\n", "a"),
        ("a\n", "a\n\n"),
        ("a\nb", "a\r\nb"),
        ("a", "a\u200b"),
        ("a\n ", "a\n\u00a0"),
        ("caf\u00e9", "cafe\u0301"),
        ("\\u202e", "\u202e"),
        ("\\u202e\n", "\u202e\n"),
    ],
)
def test_values_that_look_alike_are_still_a_change(old, new):
    assert len(compare(side(config(x=old)), side(config(x=new))).changes) == 1


def test_two_sides_that_print_alike_say_so():
    (change,) = compare(side(config(x="\\u202e\n")), side(config(x="\u202e\n"))).changes
    assert "cannot show" in change.diff


def test_a_long_diff_is_cut_and_says_so():
    text = "\n".join(f"line {number}" for number in range(9_000))
    (change,) = compare(side(), side(config(x=text)), Limits(lines=100)).changes
    assert len(change.diff.split("\n")) == 101
    assert "more lines of this diff are not shown" in change.diff
    assert change.added_lines > 9_000


def test_a_long_line_shows_where_it_begins_to_differ():
    base, head = config(x="a" * 50_000 + "b"), config(x="a" * 50_000 + "c")
    (change,) = compare(side(base), side(head)).changes
    assert all(len(line) < 2_200 for line in change.diff.split("\n"))
    assert "ab" in change.diff and "ac" in change.diff


@pytest.mark.thorough
def test_ten_thousand_objects_are_compared_in_bounded_time():
    base = [config(f"c{number}", x=str(number)) for number in range(10_000)]
    head = [config(f"c{number}", x=str(number + 1)) for number in range(10_000)]
    start = time.process_time()
    compared = compare(side(*base), side(*head))
    registry.find(side(*base), side(*head))
    assert len(compared.changes) == 10_000
    assert time.process_time() - start < 30


@pytest.mark.thorough
def test_ten_thousand_unrelated_names_are_compared_in_bounded_time():
    base = [config(f"a{number}-1a2b3c4d", x=str(number)) for number in range(5_000)]
    head = [config(f"b{number}-1a2b3c4d", x=str(number)) for number in range(5_000)]
    start = time.process_time()
    assert len(compare(side(*base), side(*head)).changes) == 10_000
    assert time.process_time() - start < 30
