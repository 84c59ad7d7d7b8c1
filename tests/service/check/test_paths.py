"""The rarer ways of a check: check runs, defaults, charts in git, versions, branches far behind."""

import pytest

from generator.forge.connect import connect
from generator.forge.credentials import App
from generator.forge.location import Location
from generator.forge.port import ForgeKind
from service.model.job import State
from tests.generator.forge.forges import app_key
from tests.generator.seal.keypair import private_key
from tests.repositories import SETTINGS
from tests.service.check.test_run import AUTH, SMALL, VALUES
from tests.service.check.world import DEV, problems, report, rules
from tests.standin_chart import CHART

pytestmark = pytest.mark.thorough

STAGING = "environments/staging/environment.yaml"
VENDORED = SETTINGS + "chart: {source: vendored, path: charts/airflow}\n"


def as_app(world):
    """The same forge, seen by a GitHub App: it has check runs."""
    store = world.store
    store.app_key, store.clock = private_key().public_key(), 1_800_000_000.0
    store.users[701], store.rights[701] = "gen-env[bot]", "write"
    old = world.forge
    place = Location(ForgeKind.GITHUB, world.api, f"{world.api}/api/v3", store.repository)
    world.forge = connect(
        place, App("12", app_key()), sleep=lambda _: None, clock=lambda: store.clock
    )
    assert old is not world.forge


def test_an_app_shows_remarks_at_the_lines_of_a_check_run(world):
    as_app(world)
    world.options = {"push_back": False}
    number = world.change(DEV, *SMALL, generate=False)
    outcome = world.check(number)
    assert outcome.state is State.FAILURE
    (run,) = {run["name"]: run for run in world.store.check_runs}.values()
    assert (run["status"], run["conclusion"]) == ("completed", "failure")
    places = {(item["path"], item["annotation_level"]) for item in run["output"]["annotations"]}
    assert (VALUES, "failure") in places
    assert "Rendered diff" in run["output"]["text"]


@pytest.mark.always
@pytest.mark.thorough
def test_a_changed_default_reaches_its_environments_and_is_pushed(world):
    world.branch("feature")
    defaults = "defaults: {tiers: {staging: {scheduler: {replicas: 3}}}}\n"
    world.work.write("gen-env.yaml", f"{SETTINGS}{defaults}")
    world.commit()
    outcome = world.check(world.open())
    assert outcome.state is State.SUCCESS, outcome.summary
    assert list(outcome.environments) == ["staging"]
    assert "replicas: 3" in world.show(f"feature:{VALUES.replace('dev', 'staging')}")


@pytest.mark.thorough
def test_a_tree_of_another_version_is_a_note_and_is_not_pushed(world):
    world.branch("feature")
    world.work.edit(DEV, *SMALL)
    lock = "environments/dev/gen-env.lock"
    for version in ("0.0.1", "99.0.0"):
        text = world.work.read(lock)
        line = next(line for line in text.splitlines() if line.startswith("genEnv:"))
        world.work.edit(lock, line, f'genEnv: "{version}"')
        world.commit()
        number = 1 if world.store.pulls else world.open()
        world.push()
        sha = world.head("feature")
        outcome = world.check(number)
        assert world.head("feature") == sha
        assert outcome.state is State.SUCCESS, (version, outcome.summary)
        assert ("tree/out-of-date", "info") in problems(outcome)


@pytest.mark.thorough
def test_what_is_pushed_to_a_branch_behind_its_base_is_right_after_the_merge(world):
    number = world.change(DEV, *SMALL, generate=False)
    world.work.git("switch", "-q", "main")
    world.work.edit(DEV, "{version: 3.2.2}", "{version: 3.2.2, env: {TRIGGER: a}}")
    world.commit(generate=True)
    world.merge()
    assert world.check(number).state is State.SUCCESS
    world.work.git("fetch", "-q", str(world.bare), "feature:got")
    world.work.git("merge", "-q", "got")
    assert world.work.run("generate", "--check").code == 0
    assert "500" in world.work.read(VALUES) and "TRIGGER" in world.work.read(VALUES)


def test_files_of_the_repository_alone_are_compared_too(world):
    world.branch("feature")
    world.work.edit("bootstrap/root.yaml", "kind: Application", "kind: Application # mine")
    world.options = {"push_back": False}
    world.commit()
    outcome = world.check(world.open())
    assert outcome.state is State.FAILURE
    assert rules(outcome) == {"tree/out-of-date"}
    assert "bootstrap/root.yaml" in world.comment(1)


@pytest.mark.always
def test_an_environment_that_nobody_defined_is_not_let_in(world):
    world.branch("feature")
    world.work.write("environments/evil/generated/application.yaml", "kind: Application\n")
    world.commit()
    outcome = world.check(world.open())
    assert outcome.state is State.FAILURE
    assert "tree/foreign" in rules(outcome)


@pytest.mark.thorough
def test_a_vendored_chart_is_taken_from_each_commit(world, monkeypatch, tmp_path):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    world.work.write("gen-env.yaml", VENDORED)
    for path in CHART.rglob("*"):
        if path.is_file():
            world.work.write(f"charts/airflow/{path.relative_to(CHART)}", path.read_bytes())
    for lock in world.work.root.glob("environments/*/gen-env.lock"):
        lines = lock.read_text().splitlines()
        kept = ["  digest: null" if "digest:" in line else line for line in lines]
        lock.write_text("\n".join(kept) + "\n")
    world.commit()
    world.merge()
    world.options = {"push_back": False}
    number = world.change(DEV, *SMALL, generate=False)
    outcome = world.check(number)
    shown = report(outcome)["environments"]
    assert [item["rendered"] for item in shown if item["name"] == "dev"] == [True], shown
    assert not {rule for rule in rules(outcome) if not rule.startswith("tree/")}


def test_suppressed_and_undone_checks_are_told(world):
    suppress = "suppress: [{rule: 'crd/*', reason: later, expires: 2027-01-01}]"
    number = world.change(DEV, AUTH, f"{AUTH}\n{suppress}")
    outcome = world.check(number)
    told = {item["message"] for item in report(outcome)["problems"]}
    assert any("crd/schema not checked" in text and "more of this kind" in text for text in told)


def test_definitions_of_custom_resources_come_from_the_base(world):
    crd = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: applications.argoproj.io}
spec:
  group: argoproj.io
  names: {kind: Application, plural: applications}
  scope: Namespaced
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: integer}}}}
"""
    world.work.write("gen-env.yaml", f"{SETTINGS}crds: schemas\n")
    world.work.write("schemas/app.yaml", crd)
    world.commit()
    world.merge()
    world.branch("feature")
    world.work.edit(DEV, *SMALL)
    world.work.write("schemas/app.yaml", crd.replace("integer", "object"))
    world.commit(generate=True)
    outcome = world.check(world.open())
    assert "crd/schema" in rules(outcome), problems(outcome)
