"""How much a run of the tests does: `--set test` (the default), `--set all` or `--set nightly`.

CONTRIBUTING.md says what each set is for. `tests/conftest.py` puts the choice into the environment,
where a test reads it when it is collected.
"""

import collections
import itertools
import os
import random

import hypothesis
import pytest

SETS = ("test", "all", "nightly")
VARIABLE = "GEN_ENV_TEST_SET"

# A test with such a marker is left out of the sets before the one named here. Where a whole module
# is `thorough`, the tests that show its behaviour once are marked `always`.
FIRST = {"thorough": "all", "slow": "all", "nightly": "nightly"}
# What nightly runs: what no other set does, and what it does at a larger size.
NIGHTLY = ("nightly", "helm", "slow", "hypothesis")


def chosen():
    """The set of this run."""
    return os.environ.get(VARIABLE, SETS[0])


def pick(few, many, most=None):
    """One value for each set, the last for nightly (by default that of `all`)."""
    return {"test": few, "all": many}.get(chosen(), many if most is None else most)


def examples(many, *, few=None):
    """Settings of a property test: a tenth of its examples in `test`, ten times in `nightly`."""
    count = pick(max(5, many // 10) if few is None else few, many, many * 10)
    return hypothesis.settings(max_examples=count)


def register_profiles():
    """The same examples every time, but for nightly, which looks for new ones.

    No word on how long an example took: speed is for `make bench`.
    """
    checks = hypothesis.HealthCheck
    nightly = chosen() == "nightly"
    hypothesis.settings.register_profile(
        "gen-env",
        deadline=None,
        derandomize=not nightly,
        print_blob=nightly,
        max_examples=pick(10, 100, 1000),
        suppress_health_check=[checks.too_slow, checks.function_scoped_fixture],
    )
    hypothesis.settings.load_profile("gen-env")


def thinned(items):
    """The tests to leave out of `test` so that those marked `few(n)` run n of their parameters.

    The n are spread evenly; a test whose parameters are marked themselves chooses of the others.
    """
    if chosen() != "test":
        return set()
    families = collections.defaultdict(list)
    for item in items:
        if item.get_closest_marker("few") and not is_left_out(item):
            families[item.nodeid.partition("[")[0]].append(item)
    left_out = set()
    for family in families.values():
        count = family[0].get_closest_marker("few").args[0]
        kept = {number * len(family) // count for number in range(count)}
        left_out |= {item for number, item in enumerate(family) if number not in kept}
    return left_out


def reordered(items, order):
    """The tests of each file backwards for `reverse`, as a seed shuffles them, or as they are."""
    if not order:
        return items
    found = []
    for file, tests in itertools.groupby(items, lambda item: item.path):
        tests = list(tests)[::-1]
        if order != "reverse":
            random.Random(f"{order} {file.name}").shuffle(tests)
        found += tests
    return found


def marks(item, *, test, all=None):
    """Marks of a parameter by where it occurs; without `all`, what is not in `test` is in `all`."""
    if item in test:
        return ()
    return (pytest.mark.thorough if all is None or item in all else pytest.mark.nightly,)


def is_left_out(item):
    """Whether a collected test is no part of the chosen set."""
    if chosen() == "nightly":
        return not any(item.get_closest_marker(name) for name in NIGHTLY)
    rank = SETS.index(chosen())
    names = {name for name, first in FIRST.items() if SETS.index(first) > rank}
    own = {mark.name for mark in item.own_markers}
    if "always" in own and "thorough" not in own:
        names.discard("thorough")
    return any(item.get_closest_marker(name) for name in names)
