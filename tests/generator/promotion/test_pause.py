from datetime import timedelta

import pytest

from generator.core.errors import UserError
from generator.promotion import pause
from generator.promotion.pause import Options
from generator.promotion.promote import Toolchain
from generator.promotion.sync_windows import frozen_until
from tests.generator.promotion.world import FROM, NOW, PATHS
from tests.repositories import snapshot

MANAGED = PATHS + "argocd: {project: {manage: true, name: airflow}}\n"
PROJECT = "bootstrap/projects/airflow.yaml"
APPLICATION = "environments/staging/generated/application.yaml"


@pytest.fixture
def world(world):
    world.repo.seal("staging")
    world.repo.run("generate")
    world.repo.commit("Seal")
    world.push()
    return world


def apply(world, **options):
    found = pause.prepare(world.base_branch(), Options("staging", **options), world.tools(), NOW)
    assert not found.nothing
    return pause.publish_it(found, world.tools(), pull=True)


def merge(world, branch):
    world.repo.git("fetch", "--quiet", "origin")
    world.repo.git("merge", "--quiet", "--ff-only", f"origin/{branch}")
    world.push()


def test_automated_sync_is_switched_off_and_on_again(world):
    before = world.repo.tree()
    assert "automated" in world.repo.yaml(APPLICATION)["spec"]["syncPolicy"]
    done = apply(world)
    assert done.placed.branch == "pause/staging"
    assert snapshot(world.repo)["files"] == before
    merge(world, "pause/staging")
    assert "automated" not in world.repo.yaml(APPLICATION)["spec"]["syncPolicy"]
    assert world.repo.run("generate", "--check").code == 0
    world.store.pulls[1]["state"] = "closed"
    again = apply(world, resume=True)
    assert again.placed.branch == "pause/staging"
    merge(world, "pause/staging")
    assert world.repo.tree() == before
    assert len(world.pulls()) == 1


def test_a_managed_project_gets_a_window_that_always_denies(world):
    world.configure(MANAGED)
    before = world.repo.tree()
    merge(world, apply(world).placed.branch)
    (window,) = world.repo.yaml(PROJECT)["spec"]["syncWindows"]
    assert window == {
        "kind": "deny",
        "schedule": "* * * * *",
        "duration": "24h",
        "timeZone": "UTC",
        "manualSync": True,
        "applications": ["airflow-staging"],
    }
    assert world.repo.run("generate", "--check").code == 0
    resolved = world.base_branch().definition("staging").part("sync", "windows")
    assert len(resolved) == 1
    merge(world, apply(world, resume=True).placed.branch)
    assert world.repo.tree() == before


def test_a_paused_environment_takes_no_promotion(world):
    world.configure(MANAGED.replace("[staging, production]", "[production, staging]"))
    merge(world, apply(world).placed.branch)
    done = world.repo.run("promote", "production", "staging", "--dry-run")
    assert done.code == 1
    assert "frozen without an end" in done.stderr


@pytest.mark.few(1)
@pytest.mark.parametrize("until", ["8h", "2026-06-03T20:00+00:00", "2026-06-03T22:00:00+02:00"])
def test_until_a_time(world, until):
    world.configure(MANAGED)
    found = pause.prepare(world.base_branch(), Options("staging", until=until), world.tools(), NOW)
    resolved = found.regenerated.built.resolved
    end = frozen_until(resolved.environment.sync.windows, NOW + timedelta(minutes=5))
    assert end == NOW + timedelta(hours=8)
    assert frozen_until(resolved.environment.sync.windows, end) is None
    assert any("next year" in note for note in found.notes)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("until", "word"),
    [
        ("soon", "neither a duration nor a time"),
        ("8", "neither"),
        ("0h", "neither"),
        ("2026-06-03T11:59+00:00", "within the next year"),
        ("2028-06-03T11:59+00:00", "within the next year"),
        ("10000h", "within the next year"),
        ("2026-06-03T20:00", "no time zone"),
    ],
)
def test_an_until_that_cannot_be(world, until, word):
    world.configure(MANAGED)
    with pytest.raises(UserError, match=word):
        pause.prepare(world.base_branch(), Options("staging", until=until), world.tools(), NOW)


def test_twice_is_nothing_to_do(world):
    merge(world, apply(world).placed.branch)
    done = world.repo.run("pause", "staging")
    assert done.code == 0
    assert "already paused" in done.stderr


@pytest.mark.thorough
def test_twice_before_the_merge_is_one_pull_request(world):
    first, second = apply(world), apply(world)
    assert first.placed.commit == second.placed.commit
    assert len(world.pulls()) == 1


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["nowhere"], 1, 'environment "nowhere" not found'),
        (["staging", "--resume"], 1, "no pause by gen-env"),
        (["staging", "--resume", "--until", "3h"], 1, "cannot be combined"),
        (["staging", "--until", "3h"], 1, "the AppProject is not managed here"),
        (["production"], 0, "is already off"),
        ([], 2, "Missing argument 'ENV'"),
    ],
)
def test_bad_input(world, arguments, code, word):
    before = snapshot(world.repo)
    done = world.repo.run("pause", *arguments)
    assert (done.code, word in done.said) == (code, True), done.said
    assert snapshot(world.repo) == before


def test_a_local_pause_needs_no_forge(world):
    found = world.tools()
    tools = Toolchain(found.charts, found.renderer)
    prepared = pause.prepare(world.base_branch(), Options("staging"), tools, NOW)
    done = pause.publish_it(prepared, tools, pull=False)
    assert world.repo.git("rev-parse", "pause/staging") == done.placed.commit
    assert FROM in world.repo.git("diff", "--name-only", "main", "pause/staging")
    assert world.bare.branches("pause/*") == []


def test_under_flux_the_kustomizations_are_suspended_and_resumed(world):
    world.configure(PATHS + "engine: flux\nargocd: {project: {manage: true, name: airflow}}\n")
    before = world.repo.tree()
    path = "clusters/main/gen-env/staging.yaml"
    assert "suspend: true" not in world.repo.read(path)
    merge(world, apply(world).placed.branch)
    assert world.repo.read(path).count("suspend: true") == 2
    assert world.repo.run("generate", "--check").code == 0
    world.store.pulls[1]["state"] = "closed"
    merge(world, apply(world, resume=True).placed.branch)
    assert world.repo.tree() == before


def test_flux_has_no_window_that_ends_by_itself(world):
    world.configure(PATHS + "engine: flux\n")
    with pytest.raises(UserError, match="which Flux does not have"):
        pause.prepare(world.base_branch(), Options("staging", until="8h"), world.tools(), NOW)
