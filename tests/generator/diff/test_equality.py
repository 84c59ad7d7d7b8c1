from collections import OrderedDict
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from generator.diff.equality import plain, same

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-1, 1) | st.text(max_size=2)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(
            st.text(max_size=1) | st.integers(0, 1) | st.booleans(), inner, max_size=3
        )
        | st.dictionaries(st.text(max_size=1), inner, max_size=3).map(MappingProxyType)
    ),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_two_values_are_the_same_where_their_texts_are(one, other):
    assert same(one, other) == (plain(one) == plain(other))
    assert same(one, one)


def test_what_python_takes_for_equal_is_told_apart():
    for one, other in ((1, True), (1, 1.0), (0, False), ({1: "a"}, {True: "a"}), ("1", 1)):
        assert (
            not same(one, other) and not same([one], [other]) and not same({"a": one}, {"a": other})
        )
    assert same({"a": 1, "b": 2}, OrderedDict([("b", 2), ("a", 1)]))
    assert same([float("nan")], [float("nan")]) and same((1, 2), [1, 2])
