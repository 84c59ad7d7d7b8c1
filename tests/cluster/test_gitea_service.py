"""The life of pull requests on a real Gitea: the service's processes, and what Gitea then tells."""

import contextlib
import sqlite3
import time

import pytest

from tests.cluster import gitea
from tests.cluster import gitea_service as service
from tests.cluster.conftest import require
from tests.cluster.gitea_service import FINAL, PRODUCTION, STAGING, STRANGER
from tests.service.follow_up import as_in_git

pytestmark = pytest.mark.nightly
REPLICAS = "replicas: 2"


@pytest.fixture(scope="module")
def loop(tmp_path_factory):
    require("gitea")
    folder = tmp_path_factory.mktemp("loop")
    service.archive(folder / "charts")
    (folder / "gitea").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_ENV_CHART_CACHE", str(folder / "charts"))
        with service.running(folder) as found:
            yield found
    print("\n" + "\n".join(f"{took:6.1f} s  {name}" for name, took in found.times.items()))


@pytest.fixture(autouse=True)
def _cache(loop, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", loop.environment["GEN_ENV_CHART_CACHE"])


def replicas(count):
    return REPLICAS, f"replicas: {count}"


def test_an_opened_pull_request_gets_a_status_and_a_comment_and_a_push_moves_them(loop):
    number, first = loop.change("moved", replicas(3))
    state, said, [report] = loop.judged(number, first, "opened, until the check's status")
    assert state == "success", said
    assert "gen-env: passed" in report and "replicas: 3" in report
    loop.wait(lambda: loop.status(first, "gen-env/gates")[0] == "success", "then the gates'")

    loop.repo.edit(STAGING, "replicas: 3", "replicas: 4")
    loop.commit("Four")
    second = loop.push("moved")
    state, said, [report] = loop.judged(number, second, "pushed, until the check's status")
    assert state == "success" and "replicas: 4" in report and "replicas: 3" not in report

    loop.repo.edit(STAGING, "replicas: 4", "replicas: 5")
    loop.repo.run("generate")
    loop.repo.git("commit", "-qa", "--amend", "-m", "Five")
    third = loop.push("moved", force=True)
    state, said, [report] = loop.judged(number, third, "force-pushed, until the check's status")
    assert state == "success" and "replicas: 5" in report and "replicas: 4" not in report
    loop.call("PATCH", f"/pulls/{number}", {"state": "closed"}, user="wanda")


def test_commands_are_obeyed_by_role_and_each_is_answered(loop):
    grown = ("workers:\n", "broker: {storage: 3Gi}\nworkers:\n")
    number, sha = loop.change("grown", grown)
    state, said, _ = loop.judged(number, sha, "a change that cannot be applied")
    assert state == "failure" and "impact/immutable" in said
    with pytest.raises(AssertionError, match="405"):
        loop.merge(number)

    for user in ("rita", STRANGER):
        loop.say(number, f"/gen-env accept impact/immutable {sha}", user)
        refused = f"- {user} may not write to the repository: nothing is recorded"
        assert loop.answered(number, f"a refusal to {user}", user) == refused
    assert loop.status(sha) == (state, said)
    loop.say(number, "/gen-env accept impact/immutable", "wanda")
    loop.answered(number, "a command that misses something", "write /gen-env accept")
    loop.say(number, "/gen-env accept impact/immutable 1234567", "wanda")
    loop.answered(number, "a command about another commit", "is not the head")
    loop.say(number, "/gen-env frobnicate", "wanda")
    loop.answered(number, "an unknown command", "unknown command")
    assert len(loop.checks(number)) == 1

    told = loop.say(number, "/gen-env check", "rita")
    loop.answered(number, "a refusal to rita, again", "rita")
    # Who may edit others' comments must not speak in their names: an edit is no command.
    words = {"body": f"/gen-env override {sha} edited"}
    loop.call("PATCH", f"/issues/comments/{told}", words, user="wanda")
    loop.say(number, f"/gen-env accept impact/immutable {sha}", "walter")
    accepted = "- accept impact/immutable by walter: the check runs again"
    assert loop.answered(number, "an accept", "walter") == accepted
    loop.wait(lambda: loop.status(sha)[0] == "success", "accepted, until the check's status")
    [report], _ = loop.comments(number)
    assert "walter" in report and "override" not in loop.status(sha)[1]
    loop.call("PATCH", f"/pulls/{number}", {"state": "closed"}, user="wanda")


def test_what_cannot_be_read_fails_until_a_writer_says_why_it_may_pass(loop):
    number, sha = loop.change("broken", (REPLICAS, "replicas: many"), generate=False)
    state, _, [report] = loop.judged(number, sha, "a broken definition")
    assert state == "failure" and "replicas" in report
    loop.say(number, f"/gen-env override {sha} the trial of <b>@wanda</b>", "walter")
    loop.wait(lambda: loop.status(sha)[0] == "success", "overridden, until the check's status")
    [report], _ = loop.comments(number)
    assert "walter" in report and "<b>" not in report and "@wanda" not in report
    loop.call("PATCH", f"/pulls/{number}", {"state": "closed"}, user="wanda")


def test_a_tree_that_is_out_of_date_is_brought_up_to_date_by_the_bot(loop):
    number, before = loop.change("stale", replicas(6), generate=False)
    loop.wait(lambda: loop.pull(number)["head"]["sha"] != before, "stale, until the bot's commit")
    sha = loop.pull(number)["head"]["sha"]
    state, said, _ = loop.judged(number, sha, "then the check's status")
    assert state == "success", said
    commit = loop.call("GET", f"/git/commits/{sha}")
    assert [parent["sha"] for parent in commit["parents"]] == [before]
    assert loop.status(before)[0] == "failure"
    loop.call("PATCH", f"/pulls/{number}", {"state": "closed"}, user="wanda")


def test_a_fork_is_rendered_when_a_writer_says_so_and_only_that_commit(loop):
    loop.call("POST", "/forks", {}, user=STRANGER)
    loop.branch("theirs")
    loop.repo.edit(STAGING, *replicas(7))
    loop.commit("Theirs")
    theirs = {"user": STRANGER, "repository": f"{STRANGER}/airflow"}
    sha = loop.push("theirs", **theirs)
    number = loop.open("theirs", user=STRANGER, fork=STRANGER)
    wanted = f"/gen-env ok-to-test {sha}"
    loop.wait(lambda: wanted in "".join(loop.comments(number)[0]), "a fork, until it is asked for")
    assert loop.status(sha)[0] == "pending"
    assert "replicas: 7" not in "".join(loop.comments(number)[0])
    loop.say(number, wanted, STRANGER)
    loop.answered(number, "a refusal to the fork's author", STRANGER)
    assert loop.status(sha)[0] == "pending"
    loop.say(number, wanted, "wanda")
    state, said, [report] = loop.judged(number, sha, "a fork allowed, until the check's status")
    assert state == "success" and "replicas: 7" in report, said

    # The next commit reaches for what it must not: a file of the service, and a program.
    secret, ran = loop.config.parent / "canary", loop.config.parent / "ran"
    secret.write_text("canary-outside-5d1e7b02\n")
    (loop.repo.root / "environments/staging/secrets/theirs.yaml").symlink_to(secret)
    loop.repo.write(".gitattributes", "* filter=theirs diff=theirs merge=theirs\n")
    loop.repo.write(".gitconfig", f'[filter "theirs"]\n  smudge = touch {ran}\n')
    loop.repo.commit("A way out")
    sha = loop.push("theirs", **theirs)
    state, said, [report] = loop.judged(number, sha, "a hostile fork, until the check's status")
    assert state == "failure" and "theirs.yaml" in report and "replicas: 7" not in report
    kept = [path for path in (loop.config.parent / "data").rglob("*") if path.is_file()]
    assert kept and not any(b"canary-outside" in path.read_bytes() for path in kept)
    assert "canary-outside" not in report + loop.log.read_text() and not ran.exists()
    loop.call("PATCH", f"/pulls/{number}", {"state": "closed"}, user=STRANGER)
    (loop.repo.root / ".gitattributes").unlink()


def test_a_merge_is_verified_promoted_and_taken_back(loop):
    new = (("tag: 3.2.2-r1", "tag: 3.2.2-r2"), ("1b2c3d4e" * 8, "5e" * 32))
    number, head = loop.change("release", *new)
    assert loop.judged(number, head, "a release, until the check's status")[0] == "success"
    loop.wait(lambda: loop.status(head, "gen-env/gates")[0] == "success", "the gates of a release")
    sha = loop.merge(number)
    context = "gen-env/verify/staging"
    loop.wait(lambda: loop.status(sha, context)[0] == "pending", "merged, until the verification")
    loop.deploy("staging", sha)
    loop.wait(lambda: loop.status(sha, context)[0] in FINAL, "deployed, until the verdict")
    assert loop.status(sha, context)[0] == "success", loop.status(sha, context)
    loop.wait(lambda: len(loop.comments(number)[0]) == 2, "the comment after the merge")

    def proposed(branch):
        pulls = loop.call("GET", "/pulls?state=open")
        return next((pull for pull in pulls if pull["head"]["ref"].startswith(branch)), None)

    pull = loop.wait(lambda: proposed("promote/production-"), "verified, until the promotion")
    assert pull["user"]["login"] == "bot" and "image.tag" in pull["title"]
    files = loop.call("GET", f"/pulls/{pull['number']}/files")
    assert PRODUCTION in {item["filename"] for item in files}
    assert not [item for item in files if "/staging/" in item["filename"]]
    state, said, _ = loop.judged(pull["number"], pull["head"]["sha"], "the promotion's status")
    assert state == "success", said
    loop.wait(lambda: loop.status(pull["head"]["sha"], "gen-env/gates")[0] == "success",
              "the promotion's gates")  # fmt: skip
    merged = loop.merge(pull["number"])
    context = "gen-env/verify/production"
    loop.wait(
        lambda: loop.status(merged, context)[0] == "pending", "promoted, until it is looked at"
    )

    loop.repo.git("switch", "--quiet", "--force-create", "main")
    loop.repo.git("fetch", "--quiet", loop.address("wanda"), "main")
    loop.repo.git("reset", "--quiet", "--hard", "FETCH_HEAD")
    loop.repo.git("remote", "add", "origin", loop.address("wanda"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITEA_TOKEN", loop.server.token("wanda", gitea.RIGHTS))
        done = loop.repo.run("rollback", "staging", "--to", f"{sha}^1", "--pr")
    assert done.code == 0, done.said
    pull = loop.wait(lambda: proposed("rollback/staging-"), "the rollback's pull request")
    assert pull["user"]["login"] == "wanda"
    state, said, [report] = loop.judged(pull["number"], pull["head"]["sha"], "its check's status")
    assert state == "success" and "3.2.2-r1" in report


def test_drift_is_one_issue_for_each_environment_until_the_cluster_is_as_git_says(loop):
    def issues(state="open"):
        found = loop.call("GET", f"/issues?type=issues&state={state}")
        assert {item["user"]["login"] for item in found} <= {"bot"}
        return sorted(item["title"] for item in found)

    def again():
        with contextlib.closing(sqlite3.connect(loop.config.parent / "data/service.sqlite")) as at:
            at.execute("DELETE FROM gen_env_turn WHERE name LIKE 'drift:%'")
            at.commit()

    both = ["production differs from git", "staging differs from git"]
    loop.wait(lambda: issues() == both, "drift of an empty cluster, until the issues")
    loop.branch("look")
    head = loop.repo.git("rev-parse", "FETCH_HEAD")
    with pytest.MonkeyPatch.context() as patch:
        found = as_in_git.objects(loop.repo.root, "staging")
        as_in_git.serve(found, patch)
        loop.cluster.put(*found)
        again()
        loop.wait(lambda: loop.status(head, "gen-env/drift/staging")[0] == "success", "compared")
        loop.wait(lambda: issues("closed") == both[1:], "as git says, until the issue is closed")
    assert issues() == both[:1]
    assert loop.status(head, "gen-env/drift/production")[0] == "failure"


def test_a_bot_that_may_not_ask_for_rights_says_so_on_the_pull_request(loop):
    number, sha = loop.change("asking", replicas(8))
    assert loop.judged(number, sha, "before its right is taken")[0] == "success"
    place = "/collaborators/bot"
    loop.call("PUT", place, {"permission": "write"})
    try:
        doctor = loop.doctor()
        assert doctor.returncode == 1 and "comment commands are refused" in doctor.stdout
        loop.say(number, f"/gen-env override {sha} trust me", "wanda")
        answer = loop.answered(number, "an answer without the right to ask", "Only admins")
        assert answer.startswith("- failed: ") and loop.status(sha)[0] == "success"
    finally:
        loop.call("PUT", place, {"permission": "admin"})
    assert "rights of others" in loop.doctor().stdout
    loop.call("PATCH", f"/pulls/{number}", {"state": "closed"}, user="wanda")


def test_while_gitea_is_away_nothing_is_lost_and_nothing_doubled(loop):
    number, sha = loop.change("away", replicas(9))
    loop.server.stop()
    # The delivery of the opening may or may not have been taken: the command asks for a check.
    time.sleep(3)
    loop.server.start()
    loop.say(number, "/gen-env check", "wanda")
    state, said, [report] = loop.judged(number, sha, "Gitea is back, until the check's status")
    assert state == "success" and "replicas: 9" in report, said
    loop.answered(number, "and the answer", "check by wanda")
    loop.call("PATCH", f"/pulls/{number}", {"state": "closed"}, user="wanda")
