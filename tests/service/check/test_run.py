"""Whole checks over loopback: a real git, a forge's API, a chart."""

import dataclasses

import pytest

from generator.core.errors import UserError
from generator.forge.errors import Unavailable
from generator.forge.port import ForgeKind
from generator.pipeline import toolchain
from service.check import mirror, publish
from service.check.prepare import Bounded
from service.model.job import Grants, Override, State
from tests.fakes import forge as fake_forge
from tests.repositories import PRODUCTION, SETTINGS
from tests.service.check.world import DEV, REPORT, problems, report, rules

AUTH = "auth: {defaultUser: {}}"
SMALL = (AUTH, f"{AUTH}\ntriggerer: {{capacity: 500}}")
MIGRATION = ("version: 3.2.2", "version: 3.1.8")
BROKEN = "values: {extraEnv: '{{ fail \"no\" }}'}"
STAGING = "environments/staging/environment.yaml"
VALUES = "environments/dev/generated/values.yaml"


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", list(ForgeKind), ids=str)
def test_a_change_gets_one_status_and_one_comment(world):
    number = world.change(DEV, *SMALL)
    outcome = world.check(number)
    sha = world.head("feature")
    assert outcome.state is State.SUCCESS, outcome.json_report
    assert outcome.head_sha == sha
    assert world.said()[0] == "pending"
    assert world.status(sha)["state"] == "success"
    comment = world.comment(number)
    assert "gen-env: passed" in comment and REPORT in comment and "500" in comment
    assert report(outcome)["environments"][0]["changes"]
    assert outcome.environments == {"dev": "success"}
    assert "<html" in outcome.report_html


@pytest.mark.thorough
def test_checking_again_changes_nothing(world):
    number = world.change(DEV, *SMALL)
    first = world.check(number)
    comment = world.comment(number)
    second = world.check(number)
    assert (first.json_report, first.report_html) == (second.json_report, second.report_html)
    assert world.comment(number) == comment
    assert len(world.store.comments_of(number)) == 1


def test_what_is_not_gen_envs_gets_a_quick_word_and_no_comment(world):
    world.branch("docs")
    world.work.write("README.md", "hello\n")
    world.commit()
    number = world.open()
    outcome = world.check(number)
    assert (outcome.state, outcome.json_report) == (State.NEUTRAL, "")
    assert world.status(world.head("docs"))["state"] == "success"
    assert "affects no gen-env files" in world.status(world.head("docs"))["description"]
    assert world.comment(number) == ""


def test_a_first_gen_env_yaml_is_not_trusted_yet(world):
    world.work.git("rm", "-rq", "--cached", ".")
    world.work.git("commit", "-qm", "Empty", "--allow-empty")
    world.merge()
    world.branch("feature", base="HEAD")
    world.commit()
    outcome = world.check(world.open())
    assert outcome.state is State.NEUTRAL
    assert "checks begin" in outcome.summary


def test_a_change_that_is_too_large_is_not_begun(world):
    world.branch("feature")
    for number in range(20):
        world.work.write(f"environments/dev/secrets/{number}.yaml", f"# {number}\n" + "x" * 900_000)
    world.commit()
    outcome = world.check(world.open())
    assert outcome.state is State.ERROR and outcome.json_report == ""
    assert (
        "17 MiB in 20 files, and at most 16 MiB"
        in world.status(world.head("feature"))["description"]
    )


@pytest.mark.parametrize(
    ("bound", "words"),
    [("seconds", "not checked: it takes more than 0 s"), ("most", "renders more than 0 objects")],
)
def test_a_check_that_takes_too_much_ends_with_that_word(world, monkeypatch, bound, words):
    if bound == "seconds":
        world.tools = dataclasses.replace(world.tools, seconds=0)
    else:
        monkeypatch.setattr(Bounded, "__init__", _with_no_objects(Bounded.__init__))
    outcome = world.check(world.change(DEV, *SMALL))
    assert outcome.state is State.ERROR and outcome.json_report == ""
    status = world.status(world.head("feature"))
    assert (status["state"], words in status["description"]) == ("error", True)
    assert "a writer may override" in outcome.summary


def _with_no_objects(made):
    return lambda self, *given: made(self, *given, most=0)


def test_after_a_merge_elsewhere_a_check_renders_nothing_again(world):
    renders = []
    lazy = lambda files: toolchain.lazy(files, watch=renders.append)  # noqa: E731
    world.tools = dataclasses.replace(world.tools, renderer=lazy)
    number = world.change(STAGING, "replicas: 2", "replicas: 9")
    assert world.check(number).state is State.SUCCESS and renders
    world.work.git("switch", "--quiet", "--force-create", "main", "main")
    world.work.edit(DEV, *SMALL)
    world.commit(generate=True)
    world.merge()
    renders.clear()
    outcome = world.check(number)
    assert outcome.state is State.SUCCESS and set(outcome.environments) == {"staging"}
    assert {item.outcome for item in renders} == {"cached"}, "the merge touches another one"
    world.work.edit(STAGING, "workers:\n", "triggerer: {capacity: 500}\nworkers:\n")
    world.commit(generate=True)
    world.merge()
    renders.clear()
    assert world.check(number).state is State.SUCCESS
    assert "rendered" in {item.outcome for item in renders}, "that merge touches this one"


def test_of_a_report_that_is_too_large_the_beginning_is_kept(world, monkeypatch):
    monkeypatch.setattr(publish, "MOST", 2_000)
    outcome = world.check(world.change(DEV, *SMALL))
    assert "The report has 0 MiB" in report(outcome)["omitted"]
    assert report(outcome)["check"]["state"] == "success"
    assert "capacity" in outcome.report_html and outcome.report_html.startswith("<!doctype")


@pytest.mark.thorough
def test_a_draft_is_checked_like_any_other(world):
    number = world.change(DEV, *SMALL, draft=True)
    assert world.check(number).state is State.SUCCESS
    assert world.status(world.head("feature"))["state"] == "success"


def test_a_loss_fails_the_check_until_a_writer_accepts_it_for_this_commit(world):
    number = world.change(DEV, *MIGRATION)
    outcome = world.check(number)
    sha = world.head("feature")
    assert (outcome.state, outcome.environments) == (State.FAILURE, {"dev": "failure"})
    assert world.status(sha)["state"] == "failure"
    assert f"/gen-env accept impact/migration {sha}" in world.comment(number)
    accepted = Grants(accepted={"impact/migration": "alice"})
    outcome = world.check(number, grants=accepted)
    assert outcome.state is State.SUCCESS
    assert world.status(sha)["state"] == "success"
    assert "alice has accepted" in world.comment(number)
    other = Grants(accepted={"impact/other": "alice"})
    assert world.check(number, grants=other).state is State.FAILURE


def test_an_override_is_told_with_its_author_and_reason(world):
    number = world.change(DEV, *MIGRATION)
    outcome = world.check(
        number, grants=Grants(override=Override("alice", "agreed in the war room"))
    )
    assert outcome.state is State.SUCCESS
    status = world.status(world.head("feature"))
    assert status["state"] == "success"
    assert status["description"].startswith("overridden by @alice: agreed in the war room")
    assert "alice: agreed in the war room" in world.comment(number)
    assert "overridden by @alice" in outcome.report_html
    assert outcome.environments == {"dev": "failure"}


PROD = "environments/production/environment.yaml"
MORE = ("maxReplicas: 10}", "maxReplicas: 12}")


@pytest.fixture
def production(world):
    """The same world, with nine Secrets of production on main that nobody has sealed."""
    world.work.write(PROD, PRODUCTION)
    world.commit(generate=True)
    world.merge()
    return world


def test_a_change_is_not_blamed_for_the_errors_that_were_there(production):
    number = production.change(PROD, *MORE)
    outcome = production.check(number)
    assert outcome.state is State.SUCCESS, outcome.summary
    found = report(outcome)["environments"][0]["problems"]
    stubs = [item for item in found if item["rule"] == "secrets/stub"]
    assert stubs and {item["state"] for item in stubs} == {"old"}
    for text in (production.comment(number), outcome.summary):
        assert f"{len(stubs)} errors" in text and "there before this change" in text
    assert report(outcome)["files"] == [
        {"path": PROD, "action": "modified", "environment": "production"}
    ]


def test_an_error_that_a_change_brings_fails_beside_those_that_were_there(production):
    number = production.change(PROD, MORE[0], f"{MORE[1]}\nmanifests: [none.yaml]", generate=False)
    outcome = production.check(number)
    assert outcome.state is State.FAILURE
    found = report(outcome)["environments"][0]["problems"]
    assert "new" in {item["state"] for item in found if item["severity"] == "error"}


@pytest.mark.few(1)
@pytest.mark.parametrize("fork", [False, True])
def test_a_definition_that_breaks_is_never_headed_no_changes(world, fork):
    world.branch("feature")
    world.work.write(DEV, "a: [\n")
    world.commit()
    number = world.open(fork=fork)
    outcome = world.check(number)
    assert outcome.state is State.FAILURE
    shown = report(outcome)
    assert shown["reason"].startswith("Not compared: dev: ")
    assert not shown["environments"][0]["rendered"]
    for text in (world.comment(number), outcome.report_html, outcome.summary):
        assert "No changes" not in text


def test_an_author_cannot_accept_alone_where_the_base_asks_for_another_person(world):
    world.work.write(
        "gen-env.yaml", f"{SETTINGS}policy: {{tiers: {{development: {{accept: anotherPerson}}}}}}\n"
    )
    world.commit(generate=True)
    world.merge()
    number = world.change(DEV, *MIGRATION)
    author = world.forge.get_pr(number).author
    own = Grants({"impact/migration": author}, Override(author, "hurry"))
    assert world.check(number, grants=own).state is State.FAILURE
    other = Grants({"impact/migration": "somebody-else"})
    outcome = world.check(number, grants=other)
    assert outcome.state is State.SUCCESS
    words = "accepted by @somebody-else: impact/migration"
    assert words in outcome.summary and words in outcome.report_html
    assert world.status(world.head("feature"))["description"].startswith(words)
    world.work.git("switch", "-q", "main")
    world.branch("looser")
    world.work.write("gen-env.yaml", SETTINGS)
    world.commit(generate=True)
    number = world.open()
    own = Grants({"impact/policy": world.forge.get_pr(number).author})
    assert world.check(number, grants=own).state is State.FAILURE
    assert "impact/policy" in world.comment(number)
    other = Grants({"impact/policy": "somebody-else"})
    assert world.check(number, grants=other).state is State.SUCCESS


def test_the_tree_is_regenerated_in_one_commit_and_never_twice(world):
    number = world.change(DEV, *SMALL, generate=False)
    before = world.head("feature")
    outcome = world.check(number)
    after = world.head("feature")
    assert after != before and outcome.head_sha == after
    assert outcome.state is State.SUCCESS, outcome.json_report
    assert world.show(f"{after}^") and world._bare("rev-parse", f"{after}^") == before
    body = world._bare("log", "-1", "--format=%an%n%B", after)
    assert body.startswith("gen-env\nRegenerate dev") and "Gen-Env-Generated: true" in body
    assert "500" in world.show(f"{after}:{VALUES}")
    assert world.show(f"{after}:{DEV}") == world.show(f"{before}:{DEV}")
    assert world.status(before)["state"] == "failure"
    assert world.status(after)["state"] == "success"
    assert "regenerated" in world.comment(number)
    pushes = [seen for seen in world.git.seen if seen[0] == "POST" and "receive" in seen[1]]
    assert len(pushes) == 1
    world.check(number)
    assert world.head("feature") == after


def test_a_commit_of_ours_is_never_followed_by_another(world):
    world.branch("feature")
    world.work.edit(DEV, *SMALL)
    world.commit("Odd\n\nGen-Env-Generated: true")
    number = world.open()
    before = world.head("feature")
    outcome = world.check(number)
    assert world.head("feature") == before
    assert outcome.state is State.FAILURE
    assert "already by gen-env" in world.comment(number)
    assert f"+++ b/{VALUES}" in world.comment(number)


@pytest.mark.thorough
def test_without_push_back_the_patch_stands_in_the_comment_and_applies(world, tmp_path):
    world.options = {"push_back": False}
    number = world.change(DEV, *SMALL, generate=False)
    outcome = world.check(number)
    assert outcome.state is State.FAILURE
    assert "tree/out-of-date" in rules(outcome)
    comment = world.comment(number)
    assert "switched off" in comment
    patch = report(outcome)["check"]["patch"]
    assert patch.strip() in comment
    (tmp_path / "fix.patch").write_text(patch)
    world.work.git("apply", str(tmp_path / "fix.patch"))
    world.commit()
    world.push()
    assert world.check(number).state is State.SUCCESS


@pytest.mark.thorough
def test_a_refused_push_leaves_the_patch(world):
    hook = world.bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        "#!/bin/sh\necho 'protected branch, token ghs_secretsecretsecret99' >&2\nexit 1\n"
    )
    hook.chmod(0o755)
    world.branch("feature")
    world.work.edit(DEV, *SMALL)
    world.commit()
    world._bare("fetch", "--quiet", str(world.work.root), "feature:feature")
    number = world.store.add_pull(head="feature", sha=world.head("feature"))
    world.follow()
    outcome = world.check(number)
    assert outcome.state is State.FAILURE
    assert "rejects pushes" in world.comment(number)
    assert "secretsecret" not in world.texts()
    assert f"+++ b/{VALUES}" in world.comment(number)


def test_a_branch_that_moved_under_the_push_is_left_alone(world):
    number = world.change(DEV, *SMALL, generate=False)
    seen = world.head("feature")

    def meanwhile(count):
        if world.status(seen)["state"] == "failure":
            world.after_ask = lambda count: None
            world.work.write("note", "x")
            world.commit()
            world.push()

    world.after_ask = lambda count: meanwhile(count) if world.statuses(seen) else None
    outcome = world.check(number, sha=seen)
    assert outcome.state is State.SUPERSEDED
    assert world.head("feature") == world.work.git("rev-parse", "HEAD") != seen
    assert world.comment(number) == ""


def test_a_tier_of_promotions_only_is_not_pushed_to(world):
    world.work.write(
        "gen-env.yaml", f"{SETTINGS}policy: {{tiers: {{development: {{promotionOnly: true}}}}}}\n"
    )
    world.commit(generate=True)
    world.merge()
    number = world.change(DEV, *SMALL, generate=False)
    before = world.head("feature")
    outcome = world.check(number)
    assert (outcome.state, world.head("feature")) == (State.FAILURE, before)
    assert "by promotion only" in world.comment(number)


def test_a_fork_is_read_as_text_until_a_writer_allows_that_commit(world):
    world.branch("theirs")
    world.work.edit(DEV, *SMALL)
    sha = world.commit(generate=True)
    number = world.open(fork=True)
    outcome = world.check(number)
    assert outcome.state is State.NEUTRAL, outcome.json_report
    assert world.status(sha)["state"] == "pending"
    shown = report(outcome)["environments"][0]
    assert (shown["rendered"], shown["changes"]) == (False, [])
    assert f"/gen-env ok-to-test {sha}" in world.comment(number)
    assert "500" not in world.comment(number)
    outcome = world.check(number, grants=Grants(trusted_by="alice"))
    assert outcome.state is State.SUCCESS
    assert report(outcome)["environments"][0]["changes"]
    assert "alice has allowed" in world.comment(number)


@pytest.mark.thorough
def test_a_forks_tree_is_mended_by_a_patch_never_by_a_push(world):
    world.branch("theirs")
    world.work.edit(DEV, *SMALL)
    world.commit()
    number = world.open(fork=True)
    outcome = world.check(number)
    assert outcome.state is State.FAILURE
    assert "belongs to a fork" in world.comment(number)
    assert f"+++ b/{VALUES}" in world.comment(number)
    assert not [seen for seen in world.git.seen if "receive-pack" in seen[1]]


@pytest.mark.thorough
def test_a_branch_of_the_same_name_in_a_fork_is_no_place_to_push_to(world):
    world.branch("shared")
    world.push()
    mine = world.head("shared")
    world.work.edit(DEV, *SMALL)
    world.commit()
    world.check(world.open(fork=True), grants=Grants(trusted_by="alice"))
    assert world.head("shared") == mine


def test_a_conflict_is_named_file_by_file(world):
    number = world.change(DEV, *SMALL)
    world.work.git("switch", "-q", "main")
    world.work.edit(DEV, AUTH, f"{AUTH}\ntriggerer: {{capacity: 900}}")
    world.commit(generate=True)
    world.merge()
    outcome = world.check(number)
    assert outcome.state is State.FAILURE
    assert "conflicts with main" in world.status(world.head("feature"))["description"]
    assert DEV in world.comment(number)
    assert report(outcome)["reason"] == "Not compared: the branch conflicts"
    assert ("merge/conflict", "error") in problems(outcome)


def test_a_conflict_that_is_not_gen_envs_is_not_commented_on(world):
    world.work.write("README.md", "one\n")
    world.commit()
    world.merge()
    world.branch("docs")
    world.work.write("README.md", "two\n")
    world.commit()
    number = world.open()
    world.work.git("switch", "-q", "main")
    world.work.write("README.md", "three\n")
    world.commit()
    world.merge()
    assert world.check(number).state is State.NEUTRAL
    assert world.comment(number) == ""


@pytest.mark.thorough
def test_a_base_that_moved_elsewhere_is_no_change_of_this_request(world):
    number = world.change(DEV, *SMALL)
    world.work.git("switch", "-q", "main")
    world.work.edit("environments/staging/environment.yaml", "tag: 3.2.2-r1", "tag: 3.2.2-r2")
    world.commit(generate=True)
    world.merge()
    outcome = world.check(number)
    assert outcome.state is State.SUCCESS
    assert [item["name"] for item in report(outcome)["environments"]] == ["dev"]


@pytest.mark.thorough
def test_a_newer_head_leaves_nothing_of_the_older_run(world):
    number = world.change(DEV, *SMALL)
    old = world.head("feature")
    world.work.edit(DEV, "500", "501")
    world.commit(generate=True)
    world.push()
    written = len(world.store.writes())
    outcome = world.check(number, sha=old)
    assert outcome.state is State.SUPERSEDED
    assert len(world.store.writes()) == written
    assert world.check(number).state is State.SUCCESS
    assert "501" in world.comment(number)


@pytest.mark.thorough
def test_a_ref_that_lags_behind_the_forges_word_is_passed_over(world):
    number = world.change(DEV, *SMALL)
    old = world.head("feature")
    world.work.edit(DEV, "500", "501")
    world.commit(generate=True)
    world.push()
    world._bare("update-ref", world.ref(number), old)
    outcome = world.check(number)
    assert (outcome.state, outcome.head_sha) == (State.SUCCESS, world.head("feature"))
    assert "501" in world.comment(number)


def test_a_head_that_git_does_not_have_is_left_to_a_newer_run(world):
    number = world.change(DEV, *SMALL)
    world.store.pulls[number]["sha"] = fake_forge.SHA
    assert world.check(number).state is State.SUPERSEDED
    assert world.comment(number) == ""


@pytest.mark.few(1)
@pytest.mark.parametrize("turn", range(1, 6))
def test_a_run_that_is_told_to_stop_writes_nothing_more(world, turn):
    number = world.change(DEV, *SMALL)
    writes = []

    def stop(count):
        if count >= turn:
            world.current = False
            writes.append(len(world.store.writes()))

    world.after_ask = stop
    outcome = world.check(number)
    if writes:
        assert outcome.state is State.SUPERSEDED
        assert len(world.store.writes()) == writes[0]
    else:
        assert outcome.state is State.SUCCESS
    assert turn > 4 or writes


def test_a_force_push_during_the_check_is_noticed_before_anything_is_said(world):
    number = world.change(DEV, *SMALL)
    old = world.head("feature")

    def force(count):
        if count == 3:
            world.work.edit(DEV, "500", "501")
            world.work.git("commit", "-qa", "--amend", "-m", "Again")
            world.push(force=True)

    world.after_ask = force
    outcome = world.check(number, sha=old)
    assert outcome.state is State.SUPERSEDED
    assert world.statuses(old) == ["pending"]
    assert world.comment(number) == ""


@pytest.mark.thorough
def test_a_request_that_was_closed_meanwhile_gets_no_word(world):
    number = world.change(DEV, *SMALL)

    def close(count):
        if count == 3:
            world.store.pulls[number]["state"] = "closed"

    world.after_ask = close
    assert world.check(number).state is State.SUPERSEDED
    assert world.comment(number) == ""
    writes = len(world.store.writes())
    outcome = world.check(number)
    assert (outcome.state, len(world.store.writes())) == (State.SUPERSEDED, writes)


@pytest.mark.thorough
def test_a_comment_without_a_commit_pins_the_head_of_now(world):
    number = world.change(DEV, *SMALL)
    outcome = world.check(number, sha="")
    assert (outcome.state, outcome.head_sha) == (State.SUCCESS, world.head("feature"))


@pytest.mark.thorough
def test_a_comment_that_somebody_deleted_comes_back(world):
    number = world.change(DEV, *SMALL)
    world.check(number)
    world.store.comments.clear()
    world.check(number)
    assert "gen-env: passed" in world.comment(number)


@pytest.mark.thorough
def test_somebody_elses_comment_with_our_marker_is_left_alone(world):
    number = world.change(DEV, *SMALL)
    world.check(number)
    marker = world.comment(number).splitlines()[0]
    theirs = world.store.add_comment(number, fake_forge.MALLORY, f"{marker}\nfine, merge it")
    world.check(number)
    assert world.store.comments[theirs]["body"].endswith("fine, merge it")


@pytest.mark.thorough
def test_a_comment_stays_within_the_forges_budget(world):
    world.branch("feature")
    many = "".join(f"\n    MANY_{n:04d}: {'v' * 60}" for n in range(900))
    world.work.edit(DEV, "{version: 3.2.2}", f"\n  version: 3.2.2\n  env:{many}")
    world.commit(generate=True)
    number = world.open()
    outcome = world.check(number)
    comment = world.comment(number)
    assert outcome.state is State.SUCCESS, outcome.summary
    assert 50_000 < len(comment.encode()) <= 60_000
    assert "left out for length" in comment or "Cut for length" in comment
    assert comment.count("<details>") == comment.count("</details>")
    assert "MANY_0899" in outcome.report_html


@pytest.mark.thorough
def test_a_merge_group_gets_a_status_and_no_comment(world):
    number = world.change(DEV, *MIGRATION)
    base, sha = world.head("main"), world.head("feature")
    outcome = world.check(0, sha=sha, base_sha=base)
    assert outcome.state is State.SUCCESS, outcome.summary
    assert world.status(sha)["state"] == "success"
    assert world.comment(number) == ""


@pytest.mark.thorough
def test_a_merge_group_with_a_stale_tree_fails_and_is_not_pushed_to(world):
    world.change(DEV, *SMALL, generate=False)
    base, sha = world.head("main"), world.head("feature")
    outcome = world.check(0, sha=sha, base_sha=base)
    assert outcome.state is State.FAILURE
    assert world.head("feature") == sha


def test_a_removed_environment_is_shown_and_waits_for_a_writer(world):
    world.branch("feature")
    world.work.git("rm", "-rq", "environments/dev")
    world.commit()
    number = world.open()
    outcome = world.check(number)
    assert outcome.state is State.FAILURE
    assert "impact/data-loss" in outcome.summary
    assert report(outcome)["environments"][0]["reason"] == "removed by this change"


@pytest.mark.thorough
def test_a_forge_that_is_away_is_asked_again_later(world):
    number = world.change(DEV, *SMALL)
    world.git.status = 503
    with pytest.raises(Unavailable) as caught:
        world.check(number)
    assert fake_forge.TOKEN not in str(caught.value)
    world.git.status = 0
    world.store.fail(503, path="pulls", times=99)
    with pytest.raises(Unavailable):
        world.check(number)
    world.store.faults.clear()
    assert world.check(number).state is State.SUCCESS


def test_credentials_that_git_does_not_take_are_a_fault_with_words(world):
    number = world.change(DEV, *SMALL)
    world.git.require("x-access-token", "another-token")
    outcome = world.check(number)
    assert outcome.state is State.ERROR
    assert "credentials" in outcome.summary
    assert world.status(world.head("feature"))["state"] == "error"
    assert fake_forge.TOKEN not in outcome.summary + world.texts()


def test_a_token_that_may_not_comment_is_a_fault_with_words(world):
    number = world.change(DEV, *SMALL)
    world.store.fail(403, method="POST", path="comments", times=9)
    outcome = world.check(number)
    assert outcome.state is State.ERROR
    assert "may not do this" in outcome.summary


def test_broken_settings_of_the_base_are_named(world):
    world.work.write("gen-env.yaml", "apiVersion: gen-env.dev/v1\nkind: Repository\nclusters: []\n")
    world.commit()
    world.merge()
    world.branch("feature")
    world.work.edit(DEV, *SMALL)
    world.commit()
    number = world.open()
    outcome = world.check(number)
    assert outcome.state is State.ERROR
    assert "gen-env.yaml:" in outcome.summary and "base" in outcome.summary
    overridden = world.check(number, grants=Grants(override=Override("bob", "known")))
    assert overridden.state is State.SUCCESS


def test_a_chart_that_is_not_to_be_had_is_our_fault_not_the_changes(world, monkeypatch, tmp_path):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    number = world.change(DEV, *SMALL)
    outcome = world.check(number)
    assert outcome.state is State.ERROR
    assert "chart airflow 1.22.0 is not in the cache" in outcome.summary
    assert outcome.environments == {"dev": "error"}


@pytest.mark.thorough
def test_a_remedy_for_a_base_that_does_not_render_takes_a_writers_word(world):
    world.work.edit(DEV, AUTH, f"{AUTH}\n{BROKEN}")
    world.commit(generate=True)
    world.merge()
    world.branch("remedy")
    world.work.edit(DEV, f"\n{BROKEN}", "")
    world.commit(generate=True)
    number = world.open()
    outcome = world.check(number)
    assert outcome.summary == "not accepted: check/not-compared"
    grants = Grants(accepted={"check/not-compared": "alice"})
    assert world.check(number, grants=grants).state is State.SUCCESS


def test_a_branch_that_is_gone_is_none_and_its_files_are_forgotten(world):
    context = world.request(1, sha=world.head("main")).context
    about = (context.data_dir, context.connection, context.repository)
    assert mirror.branch_head(*about) == world.head("main")
    assert mirror.branch_files(*about).read(DEV)
    world.work.git(f"--git-dir={world.bare}", "update-ref", "-d", "refs/heads/main")
    assert mirror.branch_head(*about) is None
    with pytest.raises(UserError, match="branch 'main' not found"):
        mirror.branch_files(*about)
