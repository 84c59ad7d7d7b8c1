from datetime import UTC, datetime

import pytest

from generator.forge.errors import Unauthorized
from generator.forge.port import CheckState, Status
from generator.promote import evidence
from generator.promote.evidence import Standing

A, B, C = ("a" * 40, "b" * 40, "c" * 40)


def status(state, since="2026-06-01T12:00:00Z", context="gen-env/verify/staging"):
    return Status(context, CheckState(state), "said", "https://x", "gen-env-bot", since)


class Forge:
    """Answers with these statuses by commit, or fails."""

    def __init__(self, answers, error=None):
        self.answers, self.error = answers, error

    def read_statuses(self, sha):
        if self.error:
            raise self.error
        return self.answers.get(sha, [])


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
    found = evidence.judge("staging", A, [(A, status("success", text))])
    assert found.since is not None
    assert (found.since.hour, found.since.tzinfo) == (hour, UTC)


def test_a_time_stamp_that_is_none_is_no_proof():
    found = evidence.judge("staging", A, [(A, status("success", "yesterday"))])
    assert found.standing is Standing.UNREADABLE
