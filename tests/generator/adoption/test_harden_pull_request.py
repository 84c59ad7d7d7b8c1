"""`gen-env harden --pr`: one step, one branch, one pull request, the work tree left alone."""

import pytest

from generator.adoption import harden_pull_request
from generator.adoption.harden import Hardening
from generator.tree.plan import Plan
from tests.fakes.forge import TOKEN
from tests.generator.adoption.test_harden import ADOPTED
from tests.generator.promotion import world as worlds
from tests.repositories import changed, snapshot

NAME = "legacy"
PATH = f"environments/{NAME}/environment.yaml"
VALUES = 'values: {labels: {a: b}, env: [{name: A, value: "{{ .Release.Name }}"}]}\n'


@pytest.fixture
def world(tmp_path, forge_server, templates, own_chart, monkeypatch):
    """Remote, clone and forge, with an environment that was adopted, on main."""
    monkeypatch.setenv("GEN_ENV_FORGE_TOKEN", TOKEN)
    with worlds.world(tmp_path / "world", forge_server, templates) as made:
        text = changed(
            ADOPTED, ("name: staging", f"name: {NAME}"), ("namespace: airflow", "namespace: old")
        )
        made.repo.definition(NAME, text + VALUES)
        assert made.repo.run("generate").code == 0
        made.repo.commit("Adopt")
        made.push()
        yield made


def propose(world, *arguments, code=0):
    done = world.repo.run("harden", NAME, "--pr", *arguments)
    assert done.code == code, done.said
    return done


def test_a_step_becomes_a_pull_request_of_its_own(world):
    before = snapshot(world.repo)
    done = propose(world, "--step", "housekeeping")
    branch = f"harden/{NAME}-housekeeping"
    assert done.stdout.splitlines()[-1].endswith("/1")
    (pull,) = world.pulls()
    assert (pull["head"], pull["title"]) == (branch, f"Harden {NAME}: housekeeping")
    assert "no service links" in pull["body"]
    assert "enableServiceLinks: false" in pull["body"]
    assert b"steps: [housekeeping]" in world.show(branch, PATH)
    after = snapshot(world.repo)
    refs = [line for line in after["refs"].splitlines() if "harden/" not in line]
    assert {**after, "refs": refs} == {**before, "refs": before["refs"].splitlines()}


def test_the_last_step_names_what_stays_in_values():
    last = Hardening(NAME, ("rest",), Plan({}), (), (), (), None, left=("values.extraEnv",))
    text = harden_pull_request.render(last)
    assert "stays in values, as no field in use decides it: extraEnv" in text
    assert "before the next step" not in text


@pytest.mark.thorough
def test_again_is_nothing_new_and_another_step_is_another_request(world):
    propose(world, "--step", "housekeeping")
    first = world.bare.branch(f"harden/{NAME}-housekeeping")
    assert "already there" in propose(world, "--step", "housekeeping").stderr
    assert world.bare.branch(f"harden/{NAME}-housekeeping") == first
    propose(world, "--step", "hooks")
    assert sorted(pull["title"] for pull in world.pulls()) == [
        f"Harden {NAME}: hooks",
        f"Harden {NAME}: housekeeping",
    ]


@pytest.mark.thorough
def test_after_the_merge_the_next_one_follows(world):
    propose(world)
    (branch,) = world.bare.branches("harden/*")
    world.repo.git("merge", "--quiet", "--ff-only", branch)
    world.push()
    propose(world)
    assert len(world.bare.branches("harden/*")) == 2


def test_a_value_in_the_way_stops_it_and_what_goes_stands_in_the_text(world):
    done = propose(world, "--step", "config", code=1)
    assert "values.env must be removed" in done.stderr
    assert world.pulls() == []
    propose(world, "--step", "config", "--drop", "values.env")
    (pull,) = world.pulls()
    assert "no longer in values: env" in pull["body"]
    message = world.bare.git("log", "-1", "--format=%B", pull["head"])
    assert "no longer in values: env" in message
    assert "Gen-Env: harden" in message


def test_a_dry_run_shows_it_and_writes_nothing(world):
    before = snapshot(world.repo)
    done = propose(world, "--step", "housekeeping", "--dry-run")
    assert "enableServiceLinks: false" in done.stdout
    assert (world.pulls(), world.bare.branches("harden/*")) == ([], [])
    assert snapshot(world.repo) == before


def test_without_a_token_nothing_is_made(world, monkeypatch):
    monkeypatch.delenv("GEN_ENV_FORGE_TOKEN")
    done = propose(world, "--step", "housekeeping", code=1)
    assert "GEN_ENV_FORGE_TOKEN" in done.stderr
    assert world.bare.branches("harden/*") == []
