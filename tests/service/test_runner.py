import dataclasses
import errno
import threading
import time

import pytest

from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.forge.errors import Forbidden, RateLimited, Unavailable
from generator.forge.port import CheckState as ForgeState
from generator.forge.port import PullRequest, PullState
from service.follow_up.task import Done
from service.model.job import CheckOutcome, Job, Kind, Override, State
from service.store import grants, overview, reminders, tables
from service.store.reminders import Reminder
from service.store.reports import Report
from service.store.runs import Outcome
from service.worker.executor import pause
from service.worker.poll import poll
from service.worker.process import remind
from service.worker.runner import JobFailed, Runner
from tests.service import scene
from tests.service.webapp import application

HEAD, BASE, MERGE = (scene.sha_of(name) for name in ("head", "base", "merge"))


def pull(number=1, **changes):
    made = PullRequest(
        number=number, title="t", body="", state=PullState.OPEN, head_sha=HEAD, head_ref="c",
        head_repository="7", base_sha=BASE, base_ref="main", base_repository="7", author="ann",
        url="",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


class Port:
    """A forge whose pull requests are what the test says; remembers statuses."""

    def __init__(self, *pulls):
        self.pulls = {found.number: found for found in pulls}
        self.statuses, self.checks = [], []
        self.writers = {"ann"}
        self.comments = {}

    def get_pr(self, number):
        return self.pulls[number]

    def list_open_prs(self):
        return [found for found in self.pulls.values() if found.state is PullState.OPEN]

    def prs_of_commit(self, sha):
        return [found for found in self.pulls.values() if sha in (found.head_sha, found.merge_sha)]

    def can_write(self, user):
        if self.writers is None:
            raise Forbidden("only admins may ask", status=403, path="/x")
        return user in self.writers

    def upsert_comment(self, number, marker, body):
        self.comments.setdefault(number, {})[marker] = body

    def set_status(self, sha, context, state, description, url=""):
        self.statuses.append((sha, context, state, description))

    def report_check(self, sha, check):
        self.checks.append((sha, check.name, check.state, check.title))


class Scene:
    """A runner over a database of its own; `requests` is what the check was asked."""

    def __init__(self, here, port):
        self.here, self.port, self.requests = here, port, []
        self.answer = CheckOutcome(State.SUCCESS, "fine", "", "{}", "<p>")
        runner = Runner(here.settings, here.jobs, lambda connection, name: port, self._check)
        self.runner = runner

    def _check(self, request):
        self.requests.append(request)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def run(self, kind=Kind.CHECK, number=1, reason="opened", **details):
        job = Job(kind, "forge", "team/one", number, reason, details)
        identity = self.here.jobs.submit(job)
        return identity, self.runner.perform(identity)

    def said(self):
        """The one comment with answers to commands."""
        [body] = self.port.comments[1].values()
        return body

    def rows(self):
        with self.here.engine.connect() as connection:
            return list(connection.execute(tables.run.select().order_by(tables.run.c.queued)))

    def after(self, work):
        runner = Runner(
            self.here.settings,
            self.here.jobs,
            lambda connection, name: self.port,
            self._check,
            work,
        )
        self.runner = runner

    def reminders(self):
        with self.here.engine.connect() as connection:
            rows = connection.execute(tables.timer.select().order_by(tables.timer.c.key))
            return [(row.kind, row.number, row.due) for row in rows]

    def queued(self):
        return [(row.kind, row.number) for row in self.rows() if row.state == "queued"]

    def poll(self, head=lambda connection, name: None, clock=lambda: 1e9, files=None):
        settings = scene.changed(self.here.settings, poll_seconds=60)
        port = lambda connection, name: self.port  # noqa: E731
        return poll(settings, self.here.jobs, port, head, clock, files)


@pytest.fixture
def set_up(tmp_path):
    with application(tmp_path) as (_, here):
        yield Scene(here, Port(pull()))


def test_the_head_is_pinned_from_the_forge_and_the_report_kept(set_up):
    identity, state = set_up.run()
    [request] = set_up.requests
    assert (request.head_sha, request.base_sha, request.context.run_id) == (HEAD, BASE, identity)
    [row] = [row for row in set_up.rows() if row.kind == "check"]
    assert (state, row.state, row.head_sha) == ("success", "success", HEAD)
    with set_up.here.engine.connect() as connection:
        report = connection.execute(tables.report.select()).one().id
    assert request.context.report_url.endswith(report)


@pytest.mark.parametrize("state", [PullState.CLOSED, PullState.MERGED])
def test_a_pull_request_that_is_not_open_is_not_checked(set_up, state):
    set_up.port.pulls[1] = pull(state=state)
    assert set_up.run()[1] == "neutral"
    assert not set_up.requests


def test_a_run_that_is_over_is_left_alone(set_up):
    identity, _ = set_up.run()
    assert set_up.runner.perform(identity) == "superseded"
    assert len(set_up.requests) == 1


def test_a_superseded_run_is_told_and_its_outcome_not_recorded(set_up):
    seen = []

    def overtaken(request):
        seen.append(request.context.is_current())
        set_up.here.jobs.submit(Job(Kind.CHECK, "forge", "team/one", 1, "updated"))
        seen.append(request.context.is_current())
        return CheckOutcome(State.SUCCESS, "stale")

    set_up._check, set_up.runner = (
        None,
        Runner(set_up.here.settings, set_up.here.jobs, lambda *_: set_up.port, overtaken),
    )
    set_up.run()
    assert seen == [True, False]
    assert [row.state for row in set_up.rows()] == ["superseded", "queued"]


def command(verb, **words):
    return {"verb": verb, "sha": "", "rule": "", "reason": "", "fault": "", **words}


def test_a_writers_words_hold_for_that_commit(set_up):
    said = [
        command("accept", rule="impact/data-loss", sha=HEAD[:7]),
        command("override", sha=HEAD, reason="agreed"),
        command("ok-to-test", sha=HEAD[:9]),
    ]
    _, state = set_up.run(Kind.COMMAND, author="ann", commands=said)
    assert state == "done" and set_up.queued() == [("check", 1)]
    set_up.run()
    given = set_up.requests[0].grants
    assert dict(given.accepted) == {"impact/data-loss": "ann"}
    assert (given.override, given.trusted_by) == (Override("ann", "agreed"), "ann")
    set_up.port.pulls[1] = pull(head_sha=scene.sha_of("newer"))
    set_up.run()
    assert not set_up.requests[1].grants.accepted


def test_words_about_another_commit_have_no_effect(set_up):
    said = [command("ok-to-test", sha="0123abc"), command("accept", fault="write ...")]
    set_up.run(Kind.COMMAND, author="ann", commands=said)
    with set_up.here.engine.connect() as connection:
        assert grants.read(connection, "forge/team/one#1", HEAD).trusted_by == ""
        assert not connection.execute(tables.grant.select()).all()
    assert "is not the head of the pull request" in set_up.rows()[0].summary
    assert (
        "0123abc is not the head of the pull request" in set_up.said()
        and "write ..." in set_up.said()
    )


def test_who_may_not_write_may_not_command(set_up):
    said = [command("check"), command("override", sha=HEAD, reason="x")]
    assert set_up.run(Kind.COMMAND, author="eve", commands=said)[1] == "neutral"
    assert set_up.queued() == []
    assert "eve may not write to the repository" in set_up.said()


def test_a_command_is_answered_on_the_pull_request_in_one_comment(set_up):
    set_up.run(Kind.COMMAND, author="ann", commands=[command("check", fault="unknown command")])
    assert "unknown command" in set_up.said() and set_up.queued() == []
    hostile = [command("override", sha=HEAD, reason="x"), command("check")]
    set_up.run(Kind.COMMAND, author="ann", commands=hostile)
    assert "override by ann: the check runs again" in set_up.said()
    assert not any(line.startswith("/gen-env") for line in set_up.said().splitlines())


def test_a_command_that_cannot_be_judged_is_answered_when_it_is_given_up(set_up):
    set_up.port.writers = None
    with pytest.raises(JobFailed) as caught:
        set_up.run(Kind.COMMAND, author="ann", commands=[command("check")])
    set_up.runner.give_up(set_up.rows()[0].id, str(caught.value), transient=False)
    assert "- failed: only admins may ask" in set_up.said()


def test_a_run_whose_workers_all_died_is_told_to_the_forge(set_up):
    identity = set_up.here.jobs.submit(Job(Kind.CHECK, "forge", "team/one", 1, "opened"))
    set_up.runner.give_up(identity, "every worker ended", transient=False)
    expected = (HEAD, "gen-env/check", ForgeState.ERROR, "not checked: every worker ended")
    assert (set_up.port.checks, set_up.port.statuses) == ([expected], [])


def test_a_full_disk_is_called_that(set_up):
    set_up.answer = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(JobFailed, match=r"^the disk is full$") as caught:
        set_up.run()
    assert caught.value.transient


def test_a_check_is_followed_by_the_gates_and_an_older_look_at_them_is_dropped(set_up):
    set_up.run()
    assert set_up.queued() == [("gates", 1)]
    set_up.run(reason="updated")
    assert set_up.queued() == [("gates", 1)]
    assert [row.state for row in set_up.rows() if row.kind == "gates"] == ["superseded", "queued"]


def test_what_follows_a_run_is_recorded_with_its_outcome_or_not_at_all(set_up):
    def done(task):
        later = Reminder(dataclasses.replace(task.job, kind=Kind.GATES), 99.0)
        follow = (dataclasses.replace(task.job, kind=Kind.VERDICTS),)
        if task.job.details.get("late"):
            set_up.here.jobs.submit(task.job)
        return Done(Outcome(State.DONE, "fine"), follow, (later,), Report("{}", "<p>"))

    set_up.after(done)
    set_up.run(Kind.ROLLBACK, environment="a", late=True)
    assert set_up.queued() == [("rollback", 1)] and set_up.reminders() == []
    set_up.run(Kind.ROLLBACK, environment="b")
    assert set_up.queued() == [("rollback", 1), ("verdicts", 1)]
    assert set_up.reminders() == [("gates", 1, 99.0)]


def test_a_verdict_brings_what_waits_for_it_to_the_front(set_up):
    asked = Job(Kind.GATES, "forge", "team/one", 1)
    other = dataclasses.replace(asked, repository="team/two")
    with set_up.here.engine.begin() as connection:
        for job in (asked, other):
            reminders.put(connection, Reminder(job, 9e12))
    set_up.after(lambda task: Done(Outcome(State.SUCCESS, "verified"), run_now=True))
    set_up.run(Kind.VERIFY, environment="staging", sha=MERGE)
    now = time.time()
    assert remind(set_up.here.jobs, now) == 1
    assert set_up.queued() == [("gates", 1)]
    assert remind(set_up.here.jobs, now) == 0
    assert [due for *_, due in set_up.reminders()] == [9e12]


def test_a_push_checks_what_waits_on_that_branch(set_up):
    set_up.port.pulls = {1: pull(1), 2: pull(2, base_ref="other")}
    set_up.run(Kind.PUSH, number=0, branch="main", sha=MERGE)
    assert set_up.queued() == [("check", 1)]


def test_merges_in_a_row_lead_to_one_check_of_what_waits(set_up):
    limits = scene.changed(set_up.here.settings.limits, settle_seconds=10.0)
    settings = scene.changed(set_up.here.settings, limits=limits)
    moments = iter((100.0, 105.0))
    for sha in (BASE, MERGE):
        now = next(moments)
        runner = Runner(settings, set_up.here.jobs, lambda *_: set_up.port, set_up._check,
                      clock=lambda now=now: now)  # fmt: skip
        set_up.runner = runner
        set_up.run(Kind.PUSH, number=0, branch="main", sha=sha)
    assert set_up.queued() == []
    # The second does not put the first off.
    assert set_up.reminders() == [("push", 0, 110.0)]
    assert remind(set_up.here.jobs, 111.0) == 1
    [later] = [row for row in set_up.rows() if row.state == "queued"]
    assert later.details["sha"] == MERGE
    set_up.runner.perform(later.id)
    assert set_up.queued() == [("check", 1)]


def test_a_merge_that_is_told_twice_is_looked_at_once(set_up):
    jobs = set_up.here.jobs
    first = jobs.submit(Job(Kind.MERGE, "forge", "team/one", 3, "merged", {"sha": MERGE}))
    again = Job(Kind.MERGE, "forge", "team/one", 0, "push", {"sha": MERGE, "before": BASE})
    assert jobs.submit(again) == first
    assert set_up.queued() == [("merge", 3)]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("kind", "details", "context"),
    [
        (Kind.GATES, {}, "gen-env/gates"),
        (Kind.MERGE, {"sha": MERGE}, "gen-env/verify"),
        (Kind.MERGE, {"sha": ""}, "gen-env/verify"),
        (Kind.VERIFY, {"sha": MERGE, "environment": "a/b"}, "gen-env/verify/a/b"),
    ],
)
def test_giving_up_after_a_merge_is_told_where_it_was_expected(set_up, kind, details, context):
    set_up.port.pulls[1] = pull(merge_sha=MERGE)
    identity = set_up.here.jobs.submit(Job(kind, "forge", "team/one", 1, "", details))
    set_up.runner.give_up(identity, "no way", transient=True)
    [(sha, said, state, words)] = set_up.port.statuses
    expected = HEAD if kind is Kind.GATES else MERGE
    assert (sha, said, state) == (expected, context, ForgeState.ERROR)
    assert words.endswith(": no way")
    assert len(set_up.reminders()) == (kind is Kind.GATES)


@pytest.mark.parametrize("transient", [True, False])
def test_a_push_that_the_forge_made_fail_is_looked_at_again(set_up, transient):
    """What a merge made false stays green until then."""
    job = Job(Kind.PUSH, "forge", "team/one", 0, "push", {"branch": "main", "sha": MERGE})
    set_up.runner.give_up(set_up.here.jobs.submit(job), "no answer", transient=transient)
    assert remind(set_up.here.jobs, time.time() + 601) == transient
    for row in set_up.rows():
        set_up.runner.perform(row.id)
    assert set_up.queued() == [("check", 1)] * transient


def test_a_rerun_finds_its_pull_requests_by_the_commit(set_up):
    set_up.run(Kind.RERUN, number=0, sha=HEAD)
    assert set_up.queued() == [("check", 1)]


def test_failures_say_whether_to_try_again_and_quote_no_secret(set_up):
    set_up.answer = Unavailable(f"no answer to {scene.TOKEN}")
    with pytest.raises(JobFailed, match="no answer to") as caught:
        set_up.run()
    assert caught.value.transient and scene.TOKEN not in str(caught.value)
    set_up.answer = RuntimeError(scene.TOKEN)
    with pytest.raises(JobFailed, match=r"RuntimeError at service/test_runner\.py") as caught:
        set_up.run()
    assert scene.TOKEN not in str(caught.value)


def test_a_forge_that_asks_to_be_left_alone_is_left_alone(set_up, caplog):
    set_up.answer = RateLimited("the limit is used up", status=429, path="/x", retry_after=900.0)
    with pytest.raises(JobFailed, match="used up") as caught:
        set_up.run()
    assert (caught.value.transient, caught.value.after) == (True, 900.0)
    assert "run fails: the limit is used up" in caplog.text
    assert [pause(attempt, 2.0, 0.0) for attempt in (1, 2, 3)] == [2.0, 4.0, 8.0]
    assert [pause(attempt, 2.0, 900.0) for attempt in (1, 12)] == [900.0, 4096.0]
    assert pause(1, 2.0, 1e9) == 3600.0


def test_giving_up_is_told_to_the_forge(set_up):
    identity = set_up.here.jobs.submit(Job(Kind.CHECK, "forge", "team/one", 1, "opened"))
    set_up.runner.give_up(identity, "the chart is gone", transient=False)
    expected = (HEAD, "gen-env/check", ForgeState.ERROR, "not checked: the chart is gone")
    # As the check reports: beside an App's check run, a status of its name would never go away.
    assert (set_up.port.checks, set_up.port.statuses) == ([expected], [])
    assert [run["id"] for run in set_up.here.jobs.runs(states=[State.DEAD])] == [identity]


def test_the_poll_finds_what_no_delivery_told_of(set_up):
    assert set_up.poll() == 2  # the same pull request in both repositories
    assert set_up.poll(clock=lambda: 1e9 + 59) == 0  # another worker, the same interval
    for row in set_up.rows():
        set_up.runner.perform(row.id)
    assert set_up.poll(clock=lambda: 1e9 + 100) == 0
    set_up.port.pulls[1] = pull(head_sha=scene.sha_of("newer"))
    assert set_up.poll(clock=lambda: 1e9 + 200) == 2


@pytest.mark.parametrize(("transient", "number"), [(True, 2), (False, 1)])
def test_the_poll_tries_again_what_the_forge_made_fail(set_up, transient, number):
    identity = set_up.here.jobs.submit(Job(Kind.CHECK, "forge", "team/one", 1, "opened"))
    set_up.runner.give_up(identity, "x", transient=transient)
    assert set_up.poll() == number


def test_the_poll_finds_a_push_that_was_not_told(set_up):
    set_up.port.pulls = {}
    moments = iter((1e9, 1e9, 2e9, 2e9, 3e9, 3e9))
    for sha, expected in ((BASE, 0), (MERGE, 2), (MERGE, 0)):
        found = set_up.poll(head=lambda *_, sha=sha: sha, clock=lambda: next(moments))
        assert found == expected
    assert {row.details["sha"] for row in set_up.rows()} == {MERGE}


def test_the_poll_keeps_that_a_branch_stood_there_now_and_reads_it_once(set_up):
    read = []

    def files(connection, repository):
        read.append(repository)
        if repository == "team/two":
            raise UserError("no answer")
        return Snapshot({})

    for now in (1e9, 2e9):
        set_up.poll(head=lambda *_: MERGE, clock=lambda now=now: now, files=files)
    assert read == ["team/one", "team/two", "team/two"]
    with set_up.here.engine.connect() as connection:
        [(name, row)] = overview.branches(connection).items()
    assert (name, row["sha"], row["read"]) == ("forge/team/one", MERGE, 2e9)


def test_many_who_ask_at_once_get_one_turn(set_up):
    found = []
    threads = [threading.Thread(target=lambda: found.append(set_up.poll())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(found) == 2


def test_all_states_of_a_check_can_be_recorded():
    assert {state.value for state in State} <= {state.value for state in State}
