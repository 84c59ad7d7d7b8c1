"""Adapters against what others published: real payloads, recorded traffic, the forges' own schemas.

Each part is skipped with a word on what would make it run.
"""

import dataclasses
import os
import re
from pathlib import Path

import pytest
import yaml

from generator.forge import github, gitlab
from generator.forge.port import (
    Annotation,
    Check,
    CheckState,
    DeploymentState,
    ForgeKind,
    PullState,
)
from tests import forge_contract
from tests.fakes.forge import BOT, REPOSITORY, SHA
from tests.generator.forge.forges import setting, with_app
from tools import forge_published

URL = "https://x.example/"


def directory(variable, what):
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"set {variable} to {what}")
    return Path(value)


# GitHub's webhooks hold pull requests in the same form as its API.


@pytest.fixture(scope="module")
def samples():
    found = forge_published.octokit()
    if found is None:
        pytest.skip(forge_published.missing("deliveries/octokit.json, recorded deliveries"))
    return found


def test_every_published_pull_request_is_read(samples):
    found = [github.pull_request(example["pull_request"]) for example in samples["pull_request"]]
    assert len(found) >= 20
    for pull in found:
        assert re.fullmatch(r"[0-9a-f]{40}", pull.head_sha)
        assert re.fullmatch(r"[0-9a-f]{40}", pull.base_sha)
        assert pull.base_repository.isdigit()
        assert pull.number > 0
        assert pull.url.startswith("https://github.com/")
    assert {pull.state for pull in found} == {PullState.OPEN, PullState.CLOSED}


def test_a_published_pull_request_made_into_a_forks_or_a_merged_one(samples):
    # No published example comes from another repository or was merged: these are derived.
    data = samples["pull_request"][0]["pull_request"]
    elsewhere = {**data, "head": {**data["head"], "repo": {**data["head"]["repo"], "id": 1}}}
    gone = {**data, "head": {**data["head"], "repo": None}}
    merged = {**data, "state": "closed", "merged": True, "merge_commit_sha": "c" * 40}
    assert not github.pull_request(data).from_fork
    assert github.pull_request(elsewhere).from_fork
    assert github.pull_request(gone).from_fork
    assert github.pull_request(merged).state is PullState.MERGED
    assert github.pull_request(merged).merge_sha == "c" * 40


def test_every_published_comment_is_read(samples):
    found = [github.comment(example["comment"]) for example in samples["issue_comment"]]
    assert found
    assert all(comment.id and comment.author.isdigit() for comment in found)


# Answers that the real APIs gave to another client.


def mappings(value):
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from mappings(item)
    elif isinstance(value, list):
        for item in value:
            yield from mappings(item)


def recorded(forge, wanted):
    where = directory(
        "GEN_ENV_FORGE_RECORDINGS", "tests/integration of the unpacked source package `ogr`"
    )
    found = []
    for path in sorted((where / forge).rglob("*.yaml")):
        text = path.read_text()
        # Parsing all 60 MB takes a minute and a half.
        if len(text) < 1_000_000 and all(f"{key}:" in text for key in wanted):
            content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            found += [data for data in mappings(content) if wanted <= data.keys()]
    return found


@pytest.mark.parametrize("forge", ["github", "forgejo"])
def test_recorded_pull_requests_are_read(forge):
    found = recorded(forge, {"number", "head", "base", "html_url", "state"})
    pulls = [github.pull_request(data) for data in found]
    assert pulls
    # A head that is gone has no commit any more; it must not pass for a branch of our own.
    assert all(pull.head_sha or pull.from_fork for pull in pulls)
    assert all(pull.base_ref and pull.author and pull.base_repository for pull in pulls)
    assert any(pull.state is PullState.MERGED and pull.merge_sha for pull in pulls)


def test_recorded_merge_requests_are_read():
    found = recorded("gitlab", {"iid", "source_branch", "target_project_id", "state"})
    pulls = [gitlab.merge_request(data) for data in found]
    assert pulls
    assert all(pull.author != "ghost" and pull.url for pull in pulls)
    assert {PullState.OPEN, PullState.CLOSED} <= {pull.state for pull in pulls}


@pytest.mark.parametrize(("forge", "word"), [("github", "state"), ("forgejo", "status")])
def test_recorded_statuses_are_read(forge, word):
    found = recorded(forge, {"context", word, "target_url", "created_at"})
    statuses = [github.status(data, word) for data in found]
    if not statuses:
        pytest.skip(f"this version of ogr recorded no status on {forge}")
    assert all(status.context and status.since for status in statuses)


def test_recorded_notes_are_read():
    found = recorded("gitlab", {"noteable_iid", "body", "author"})
    notes = [gitlab.note(data) for data in found]
    assert notes
    assert all(note.author.isdigit() for note in notes)


# What we send and what the stand-in answers, against the forges' own descriptions of their APIs.


def walked(kind, judge):
    """The store after a walk through every verb, with every exchange judged."""
    with setting() as world:
        store = world.store
        store.judges = {forge_contract.PREFIXES[kind]: judge}
        store.branches.add("promote/x")
        store.add_user("payments")
        port = world.port(kind, with_app(world) if kind is ForgeKind.GITHUB else None)
        number = port.ensure_pr("promote/x", "main", "Title", "Body").number
        port.ensure_pr("promote/x", "main", "Title", "Other body")
        for body in ("one", "two"):
            port.keep_issue("<!-- i -->", "Drift", body)
        port.close_issue("<!-- i -->")
        port.get_pr(number)
        port.list_open_prs()
        port.prs_of_commit(SHA)
        remarks = tuple(Annotation("a.yaml", n, "failure", "wrong", "rule") for n in range(1, 60))
        check = Check("check", CheckState.PENDING, "title", "summary", "text", URL, remarks)
        for state in CheckState:
            port.set_status(SHA, "gen-env", state, "text", URL)
            port.report_check(SHA, dataclasses.replace(check, state=state))
        for body in ("one", "two"):
            spare = store.add_comment(number, store.user_id("gen-env[bot]") or BOT, "<!-- m -->")
            port.upsert_comment(number, "<!-- m -->", body)
        assert spare not in store.comments
        for state in DeploymentState:
            port.report_deployment("production", SHA, state, "text", URL)
        port.can_write("alice")
        return store


@pytest.mark.parametrize("kind", [ForgeKind.GITHUB, ForgeKind.GITEA], ids=str)
def test_every_exchange_is_what_the_forges_description_allows(kind):
    judge = forge_contract.contract(kind.value)
    if judge is None:
        pytest.skip(forge_contract.missing(kind.value))
    store = walked(kind, judge)
    assert len(store.seen) > 30
    assert store.violations == []
    assert len(judge.seen) >= 12


@pytest.mark.parametrize("kind", [ForgeKind.GITHUB, ForgeKind.GITEA], ids=str)
def test_the_description_finds_what_it_does_not_allow(kind):
    judge = forge_contract.contract(kind.value)
    if judge is None:
        pytest.skip(forge_contract.missing(kind.value))
    with setting() as world:
        world.store.judges = {forge_contract.PREFIXES[kind]: judge}
        number = world.store.add_pull()
        http = world.port(kind)._http
        place = f"/repos/{REPOSITORY}"
        http.get(f"{place}/pulls", {"colour": "red"})
        wrong = {"state": "success", "target_url": 7, "colour": "red"}
        http.send("POST", f"{place}/statuses/{SHA}", body=wrong)
        world.store.pulls[number]["title"] = None
        http.get(f"{place}/pulls/{number}")
        found = "\n".join(world.store.violations)
    assert "a parameter colour is not described" in found
    assert "a field colour is not described" in found
    assert "7 is not" in found or "7 is not of type" in found
    assert f"GET {forge_contract.PREFIXES[kind]}{place}/pulls/{number} 200" in found
