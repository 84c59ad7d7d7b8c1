import pytest

from service.model.job import Kind
from service.worker.runner import JobFailed
from tests.service.follow_up.world import PRODUCED, STAGING

pytestmark = pytest.mark.thorough


@pytest.mark.always
def test_a_merge_leads_to_a_verification_of_each_environment_that_it_touches(world):
    world.verifying()
    before = world.head("main")
    sha = world.release()
    row = world.run(Kind.MERGE, sha=sha, before=before)
    assert (row.state, row.summary) == ("done", "verifies staging")
    [made] = world.rows(Kind.VERIFY)
    assert made.details == {"environment": "staging", "sha": sha, "cluster": "main"}
    assert world.shown(sha, "gen-env/verify/staging") == ("pending", "waits for its turn")


def test_all_commits_of_a_push_count_where_the_forge_says_how_far_it_went(world):
    world.verifying()
    before = world.head("main")
    world.release()
    sha = world.merged(PRODUCED, ("poolSize: 20", "poolSize: 30"))
    world.run(Kind.MERGE, sha=sha, before=before)
    found = {row.details["environment"] for row in world.rows(Kind.VERIFY)}
    assert found == {"staging", "production"}


def test_without_that_the_first_parent_is_what_was_before(world):
    world.verifying()
    world.release()
    sha = world.merged(PRODUCED, ("poolSize: 20", "poolSize: 30"))
    world.run(Kind.MERGE, sha=sha, before="0123456789" * 4)
    assert [row.details["environment"] for row in world.rows(Kind.VERIFY)] == ["production"]


def test_changed_defaults_touch_what_they_reach(world):
    world.verifying()
    text = world.work.read("gen-env.yaml")
    world.work.write(
        "gen-env.yaml", text + "defaults: {tiers: {staging: {triggerer: {replicas: 2}}}}\n"
    )
    sha = world.commit(generate=True)
    world.merge()
    world.follow()
    world.run(Kind.MERGE, sha=sha)
    assert [row.details["environment"] for row in world.rows(Kind.VERIFY)] == ["staging"]


def test_the_pull_request_behind_the_commit_is_found(world):
    world.verifying()
    number = world.change(STAGING, "tag: 3.2.2-r1", "tag: 3.2.2-r9")
    sha = world.store.pulls[number]["sha"]
    world.merge(sha)
    world.store.pulls[number] |= {"state": "closed", "merged": True, "merge_sha": sha}
    world.run(Kind.MERGE, sha=sha)
    assert world.queued() == [("verdicts", number), ("verify", number)]


def test_where_the_event_names_no_commit_the_forge_is_asked(world):
    world.verifying()
    number = world.change(STAGING, "tag: 3.2.2-r1", "tag: 3.2.2-r9")
    sha = world.store.pulls[number]["sha"]
    world.merge(sha)
    world.store.pulls[number] |= {"state": "closed", "merged": True, "merge_sha": sha}
    assert world.run(Kind.MERGE, number).head_sha == sha
    assert [row.number for row in world.rows(Kind.VERIFY)] == [number]


def test_what_is_not_on_the_branch_is_left_alone(world):
    world.verifying()
    number = world.change(STAGING, "tag: 3.2.2-r1", "tag: 3.2.2-r9")
    sha = world.store.pulls[number]["sha"]
    identity = world.submit(Kind.MERGE, number, sha=sha)
    with pytest.raises(JobFailed, match="cannot be fetched yet") as caught:
        world.runner.perform(identity)
    assert caught.value.transient
    world.now += 61
    world.runner.perform(identity)
    [row] = world.rows()
    assert (row.state, row.summary) == ("neutral", f"{sha[:12]} is not on main")
    assert world.store.statuses == []


@pytest.mark.always
def test_what_touches_no_environment_is_left_alone(world):
    world.verifying()
    world.work.write("README.md", "words\n")
    sha = world.commit()
    world.merge()
    assert world.run(Kind.MERGE, sha=sha).summary == "affects no environment"
    assert world.store.statuses == []


def test_where_nothing_is_to_be_verified_no_commit_waits_for_it(world):
    sha = world.release()
    row = world.run(Kind.MERGE, sha=sha)
    assert (row.state, row.summary) == ("neutral", "verification not configured")
    # Not even the git server is needed: a failure there would be shown as "not verified".
    row = world.run(Kind.MERGE, sha="a" * 40)
    assert (row.state, row.summary) == ("neutral", "verification not configured")
    assert world.store.statuses == [] and world.store.seen == []


def test_environments_in_other_clusters_are_named(world):
    world.verifying("elsewhere")
    sha = world.release()
    assert world.run(Kind.MERGE, sha=sha).state == "neutral"
    assert world.shown(sha, "gen-env/verify")[1] == "verification not configured: staging"


def test_what_an_older_version_queued_for_a_merge_as_a_whole_is_done(world):
    world.verifying()
    sha = world.release()
    row = world.run(Kind.VERIFY, sha=sha)
    assert (row.state, row.summary) == ("done", "verifies staging")
