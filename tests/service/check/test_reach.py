"""The service's check fails for a hostile file, wherever Argo CD could reach it."""

import os

import pytest
import yaml

from service.model.job import State
from tests import hostile
from tests.service.check.world import DEV, report, rules

pytestmark = pytest.mark.thorough

PLACES = (*hostile.CLOSED, *hostile.BY_ROOT, *hostile.CONTROL[::3], *hostile.CONTROL[-4:])
LOCK = "environments/dev/gen-env.lock"


def outcome_of(world, message="Hostile"):
    world.options = {"push_back": False}
    world.commit(message)
    return world.check(world.open())


@pytest.mark.always
@pytest.mark.few(3)
@pytest.mark.parametrize(("number", "place"), list(enumerate(PLACES)))
def test_a_hostile_file_fails_the_check(world, number, place):
    kind = sorted(hostile.TEXTS)[(number * 5) % len(hostile.TEXTS)]
    names = [*hostile.NAMES, os.fsdecode(b"\xff.yaml"), "x\u202ey.yaml"]
    path = f"{place}/{names[number % len(names)]}" if place in hostile.CLOSED else place
    world.branch("feature")
    world.work.write(path, hostile.TEXTS[kind])
    outcome = outcome_of(world)
    assert outcome.state is State.FAILURE, (path, kind, outcome.summary)
    assert rules(outcome) <= {
        "tree/foreign",
        "tree/stale",
        "yaml/syntax",
        "secrets/plain",
        "tree/not-ours",
    }
    assert world.statuses(world.head("feature"))[-1] == "failure"


@pytest.mark.few(1)
@pytest.mark.parametrize("folder", ["bootstrap/access", "bootstrap"])
def test_a_generated_file_that_a_person_applies_fails_the_check(world, folder):
    path = f"{folder}/{'dev' if 'access' in folder else 'root'}.yaml"
    world.branch("feature")
    world.work.write(path, hostile.TEXTS["cluster role binding"])
    outcome = outcome_of(world)
    assert outcome.state is State.FAILURE
    assert rules(outcome) == {"tree/not-ours"}


@pytest.mark.few(1)
@pytest.mark.parametrize("what", ["job", "application", "cluster role binding", "webhook"])
def test_a_tree_of_another_version_is_shown_as_it_stands(world, what):
    """A lock that names another gen-env makes no difference of a file a mere note."""
    world.branch("feature")
    lock = yaml.safe_load(world.work.read(LOCK))
    world.work.write(LOCK, world.work.read(LOCK).replace(lock["genEnv"], "0.0.1"))
    path = "environments/dev/generated/manifests/namespace.yaml"
    world.work.write(path, world.work.read(path) + "---\n" + hostile.TEXTS[what].decode())
    outcome = outcome_of(world)
    assert outcome.state is State.FAILURE, outcome.summary
    (found,) = report(outcome)["environments"]
    added = {item["kind"] for item in found["changes"] if item["action"] == "added"}
    assert added == {hostile.KINDS[what]["kind"]}
    assert {item["severity"] for item in found["impact"]} >= {"error"}


def test_what_was_there_before_fails_the_next_check_of_its_environment(world):
    world.work.write("environments/dev/secrets/x.yaml", hostile.TEXTS["job"])
    world.commit("Overridden")
    world.merge()
    change = ("auth:", "scheduler: {replicas: 2}\nauth:")
    number = world.change(DEV, *change, generate=False)
    outcome = world.check(number)
    assert outcome.state is State.FAILURE and "tree/foreign" in rules(outcome)


def test_a_policy_of_the_same_pull_request_opens_nothing(world):
    world.branch("feature")
    policy = "policy: {tiers: {development: {manifests: [ConfigMap]}}}\n"
    world.work.write("gen-env.yaml", world.work.read("gen-env.yaml") + policy)
    world.work.write(DEV, world.work.read(DEV) + "manifests: [team.yaml]\n")
    world.work.write("environments/dev/manifests/team.yaml", hostile.TEXTS["config map"])
    world.generate()
    outcome = outcome_of(world)
    assert outcome.state is State.FAILURE and "policy/manifests" in rules(outcome)


FLUX_ROOT = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {ref: {branch: main}}
"""


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("text", "state", "words"),
    [
        (FLUX_ROOT.replace("main", "theirs"), State.FAILURE, "every environment under Flux"),
        (FLUX_ROOT + "---\nkind: Job\n", State.SUCCESS, "gen-env has not read"),
    ],
)
def test_what_flux_applies_beside_gen_envs_files_is_judged_or_named(world, text, state, words):
    world.work.write("clusters/main/flux-system/gotk-sync.yaml", FLUX_ROOT)
    world.work.write("clusters/main/gen-env/dev.yaml", "{}\n")
    world.commit("As flux bootstrap does")
    world.merge()
    world.branch("feature")
    world.work.write("clusters/main/flux-system/gotk-sync.yaml", text)
    outcome = outcome_of(world)
    assert outcome.state is state, outcome.summary
    (found,) = report(outcome)["impact"]
    assert found["rule"] == "impact/flux-folder" and words in found["message"]
