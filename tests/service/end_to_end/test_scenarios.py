"""The life of pull requests: real processes, real git, signed deliveries, the real check."""

import json
import threading
import time

import pytest

from generator.forge.port import ForgeKind
from tests.fakes.forge import ALICE, MALLORY
from tests.service import scene
from tests.service.check.test_run import AUTH
from tests.service.check.world import DEV
from tests.service.end_to_end import stage as stages
from tests.service.end_to_end.stage import APP, FINAL

pytestmark = pytest.mark.thorough
REFUSED = "- mallory may not write to the repository: nothing is recorded"


@pytest.fixture(scope="module")
def running(tmp_path_factory, template, caches):
    """The service, started once: what one scenario leaves behind must not hurt the next."""
    with stages.made(tmp_path_factory.mktemp("stage"), template, caches) as stage:
        stage.start("web")
        stage.start("worker")
        assert stage.ready(), stage.log.read_text()[-3000:]
        yield stage


@pytest.fixture
def stage(running):
    running.store.faults.clear()
    running.store.seen.clear()
    running.store.clock = time.time()
    yield running
    running.git.status = 0
    running.settle()
    for pull in running.store.pulls.values():
        pull["state"] = "closed"
    running.work.git("reset", "-q", "--hard")
    running.work.git("switch", "-q", "main")
    # Whatever a scenario does: both sides speak as the forges describe it.
    violations, running.store.violations = running.store.violations, []
    assert violations == []


def opened(stage, capacity, *, kind=ForgeKind.GITHUB, generate=True, **more):
    """A pull request with one number changed; the number makes its commits its own."""
    branch = f"feature-{capacity}"
    text = f"{AUTH}\ntriggerer: {{capacity: {capacity}}}"
    return stage.change(DEV, AUTH, text, branch=branch, generate=generate, kind=kind, **more)


def committed(stage, old, new, *, amend=False):
    """Another number in the work tree, committed and not pushed."""
    stage.work.edit(DEV, f"capacity: {old}", f"capacity: {new}")
    stage.generate()
    stage.work.git("commit", "-qa", *(["--amend"] if amend else []), "-m", f"Now {new}")
    return stage.work.git("rev-parse", "HEAD")


def head(stage, number):
    return stage.store.pulls[number]["sha"]


# One after the other.


@pytest.mark.parametrize(("kind", "capacity"), list(zip(ForgeKind, (101, 102, 103), strict=True)))
def test_a_pull_request_gets_one_status_and_one_comment(stage, kind, capacity):
    number = opened(stage, capacity, kind=kind)
    stage.settle()
    comment, state = stage.assert_one_of_each(number)
    assert state == "success"
    assert "gen-env: passed" in comment and str(capacity) in comment
    assert [delivery.status for delivery in stage.hook(number).sent[-1:]] == [202]
    [run] = stage.checks(number)
    assert (run["state"], run["head_sha"]) == ("success", head(stage, number))
    token = {"Authorization": f"Bearer {stages.API_TOKEN}"}
    status, report = scene.request(
        stage.port, "GET", f"/api/v1/reports/{run['report']}", headers=token
    )
    assert status == 200 and f"{capacity}" in json.dumps(json.loads(report))
    assert f"/reports/{run['report']}" in comment


@pytest.mark.thorough
def test_two_quick_pushes_end_with_one_comment_for_the_newest_head(stage):
    number = opened(stage, 110)
    for old, new in ((110, 111), (111, 112)):
        before = committed(stage, old, new)
        stage.push()
    stage.settle()
    comment, state = stage.assert_one_of_each(number)
    assert (state, head(stage, number)) == ("success", before)
    assert "capacity = 112" in comment and "capacity = 111" not in comment
    assert stage.checks(number)[-1]["head_sha"] == before


@pytest.mark.thorough
def test_a_force_push_under_a_running_check_leaves_the_old_head_without_a_verdict(stage):
    number = opened(stage, 120)
    stage.settle()
    old = committed(stage, 120, 121)
    stage.push()
    # A moment before the check first speaks of this head, the head is another.
    newest = committed(stage, 121, 122, amend=True)
    act = lambda: stage.push(force=True)  # noqa: E731
    stage.store.meanwhile("POST", f"/statuses/{old}", act)
    stage.settle()
    comment, state = stage.assert_one_of_each(number, newest)
    assert (state, head(stage, number)) == ("success", newest)
    assert "capacity = 122" in comment and "capacity = 121" not in comment
    # With luck the older run never began; if it did, it ended without a word.
    assert not FINAL & set(stage.said_of(old))
    stage.store.interruptions.clear()


@pytest.mark.thorough
def test_closing_stops_the_check_and_reopening_starts_it_again(stage):
    stage.store.meanwhile("POST", "/statuses/", lambda: stage.close(len(stage.store.pulls)))
    number = opened(stage, 130)
    stage.settle()
    assert stage.ours(number) == []
    assert not FINAL & set(stage.said_of(head(stage, number)))
    assert {run["state"] for run in stage.checks(number)} <= {"superseded", "neutral"}
    stage.close(number, state="open")
    stage.settle()
    assert stage.assert_one_of_each(number)[1] == "success"


@pytest.mark.thorough
def test_a_fork_waits_for_a_writer_and_for_each_commit_anew(stage):
    stage.work.git("switch", "-q", "-c", "theirs")
    stage.work.edit(DEV, AUTH, f"{AUTH}\ntriggerer: {{capacity: 140}}")
    sha = stage.commit(generate=True)
    number = stage.open(fork=True, author=MALLORY)
    stage.settle()
    comment, state = stage.ours(number)[0], stage.said_of(sha)[-1]
    assert state == "pending" and f"/gen-env ok-to-test {sha}" in comment
    assert "capacity = 140" not in comment
    stage.say(number, f"/gen-env ok-to-test {sha}", MALLORY)
    stage.settle()
    assert stage.said_of(sha)[-1] == "pending"
    assert stage.answered(number) == [REFUSED]
    stage.say(number, f"please\n/gen-env ok-to-test {sha}")
    stage.settle()
    assert stage.answered(number) == ["- ok-to-test by alice: the check runs again"]
    comment, state = stage.assert_one_of_each(number)
    assert state == "success" and "capacity = 140" in comment and "alice has allowed" in comment
    newer = committed(stage, 140, 141)
    stage.work.git("push", "-q", str(stage.bare), f"+HEAD:{stage.ref(number)}")
    stage.store.pulls[number]["sha"] = newer
    stage.store.commits.add(newer)
    stage.hook(number).pull(number, "synchronize", before=sha)
    stage.settle()
    assert stage.said_of(newer)[-1] == "pending"
    assert "capacity = 141" not in stage.ours(number)[0] and len(stage.ours(number)) == 1


def test_what_is_not_gen_envs_gets_a_word_and_no_comment(stage):
    stage.branch("docs")
    stage.work.write("README.md", "hello\n")
    stage.commit()
    number = stage.open()
    stage.settle()
    assert stage.said_of(head(stage, number))[-1] == "success"
    assert stage.ours(number) == []


@pytest.mark.thorough
def test_a_stale_tree_is_pushed_once_and_the_commit_of_ours_is_checked(stage):
    number = opened(stage, 150, generate=False)
    before = head(stage, number)
    stage.settle()
    after = head(stage, number)
    assert after != before and stage._bare("rev-parse", f"{after}^") == before
    assert stage.said_of(before)[-1] == "failure"
    comment, state = stage.assert_one_of_each(number)
    assert state == "success" and "150" in comment
    # What the forge tells of our own push is answered, and followed by no other push.
    assert any(after.encode() in sent.raw for sent in stage.hook(number).sent)
    assert stage._bare("rev-list", "--count", f"{before}..{after}") == "1"


# An App has check runs, with remarks at lines; people have a button beside them.


def test_an_app_shows_a_check_run_that_can_be_asked_for_again(stage):
    stage.branch("broken")
    stage.work.edit(DEV, AUTH, f"{AUTH}\nunknown: 160")
    stage.commit()
    number = stage.open(kind=APP)
    stage.settle()
    sha = head(stage, number)

    def latest():
        return [run for run in stage.store.check_runs if run["head_sha"] == sha][-1]

    first = latest()
    line = stage.work.line(DEV, "unknown: 160")
    assert (first["status"], first["conclusion"]) == ("completed", "failure")
    assert (DEV, line) in {(a["path"], a["start_line"]) for a in first["output"]["annotations"]}
    [comment] = stage.ours(number)
    stage.hook(number).rerun(first)
    stage.settle()
    assert latest()["id"] != first["id"] and latest()["conclusion"] == "failure"
    assert stage.ours(number) == [comment.replace(_report(comment), _report(stage.ours(number)[0]))]
    assert len(stage.checks(number)) == 2


def _report(comment):
    """The part of a comment that names the run's own report."""
    return comment.partition("/reports/")[2].partition(">")[0]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("kind", "capacity"),
    [(ForgeKind.GITLAB, 171), pytest.param(ForgeKind.GITEA, 172, marks=pytest.mark.thorough)],
)
def test_a_writer_asks_for_the_check_again_in_a_comment(stage, kind, capacity):
    number = opened(stage, capacity, kind=kind)
    stage.settle()
    stage.say(number, "/gen-env check", MALLORY)
    stage.settle()
    assert len(stage.checks(number)) == 1
    assert stage.answered(number) == [REFUSED]
    stage.say(number, "/gen-env check", ALICE)
    stage.settle()
    assert stage.answered(number) == ["- check by alice: the check runs again"]
    assert [run["state"] for run in stage.checks(number)] == ["success", "success"]
    assert len(stage.ours(number)) == 1
    assert stage.said_of(head(stage, number))[-1] == "success"


@pytest.mark.thorough
def test_a_comment_that_somebody_deleted_comes_back_with_the_next_head(stage):
    number = opened(stage, 180)
    stage.settle()
    stage.ours(number)
    stage.store.comments.clear()
    committed(stage, 180, 181)
    stage.push()
    stage.settle()
    comment, state = stage.assert_one_of_each(number)
    assert state == "success" and "181" in comment


@pytest.mark.thorough
def test_a_comment_over_the_forges_budget_is_cut_and_the_report_is_whole(stage):
    stage.branch("large")
    many = "".join(f"\n    MANY_{n:04d}: {'v' * 60}" for n in range(900))
    stage.work.edit(DEV, "{version: 3.2.2}", f"\n  version: 3.2.2\n  env:{many}")
    stage.commit(generate=True)
    number = stage.open()
    stage.settle()
    comment, state = stage.assert_one_of_each(number)
    assert state == "success" and 50_000 < len(comment.encode()) <= 60_000
    assert "left out for length" in comment or "Cut for length" in comment
    [run] = stage.checks(number)
    token = {"Authorization": f"Bearer {stages.API_TOKEN}"}
    place = f"/api/v1/reports/{run['report']}"
    assert b"MANY_0899" in scene.request(stage.port, "GET", place, headers=token)[1]


# Deliveries: again, replayed, forged.


def test_a_redelivery_and_a_replay_change_nothing_twice(stage):
    number = opened(stage, 190)
    stage.settle()
    delivery = stage.hook(number).sent[-1]
    writes = stage.store.writes()
    stage.hook(number).again(delivery)
    stage.hook(number).again(delivery, fresh=True)
    stage.settle()
    assert [sent.status for sent in stage.hook(number).sent[-2:]] == [202, 202]
    assert len(stage.checks(number)) == 1
    assert stage.store.writes() == writes


@pytest.mark.thorough
def test_an_older_event_that_comes_late_moves_nothing_backwards(stage):
    number = opened(stage, 200)
    stage.settle()
    late = stage.hook(number).signed(
        *stage.hook(number).pull_event(number, "synchronize", "a" * 40)
    )
    committed(stage, 200, 201)
    newest = stage.push()
    stage.settle()
    assert stage.hook(number).send(late) == 202
    stage.settle()
    assert "201" in stage.ours(number)[0] and len(stage.ours(number)) == 1
    assert stage.said_of(newest)[-1] == "success"


@pytest.mark.parametrize("kind", [*ForgeKind, APP], ids=str)
def test_a_delivery_with_a_wrong_signature_leaves_nothing(stage, kind):
    before = stage.rows()
    hook = stage.hooks[kind]
    number = stage.store.add_pull(sha=stage.base)
    forged = hook.signed(*hook.pull_event(number, "opened"), secret="not-the-secret-0123")
    assert hook.send(forged) == 401
    assert hook.send(hook.signed(forged.event, b"[" * 100_000)) == 400
    elsewhere = json.loads(forged.raw.replace(stage.store.repository.encode(), b"other/place"))
    assert hook.send(hook.signed(forged.event, elsewhere)) == 403
    assert stage.rows() == before


# A forge in trouble.


@pytest.mark.thorough
def test_rate_limits_are_waited_for(stage):
    store = stage.store
    store.fail(429, method="POST", path="/statuses/", headers={"Retry-After": "1"}, times=2)
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3)}
    said = {"message": "API rate limit exceeded for installation ID 1."}
    store.fail(403, method="POST", path="/comments", headers=reset, body=said)
    second = {"message": "You have exceeded a secondary rate limit."}
    store.fail(403, method="GET", path="/pulls/", headers={"Retry-After": "1"}, body=second)
    number = opened(stage, 210)
    stage.settle()
    assert stage.assert_one_of_each(number)[1] == "success"
    assert [run["attempts"] for run in stage.checks(number)] == [1]
    assert all(fault.times == 0 for fault in store.faults)


@pytest.mark.thorough
def test_answers_that_are_lost_double_nothing(stage):
    for path in ("/comments", "/statuses/"):
        stage.store.fail(502, method="POST", path=path, after=True)
    number = opened(stage, 220)
    stage.settle()
    # The forge's own list has the status twice, for it took it twice: they are the same.
    [comment] = stage.ours(number)
    assert "220" in comment
    assert stage.said_of(head(stage, number))[-1] == "success"


@pytest.mark.slow
def test_an_answer_that_never_comes_is_given_up_and_asked_for_again(stage):
    """The one scenario that takes its time: half a minute is what a request is given."""
    hang = threading.Event()
    stage.store.fail(503, method="GET", path="/issues/", hang=hang)
    number = opened(stage, 230)
    try:
        stage.settle()
        assert stage.assert_one_of_each(number)[1] == "success"
    finally:
        hang.set()


@pytest.mark.slow
def test_a_forge_that_is_down_for_a_while_is_waited_for(stage):
    stage.git.status = 503
    stage.store.fail(503, times=10**6)
    number = opened(stage, 240)
    # Longer than all the patience of one attempt, and than the wait before the next.
    assert scene.wait_for(lambda: [run for run in stage.checks(number) if run["attempts"] > 1])
    assert stage.ours(number) == [] and stage.said_of(head(stage, number)) == []
    stage.store.faults.clear()
    stage.git.status = 0
    stage.settle()
    assert stage.assert_one_of_each(number)[1] == "success"
    [run] = stage.checks(number)
    assert run["state"] == "success" and run["attempts"] >= 2


# At last: what was merged is the base of all that follows.


@pytest.mark.thorough
def test_a_merge_is_followed_up_and_checks_anew_what_waits(stage):
    merged, waiting = opened(stage, 250), None
    stage.work.git("switch", "-q", "main")
    waiting = opened(stage, 251)
    stage.settle()
    before = {number: stage.ours(number) for number in (merged, waiting)}
    stage.store.merge_pull(stage.store.pulls[merged])
    stage.settle()
    pull = stage.store.pulls[merged]
    assert stage.head("main") == pull["merge_sha"]
    told = {s["context"] for s in stage.store.statuses if s["sha"] == pull["merge_sha"]}
    assert not told, "verification is not configured, and nothing stays pending"
    assert before[merged][0] in stage.ours(merged)
    # The other one changes the same line: by now it conflicts, and says so in its one comment.
    [comment] = stage.ours(waiting)
    assert "conflicts with main" in comment and DEV in comment
    assert stage.said_of(head(stage, waiting))[-1] == "failure"
    kinds = {run["kind"] for run in stage.rows(merged)}
    assert kinds > {"check"}


def test_what_is_secret_is_kept_nowhere(stage):
    """After everything above: neither in the database, nor in mirrors, reports, logs, comments."""
    tokens = [token for token in stage.store.tokens if token.startswith("ghs_")]
    key = (stage.config.parent / "key").read_text().splitlines()[1]
    secrets = [stages.HOOK_SECRET, stages.API_TOKEN, key, *tokens]
    assert len(tokens) > 1, "an App's tokens are among them"
    said = json.dumps(
        [[s.path, s.body] for s in stage.store.seen] + [*stage.store.comments.values()]
    )
    kept = stage.stored()
    assert len(kept) > 5
    for secret in secrets:
        assert secret not in said
        assert [path for path, content in kept.items() if secret.encode() in content] == []
