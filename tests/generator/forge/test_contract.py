"""What every forge's adapter promises, on the stand-in forge."""

import pytest

from generator.forge.errors import Forbidden, ForgeError, Rejected, Unavailable
from generator.forge.port import LIMITS, Check, CheckState, DeploymentState, ForgeKind, PullState
from tests.fakes.forge import ALICE, BOT, MALLORY, OTHER_SHA, SHA

MARKER = "<!-- gen-env:payments/production -->"
COMMENTS = {ForgeKind.GITLAB: "/notes"}


def comments_path(kind):
    return COMMENTS.get(kind, "/comments")


def pulls_path(kind):
    return "/merge_requests$" if kind is ForgeKind.GITLAB else "/pulls$"


# Pull requests


def test_a_pull_request_is_read(port, store):
    number = store.add_pull(
        head="new/staging", title="Add", body="Text", labels=["b", "a"], draft=True
    )
    found = port.get_pr(number)
    assert (found.number, found.title, found.body) == (number, "Add", "Text")
    assert (found.state, found.head_sha, found.head_ref) == (PullState.OPEN, SHA, "new/staging")
    assert (found.base_ref, found.base_sha) == ("main", "f" * 40)
    assert (found.author, found.labels, found.draft) == ("alice", ("a", "b"), True)
    assert found.url.startswith("https://")
    assert found.merge_sha is None
    assert not found.from_fork


@pytest.mark.parametrize("fork", [99, 0], ids=["fork", "deleted fork"])
def test_a_pull_request_of_a_fork_is_known_as_such(port, store, fork):
    assert port.get_pr(store.add_pull(fork=fork)).from_fork


def test_a_head_without_a_branch_passes_for_a_forks(port, store):
    number = store.add_pull(head="refs/pull/1/head")
    assert port.get_pr(number).from_fork is (port.kind is not ForgeKind.GITLAB)


def test_the_end_of_a_pull_request_is_told(port, store):
    merged = store.add_pull(state="closed", merged=True, merge_sha="c" * 40)
    closed = store.add_pull(state="closed")
    assert port.get_pr(merged).state is PullState.MERGED
    assert port.get_pr(merged).merge_sha == "c" * 40
    assert port.get_pr(closed).state is PullState.CLOSED
    assert port.get_pr(closed).merge_sha is None


def test_open_pull_requests_are_listed_over_all_pages_on_the_own_host(port, store):
    store.page_size = 2
    for _ in range(5):
        store.add_pull()
    store.add_pull(state="closed")
    assert [pull.number for pull in port.list_open_prs()] == [1, 2, 3, 4, 5]


def test_the_pull_requests_of_a_commit_are_found(port, store):
    head = store.add_pull(sha=OTHER_SHA)
    merged = store.add_pull(sha=SHA, state="closed", merged=True, merge_sha="c" * 40)
    assert [pull.number for pull in port.prs_of_commit(OTHER_SHA)] == [head]
    assert [pull.number for pull in port.prs_of_commit("c" * 40)] == [merged]
    assert port.prs_of_commit("d" * 40) == []


def test_a_pull_request_is_opened_once_and_then_edited(port, store):
    store.branches.add("promote/production-1")
    first = port.ensure_pr("promote/production-1", "main", "Promote", "one")
    again = port.ensure_pr("promote/production-1", "main", "Promote", "one")
    edited = port.ensure_pr("promote/production-1", "main", "Promote", "two")
    assert first.number == again.number == edited.number
    assert (edited.title, edited.body) == ("Promote", "two")
    assert len(store.pulls) == 1
    assert len(store.writes()) == 2


def test_a_pull_request_that_somebody_opens_at_the_same_time_is_taken_over(port, store, kind):
    store.branches.add("b")
    store.meanwhile("POST", pulls_path(kind), lambda: store.add_pull(head="b", title="theirs"))
    found = port.ensure_pr("b", "main", "Promote", "text")
    assert len(store.pulls) == 1
    assert (found.number, found.title) == (1, "Promote")


def test_a_lost_answer_does_not_open_a_second_pull_request(port, store, kind):
    store.branches.add("b")
    store.fail(502, method="POST", path=pulls_path(kind), after=True)
    assert port.ensure_pr("b", "main", "Promote", "text").number == 1
    assert len(store.pulls) == 1


def test_a_closed_pull_request_is_followed_by_a_new_one(port, store):
    store.add_pull(head="b", state="closed")
    assert port.ensure_pr("b", "main", "Promote", "text").number == 2


def test_a_forks_branch_of_the_same_name_is_left_alone(port, store):
    store.add_pull(head="b", title="theirs", fork=99)
    assert port.ensure_pr("b", "main", "Promote", "text").number == 2
    assert store.pulls[1]["title"] == "theirs"


def test_a_branch_that_is_not_there_is_refused(port):
    with pytest.raises(ForgeError):
        port.ensure_pr("none", "main", "Promote", "text")


# Issues


def test_one_issue_is_kept_and_closed_beside_those_of_others(port, store):
    store.page_size = 2
    store.add_pull(body=f"{MARKER}\na pull request")
    theirs = store.add_issue(MALLORY, "Theirs", f"{MARKER}\nnot ours")
    other = store.add_issue(BOT, "Another", "of ours, about something else")
    first, spare = (store.add_issue(BOT, "Drift", f"{MARKER}\n{text}") for text in "ab")
    port.keep_issue(MARKER, "Drift in dev", "2 objects")
    assert (first["title"], first["body"]) == ("Drift in dev", f"{MARKER}\n2 objects")
    assert (first["state"], spare["state"], len(store.issues)) == ("open", "closed", 4)
    port.close_issue(MARKER)
    port.close_issue(MARKER)
    assert first["state"] == "closed"
    assert {item["state"] for item in (theirs, other)} == {"open"}
    assert theirs["title"] == "Theirs"
    port.keep_issue(MARKER, "Drift in dev", "again")
    assert len(store.issues) == 5 and store.open_issues()[0]["author"] == BOT
    port.keep_issue(MARKER, "Drift in dev", "and again")
    assert len(store.issues) == 5


# Statuses and checks


def test_a_status_is_set_and_read(port):
    port.set_status(
        SHA, "gen-env/diff", CheckState.SUCCESS, "3 objects change", "https://x.example/1"
    )
    (found,) = port.read_statuses(SHA)
    assert (found.context, found.state) == ("gen-env/diff", CheckState.SUCCESS)
    assert (found.description, found.url) == ("3 objects change", "https://x.example/1")
    assert (found.creator, found.since[:10]) == ("gen-env-bot", "2026-06-01")
    assert port.read_statuses(OTHER_SHA) == []


def test_the_latest_status_of_every_context_is_read_over_all_pages(port, store):
    store.page_size = 2
    for context in ("c", "a", "b"):
        for state in (CheckState.PENDING, CheckState.FAILURE):
            port.set_status(SHA, context, state, "text")
    found = port.read_statuses(SHA)
    assert [(status.context, status.state) for status in found] == [
        ("a", CheckState.FAILURE),
        ("b", CheckState.FAILURE),
        ("c", CheckState.FAILURE),
    ]


@pytest.mark.parametrize("state", list(CheckState), ids=str)
def test_an_equal_status_is_not_sent_again(port, store, state):
    for _ in range(3):
        port.set_status(SHA, "gen-env", state, "text", "https://x.example/")
    assert len(store.writes()) == 1


@pytest.mark.few(12)
@pytest.mark.parametrize("first", list(CheckState), ids=str)
@pytest.mark.parametrize("second", list(CheckState), ids=str)
def test_every_state_may_follow_every_other(port, first, second):
    port.set_status(SHA, "gen-env", first, "one")
    port.set_status(SHA, "gen-env", second, "two")
    (found,) = port.read_statuses(SHA)
    assert found.description == "two"


def test_long_texts_are_cut_to_what_the_forge_takes(port, store):
    port.set_status(SHA, "c" * 300, CheckState.FAILURE, "word " * 60 + "\nsecond line")
    (found,) = port.read_statuses(SHA)
    assert len(found.context) == 255
    assert len(found.description) <= 140
    assert found.description.endswith("…")


def test_a_status_survives_answers_that_are_lost(port, store):
    store.fail(502, method="POST", path="statuses", after=True)
    port.set_status(SHA, "gen-env", CheckState.RUNNING, "text")
    (found,) = port.read_statuses(SHA)
    assert found.description == "text"


def test_a_check_is_shown_at_least_as_a_status(port):
    port.report_check(
        SHA, Check("gen-env", CheckState.FAILURE, "2 problems", "long", url="https://x.example/")
    )
    (found,) = port.read_statuses(SHA)
    assert (found.state, found.description) == (CheckState.FAILURE, "2 problems")


# The comment


def test_one_comment_is_made_and_then_edited_in_place(port, store):
    number = store.add_pull()
    first = port.upsert_comment(number, MARKER, "one")
    second = port.upsert_comment(number, MARKER, "two")
    (kept,) = store.comments_of(number)
    assert first.id == second.id == kept["id"]
    assert kept["body"] == f"{MARKER}\ntwo"


def test_an_unchanged_comment_is_not_written(port, store):
    number = store.add_pull()
    port.upsert_comment(number, MARKER, "one\r\ntwo \n")
    written = len(store.writes())
    port.upsert_comment(number, MARKER, "one\ntwo")
    assert len(store.writes()) == written == 1


def test_our_comment_is_found_on_a_later_page(port, store):
    store.page_size = 2
    number = store.add_pull()
    for _ in range(5):
        store.add_comment(number, ALICE, "chat")
    mine = store.add_comment(number, BOT, f"{MARKER}\nold")
    assert port.upsert_comment(number, MARKER, "new").id == mine
    assert len(store.comments) == 6


def test_the_oldest_is_kept_and_spares_go(port, store):
    number = store.add_pull()
    made = [store.add_comment(number, BOT, f"{MARKER}\n{text}") for text in "abc"]
    assert port.upsert_comment(number, MARKER, "new").id == made[0]
    assert [comment["id"] for comment in store.comments_of(number)] == made[:1]


def test_comments_of_others_and_our_other_comments_are_never_touched(port, store):
    number = store.add_pull()
    theirs = store.add_comment(number, MALLORY, f"{MARKER}\nfake")
    other = store.add_comment(number, BOT, "<!-- gen-env:other -->")
    elsewhere = store.add_comment(store.add_pull(), BOT, f"{MARKER}\nelsewhere")
    mine = port.upsert_comment(number, MARKER, "real").id
    assert set(store.comments) == {theirs, other, elsewhere, mine}
    assert store.comments[theirs]["body"] == f"{MARKER}\nfake"
    assert store.comments[other]["body"] == "<!-- gen-env:other -->"
    assert store.comments[elsewhere]["body"] == f"{MARKER}\nelsewhere"


def test_two_runs_at_once_end_with_one_comment(port, store, kind):
    number = store.add_pull()

    def other_run():
        store.add_comment(number, BOT, f"{MARKER}\ntheirs", comment_id=500)

    store.meanwhile("POST", comments_path(kind), other_run)
    port.upsert_comment(number, MARKER, "mine")
    (kept,) = store.comments_of(number)
    assert (kept["id"], kept["body"]) == (500, f"{MARKER}\nmine")


def test_a_lost_answer_does_not_double_the_comment(port, store, kind):
    number = store.add_pull()
    store.fail(504, method="POST", path=comments_path(kind), after=True)
    port.upsert_comment(number, MARKER, "text")
    assert [comment["body"] for comment in store.comments_of(number)] == [f"{MARKER}\ntext"]


def test_a_comment_that_surely_was_not_made_is_not_tried_over_and_over(port, store, kind):
    number = store.add_pull()
    store.fail(403, method="POST", path=comments_path(kind), times=99)
    with pytest.raises(Forbidden):
        port.upsert_comment(number, MARKER, "text")
    store.fail(503, method="POST", path=comments_path(kind), times=99)
    store.faults.pop(0)
    written = len(store.writes())
    with pytest.raises(Unavailable, match="failed with 503"):
        port.upsert_comment(number, MARKER, "text")
    assert len(store.writes()) - written == 5


def test_a_comment_that_vanishes_while_it_is_edited_is_made_anew(port, store):
    number = store.add_pull()
    mine = store.add_comment(number, BOT, f"{MARKER}\nold")
    for method in ("PUT", "PATCH"):
        store.meanwhile(method, str(mine), lambda: store.comments.pop(mine, None))
    port.upsert_comment(number, MARKER, "new")
    assert [comment["body"] for comment in store.comments_of(number)] == [f"{MARKER}\nnew"]


def test_a_comment_beyond_the_forges_limit_is_refused_before_it_is_sent(port, store):
    number = store.add_pull()
    with pytest.raises(Rejected, match="the forge allows"):
        port.upsert_comment(number, MARKER, "x" * LIMITS[port.kind].comment)
    assert store.seen == []


def test_a_comment_of_the_whole_budget_fits(port, store):
    number = store.add_pull()
    port.upsert_comment(number, MARKER, "x" * (LIMITS[port.kind].comment_budget - len(MARKER) - 1))
    assert len(store.comments_of(number)) == 1


# Deployments, rights, links


def test_a_deployment_is_reported_once_per_state(port, store):
    for state in (DeploymentState.RUNNING, DeploymentState.RUNNING, DeploymentState.SUCCESS):
        port.report_deployment("payments/production", SHA, state, "text", "https://x.example/")
    written = len(store.writes())
    port.report_deployment(
        "payments/production", SHA, DeploymentState.SUCCESS, "text", "https://x.example/"
    )
    assert len(store.writes()) == written
    if port.kind is ForgeKind.GITEA:
        (found,) = port.read_statuses(SHA)
        assert (found.context, found.state) == ("deploy/payments/production", CheckState.SUCCESS)
    else:
        assert len(store.deployments) == 1
        assert store.deployments[0]["environment"] == "payments/production"


def test_deployments_are_read_as_they_were_reported(port):
    assert port.read_deployments("dev", SHA) == []
    port.report_deployment("dev", SHA, DeploymentState.RUNNING, "text", "https://x.example/")
    port.report_deployment("dev", SHA, DeploymentState.SUCCESS, "text", "https://x.example/")
    found = port.read_deployments("dev", SHA)
    assert (found[-1].state, found[-1].creator) == (DeploymentState.SUCCESS, "gen-env-bot")
    assert found[-1].since[:10] == "2026-06-01"
    # GitHub remembers every word, the others the last one.
    known = [DeploymentState.RUNNING] if port.kind is ForgeKind.GITHUB else []
    assert [item.state for item in found[:-1]] == known
    assert port.read_deployments("staging", SHA) == port.read_deployments("dev", OTHER_SHA) == []


def test_environments_and_commits_have_deployments_of_their_own(port, store):
    for environment, sha in (("dev", SHA), ("staging", SHA), ("dev", OTHER_SHA)):
        port.report_deployment(environment, sha, DeploymentState.RUNNING, "text")
    made = store.statuses if port.kind is ForgeKind.GITEA else store.deployments
    assert len(made) == 3


def test_a_deployment_may_fail_and_succeed_again(port, store):
    for state in (DeploymentState.FAILURE, DeploymentState.RUNNING, DeploymentState.SUCCESS):
        port.report_deployment("dev", SHA, state, state.value)
    if port.kind is ForgeKind.GITLAB:
        assert [made["status"] for made in store.deployments] == ["failed", "success"]
    elif port.kind is ForgeKind.GITHUB:
        states = [made["state"] for made in store.deployments[0]["statuses"]]
        assert states == ["failure", "in_progress", "success"]


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("gen-env-bot", True),
        ("alice", True),
        ("mallory", False),
        ("stranger", False),
        ("no/body", False),
    ],
)
def test_only_writers_can_write(port, store, user, expected):
    store.users[900] = "stranger"
    assert port.can_write(user) is expected


def test_links_lead_to_commits(port, world):
    page = f"{world.url}/payments/airflow-gitops"
    commit = "-/commit" if port.kind is ForgeKind.GITLAB else "commit"
    assert port.commit_url(SHA) == f"{page}/{commit}/{SHA}"
