from datetime import UTC, datetime

import pytest

from generator.forge.port import CheckState as ForgeState
from service.model.job import Job, Kind, pull_key
from service.store import grants, reminders
from service.webhook.command import Command, Verb
from tests.fakes.apiserver import FakeApiServer
from tests.generator.pipeline.test_drills import BACKUP, job
from tests.service.follow_up.world import HOUR, PRODUCED, SOAKED, STAGING, VERIFIED, access

pytestmark = pytest.mark.thorough

DENIED = "sync: {windows: [{kind: deny, schedule: '0 0 4 6 *', duration: 24h}]}\n"


@pytest.fixture
def proposed(world):
    """Staging's new image, verified, and the pull request that promotes it."""
    return propose(world)


def propose(world):
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    world.run(Kind.PROMOTE, environment="staging", target="production")
    [pull] = world.pulls()
    world.pass_time(VERIFIED + HOUR)
    world.number = pull["number"]
    return world


def ask(world, number=None):
    return world.run(Kind.GATES, number or world.number)


def test_a_soak_that_lasts_is_pending_with_its_end_and_opens_when_it_has_passed(proposed):
    assert ask(proposed).state == "neutral"
    state, said = proposed.gates(proposed.number)
    assert state == "pending"
    assert said.startswith("opens 2026-06-04 12:00 UTC: soak: staging has been healthy for")
    assert len(said) <= 140
    [(kind, number, due)] = proposed.reminders()
    assert (kind, number, due) == ("gates", proposed.number, proposed.now + 600)
    assert proposed.pass_time(SOAKED) == 1
    proposed.drain()
    state, said = proposed.gates(proposed.number)
    assert state == "success"
    assert said == "open: order, current, promotion-only, verified, soak, freeze"


@pytest.mark.thorough
def test_what_ends_before_the_next_look_is_looked_at_then(proposed):
    proposed.pass_time(VERIFIED + 72 * HOUR - 60)
    ask(proposed)
    [(_, _, due)] = proposed.reminders()
    assert due == VERIFIED + 72 * HOUR + 1


@pytest.mark.thorough
def test_an_open_gate_is_looked_at_again_and_closes(proposed):
    proposed.pass_time(SOAKED)
    ask(proposed)
    assert proposed.gates(proposed.number)[0] == "success"
    proposed.verified("staging", proposed.head("main"), "failure")
    assert proposed.pass_time(SOAKED + 600) == 1
    proposed.drain()
    assert proposed.gates(proposed.number)[0] == "failure"
    assert "verification of staging" in proposed.gates(proposed.number)[1]


@pytest.mark.thorough
def test_a_closed_pull_request_is_not_looked_at_again(proposed):
    ask(proposed)
    proposed.store.pulls[proposed.number]["state"] = "closed"
    proposed.pass_time(SOAKED)
    proposed.drain()
    assert proposed.reminders() == []
    assert proposed.gates(proposed.number)[0] == "pending"


@pytest.mark.always
def test_what_waiting_cannot_open_is_a_failure(world):
    number = world.change(PRODUCED, "poolSize: 20", "poolSize: 30")
    row = ask(world, number)
    # The API shows them: the name of the gate alone, such as "verified", would be read as a state.
    assert dict(row.environments) == {"production": "blocked by verified, soak, promotion-only"}
    state, said = world.gates(number)
    assert (row.state, state) == ("failure", "failure")
    assert said.startswith("promotion-only: production changes by promotion only")


def test_a_change_that_promotes_nothing_has_no_gate(world):
    number = world.change(STAGING, "replicas: 2", "replicas: 3")
    assert ask(world, number).state == "success"
    assert world.gates(number) == ("success", "no gate: nothing is promoted")
    assert world.reminders() == []


def test_a_change_of_nothing_of_ours_gets_its_status_too(world):
    world.branch("words")
    world.work.write("README.md", "words\n")
    world.commit()
    number = world.open()
    ask(world, number)
    assert world.gates(number) == ("success", "no gate: this change affects no gen-env files")


def test_a_branch_of_another_base_is_not_held_up(world):
    world.branch("base")
    world.push("base")
    number = world.change(PRODUCED, "poolSize: 20", "poolSize: 30", base="base")
    ask(world, number)
    assert world.gates(number) == ("success", "goes into base, which is not deployed")


def test_a_conflict_is_told(world):
    number = world.change(STAGING, "replicas: 2", "replicas: 3")
    world.merged(STAGING, ("replicas: 2", "replicas: 4"))
    ask(world, number)
    assert world.gates(number)[0] == "failure"
    assert world.gates(number)[1].startswith("conflicts with main")


def configure(world, policy):
    world.work.git("switch", "--quiet", "main")
    text = world.work.read("gen-env.yaml")
    old = "{soak: 72h, promotionOnly: true}"
    assert text.count(old) == 1
    world.work.write("gen-env.yaml", text.replace(old, policy))
    world.commit(generate=True)
    world.merge()
    world.follow()


def test_broken_settings_of_the_base_are_told_as_an_error(world):
    number = world.change(STAGING, "replicas: 2", "replicas: 3")
    world.work.git("switch", "--quiet", "main")
    world.work.write("gen-env.yaml", "apiVersion: [\n")
    world.commit()
    world.merge()
    world.follow()
    assert ask(world, number).state == "error"
    state, said = world.gates(number)
    assert state == "error" and said.startswith("not evaluated: gen-env.yaml:")


@pytest.mark.always
@pytest.mark.thorough
def test_a_missing_label_is_waited_for(proposed):
    configure(proposed, "{promotionOnly: true, labels: [approved]}")
    ask(proposed)
    assert proposed.gates(proposed.number) == (
        "pending", "labels: the pull request lacks the label approved",
    )  # fmt: skip
    proposed.store.pulls[proposed.number]["labels"].append("approved")
    ask(proposed)
    assert proposed.gates(proposed.number)[0] == "success"


def test_the_drill_is_read_in_the_cluster_that_the_service_knows(proposed, tmp_path):
    world = proposed
    world.work.git("switch", "--quiet", "main")
    world.work.write(PRODUCED, world.work.read(PRODUCED) + BACKUP)
    configure(world, "{promotionOnly: true, drill: 336h}")
    ask(world)
    assert world.gates(world.number) == (
        "failure", "drill: not read: the service has no verification.clusters.main",
    )  # fmt: skip
    with FakeApiServer() as server:
        place = access("fake", server.kubeconfig(tmp_path))
        world.verifying(clusters={"main": place})
        ended = datetime.fromtimestamp(world.now - 7200, UTC).isoformat()
        drill = job("airflow-restore-drill", ended)
        drill["metadata"]["namespace"] = "airflow"
        server.put({"apiVersion": "batch/v1", "kind": "Job", **drill})
        ask(world)
        assert world.gates(world.number)[0] == "success"


@pytest.mark.thorough
def test_a_status_of_others_is_waited_for_until_it_is_a_success(proposed):
    configure(proposed, "{promotionOnly: true, statuses: [ci/dags]}")
    head = proposed.store.pulls[proposed.number]["sha"]
    waits = "statuses: not a success on the pull request's newest commit: ci/dags"
    for state in (None, ForgeState.PENDING, ForgeState.FAILURE):
        if state:
            proposed.forge.set_status(head, "ci/dags", state, "theirs")
        ask(proposed)
        assert proposed.gates(proposed.number) == ("pending", waits)
    proposed.forge.set_status(head, "ci/dags", ForgeState.SUCCESS, "theirs")
    ask(proposed)
    assert proposed.gates(proposed.number)[0] == "success"


def test_a_pull_request_does_not_bend_its_own_rules(world):
    world.branch("bend")
    world.work.edit("gen-env.yaml", "{soak: 72h, promotionOnly: true}", "{}")
    world.work.edit(PRODUCED, "poolSize: 20", "poolSize: 30")
    world.commit(generate=True)
    number = world.open()
    ask(world, number)
    assert world.gates(number)[0] == "failure"


def test_a_freeze_is_waited_for_and_does_not_hold_a_rollback_up(world):
    text = world.work.read(PRODUCED)
    world.work.write(PRODUCED, text + DENIED)
    world.merged(PRODUCED)
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    world.run(Kind.PROMOTE, environment="staging", target="production")
    [pull] = world.pulls()
    ask(world, pull["number"])
    assert world.gates(pull["number"]) == (
        "pending", "opens 2026-06-05 00:00 UTC: freeze: a sync window of production denies syncs",
    )  # fmt: skip
    world.branch("back")
    world.work.write(PRODUCED, text)
    world.commit(generate=True)
    number = world.open()
    ask(world, number)
    assert world.gates(number) == ("success", "no gate: nothing is promoted")


def override(proposed):
    sha = proposed.store.pulls[proposed.number]["sha"]
    key = pull_key("forge", proposed.store.repository, proposed.number)
    said = Command(Verb.OVERRIDE, sha, reason="the database is full")
    with proposed.here.engine.begin() as connection:
        grants.record(connection, key, sha, said, "alice", 1.0)
    return ask(proposed)


@pytest.mark.always
def test_a_writers_override_opens_what_a_reason_can_open(proposed):
    override(proposed)
    assert proposed.gates(proposed.number) == (
        "success", "overridden by @alice: the database is full",
    )  # fmt: skip


def test_what_is_overridden_no_longer_blocks_in_the_record(proposed):
    proposed.verified("staging", proposed.head("main"), "failure")
    assert dict(ask(proposed).environments) == {"production": "blocked by verified, soak"}
    row = override(proposed)
    assert (row.state, dict(row.environments)) == ("success", {})


@pytest.mark.few(1)
@pytest.mark.parametrize("group", [False, True], ids=["pull request", "merge group"])
def test_where_policy_asks_for_another_person_the_authors_override_opens_nothing(world, group):
    configure(world, "{soak: 72h, promotionOnly: true, accept: anotherPerson}")
    proposed = propose(world)
    pull = proposed.store.pulls[proposed.number]
    author, sha = proposed.store.users[pull["author"]], pull["sha"]

    def asked_after_override_by(person, at):
        number = 0 if group else proposed.number
        key = pull_key("forge", proposed.store.repository, number)
        said = Command(Verb.OVERRIDE, sha, reason="the database is full")
        with proposed.here.engine.begin() as connection:
            grants.record(connection, key, sha, said, person, at, author)
        if group:
            base = proposed.head("main")
            proposed.run(Kind.GATES, sha=sha, base=base, brings=proposed.number)
        else:
            ask(proposed)
        return proposed.gates(proposed.number)

    state, said = asked_after_override_by(author.upper(), 1.0)
    assert (state, said.partition(": ")[0]) == ("pending", "opens 2026-06-04 12:00 UTC")
    assert asked_after_override_by("another", 2.0) == (
        "success", "overridden by @another: the database is full",
    )  # fmt: skip


def test_the_authors_own_word_gives_way_to_that_of_another_person(proposed):
    key, command = "forge:a/b:1", Command(Verb.ACCEPT, "f" * 40, rule="impact/data-loss")

    def word_of(author, at):
        with proposed.here.engine.begin() as connection:
            grants.record(connection, key, "f" * 40, command, author, at, "Alice")
            return grants.read(connection, key, "f" * 40).accepted["impact/data-loss"]

    assert word_of("alice", 1.0) == "alice"
    assert word_of("bob", 2.0) == "bob"
    assert word_of("carol", 3.0) == "bob", "the first of the others stays on record"
    assert word_of("alice", 4.0) == "bob"


def test_a_strangers_branch_of_our_name_is_no_promotion(world):
    world.verified("staging", world.release())
    world.pass_time(SOAKED)
    world.branch("promote/production-12345678")
    world.work.edit(PRODUCED, "tag: 3.2.2-r1", "tag: 3.2.2-r2")
    world.commit(generate=True)
    number = world.open(fork=True)
    ask(world, number)
    assert world.gates(number)[0] == "failure"


@pytest.mark.thorough
def test_a_merge_group_is_asked_as_the_pull_request_that_it_brings(proposed):
    proposed.pass_time(SOAKED)
    base, pull = proposed.head("main"), proposed.store.pulls[proposed.number]
    row = proposed.run(Kind.GATES, sha=pull["sha"], base=base, brings=proposed.number)
    assert row.state == "success"
    assert proposed.gates(proposed.number)[0] == "success"
    assert proposed.reminders() == []


@pytest.mark.thorough
def test_the_forge_away_is_tried_again_later(proposed):
    identity = proposed.submit(Kind.GATES, proposed.number)
    proposed.runner.give_up(identity, "the forge is away", transient=True)
    [(kind, _, due)] = proposed.reminders()
    assert (kind, due) == ("gates", proposed.now + 600)


def test_two_workers_never_get_the_same_reminder(world):
    job = Job(Kind.GATES, "forge", "a/b", 1)
    with world.here.engine.begin() as connection:
        reminders.put(connection, reminders.Reminder(job, 5.0))
        reminders.put(connection, reminders.Reminder(job, 7.0))
        assert reminders.take(connection, 6.0) == []
        [found] = reminders.take(connection, 7.0)
        assert reminders.take(connection, 7.0) == []
    assert (found.key, found.reason) == (job.key, "time")
