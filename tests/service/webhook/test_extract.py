import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.forge.port import ForgeKind
from service.webhook import event
from service.webhook.command import Command, Verb
from service.webhook.event import Ignored, PullAction, PullEvent
from service.webhook.extract import delivery_id, event_of
from service.webhook.payload import PayloadError, parse

HEAD, BASE, MERGE = "a" * 40, "b" * 40, "c" * 40
GITHUB = {
    "action": "opened",
    "number": 3,
    "repository": {"full_name": "o/r"},
    "pull_request": {
        "number": 3,
        "merged": False,
        "merge_commit_sha": MERGE,
        "head": {"sha": HEAD},
        "base": {"sha": BASE, "ref": "main"},
    },
}
GITLAB = {
    "project": {"path_with_namespace": "g/s/r"},
    "user": {"username": "ann"},
    "object_attributes": {
        "iid": 3,
        "action": "open",
        "target_branch": "main",
        "merge_commit_sha": MERGE,
        "last_commit": {"id": HEAD},
    },
}


def github(name, data, kind=ForgeKind.GITHUB):
    header = "x-github-event" if kind is ForgeKind.GITHUB else "x-gitea-event"
    return event_of(kind, {header: name}, data)


def gitlab(name, data):
    return event_of(ForgeKind.GITLAB, {"x-gitlab-event": name}, data)


def changed(base, **leaves):
    """A copy with leaves replaced: `pull_request__merged=True`."""
    made = copy.deepcopy(base)
    for path, value in leaves.items():
        *way, last = path.split("__")
        place = made
        for key in way:
            place = place.setdefault(key, {})
        place[last] = value
    return made


@pytest.mark.parametrize(
    ("action", "merged", "expected"),
    [
        ("opened", False, PullAction.OPENED),
        ("synchronize", False, PullAction.UPDATED),
        ("synchronized", False, PullAction.UPDATED),
        ("reopened", False, PullAction.REOPENED),
        ("ready_for_review", False, PullAction.EDITED),
        ("closed", False, PullAction.CLOSED),
        ("closed", True, PullAction.MERGED),
    ],
)
@pytest.mark.parametrize("kind", [ForgeKind.GITHUB, ForgeKind.GITEA])
def test_a_pull_requests_life_is_read(kind, action, merged, expected):
    data = changed(GITHUB, action=action, pull_request__merged=merged)
    found = github("pull_request", data, kind)
    assert found == PullEvent("o/r", 3, expected, HEAD, "main", MERGE if merged else "")


def test_an_edited_title_is_ignored_and_another_base_is_not():
    data = changed(GITHUB, action="edited", changes__title={"from": "x"})
    assert isinstance(github("pull_request", data), Ignored)
    data = changed(GITHUB, action="edited", changes__base={"ref": {"from": "x"}})
    assert github("pull_request", data).action is PullAction.EDITED


@pytest.mark.parametrize(
    ("action", "more", "expected"),
    [
        ("open", {}, PullAction.OPENED),
        ("update", {"object_attributes__oldrev": BASE}, PullAction.UPDATED),
        ("update", {"changes__draft": {"current": False}}, PullAction.EDITED),
        ("reopen", {}, PullAction.REOPENED),
        ("close", {}, PullAction.CLOSED),
        ("merge", {}, PullAction.MERGED),
    ],
)
def test_a_merge_requests_life_is_read(action, more, expected):
    found = gitlab("Merge Request Hook", changed(GITLAB, object_attributes__action=action, **more))
    merge = MERGE if action == "merge" else ""
    assert found == PullEvent("g/s/r", 3, expected, HEAD, "main", merge)


def test_assignees_of_a_merge_request_are_ignored_and_labels_are_not():
    data = changed(GITLAB, object_attributes__action="update", changes__assignees=[])
    assert isinstance(gitlab("Merge Request Hook", data), Ignored)
    data = changed(GITLAB, object_attributes__action="update", changes__labels=[])
    assert gitlab("Merge Request Hook", data).action is PullAction.LABELED


def test_labels_are_told_in_each_forges_words():
    for action in ("labeled", "unlabeled"):
        found = github("pull_request", changed(GITHUB, action=action))
        assert found.action is PullAction.LABELED
    for action in ("label_updated", "label_cleared"):
        data = changed(GITHUB, action=action)
        found = github("pull_request_label", data, ForgeKind.GITEA)
        assert found.action is PullAction.LABELED


def test_a_push_says_where_the_branch_stood_and_a_merge_group_what_it_brings():
    data = {"repository": {"full_name": "o/r"}, "ref": "refs/heads/main", "after": HEAD}
    pushed = github("push", changed(data, before=BASE))
    assert pushed == event.PushEvent("o/r", "main", HEAD, BASE)
    assert github("push", changed(data, before="0" * 40)).before == ""
    group = {"head_sha": HEAD, "base_sha": BASE, "base_ref": "refs/heads/main"}
    data = {"repository": {"full_name": "o/r"}, "action": "checks_requested", "merge_group": group}
    assert github("merge_group", data).number == 0
    group["head_ref"] = f"refs/heads/gh-readonly-queue/main/pr-12-{BASE}"
    assert github("merge_group", data).number == 12


def test_pushes_to_branches_are_read_and_deletions_and_tags_are_not():
    data = {"repository": {"full_name": "o/r"}, "ref": "refs/heads/main", "after": HEAD}
    assert github("push", data) == event.PushEvent("o/r", "main", HEAD)
    assert isinstance(github("push", changed(data, after="0" * 40)), Ignored)
    assert isinstance(github("push", changed(data, ref="refs/tags/v1")), Ignored)


def test_a_check_asked_for_again_keeps_the_commit_when_no_pull_request_is_listed():
    data = {
        "action": "rerequested",
        "repository": {"full_name": "o/r"},
        "check_run": {"head_sha": HEAD, "pull_requests": []},
    }
    assert github("check_run", data) == event.RerunEvent("o/r", HEAD, ())
    data["check_run"]["pull_requests"] = [{"number": 4}, {"number": None}, 5]
    assert github("check_run", data) == event.RerunEvent("o/r", HEAD, (4,))


def test_a_merge_queues_question_is_read():
    group = {"head_sha": HEAD, "base_sha": BASE, "base_ref": "refs/heads/main"}
    data = {
        "action": "checks_requested",
        "repository": {"full_name": "o/r"},
        "merge_group": group,
    }
    assert github("merge_group", data) == event.MergeGroupEvent("o/r", HEAD, BASE, "main")


def test_a_command_on_a_pull_request_is_read_and_on_an_issue_is_not():
    data = {
        "action": "created",
        "repository": {"full_name": "o/r"},
        "issue": {"number": 3, "pull_request": {"url": "x"}},
        "comment": {"body": "/gen-env check", "user": {"login": "ann"}},
    }
    expected = event.CommentEvent("o/r", 3, "ann", (Command(Verb.CHECK),))
    assert github("issue_comment", data) == expected
    assert isinstance(github("issue_comment", changed(data, issue__pull_request=None)), Ignored)
    assert isinstance(github("issue_comment", changed(data, action="edited")), Ignored)


def test_a_command_in_a_note_is_read():
    data = changed(GITLAB, merge_request__iid=9, object_attributes__note="/gen-env check")
    data["object_attributes"]["action"] = "create"
    found = gitlab("Note Hook", data)
    assert (found.number, found.author, found.commands) == (9, "ann", (Command(Verb.CHECK),))


def test_a_delivery_without_an_id_is_known_by_its_bytes():
    assert delivery_id(ForgeKind.GITHUB, {"x-github-delivery": "d1"}, b"x") == "d1"
    first, second = (delivery_id(ForgeKind.GITHUB, {}, body) for body in (b"x", b"y"))
    assert first != second and first == delivery_id(ForgeKind.GITHUB, {}, b"x")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b"\xff", b"[" * 100_000, b"9" * 6000, b'{"a": ' + b"9" * 6000 + b"}"]
)
def test_a_body_that_is_no_object_is_refused(body):
    with pytest.raises(PayloadError):
        parse(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted({*GITHUB, *GITLAB, "issue", "comment"})), JSON))
def test_no_payload_raises(data):
    names = ("pull_request", "push", "check_run", "merge_group", "issue_comment", "ping", "x")
    for name in names:
        github(name, data)
        github(name, data, ForgeKind.GITEA)
    for name in ("Merge Request Hook", "Push Hook", "Note Hook", ""):
        gitlab(name, data)
