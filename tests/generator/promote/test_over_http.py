"""The same over HTTP, as forges serve git: rights, broken servers, and what may be said of them."""

import pytest

from generator.errors import UserError
from generator.promote import promotion
from generator.promote.promotion import Wish
from tests import git_server
from tests.generator.promote.world import DEFINITION, NOW


@pytest.fixture
def served(world):
    with git_server.serving(world.folder) as server:
        world.repo.git("remote", "set-url", "origin", f"{server.url}/remote.git")
        world.stage()
        yield server


def promote(world):
    found = promotion.prepare(world.ground(), Wish("staging", "production"), world.means(), NOW)
    return promotion.publish_it(found, world.means(), NOW, pull=True)


def with_credentials(world, server, password):
    url = server.url.replace("http://", f"http://ann:{password}@")
    world.repo.git("remote", "set-url", "origin", f"{url}/remote.git")


def test_push_and_update_over_http(world, served):
    first = promote(world)
    assert world.bare.branch(first.placed.branch) == first.placed.commit
    world.stage("3.2.2-r3", "0a1b2c3d" * 8)
    second = promote(world)
    assert second.placed.branch == first.placed.branch
    assert b"3.2.2-r3" in world.show(second.placed.branch, DEFINITION)
    assert len(world.pulls()) == 1


def test_with_the_users_own_git_credentials(world, served):
    served.require("ann", "right")
    with_credentials(world, served, "right")
    assert promote(world).pull.number == 1


@pytest.mark.parametrize("password", ["", "wr0ng-pass"])
def test_refused_credentials_are_said_without_them(world, served, password):
    served.require("ann", "right")
    if password:
        with_credentials(world, served, password)
    with pytest.raises(UserError) as caught:
        promote(world)
    assert "cannot read origin" in caught.value.message
    assert "git credentials" in caught.value.hint
    assert "wr0ng-pass" not in caught.value.message
    assert world.pulls() == []


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_fails_leaves_nothing_half_done(world, served, status):
    found = promotion.prepare(world.ground(), Wish("staging", "production"), world.means(), NOW)
    served.status = status
    with pytest.raises(UserError, match="cannot read origin"):
        promotion.publish_it(found, world.means(), NOW, pull=True)
    assert world.repo.git("branch", "--list", "promote/*") == ""
    served.status = 0
    assert promote(world).pull.number == 1
