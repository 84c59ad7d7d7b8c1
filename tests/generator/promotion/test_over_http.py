"""The same over HTTP, as forges serve git: rights, broken servers, and what may be said of them."""

import threading

import pytest

from generator.core.errors import UserError
from generator.promotion import promote as promotion
from generator.promotion import rollback
from generator.promotion.promote import Options
from tests.fakes import git_server
from tests.fakes.forge import TOKEN
from tests.generator.promotion.world import DEFINITION, FROM, NOW

pytestmark = pytest.mark.thorough


@pytest.fixture
def served(world):
    with git_server.serving(world.folder) as server:
        world.repo.git("remote", "set-url", "origin", f"{server.url}/remote.git")
        world.stage()
        yield server


def prepare(world, repo=None):
    base_branch = world.base_branch(repo)
    return promotion.prepare(base_branch, Options("staging", "production"), world.tools(), NOW)


def publish(world, found):
    return promotion.publish_it(found, world.tools(), NOW, pull=True)


def promote(world, repo=None):
    return publish(world, prepare(world, repo))


def clone(world, served, name="other"):
    """Another person's clone, over HTTP too."""
    made = world.clone(name)
    made.git("remote", "set-url", "origin", f"{served.url}/remote.git")
    return made


def at_once(*steps):
    """Run these in threads that start together; what each gave or said, in any order."""
    ready, outcomes = threading.Barrier(len(steps)), []

    def run(step):
        ready.wait()
        try:
            outcomes.append(step())
        except UserError as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=run, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def with_credentials(world, server, password):
    url = server.url.replace("http://", f"http://ann:{password}@")
    world.repo.git("remote", "set-url", "origin", f"{url}/remote.git")


@pytest.mark.always
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


@pytest.mark.few(1)
@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_fails_leaves_nothing_half_done(world, served, status):
    found = prepare(world)
    served.status = status
    with pytest.raises(UserError, match="cannot read origin"):
        publish(world, found)
    assert world.repo.git("branch", "--list", "promote/*") == ""
    served.status = 0
    assert promote(world).pull.number == 1


def test_the_remote_moved_and_what_is_there_now_is_promoted(world, served):
    other = clone(world, served)
    world.merge(
        FROM, ("tag: 3.2.2-r2", "tag: 3.2.2-r3"), repo=other, message="Newer, by somebody else"
    )
    world.verified("staging", sha=other.git("rev-parse", "main"))
    done = promote(world)
    assert b"tag: 3.2.2-r3" in world.show(done.placed.branch, DEFINITION)


def test_the_remote_moves_between_our_look_and_our_push(world, served):
    found = prepare(world)
    other = clone(world, served)
    world.merge(DEFINITION, ("poolSize: 20", "poolSize: 30"), repo=other)
    done = publish(world, found)
    merged = world.bare.git("merge-tree", "--write-tree", "main", done.placed.branch)
    assert b"poolSize: 30" in world.show(merged, DEFINITION)
    assert b"tag: 3.2.2-r2" in world.show(merged, DEFINITION)


def test_a_branch_that_somebody_else_has_by_that_name_is_left_alone(world, served):
    found = prepare(world)
    other = clone(world, served)
    other.git("switch", "--quiet", "--create", found.branch)
    other.write("mine.txt", "mine")
    other.commit("By hand")
    other.git("push", "--quiet", "origin", found.branch)
    with pytest.raises(UserError, match="commits that gen-env did not make"):
        publish(world, found)
    assert world.bare.branch(found.branch) == other.git("rev-parse", "HEAD")
    assert world.pulls() == []


def test_a_protected_branch_refuses_the_push_and_says_so(world, served):
    world.bare.hook("pre-receive", "echo 'GH006: Protected branch update failed' >&2; exit 1")
    with pytest.raises(UserError) as caught:
        promote(world)
    assert "GH006: Protected branch" in caught.value.message
    assert "let gen-env's user push to promote/*" in caught.value.hint
    assert (world.bare.branches("promote/*"), world.pulls()) == ([], [])


@pytest.mark.thorough
def test_a_pull_request_that_is_closed_meanwhile_is_followed_by_a_new_one(world, served):
    first = promote(world)
    found = prepare(world)
    world.store.pulls[first.pull.number]["state"] = "closed"
    second = publish(world, found)
    assert (second.placed.commit, second.pull.number) == (first.placed.commit, 2)
    assert [pull["number"] for pull in world.pulls()] == [2]


@pytest.mark.thorough
def test_two_promotions_at_once_leave_one_branch_and_one_pull_request(world, served):
    clones = [clone(world, served, name) for name in ("ann", "bob")]
    found = [prepare(world, repo) for repo in clones]
    outcomes = at_once(*(lambda item=item: publish(world, item).placed.commit for item in found))
    (branch,) = world.bare.branches("promote/*")
    assert outcomes == [world.bare.branch(branch)] * 2
    assert len(world.pulls()) == 1


@pytest.mark.thorough
def test_two_rollbacks_at_once_leave_one_branch_and_one_pull_request(world, served):
    clones = [clone(world, served, name) for name in ("ann", "bob")]

    def back(repo):
        made = rollback.prepare(
            world.base_branch(repo), rollback.Options("staging"), world.tools(), NOW
        )
        return lambda: rollback.publish_it(made, world.tools(), pull=True).placed.commit

    outcomes = at_once(*[back(repo) for repo in clones])
    (branch,) = world.bare.branches("rollback/*")
    assert outcomes == [world.bare.branch(branch)] * 2
    assert len(world.pulls()) == 1
    assert world.bare.git("rev-list", "--count", f"main..{branch}") == "1"


@pytest.mark.thorough
def test_an_expired_token_leaves_a_branch_that_the_next_run_takes(world, served):
    found = prepare(world)
    world.store.expired.add(TOKEN)
    with pytest.raises(UserError) as caught:
        publish(world, found)
    assert "does not accept the token" in caught.value.message
    assert TOKEN not in f"{caught.value.message}{caught.value.hint}"
    world.store.expired.clear()
    assert publish(world, found).pull.number == 1
