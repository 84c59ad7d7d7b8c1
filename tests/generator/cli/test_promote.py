import json

import pytest

from generator.definition.lock_file import version
from tests.fakes.forge import TOKEN
from tests.generator.promotion import world as worlds
from tests.generator.promotion.world import DEFINITION, FROM, PATHS
from tests.repositories import snapshot


@pytest.fixture
def world(tmp_path, forge_server, templates, own_chart, monkeypatch):
    monkeypatch.setenv("GEN_ENV_FORGE_TOKEN", TOKEN)
    with worlds.world(tmp_path, forge_server, templates) as made:
        yield made


@pytest.fixture
def staged(world):
    world.begin_staged()


def promote(world, *arguments):
    return world.repo.run("promote", "staging", "production", *arguments)


def test_a_local_commit_with_its_branch_on_stdout(world, staged):
    done = promote(world)
    branch = done.stdout.splitlines()[-1]
    assert done.code == 0
    assert branch.startswith("promote/production-")
    assert world.repo.git("log", "--oneline", f"main..{branch}").count("\n") == 0
    assert world.bare.branches("promote/*") == []
    assert "image.tag" in done.stdout
    assert "passed   verified" in done.stdout


def test_a_pull_request_with_its_page_on_stdout(world, staged):
    done = promote(world, "--pr")
    assert done.code == 0
    assert done.stdout.splitlines()[-1] == "https://forge.example/payments/airflow-gitops/pulls/1"
    again = promote(world, "--pr")
    assert again.code == 0
    assert "already there" in again.stderr
    assert len(world.pulls()) == 1


@pytest.mark.few(1)
@pytest.mark.parametrize("arguments", [["--dry-run"], ["--dry-run", "--pr"]])
def test_a_dry_run_writes_nothing_anywhere(world, staged, arguments):
    before, objects = snapshot(world.repo), world.repo.git("count-objects")
    done = promote(world, *arguments)
    assert done.code == 0
    assert "nothing was written" in done.stderr
    assert (snapshot(world.repo), world.repo.git("count-objects")) == (before, objects)
    assert world.pulls() == []


def test_blocked_writes_nothing_and_exits_with_1(world):
    world.merge(FROM, ("replicas: 2", "replicas: 3"))
    world.merge(FROM, ("tag: 3.2.2-r1", "tag: 3.2.2-r2"))
    before = snapshot(world.repo)
    done = promote(world, "--pr")
    assert done.code == 1
    assert "blocked by gate verified" in done.stderr
    assert snapshot(world.repo) == before
    assert world.bare.branches("promote/*") == []
    forced = promote(world, "--pr", "--force", "the auditor asked")
    assert forced.code == 0
    assert "the auditor asked" in world.pulls()[0]["body"]


@pytest.mark.thorough
def test_waiting_is_proposed_and_said(world):
    world.configure(PATHS + "policy: {tiers: {production: {soak: 1000000h}}}\n")
    world.stage()
    done = promote(world, "--pr")
    assert done.code == 0
    assert "waiting  soak" in done.stdout
    assert "do not merge yet" in done.stderr


def test_without_a_token_the_reason_is_the_gate_and_with_pr_an_error(world, monkeypatch):
    monkeypatch.delenv("GEN_ENV_FORGE_TOKEN")
    world.stage()
    local = promote(world)
    assert local.code == 1
    assert "no token for gitea (set GEN_ENV_FORGE_TOKEN" in local.stderr
    remote = promote(world, "--pr")
    assert remote.code == 1
    assert "error: no token for gitea" in remote.stderr


def test_the_token_is_in_no_output(world, staged):
    world.store.expired.add(TOKEN)
    done = promote(world, "--pr", "--force", "x")
    assert done.code == 1
    assert TOKEN not in done.said


@pytest.mark.thorough
def test_nothing_to_promote_is_fine(world, staged):
    branch = promote(world).stdout.splitlines()[-1]
    world.repo.git("merge", "--quiet", "--ff-only", branch)
    world.push()
    done = promote(world, "--pr")
    assert done.code == 0
    assert "nothing to promote on main at" in done.stderr
    assert "what can be moved to production already matches staging; not moved:" in done.stderr
    assert "`image.facts`: not set in staging" in done.stderr
    assert "other fields with differences" in done.stdout
    assert world.pulls() == []
    assert promote(world, "-o", "json").json["moves"] == []


def test_markdown_is_the_text_of_the_pull_request(world, staged):
    done = promote(world, "--dry-run", "-o", "markdown")
    assert done.stdout.startswith("| What moves | From | To |")
    assert "### Rendered diff" in done.stdout


def test_json_holds_moves_gates_and_evidence_and_no_values_of_what_stays(world, staged):
    done = promote(world, "--dry-run", "-o", "json")
    data = json.loads(done.stdout)
    assert (data["from"], data["to"]) == ("staging", "production")
    assert data["moves"][0] == {"field": "image.tag", "old": "3.2.2-r1", "new": "3.2.2-r2"}
    assert data["evidence"]["standing"] == "verified"
    assert {gate["state"] for gate in data["gates"]} == {"passed"}
    assert {"field": "database.host", "where": "differs"} in data["notPromoted"]
    assert promote(world, "-o", "json").json == data


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("pair", "code", "word"),
    [
        (["staging", "staging"], 1, "cannot be promoted to itself"),
        (["production", "staging"], 1, "never goes back"),
        (["nowhere", "production"], 1, 'environment "nowhere" not found'),
        (["staging"], 2, "Missing argument 'TO'"),
        (["staging", "production", "--force"], 2, "requires an argument"),
        (["staging", "production", "--force", ""], 1, "needs a reason"),
    ],
)
def test_bad_input(world, staged, pair, code, word):
    before = snapshot(world.repo)
    done = world.repo.run("promote", *pair)
    assert (done.code, word in done.said) == (code, True), done.said
    assert snapshot(world.repo) == before


def test_outside_of_git(world, tmp_path):
    folder = tmp_path / "plain"
    for path, content in world.repo.tree().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    from tests.repositories import run

    done = run("-C", folder, "promote", "staging", "production")
    assert done.code == 1
    assert "not inside a git repository" in done.stderr


def test_a_dirty_tree_is_no_obstacle_and_is_mentioned(world, staged):
    world.repo.write(DEFINITION, world.repo.read(DEFINITION) + "# mine\n")
    done = promote(world)
    assert done.code == 0
    assert "differ in the work tree" in done.stdout
    assert world.repo.read(DEFINITION).endswith("# mine\n")


def test_a_verdict_that_nobody_could_record_is_not_waited_for(world, monkeypatch):
    monkeypatch.delenv("GEN_ENV_FORGE_TOKEN")
    done = world.repo.run("verify", "staging", "--record")
    assert done.code == 1
    assert "GEN_ENV_FORGE_TOKEN" in done.stderr


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "command",
    [
        ("promote", "staging", "production"),
        ("pause", "staging"),
        ("upgrade", "production", "--airflow", "3.2.3"),
        ("generate", "production"),
    ],
    ids=lambda command: command[0],
)
def test_no_command_of_an_older_gen_env_writes_over_a_newer_tree(world, staged, command):
    for name in ("staging", "production"):
        lock = f"environments/{name}/gen-env.lock"
        world.repo.edit(lock, f'genEnv: "{version()}"', 'genEnv: "99.0.0"')
    world.repo.commit("Made by a newer one")
    world.push()
    before = snapshot(world.repo)
    done = world.repo.run(*command)
    assert done.code == 1
    assert "install gen-env 99.0.0 or newer" in done.stderr
    assert snapshot(world.repo) == before
