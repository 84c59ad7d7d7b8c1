"""Clients that others wrote drive the stand-in: it is a forge to them too, not only to us.

What they write our adapters read, and the other way round.
"""

import pytest

from generator.forge.port import CheckState, ForgeKind, PullState
from tests import forge_contract
from tests.fakes.forge import ALICE, BOT, REPOSITORY, SHA, TOKEN
from tests.generator.forge.forges import with_app

pytestmark = pytest.mark.thorough

MARKER = "<!-- gen-env 1 -->"
OWNER, NAME = REPOSITORY.split("/")


@pytest.fixture(autouse=True)
def judged(store):
    """Where the forges' descriptions are at hand, these exchanges are held against them as well."""
    store.branches |= {"feature", "other"}
    store.add_user(OWNER)
    store.judges, store.links_lead_home = forge_contract.contracts(), True
    yield
    assert store.violations == []


def told(port, number):
    """A status and a comment by our adapter."""
    port.set_status(SHA, "gen-env/check", CheckState.SUCCESS, "fine", "https://x.example/r")
    port.upsert_comment(number, MARKER, f"{MARKER}\nours")
    port.upsert_comment(number, MARKER, f"{MARKER}\nours, edited")


def alices(store, number):
    return [c["body"] for c in store.comments_of(number) if c["author"] == ALICE]


# GitHub: PyGithub, which checks each link that it follows, and the type of each field it reads.


@pytest.fixture
def github(world):
    import github

    world.store.tokens["alices"] = ALICE
    auth = github.Auth.Token("alices")
    client = github.Github(
        base_url=f"{world.url}/api/v3", auth=auth, seconds_between_requests=0, retry=0,
        seconds_between_writes=0, lazy=False,
    )  # fmt: skip
    yield client
    client.close()


def test_pygithub_opens_comments_closes_and_merges(world, store, github):
    port = world.port(ForgeKind.GITHUB)
    repository = github.get_repo(REPOSITORY)
    pull = repository.create_pull(base="main", head="feature", title="Add", body="Text")
    found = port.get_pr(pull.number)
    assert (found.title, found.author, found.head_ref) == ("Add", "alice", "feature")
    assert not found.from_fork
    comment = pull.create_issue_comment("hello")
    comment.edit("hello again")
    pull.create_issue_comment("gone soon").delete()
    told(port, pull.number)
    shown = [(c.user.id, c.body) for c in pull.get_issue_comments()]
    assert shown == [(ALICE, "hello again"), (BOT, f"{MARKER}\nours, edited")]
    pull.edit(title="Another", state="closed")
    assert port.get_pr(pull.number).state is PullState.CLOSED
    pull.edit(state="open")
    done = pull.merge()
    assert done.merged
    assert port.get_pr(pull.number).state is PullState.MERGED
    assert port.get_pr(pull.number).merge_sha == done.sha
    pull.update()
    assert pull.merged and pull.merged_at is not None
    assert [p.number for p in repository.get_pulls(state="closed")] == [pull.number]
    assert [p.number for p in port.prs_of_commit(done.sha)] == [pull.number]


def test_pygithub_reads_and_writes_statuses(world, store, github):
    port = world.port(ForgeKind.GITHUB)
    told(port, store.add_pull())
    commit = github.get_repo(REPOSITORY).get_commit(SHA)
    [status] = commit.get_statuses()
    assert (status.context, status.state) == ("gen-env/check", "success")
    assert (status.description, status.creator.id) == ("fine", BOT)
    commit.create_status("failure", "https://x.example/", "no", "other/check")
    combined = commit.get_combined_status()
    assert (combined.state, combined.total_count) == ("failure", 2)
    states = {item.context: (item.state, item.creator) for item in port.read_statuses(SHA)}
    assert states["other/check"] == (CheckState.FAILURE, "alice")


def test_pygithub_sees_check_runs_deployments_and_rights(world, store, github):
    from generator.forge.port import Annotation, Check, DeploymentState

    remarks = tuple(Annotation("a.yaml", n, "warning", "odd", "rule") for n in range(1, 56))
    check = Check("gen-env/check", CheckState.FAILURE, "bad", "summary", "text", "", remarks)
    port = world.port(ForgeKind.GITHUB, with_app(world))
    port.report_check(SHA, check)
    port.report_deployment("production", SHA, DeploymentState.SUCCESS, "live")
    repository = github.get_repo(REPOSITORY)
    [run] = repository.get_commit(SHA).get_check_runs()
    assert (run.name, run.conclusion, run.output.title) == ("gen-env/check", "failure", "bad")
    lines = [item.start_line for item in run.get_annotations()]
    assert lines == list(range(1, 56))
    [deployment] = repository.get_deployments()
    [status] = deployment.get_statuses()
    assert (deployment.environment, status.state) == ("production", "success")
    assert repository.get_collaborator_permission("alice") == "write"


def test_pygithub_is_refused_as_by_the_real_one(store, github):
    import github as library

    repository = github.get_repo(REPOSITORY)
    repository.create_pull(base="main", head="feature", title="Add", body="")
    with pytest.raises(library.GithubException) as twice:
        repository.create_pull(base="main", head="feature", title="Add", body="")
    assert twice.value.status == 422
    with pytest.raises(library.UnknownObjectException):
        repository.get_pull(99)
    with pytest.raises(library.GithubException) as no_app:
        repository.create_check_run("x", SHA)
    assert no_app.value.status == 403
    store.fail(403, path="pulls", headers={"X-RateLimit-Remaining": "0"},
               body={"message": "API rate limit exceeded for user ID 1."})  # fmt: skip
    with pytest.raises(library.RateLimitExceededException):
        repository.get_pull(1)


# GitLab: python-gitlab. No description of its API is in a registry, so it is the judge.


@pytest.fixture
def project(world):
    import gitlab

    world.store.tokens["alices"] = ALICE
    client = gitlab.Gitlab(
        world.url, private_token="alices", keep_base_url=True, retry_transient_errors=False
    )
    client.auth()
    assert client.user.username == "alice"
    yield client.projects.get(REPOSITORY)
    client.session.close()


def test_python_gitlab_opens_comments_closes_and_merges(world, store, project):
    port = world.port(ForgeKind.GITLAB)
    wanted = {"source_branch": "feature", "target_branch": "main", "title": "Add"}
    request = project.mergerequests.create({**wanted, "description": "Text"})
    found = port.get_pr(request.iid)
    assert (found.title, found.author, found.head_ref) == ("Add", "alice", "feature")
    assert not found.from_fork
    note = request.notes.create({"body": "hello"})
    note.body = "hello again"
    note.save()
    request.notes.create({"body": "gone soon"}).delete()
    told(port, request.iid)
    shown = [(n.author["id"], n.body) for n in request.notes.list(sort="asc", get_all=True)]
    assert shown == [(ALICE, "hello again"), (BOT, f"{MARKER}\nours, edited")]
    request.title, request.state_event = "Another", "close"
    request.save()
    assert (port.get_pr(request.iid).title, request.state) == ("Another", "closed")
    assert port.get_pr(request.iid).state is PullState.CLOSED
    request.state_event = "reopen"
    request.save()
    request.merge()
    merged = project.mergerequests.get(request.iid)
    assert (merged.state, port.get_pr(request.iid).state) == ("merged", PullState.MERGED)
    assert port.get_pr(request.iid).merge_sha == merged.merge_commit_sha


def test_python_gitlab_reads_and_writes_statuses_and_deployments(world, store, project):
    from generator.forge.port import DeploymentState

    port = world.port(ForgeKind.GITLAB)
    told(port, store.add_pull())
    commit = project.commits.get(SHA)
    [status] = commit.statuses.list(get_all=True)
    assert (status.name, status.status, status.description) == ("gen-env/check", "success", "fine")
    commit.statuses.create({"state": "failed", "context": "other/check"})
    states = {item.context: (item.state, item.creator) for item in port.read_statuses(SHA)}
    assert states["other/check"] == (CheckState.FAILURE, "alice")
    port.report_deployment("production", SHA, DeploymentState.SUCCESS, "live")
    [deployment] = project.deployments.list(environment="production", get_all=True)
    assert (deployment.sha, deployment.status) == (SHA, "success")
    [request] = commit.merge_requests()
    assert request["iid"] == 1
    assert project.members_all.get(ALICE).access_level == 30


def test_python_gitlab_is_refused_as_by_the_real_one(store, project):
    import gitlab

    wanted = {"source_branch": "feature", "target_branch": "main", "title": "Add"}
    project.mergerequests.create(wanted)
    with pytest.raises(gitlab.GitlabCreateError) as twice:
        project.mergerequests.create(wanted)
    assert twice.value.response_code == 409
    with pytest.raises(gitlab.GitlabGetError):
        project.mergerequests.get(99)
    commit = project.commits.get(SHA)
    commit.statuses.create({"state": "running", "name": "x"})
    with pytest.raises(gitlab.GitlabCreateError, match="Cannot transition status via :run"):
        commit.statuses.create({"state": "running", "name": "x"})


def test_python_gitlab_sees_every_page(store, project):
    number = store.add_pull()
    for count in range(45):
        store.add_comment(number, ALICE, f"{count}")
    notes = project.mergerequests.get(number).notes.list(iterator=True, sort="asc")
    assert [note.body for note in notes] == [str(count) for count in range(45)]


# Gitea and Forgejo: pyforgejo, made from Forgejo's description and strict about types.


@pytest.fixture
def forgejo(world, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # it looks for a .env file
    from pyforgejo import PyforgejoApi

    world.store.tokens["alices"] = ALICE
    return PyforgejoApi(base_url=f"{world.url}/api/v1", api_key="token alices")


def test_pyforgejo_opens_comments_closes_and_merges(world, store, forgejo):
    port = world.port(ForgeKind.GITEA)
    repository, issue = forgejo.repository, forgejo.issue
    pull = repository.repo_create_pull_request(
        OWNER, NAME, base="main", head="feature", title="Add", body="Text"
    )
    found = port.get_pr(pull.number)
    assert (found.title, found.author, found.head_ref) == ("Add", "alice", "feature")
    assert not found.from_fork
    comment = issue.create_comment(OWNER, NAME, pull.number, body="hello")
    issue.edit_comment(OWNER, NAME, comment.id, body="hello again")
    issue.delete_comment(OWNER, NAME, issue.create_comment(OWNER, NAME, pull.number, body="x").id)
    told(port, pull.number)
    shown = [(c.user.id, c.body) for c in issue.get_comments(OWNER, NAME, pull.number)]
    assert shown == [(ALICE, "hello again"), (BOT, f"{MARKER}\nours, edited")]
    repository.repo_edit_pull_request(OWNER, NAME, pull.number, title="Another", state="closed")
    assert port.get_pr(pull.number).state is PullState.CLOSED
    repository.repo_edit_pull_request(OWNER, NAME, pull.number, state="open")
    store.judges = {}  # Forgejo writes `Do` where Gitea by now describes `do`, and takes either
    repository.repo_merge_pull_request(OWNER, NAME, pull.number, do="merge")
    merged = repository.repo_get_pull_request(OWNER, NAME, pull.number)
    assert merged.merged and merged.merge_commit_sha == port.get_pr(pull.number).merge_sha
    assert port.get_pr(pull.number).state is PullState.MERGED


def test_pyforgejo_reads_and_writes_statuses(world, store, forgejo):
    port = world.port(ForgeKind.GITEA)
    told(port, store.add_pull())
    [status] = forgejo.repository.repo_list_statuses_by_ref(OWNER, NAME, SHA)
    assert (status.context, status.status, status.description) == (
        "gen-env/check",
        "success",
        "fine",
    )
    assert status.creator.id == BOT
    forgejo.repository.repo_create_status(
        OWNER, NAME, SHA, context="other/check", state="failure", description="no"
    )
    states = {item.context: (item.state, item.creator) for item in port.read_statuses(SHA)}
    assert states["other/check"] == (CheckState.FAILURE, "alice")
    assert TOKEN not in str(store.violations)
