import threading

import pytest

from generator.core.errors import UserError
from generator.definition.lock_file import version
from generator.promotion import promote as promotion
from generator.promotion.base_branch import base_branch
from generator.promotion.evidence import Standing
from generator.promotion.promote import Options
from tests.generator.promotion.world import DEFINITION, FROM, NOW, PATHS
from tests.repositories import changed, snapshot

OPTIONS = Options("staging", "production")


def prepare(world, options=OPTIONS, *, repo=None, forge=True, fetch=True):
    return promotion.prepare(
        world.base_branch(repo, fetch=fetch), options, world.tools(forge=forge), NOW
    )


def publish(world, found, *, pull=True):
    return promotion.publish_it(found, world.tools(), NOW, pull=pull)


def promote(world, options=OPTIONS, *, repo=None, pull=True):
    return publish(world, prepare(world, options, repo=repo), pull=pull)


def names(gates):
    return [gate.name for gate in gates]


def test_one_branch_one_commit_one_pull_request_and_nothing_else(world, staged):
    before = snapshot(world.repo)
    done = promote(world)
    after = snapshot(world.repo)
    (branch,) = world.bare.branches("promote/*")
    (pull,) = world.pulls()
    assert (pull["head"], pull["base"], done.pull.number) == (branch, "main", 1)
    assert world.bare.branch(branch) == done.placed.commit
    for part in ("files", "folders", "head", "index", "status", "locks"):
        assert after[part] == before[part]
    assert world.repo.git("rev-parse", f"{branch}^") == world.repo.git("rev-parse", "main")
    touched = world.repo.git("diff", "--name-only", "main", branch).splitlines()
    assert touched == [DEFINITION, "environments/production/generated/values.yaml"]
    expected = changed(
        world.repo.read(DEFINITION),
        ("tag: 3.2.2-r1", "tag: 3.2.2-r2"),
        ("sha256:9f2c3b1d7e6a5f4c8b0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b",
         "sha256:" + "5e6f7a8b" * 8),
        ("ref: 4610234", "ref: main"),
    )  # fmt: skip
    assert world.show(branch, DEFINITION) == expected.encode()


def test_the_commit_is_the_users_own_and_says_what_it_is(world, staged):
    done = promote(world)
    text = world.repo.git("log", "-1", "--format=%an <%ae>%n%B", done.placed.commit)
    assert text.startswith("Test <test@example.com>\nPromote staging to production: image.tag")
    assert "image.tag: 3.2.2-r1 -> 3.2.2-r2" in text
    assert "Gen-Env: promote" in text
    assert f"Promoted-From: staging {world.repo.git('rev-parse', 'main')[:12]}" in text


def test_the_tree_of_the_branch_is_the_one_that_generate_gives(world, staged):
    done = promote(world)
    world.repo.git("switch", "--quiet", done.placed.branch)
    assert world.repo.run("generate", "--check").code == 0


def test_the_text_carries_moves_commits_diff_gates_evidence_and_what_stays(world, staged, tmp_path):
    promote(world)
    body = world.pulls()[0]["body"]
    for part in (
        "| `image.tag` | `3.2.2-r1` | `3.2.2-r2` |",
        "Use image 3.2.2-r2",
        "### Rendered diff",
        "was verified on 2026-06-01 12:00 UTC by gen-env-bot and has been healthy for 2 days 0 h",
        "| order | ✅ passed |",
        "| `database.host` | differs |",
        "may point to another commit later",
    ):
        assert part in body
    assert "pg-staging.example.com" not in body


def test_again_is_nothing_new(world, staged):
    first = promote(world)
    second = promote(world)
    assert (second.placed.commit, second.placed.created) == (first.placed.commit, False)
    assert not second.placed.pushed
    assert len(world.pulls()) == 1
    assert len(world.bare.branches("promote/*")) == 1


@pytest.mark.thorough
def test_another_person_finds_what_is_there(world, staged):
    first = promote(world)
    other = world.clone()
    second = promote(world, repo=other)
    assert second.placed.commit == first.placed.commit
    assert len(world.pulls()) == 1


def test_without_a_pull_request_nothing_leaves_this_clone(world, staged):
    done = promote(world, pull=False)
    assert world.repo.git("rev-parse", done.placed.branch) == done.placed.commit
    assert world.bare.branches("promote/*") == []
    assert world.pulls() == []


@pytest.mark.thorough
def test_a_newer_promotion_updates_the_open_pull_request(world, staged):
    first = promote(world)
    world.stage("3.2.2-r3", "0a1b2c3d" * 8)
    second = promote(world)
    assert second.placed.branch == first.placed.branch
    assert second.placed.commit != first.placed.commit
    (pull,) = world.pulls()
    assert "3.2.2-r3" in pull["body"]
    assert b"3.2.2-r3" in world.show(first.placed.branch, DEFINITION)


def test_pull_requests_of_others_are_not_ours(world, staged):
    world.store.add_pull(head="promote/production-0123abcd", fork=99)
    world.store.add_pull(head="promote/production-canary-0123abcd")
    world.store.add_pull(head="promote/production-4567abcd", base="release")
    done = promote(world)
    assert done.pull.number == 4


@pytest.mark.thorough
def test_a_closed_pull_request_stays_closed_and_a_new_one_is_opened(world, staged):
    first = promote(world)
    world.store.pulls[1]["state"] = "closed"
    second = promote(world)
    assert second.placed.commit == first.placed.commit
    assert [item["number"] for item in world.pulls()] == [2]


@pytest.mark.thorough
def test_a_pull_request_that_is_closed_meanwhile_is_replaced(world, staged):
    promote(world)
    world.stage("3.2.2-r3", "0a1b2c3d" * 8)
    found = prepare(world)
    tools = world.tools()
    listed = tools.forge.list_open_prs

    def closing():
        answer = listed()
        world.store.pulls[1]["state"] = "closed"
        tools.forge.list_open_prs = listed
        return answer

    tools.forge.list_open_prs = closing
    done = promotion.publish_it(found, tools, NOW, pull=True)
    assert [item["number"] for item in world.pulls()] == [2]
    assert done.pull.number == 2


@pytest.mark.thorough
def test_the_remote_moved_before_and_the_promotion_is_of_what_is_there_now(world, staged):
    other = world.clone()
    world.merge(FROM, ("tag: 3.2.2-r2", "tag: 3.2.2-r9"), repo=other)
    world.verified("staging", sha=other.git("rev-parse", "main"))
    found = prepare(world)
    assert found.base_branch.base == world.bare.branch("main")
    assert found.choice.moves[0].new == "3.2.2-r9"
    assert found.evidence.standing is Standing.VERIFIED


@pytest.mark.thorough
def test_the_remote_moved_meanwhile_elsewhere_and_all_merges(world, staged):
    found = prepare(world)
    other = world.clone()
    other.write("docs.md", "words\n")
    other.commit("Docs")
    world.push(other)
    done = publish(world, found)
    again = promote(world)
    assert again.placed.commit == done.placed.commit
    assert len(world.pulls()) == 1


@pytest.mark.thorough
def test_the_target_was_edited_meanwhile_where_it_merges_and_the_branch_stays(world, staged):
    first = promote(world)
    world.merge(DEFINITION, ("poolSize: 20", "poolSize: 30"))
    assert promote(world).placed.commit == first.placed.commit
    assert len(world.pulls()) == 1


@pytest.mark.thorough
def test_the_target_was_edited_meanwhile_in_conflict_and_the_branch_is_made_anew(world, staged):
    first = promote(world)
    world.merge(DEFINITION, ("tag: 3.2.2-r1", "tag: 3.2.2-hotfix"))
    second = promote(world)
    assert second.placed.branch == first.placed.branch
    assert second.placed.commit != first.placed.commit
    world.repo.git("merge", "--quiet", "--ff-only", second.placed.branch)
    assert "tag: 3.2.2-r2" in world.repo.read(DEFINITION)
    assert len(world.pulls()) == 1


def test_a_branch_with_somebodys_commits_is_not_overwritten(world, staged):
    first = promote(world)
    other = world.clone()
    other.git("switch", "--quiet", first.placed.branch)
    other.write(DEFINITION, other.read(DEFINITION).replace("poolSize: 20", "poolSize: 99"))
    other.commit("By hand")
    other.git("push", "--quiet", "origin", first.placed.branch)
    by_hand = world.bare.branch(first.placed.branch)
    with pytest.raises(UserError) as caught:
        promote(world)
    assert "commits that gen-env did not make" in caught.value.message
    assert world.bare.branch(first.placed.branch) == by_hand
    assert world.repo.git("rev-parse", first.placed.branch) == first.placed.commit


@pytest.mark.thorough
def test_a_branch_that_is_checked_out_is_not_moved(world, staged):
    first = promote(world)
    world.repo.git("switch", "--quiet", first.placed.branch)
    world.repo.git("switch", "--quiet", "main")
    world.stage("3.2.2-r3", "0a1b2c3d" * 8)
    world.repo.git("switch", "--quiet", first.placed.branch)
    before = snapshot(world.repo)
    with pytest.raises(UserError, match="is checked out in clone"):
        promote(world)
    assert snapshot(world.repo) == before


def test_two_at_once_in_two_clones_leave_one_branch_and_one_pull_request(world, staged):
    clones = [world.repo, world.clone()]
    ready = threading.Barrier(2)
    outcomes = []

    def run(repo):
        found = prepare(world, repo=repo)
        ready.wait()
        try:
            outcomes.append(publish(world, found).placed.commit)
        except UserError as error:
            outcomes.append(error.message)

    threads = [threading.Thread(target=run, args=[repo]) for repo in clones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (branch,) = world.bare.branches("promote/*")
    assert outcomes == [world.bare.branch(branch)] * 2
    assert len(world.pulls()) == 1


@pytest.mark.thorough
def test_two_at_once_in_one_clone(world, staged):
    found = [prepare(world), prepare(world)]
    ready = threading.Barrier(2)
    outcomes = []

    def run(item):
        ready.wait()
        outcomes.append(publish(world, item).placed.commit)

    threads = [threading.Thread(target=run, args=[item]) for item in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(outcomes)) == 1
    assert len(world.pulls()) == 1


@pytest.mark.thorough
def test_a_lease_that_is_lost_to_another_content_ends_cleanly(world, staged):
    """Between our look at the remote and our push somebody pushes something else, every time."""
    world.bare.hook("pre-receive", "echo 'cannot lock ref' >&2; exit 1")
    with pytest.raises(UserError) as caught:
        promote(world)
    assert "keeps being changed by another writer" in caught.value.message
    assert world.pulls() == []


@pytest.mark.thorough
def test_another_proposal_pushed_at_this_very_moment_is_not_overwritten(world, staged):
    found = prepare(world)
    other = world.clone()
    world.stage("3.2.2-r3", "0a1b2c3d" * 8)
    newer = promote(world, repo=other, pull=False).placed
    other.git("push", "--quiet", "origin", f"{newer.branch}:refs/heads/elsewhere")
    _while_pushing(world, f"refs/heads/{found.branch}", newer.commit)
    with pytest.raises(UserError, match="another writer is changing the branch"):
        publish(world, found)
    assert world.bare.branch(found.branch) == newer.commit


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("GH006: Protected branch update failed", "let gen-env's user push to promote/*"),
        ("policy says no", "fix the errors above"),
    ],
)
def test_a_refused_push_says_why_and_can_be_tried_again(world, staged, said, hint):
    world.bare.hook("pre-receive", f"echo '{said}' >&2; exit 1")
    with pytest.raises(UserError) as caught:
        promote(world)
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert world.pulls() == []
    world.bare.hook("pre-receive", "exit 0")
    assert promote(world).pull.number == 1


def test_a_remote_that_is_gone_is_said(world, staged):
    world.repo.git("remote", "set-url", "origin", "https://ann:s3cr3t-token@127.0.0.1:1/x.git")
    with pytest.raises(UserError) as caught:
        world.base_branch()
    assert "cannot read origin" in caught.value.message
    assert "s3cr3t-token" not in caught.value.message


def test_no_remote_is_said(world):
    world.repo.git("remote", "remove", "origin")
    with pytest.raises(UserError, match="no remote"):
        world.base_branch()


def test_a_local_repository_promotes_from_its_own_branch(world, staged):
    world.repo.git("remote", "remove", "origin")
    found = prepare(
        world, Options("staging", "production", "no forge here"), forge=False, fetch=False
    )
    assert found.base_branch.base == world.repo.git("rev-parse", "main")
    assert found.blocked == ()
    assert publish(world, found, pull=False).placed.created


@pytest.mark.few(1)
@pytest.mark.parametrize("state", ["detached", "dirty", "staged", "unborn-branch", "other-branch"])
def test_whatever_the_work_tree_is_in_it_stays_so(world, staged, state):
    if state == "detached":
        world.repo.git("switch", "--quiet", "--detach", "main~1")
    elif state in ("dirty", "staged"):
        world.repo.write(DEFINITION, world.repo.read(DEFINITION) + "# mine\n")
        world.repo.write("environments/production/new.txt", "mine\n")
        if state == "staged":
            world.repo.git("add", "--all")
    elif state == "unborn-branch":
        world.repo.git("switch", "--quiet", "--orphan", "empty")
        world.repo.write("gen-env.yaml", world.show("main", "gen-env.yaml"))
    else:
        world.repo.git("switch", "--quiet", "--create", "feature", "main~1")
    before = snapshot(world.repo)
    done = promote(world)
    after = snapshot(world.repo)
    refs = [line for line in after["refs"].splitlines() if "promote/" not in line]
    assert refs == [line for line in before["refs"].splitlines() if "promote/" not in line]
    assert {**after, "refs": ""} == {**before, "refs": ""}
    assert b"# mine" not in world.show(done.placed.branch, DEFINITION)


def test_what_is_not_taken_along_is_said(world, staged):
    world.repo.write(FROM, world.repo.read(FROM) + "# tomorrow\n")
    (note,) = prepare(world).notes
    assert FROM in note
    assert "differ in the work tree" in note


def test_nothing_to_move(world, staged):
    branch = promote(world).placed.branch
    world.repo.git("merge", "--quiet", "--ff-only", branch)
    world.push()
    assert prepare(world).empty


def test_not_verified_is_blocked_and_says_what_is_missing(world):
    world.merge(FROM, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"))
    found = prepare(world)
    (gate,) = found.blocked
    assert gate.name == "verified"
    assert "no status gen-env/verify/staging" in gate.reason


@pytest.mark.thorough
def test_verified_before_the_last_change_is_not_verified(world, staged):
    world.merge(FROM, ("replicas: 2", "replicas: 3"))
    assert names(prepare(world).blocked) == ["verified"]


@pytest.mark.thorough
def test_a_later_commit_elsewhere_leaves_the_proof_valid(world, staged):
    world.merge(DEFINITION, ("poolSize: 20", "poolSize: 30"))
    assert prepare(world).evidence.standing is Standing.VERIFIED


def test_the_proof_is_that_of_the_merge_commit(world):
    world.repo.git("switch", "--quiet", "--create", "feature")
    world.merge(FROM, ("replicas: 2", "replicas: 3"), push=False)
    world.repo.git("switch", "--quiet", "main")
    world.repo.git("merge", "--quiet", "--no-ff", "-m", "Merge", "feature")
    world.push()
    world.verified("staging")
    assert prepare(world).evidence.revision == world.repo.git("rev-parse", "main")


def test_a_reason_is_recorded_in_commit_and_text(world):
    world.merge(FROM, ("replicas: 2", "replicas: 3"))
    options = Options("staging", "production", "the bank waits\nfor @everyone")
    done = promote(world, options)
    assert "Forced: the bank waits for @everyone" in world.repo.git(
        "log", "-1", "--format=%B", done.placed.commit
    )
    body = world.pulls()[0]["body"]
    assert "**Forced**: the bank waits" in body
    assert "@everyone" not in body


def test_soak_and_freeze_come_from_settings_and_target(world):
    world.configure(PATHS + "policy: {tiers: {production: {soak: 72h, promotionOnly: true}}}\n")
    world.stage()
    found = prepare(world)
    gate = next(item for item in found.gates if item.name == "soak")
    assert gate.state == "waiting"
    assert "promotion-only" in names(found.gates)
    assert found.blocked == ()


@pytest.mark.thorough
def test_the_labels_that_a_tier_asks_for_are_those_of_the_open_pull_request(world):
    world.configure(PATHS + "policy: {tiers: {production: {labels: [approved]}}}\n")
    world.stage()
    done = promote(world)
    body = world.pulls()[0]["body"]
    assert "lacks the label approved" in body
    world.store.pulls[done.pull.number]["labels"] = ["approved"]
    gate = next(item for item in prepare(world).gates if item.name == "labels")
    assert gate.state == "passed"


@pytest.mark.thorough
def test_labels_that_cannot_be_read_are_missing(world):
    world.configure(PATHS + "policy: {tiers: {production: {labels: [approved]}}}\n")
    world.stage()
    world.store.fail(403, path="pulls", times=99)
    gate = next(item for item in prepare(world).gates if item.name == "labels")
    assert gate.state == "waiting"


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("options", "word"),
    [
        (Options("staging", "staging"), "to itself"),
        (Options("nowhere", "production"), 'environment "nowhere" not found'),
        (Options("staging", "nowhere"), 'environment "nowhere" not found'),
        (Options("staging", "production", "  "), "needs a reason"),
    ],
)
def test_bad_wishes(world, options, word):
    with pytest.raises(UserError, match=word):
        prepare(world, options)


def test_against_the_order_is_blocked_whatever_the_reason(world):
    found = prepare(world, Options("production", "staging", "please"))
    assert names(found.blocked) == ["order"]


def test_a_broken_definition_is_named_with_its_line(world):
    world.repo.write(FROM, "a: [\n")
    world.repo.commit("Break")
    world.push()
    with pytest.raises(UserError) as caught:
        prepare(world)
    assert caught.value.path == FROM


def test_a_target_that_cannot_be_generated_is_not_written(world):
    world.configure(
        "promotion: {paths: {main: [staging, production]}, fields: [values.scheduler]}\n"
    )
    world.repo.write(FROM, world.repo.read(FROM) + "values: {scheduler: {replicas: 2}}\n")
    world.repo.commit("Overlap")
    world.push()
    found = prepare(world)
    assert any(problem.severity == "error" for problem in found.regenerated.problems)


@pytest.mark.few(1)
@pytest.mark.parametrize("status", [401, 403, 404, 422, 500])
def test_what_the_forge_refuses_about_evidence_is_a_gate(world, staged, status):
    world.store.fail(status, path="statuses", times=99)
    (gate,) = prepare(world).blocked
    assert gate.name == "verified"
    assert "no evidence" in gate.reason


@pytest.mark.few(1)
@pytest.mark.parametrize("status", [403, 422, 500])
def test_what_the_forge_refuses_about_the_pull_request_can_be_tried_again(world, staged, status):
    world.store.fail(status, method="POST", path="pulls$", times=99)
    with pytest.raises(UserError):
        promote(world)
    world.store.faults.clear()
    assert promote(world).pull.number == 1
    assert len(world.bare.branches("promote/*")) == 1


def test_an_expired_token_is_said(world, staged):
    tools = world.tools()
    world.store.expired.update(world.store.tokens)
    found = promotion.prepare(world.base_branch(), OPTIONS, tools, NOW)
    assert names(found.blocked) == ["verified"]
    with pytest.raises(UserError, match="does not accept the token"):
        promotion.publish_it(found, tools, NOW, pull=True)
    assert world.bare.branches("promote/*") == []


def test_the_chart_digest_follows_the_sources_lock(world):
    lock = "environments/staging/gen-env.lock"
    world.merge(FROM, ("chart: {version: 1.22.0}", "chart: {version: 1.22.1}"))
    text = world.repo.read(lock)
    assert "digest: null" in text
    world.repo.write(lock, text.replace("digest: null", f'digest: "sha256:{"7" * 64}"'))
    world.repo.commit("Lock")
    world.push()
    found = prepare(world)
    written = found.regenerated.changes["environments/production/gen-env.lock"].decode()
    assert f"sha256:{'7' * 64}" in written
    assert "1.22.1" in written
    assert version() in written


@pytest.mark.thorough
def test_a_folder_below_the_top_of_the_git_repository(world, staged, tmp_path):
    other = world.clone("monorepo")
    other.git("switch", "--quiet", "--orphan", "mono")
    for path, content in sorted(world.repo.tree().items()):
        other.write(f"deploy/{path}", content)
    other.commit("All of it")
    other.git("push", "--quiet", "--force", "origin", "mono:main")
    found = promotion.prepare(
        base_branch(other.root / "deploy", fetch=True), OPTIONS, world.tools(), NOW
    )
    done = publish(world, found)
    assert world.show(done.placed.branch, f"deploy/{DEFINITION}") is not None
    assert world.show(done.placed.branch, DEFINITION) is None


@pytest.mark.thorough
def test_an_executable_file_and_a_signature_wish_are_respected(world, staged):
    world.repo.git("config", "commit.gpgSign", "true")
    world.repo.git("config", "gpg.program", "false")
    with pytest.raises(UserError) as caught:
        promote(world)
    assert "nothing was changed" in caught.value.hint
    assert world.bare.branches("promote/*") == []
    assert world.repo.git("branch", "--list", "promote/*") == ""


def _while_pushing(world, ref, commit):
    """The first push of the clone finds that the remote has changed since it said hello."""
    hook = world.repo.root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(
        f"#!/bin/sh\nrm $0\ngit --git-dir {world.bare.path} update-ref {ref} {commit}\n", "utf-8"
    )
    hook.chmod(0o755)


@pytest.mark.thorough
def test_the_same_pushed_by_somebody_else_at_this_very_moment_is_taken(world, staged):
    other = world.clone()
    theirs = promote(world, repo=other, pull=False).placed
    other.git("push", "--quiet", "origin", f"{theirs.branch}:refs/heads/elsewhere")
    world.repo.git("config", "user.name", "Second")
    _while_pushing(world, f"refs/heads/{theirs.branch}", theirs.commit)
    done = promote(world)
    assert done.placed.commit == theirs.commit == world.bare.branch(theirs.branch)
    assert world.repo.git("rev-parse", theirs.branch) == theirs.commit
    assert len(world.pulls()) == 1


@pytest.mark.thorough
def test_something_else_pushed_at_this_very_moment_is_left_alone(world, staged):
    branch = prepare(world).branch
    other = world.clone()
    other.write("by-hand.txt", "mine\n")
    other.commit("By hand")
    other.git("push", "--quiet", "origin", "HEAD:refs/heads/elsewhere")
    theirs = other.git("rev-parse", "HEAD")
    _while_pushing(world, f"refs/heads/{branch}", theirs)
    with pytest.raises(UserError, match="another writer is changing the branch"):
        promote(world)
    assert world.bare.branch(branch) == theirs
    assert world.pulls() == []


def test_what_cannot_be_rendered_is_not_promoted(world, staged, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    branches = world.repo.git("branch")
    done = world.repo.run("promote", "staging", "production", "--force", "it is urgent")
    assert done.code == 1 and "is not in the cache" in done.stderr, done.said
    assert "nothing was written" in done.stderr and world.repo.git("branch") == branches
