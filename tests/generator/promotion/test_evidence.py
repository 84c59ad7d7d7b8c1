from datetime import UTC, datetime

import pytest

from generator.forge.errors import Forbidden, Unauthorized, Unavailable
from generator.forge.port import CheckState, Deployment, DeploymentState, ForgeKind, Status
from generator.promotion import evidence
from generator.promotion.evidence import Standing
from tests.fakes.forge import SHA
from tests.generator.forge.forges import setting

A, B, C = ("a" * 40, "b" * 40, "c" * 40)


def status(state, since="2026-06-01T12:00:00Z", context="gen-env/verify/staging"):
    return Status(context, CheckState(state), "said", "https://x", "gen-env-bot", since)


class Forge:
    """Answers with these statuses by commit, or fails."""

    def __init__(self, answers, error=None, deployments=None, hidden=None):
        self.answers, self.error = answers, error
        self.deployments, self.hidden = deployments or {}, hidden

    def read_statuses(self, sha):
        if self.error:
            raise self.error
        return self.answers.get(sha, [])

    def read_deployments(self, environment, sha):
        if self.hidden:
            raise self.hidden
        return self.deployments.get((environment, sha), [])


def deployed(state, day):
    since = f"2026-06-0{day}T12:00:00Z"
    return Deployment(DeploymentState(state), "said", "https://x", "gen-env-bot", since)


def test_a_success_is_proof_since_it_was_written():
    found = evidence.read(Forge({A: [status("success")]}), "staging", [A])
    assert (found.standing, found.revision, found.by) == (Standing.VERIFIED, A, "gen-env-bot")
    assert found.since == datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("states", "standing", "since_day"),
    [
        (["success", "success"], Standing.VERIFIED, 1),
        (["failure", "success"], Standing.VERIFIED, 2),
        (["success", "failure"], Standing.FAILED, None),
        (["success", "error"], Standing.FAILED, None),
        (["success", "running"], Standing.RUNNING, None),
        (["pending"], Standing.RUNNING, None),
        (["success", "failure", "success"], Standing.VERIFIED, 3),
    ],
)
def test_the_last_word_counts_and_time_runs_since_the_last_failure(states, standing, since_day):
    shas = [A, B, C][: len(states)]
    answers = {
        sha: [status(state, f"2026-06-0{number}T12:00:00Z")]
        for number, (sha, state) in enumerate(zip(shas, states, strict=True), 1)
    }
    found = evidence.read(Forge(answers), "staging", shas)
    assert found.standing is standing
    assert (found.since.day if found.since else None) == since_day


def test_another_environments_proof_is_none():
    other = status("success", context="gen-env/verify/staging-2")
    found = evidence.read(Forge({A: [other]}), "staging", [A])
    assert found.standing is Standing.ABSENT
    assert "gen-env/verify/staging" in found.reason


def test_what_cannot_be_read_is_a_reason_and_no_error():
    error = Unauthorized("the forge does not accept the token", status=401)
    found = evidence.read(Forge({}, error), "staging", [A])
    assert (found.standing, found.reason) == (Standing.UNREADABLE, error.message)


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-06-01T12:00:00.123Z", 12), ("2026-06-01T14:00:00+02:00", 12), ("2026-06-01 12:00", 12)],
)
def test_time_stamps_of_all_forges(text, hour):
    found = evidence.decide("staging", A, [(A, status("success", text))])
    assert found.since is not None
    assert (found.since.hour, found.since.tzinfo) == (hour, UTC)


def test_a_time_stamp_that_is_none_is_no_proof():
    found = evidence.decide("staging", A, [(A, status("success", "yesterday"))])
    assert found.standing is Standing.UNREADABLE


@pytest.mark.parametrize(
    ("states", "standing", "since_day"),
    [
        (["success"], Standing.VERIFIED, 1),
        (["running", "success"], Standing.VERIFIED, 2),
        (["success", "success"], Standing.VERIFIED, 1),
        (["success", "failure", "success"], Standing.VERIFIED, 3),
        (["success", "failure"], Standing.FAILED, None),
        (["success", "running"], Standing.RUNNING, None),
    ],
)
def test_deployments_are_proof_as_statuses_are(states, standing, since_day):
    words = [deployed(state, day) for day, state in enumerate(states, 1)]
    found = evidence.read(Forge({}, deployments={("staging", A): words}), "staging", [A])
    assert (found.standing, found.since.day if found.since else None) == (standing, since_day)
    other = evidence.read(Forge({}, deployments={("staging", A): words}), "other", [A])
    assert other.standing is Standing.ABSENT


def test_a_deployment_remembers_since_when_where_the_status_was_written_anew():
    words = {("staging", A): [deployed("failure", 1), deployed("success", 2)]}
    latest = status("success", "2026-06-05T12:00:00Z")
    found = evidence.read(Forge({A: [latest]}, deployments=words), "staging", [A])
    assert found.since == datetime(2026, 6, 2, 12, 0, tzinfo=UTC)


def test_the_later_of_status_and_deployment_counts():
    words = {("staging", A): [deployed("success", 3)]}
    early, late = (status("failure", f"2026-06-0{day}T12:00:00Z") for day in (2, 4))
    found = evidence.read(Forge({A: [early]}, deployments=words), "staging", [A])
    assert found.standing is Standing.VERIFIED
    found = evidence.read(Forge({A: [late]}, deployments=words), "staging", [A])
    assert found.standing is Standing.FAILED


def test_deployments_that_may_not_be_read_are_told_only_where_they_might_have_helped():
    hidden = Forbidden("the token may not do this", status=403)
    found = evidence.read(Forge({A: [status("success")]}, hidden=hidden), "staging", [A])
    assert found.standing is Standing.VERIFIED
    found = evidence.read(Forge({}, hidden=hidden), "staging", [A])
    assert found.standing is Standing.ABSENT
    assert found.reason.endswith("deployments cannot be read: the token may not do this")


def test_statuses_that_cannot_all_be_read_prove_nothing():
    class Flaky(Forge):
        def read_statuses(self, sha):
            if sha == B:
                raise Unavailable("the forge failed with 503", status=503)
            return [status("success")]

    assert evidence.read(Flaky({}), "staging", [A, B]).standing is Standing.UNREADABLE


@pytest.mark.few(3)
@pytest.mark.parametrize("kind", list(ForgeKind), ids=str)
@pytest.mark.parametrize("without", ["nothing", "statuses", "deployments"])
def test_what_is_recorded_is_read_on_every_forge(kind, without):
    with setting() as world:
        port = world.port(kind)
        for state in (CheckState.RUNNING, CheckState.FAILURE, CheckState.SUCCESS):
            for _ in range(2):
                assert evidence.record(port, "pay/staging", SHA, state, "said", "https://x.y") == ""
        if without == "statuses" and kind is not ForgeKind.GITEA:
            world.store.statuses.clear()
        if without == "deployments":
            world.store.deployments.clear()
        found = evidence.read(port, "pay/staging", [SHA])
        assert (found.standing, found.by) == (Standing.VERIFIED, "gen-env-bot")
        assert found.since == datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
        assert evidence.read(port, "pay/production", [SHA]).standing is Standing.ABSENT


@pytest.mark.parametrize("kind", [ForgeKind.GITHUB, ForgeKind.GITLAB], ids=str)
def test_deployments_of_a_pipeline_are_no_proof(kind):
    with setting() as world:
        port = world.port(kind)
        evidence.record(port, "staging", SHA, CheckState.SUCCESS, "said")
        world.store.statuses.clear()
        world.store.deployments[0] |= {"task": "deploy", "deployable": {"id": 1}}
        assert evidence.read(port, "staging", [SHA]).standing is Standing.ABSENT


@pytest.mark.parametrize("kind", [ForgeKind.GITHUB, ForgeKind.GITLAB], ids=str)
def test_a_token_without_a_right_to_deployments_records_the_status_all_the_same(kind):
    with setting() as world:
        port = world.port(kind)
        world.store.fail(403, path="/deployments", times=99)
        said = evidence.record(port, "staging", SHA, CheckState.SUCCESS, "said")
        assert said.startswith("the token may not do this")
        assert evidence.read(port, "staging", [SHA]).standing is Standing.VERIFIED


def test_a_later_deployment_of_the_environment_takes_nothing_back():
    with setting() as world:
        port = world.port(ForgeKind.GITHUB)
        evidence.record(port, "staging", SHA, CheckState.SUCCESS, "said")
        world.store.statuses.clear()
        made = world.store.deployments[0]["statuses"]
        made.append({**made[-1], "id": world.store.next_id(), "state": "inactive"})
        assert evidence.read(port, "staging", [SHA]).standing is Standing.VERIFIED
