"""How environments stand, and what of it was not looked at."""

import dataclasses

import pytest

from generator.cli.status import _row
from generator.core.errors import UserError
from generator.promotion import status
from generator.promotion.evidence import Standing
from tests.generator.promotion.test_promote import promote


def by_name(world, *names, forge=True):
    found = status.statuses(world.base_branch(), names, world.tools(forge=forge))
    return {item.environment: item for item in found}


def test_an_environment_stands_as_the_default_branch_and_the_forge_have_it(world, staged):
    world.verified("staging")
    found = by_name(world)["staging"]
    assert (found.airflow, found.chart) == ("3.2.2", "1.22.0")
    assert found.image.startswith("3.2.2-r2@sha256:")
    assert found.evidence.standing is Standing.VERIFIED and found.evidence.since
    assert not found.paused and found.waiting == ()


def test_a_proposed_promotion_waits_at_its_target_alone(world, staged):
    promote(world)
    found = by_name(world)
    assert [item.number for item in found["production"].waiting] == [1]
    assert found["staging"].waiting == ()


def test_a_cluster_is_named_as_not_asked_and_a_forge_that_is_not_there_too(world, staged):
    with_forge, without = by_name(world), by_name(world, forge=False)
    assert [item.what for item in with_forge["staging"].not_read] == ["cluster"]
    assert [item.what for item in without["staging"].not_read] == [
        "pull requests",
        "evidence",
        "cluster",
    ]
    assert without["staging"].evidence.standing is Standing.UNREADABLE
    assert without["staging"].waiting is None and without["staging"].as_json()["waiting"] is None


def test_the_table_says_nothing_of_pull_requests_that_it_could_not_read(world, staged):
    with_forge, without = by_name(world), by_name(world, forge=False)
    assert [_row(item["staging"])[-1] for item in (with_forge, without)] == ["-", "unreadable"]


def test_an_unknown_environment_is_the_users_error(world, staged):
    with pytest.raises(UserError, match="stagin"):
        by_name(world, "stagin")


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("branch", "name", "concerns"),
    [
        ("promote/staging-1a2b3c4d", "staging", True),
        ("promote/staging-eu-1a2b3c4d", "staging", False),
        ("promote/payments-staging-1a2b3c4d", "payments/staging", True),
        ("pause/staging", "staging", True),
        ("pause/staging-eu", "staging", False),
        ("harden/staging-hooks", "staging", True),
        ("harden/staging-hooks", "staging-hooks", False),
        ("feature/staging", "staging", False),
    ],
)
def test_branches_of_other_environments_and_of_people_are_none_of_its(
    world, staged, branch, name, concerns
):
    promote(world)
    (pull,) = by_name(world)["production"].waiting
    assert status._concerns(dataclasses.replace(pull, head_ref=branch), name) is concerns
    forked = dataclasses.replace(pull, head_ref=branch, head_repository="somebody/else")
    assert not status._concerns(forked, name)
