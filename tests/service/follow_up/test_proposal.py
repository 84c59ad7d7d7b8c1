import pytest

from service.model.job import Kind
from tests.service.follow_up.world import HOUR, PRODUCED, SOAKED, STAGING, VERIFIED

pytestmark = pytest.mark.thorough


def promote(world, **more):
    details = {"environment": "staging", "target": "production", **more}
    return world.run(Kind.PROMOTE, **details)


@pytest.mark.always
def test_what_is_verified_and_has_soaked_moves_on_by_itself(world):
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    row = promote(world, target="")
    assert row.summary == "may move on to production"
    world.drain()
    [pull] = world.pulls()
    assert pull["title"].startswith("Promote staging to production: image.tag")
    assert pull["head"].startswith("promote/production-")
    assert "| What moves | From | To |" in pull["body"]
    assert "tag: 3.2.2-r2" in world.show(f"{pull['head']}:{PRODUCED}")
    author = world._bare("log", "-1", "--format=%an <%ae>", pull["head"])
    assert author == "gen-env <gen-env@users.noreply.invalid>"


@pytest.mark.thorough
def test_again_and_again_it_is_one_pull_request_and_one_commit(world):
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    promote(world)
    [pull] = world.pulls()
    before = world.head(pull["head"])
    for _ in range(2):
        assert promote(world).state == "done"
    assert len(world.store.pulls) == 1 and world.head(pull["head"]) == before
    world.verified("staging", world.merged(STAGING, ("tag: 3.2.2-r2", "tag: 3.2.2-r3")))
    promote(world)
    assert len(world.store.pulls) == 1
    assert "tag: 3.2.2-r3" in world.show(f"{pull['head']}:{PRODUCED}")


def test_a_soak_is_waited_for(world):
    world.verified("staging", world.release())
    row = promote(world)
    assert row.state == "neutral" and row.summary.startswith("soak: ")
    assert world.pulls() == []
    [(kind, _, due)] = world.reminders()
    assert (kind, due) == ("promote", VERIFIED + 72 * HOUR + 1)
    assert world.pass_time(due) == 1
    world.drain()
    assert len(world.pulls()) == 1


@pytest.mark.always
def test_what_is_not_verified_is_not_proposed(world):
    world.release()
    row = promote(world)
    assert row.state == "neutral" and row.summary.startswith("verified: ")
    assert world.pulls() == [] and world.reminders() == []


def test_nothing_happens_where_it_is_not_asked_for(world):
    world.work.edit("gen-env.yaml", ", automatic: true}\nrollback", "}\nrollback")
    world.commit(generate=True)
    world.merge()
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    assert promote(world).summary == "promotion.automatic is off"
    assert world.pulls() == []


def test_nothing_happens_where_nothing_is_to_be_moved_or_nothing_follows(world):
    assert promote(world, environment="production", target="").summary == (
        "nothing follows production"
    )
    assert promote(world, target="elsewhere").summary == "elsewhere no longer follows staging"


@pytest.mark.thorough
def test_what_a_person_has_closed_stays_closed_until_there_is_something_new(world):
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    promote(world)
    [pull] = world.pulls()
    pull["state"] = "closed"
    assert promote(world).summary == "pull request 1 with the same content was closed"
    assert world.pulls() == []
    world.verified("staging", world.merged(STAGING, ("tag: 3.2.2-r2", "tag: 3.2.2-r3")))
    promote(world)
    assert [found["number"] for found in world.pulls()] == [2]


def test_the_remote_keeps_nothing_but_the_branch_and_the_mirror_nothing_at_all(world):
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    promote(world)
    [pull] = world.pulls()
    refs = world._bare("for-each-ref", "--format=%(refname)", "refs/heads/").split()
    assert refs == ["refs/heads/main", f"refs/heads/{pull['head']}"]
    [mirror] = (world.data / "mirrors").glob("*.git")
    assert not [path for path in (mirror / "refs").rglob("*") if path.is_file()]


@pytest.mark.thorough
def test_a_branch_that_somebody_works_on_is_left_alone(world):
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    promote(world)
    [pull] = world.pulls()
    world.work.git("fetch", "--quiet", str(world.bare), pull["head"])
    world.work.git("switch", "--quiet", "--detach", "FETCH_HEAD")
    world.work.edit(PRODUCED, "poolSize: 20", "poolSize: 30")
    world.commit()
    world.push(pull["head"])
    world.verified("staging", world.merged(STAGING, ("tag: 3.2.2-r2", "tag: 3.2.2-r3")))
    with pytest.raises(Exception, match="commits that gen-env did not make"):
        promote(world)


def test_a_remote_that_is_away_is_tried_again(world):
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    world.git.status = 503
    with pytest.raises(Exception) as caught:
        promote(world)
    assert caught.value.transient


@pytest.mark.always
def test_a_failed_verification_proposes_the_way_back_and_merges_nothing(world):
    before = world.show(f"main:{STAGING}")
    sha = world.release()
    main = world.head("main")
    row = world.run(Kind.ROLLBACK, 0, environment="staging", sha=sha)
    assert row.state == "done", row.summary
    [pull] = world.pulls()
    assert pull["head"].startswith("rollback/staging-")
    assert world.show(f"{pull['head']}:{STAGING}") == before
    assert world.head("main") == main
    world.run(Kind.ROLLBACK, 0, environment="staging", sha=sha)
    assert len(world.store.pulls) == 1


def test_no_way_back_is_proposed_for_what_has_changed_since(world):
    sha = world.release()
    world.merged(STAGING, ("replicas: 2", "replicas: 3"))
    row = world.run(Kind.ROLLBACK, 0, environment="staging", sha=sha)
    assert row.summary == f"staging has changed since {sha[:12]}"
    assert world.pulls() == []


def test_a_database_that_cannot_go_back_is_told_and_nothing_proposed(world):
    first, old, new = ("1b2c3d4e" * 8, "5e" * 32, "6f" * 32)
    older = (("version: 3.2.2", "version: 3.1.8"), ("tag: 3.2.2-r1", "tag: 3.1.8-r1"))
    world.merged(STAGING, *older, (first, old))
    newer = (("version: 3.1.8", "version: 3.2.1"), ("tag: 3.1.8-r1", "tag: 3.2.1-r1"))
    sha = world.merged(STAGING, *newer, (old, new))
    row = world.run(Kind.ROLLBACK, 0, environment="staging", sha=sha)
    assert row.state == "failure" and row.summary.startswith("refused: Airflow 3.2.1")
    assert world.pulls() == []


def test_no_way_back_is_proposed_from_what_went_back_itself(world):
    world.release()
    sha = world.merged(STAGING, ("tag: 3.2.2-r2", "tag: 3.2.2-r1"), ("5e" * 32, "1b2c3d4e" * 8))
    row = world.run(Kind.ROLLBACK, 0, environment="staging", sha=sha)
    assert row.summary == "staging was already rolled back, and the rolled-back state fails"
    assert world.pulls() == []
