from generator.diff.match import EnvironmentPair, pair_environments

A, B = ("cluster", "a"), ("cluster", "b")


def test_environments_are_paired_by_name():
    assert pair_environments({"x": A, "y": B}, {"x": A, "z": None}) == (
        EnvironmentPair("x", None, True, True),
        EnvironmentPair("y", None, True, False),
        EnvironmentPair("z", None, False, True),
    )


def test_the_same_place_under_another_name_is_a_rename():
    assert pair_environments({"old": A}, {"new": A}) == (EnvironmentPair("new", "old", True, True),)


def test_a_name_on_both_sides_is_never_a_rename():
    assert pair_environments({"x": A, "y": B}, {"x": B, "y": A}) == (
        EnvironmentPair("x", None, True, True),
        EnvironmentPair("y", None, True, True),
    )


def test_two_candidates_or_an_unknown_place_are_no_rename():
    assert [item.old_name for item in pair_environments({"a": A, "b": A}, {"c": A})] == [None] * 3
    assert [item.old_name for item in pair_environments({"a": None}, {"b": None})] == [None] * 2
