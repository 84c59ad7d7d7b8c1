"""The rights that docs/service.md asks for, on a real Gitea."""

import pytest

from generator.forge.connect import connect
from generator.forge.credentials import Token
from generator.forge.errors import Forbidden
from generator.forge.location import locate
from generator.forge.port import CheckState, ForgeKind, PullState
from generator.redaction.secret import Secret
from tests.cluster import gitea
from tests.cluster.conftest import require

pytestmark = pytest.mark.nightly
REPOSITORY = "team/airflow"
MARKER = "<!-- gen-env test -->"


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    """A repository with a bot that administers it, a writer, and a stranger with a fork."""
    require("gitea")
    with gitea.running(tmp_path_factory.mktemp("gitea")) as server:
        for name in ("bot", "plain", "writer", "stranger"):
            server.add_user(name)
        server.call("POST", "/orgs", {"username": "team"})
        server.call("POST", "/orgs/team/repos", {"name": "airflow", "auto_init": True,
                                                 "default_branch": "main"})  # fmt: skip
        for name, right in (("bot", "admin"), ("plain", "write"), ("writer", "write")):
            place = f"/repos/{REPOSITORY}/collaborators/{name}"
            server.call("PUT", place, {"permission": right})
        yield server


def port_of(server, name="bot", scopes=gitea.RIGHTS):
    place = locate(f"{server.url}/{REPOSITORY}.git", kind=ForgeKind.GITEA, base_url=server.url)
    return connect(place, Token(Secret(server.token(name, scopes))))


def test_the_documented_rights_suffice_for_the_life_of_a_pull_request(forge):
    port = port_of(forge)
    first = forge.commit(REPOSITORY, "one.txt", "1", "change", user="writer")
    body = {"head": "change", "base": "main", "title": "A change"}
    made = forge.call("POST", f"/repos/{REPOSITORY}/pulls", body, user="writer")
    number = made["number"]
    [pull] = port.list_open_prs()
    assert (pull.number, pull.head_sha, pull.author, pull.from_fork) == (
        number,
        first,
        "writer",
        False,
    )
    for state in (CheckState.PENDING, CheckState.FAILURE, CheckState.SUCCESS):
        port.set_status(first, "gen-env/check", state, f"it is {state}")
    [status] = port.read_statuses(first)
    assert status.state is CheckState.SUCCESS
    written = [port.upsert_comment(number, MARKER, text).id for text in ("first", "second")]
    assert written[0] == written[1]
    [comment] = forge.call("GET", f"/repos/{REPOSITORY}/issues/{number}/comments")
    assert "second" in comment["body"] and comment["user"]["login"] == "bot"
    assert [port.can_write(name) for name in ("writer", "bot", "stranger")] == [True, True, False]
    forge.call("POST", f"/repos/{REPOSITORY}/pulls/{number}/merge", {"Do": "merge"}, user="writer")
    merged = port.get_pr(number)
    assert merged.state is PullState.MERGED
    assert [item.number for item in port.prs_of_commit(merged.merge_sha)] == [number]


def test_one_issue_is_kept_and_closed(forge):
    port, marker = port_of(forge), "<!-- gen-env issue -->"
    place = f"/repos/{REPOSITORY}/issues?type=issues&state="
    body = {"title": "Theirs", "body": marker}
    theirs = forge.call("POST", f"/repos/{REPOSITORY}/issues", body, user="writer")["number"]
    for text in ("first", "second"):
        port.keep_issue(marker, "Drift in dev", text)
    found = {item["number"]: item for item in forge.call("GET", f"{place}open")}
    assert found.pop(theirs)["title"] == "Theirs"
    [(number, kept)] = found.items()
    assert (kept["user"]["login"], "second" in kept["body"]) == ("bot", True)
    port.close_issue(marker)
    assert [item["number"] for item in forge.call("GET", f"{place}closed")] == [number]
    assert [item["number"] for item in forge.call("GET", f"{place}open")] == [theirs]


def test_a_fork_is_known_as_one_and_its_head_stands_in_the_repository(forge):
    port = port_of(forge)
    forge.call("POST", f"/repos/{REPOSITORY}/forks", {}, user="stranger")
    head = forge.commit("stranger/airflow", "theirs.txt", "2", "theirs", user="stranger")
    body = {"head": "stranger:theirs", "base": "main", "title": "From outside"}
    number = forge.call("POST", f"/repos/{REPOSITORY}/pulls", body, user="stranger")["number"]
    pull = port.get_pr(number)
    assert pull.from_fork and pull.head_sha == head


def test_with_write_access_alone_others_rights_are_not_told(forge):
    port = port_of(forge, "plain")
    port.list_open_prs()
    with pytest.raises(Forbidden):
        port.can_write("writer")
