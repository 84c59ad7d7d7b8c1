import hashlib

import pytest

from generator.core.errors import UserError
from generator.impact.migration import Class
from generator.promotion import rollback
from generator.promotion.rollback import Options
from tests.generator.promotion.world import DEFINITION, FROM, NOW, PATHS
from tests.repositories import changed, snapshot

LOCK = "environments/staging/gen-env.lock"
SECRETS = "environments/staging/secrets"


def prepare(world, environment="staging", **options):
    return rollback.prepare(
        world.base_branch(), Options(environment, **options), world.tools(), NOW
    )


def back(world, environment="staging", *, pull=True, **options):
    found = prepare(world, environment, **options)
    return rollback.publish_it(found, world.tools(), pull=pull)


def upgrade(world, version):
    """Another Airflow, by the image and by the definition."""
    present = world.repo.yaml(FROM)
    pairs = {
        f"version: {present['airflow']['version']}, exec": f"version: {version}, exec",
        f"tag: {present['image']['tag']}": f"tag: {version}-r1",
        present["image"]["digest"]: f"sha256:{hashlib.sha256(version.encode()).hexdigest()}",
    }
    world.merge(FROM, *((old, new) for old, new in pairs.items() if old != new))


def test_the_state_before_the_last_commit_comes_back(world):
    before = {path: world.show("main", path) for path in (FROM, LOCK)}
    tree = world.repo.tree()
    world.stage()
    state = snapshot(world.repo)
    done = back(world)
    assert done.placed.branch.startswith("rollback/staging-")
    world.repo.git("diff", "--exit-code", "main~1", done.placed.commit)
    for path, content in before.items():
        assert world.show(done.placed.branch, path) == content == tree[path]
    after = snapshot(world.repo)
    for part in ("files", "folders", "head", "index", "status"):
        assert after[part] == state[part]
    assert [item["head"] for item in world.pulls()] == [done.placed.branch]


def test_only_the_environments_own_paths_change(world, staged):
    world.merge(DEFINITION, ("poolSize: 20", "poolSize: 30"))
    world.repo.write("docs.md", "words\n")
    world.repo.commit("Docs")
    world.push()
    done = back(world)
    names = world.repo.git("diff", "--name-only", "main", done.placed.commit).splitlines()
    assert names
    assert all(name.startswith("environments/staging/") for name in names)


@pytest.mark.thorough
def test_a_merge_is_one_step(world):
    world.repo.git("switch", "--quiet", "--create", "feature")
    world.merge(FROM, ("replicas: 2", "replicas: 3"), push=False)
    world.merge(FROM, ("replicas: 3", "replicas: 4"), push=False)
    world.repo.git("switch", "--quiet", "main")
    world.repo.git("merge", "--quiet", "--no-ff", "-m", "Merge", "feature")
    world.push()
    done = back(world)
    assert b"replicas: 2" in world.show(done.placed.branch, FROM)


@pytest.mark.thorough
def test_a_revision_of_choice(world):
    first = world.repo.git("rev-parse", "main")
    world.stage()
    world.stage("3.2.2-r3", "0a1b2c3d" * 8)
    assert b"3.2.2-r2" in world.show(back(world).placed.branch, FROM)
    assert b"3.2.2-r1" in world.show(back(world, to=first).placed.branch, FROM)


@pytest.mark.thorough
def test_again_is_nothing_new(world, staged):
    first, second = back(world), back(world)
    assert (second.placed.commit, second.placed.created) == (first.placed.commit, False)
    assert len(world.pulls()) == 1


def test_what_is_sealed_stays_sealed(world):
    world.repo.seal("staging")
    world.repo.run("generate")
    world.repo.commit("Seal")
    world.push()
    world.stage()
    sealed = {
        path: content for path, content in world.repo.tree().items() if path.startswith(SECRETS)
    }
    rotated = next(path for path in sealed if path.endswith(".yaml"))
    world.repo.write(rotated, sealed[rotated].replace(b"A", b"B"))
    world.repo.run("generate")
    world.repo.commit("Rotate")
    world.push()
    done = back(world)
    assert b"3.2.2-r1" in world.show(done.placed.branch, FROM)
    for path in sealed:
        assert world.show(done.placed.branch, path) == world.repo.tree()[path]
    world.repo.git("switch", "--quiet", done.placed.branch)
    assert world.repo.run("generate", "--check").code == 0
    assert "stay as they are" in world.pulls()[0]["body"]


@pytest.mark.few(2)
@pytest.mark.usefixtures("own_chart")
@pytest.mark.parametrize(
    ("versions", "refused"),
    [
        (("3.2.1", "3.2.2"), False),
        (("3.1.8", "3.2.2"), True),
        (("2.11.2", "3.2.2"), True),
        (("3.2.2", "3.1.8"), False),
    ],
)
def test_the_database_decides_whether_a_revert_is_enough(world, versions, refused):
    for version in versions:
        upgrade(world, version)
    found = prepare(world)
    assert tuple(runs.airflow for runs in found.runs) == (versions[1], versions[0])
    assert bool(found.refusal) is refused
    assert bool(found.steps) is refused


@pytest.mark.usefixtures("own_chart")
def test_the_steps_of_a_downgrade_stand_in_the_text(world):
    upgrade(world, "3.1.8")
    upgrade(world, "3.2.2")
    done = world.repo.run("rollback", "staging")
    assert done.code == 1
    assert "refused: Airflow 3.2.2 → 3.1.8, backward" in done.stderr
    steps = done.stdout[done.stdout.index("  1. ") :]
    provider, own = (
        steps.index(f"run `airflow {command} downgrade --to-version {version} --yes`")
        for command, version in (("fab-db", "3.4.0"), ("db", "3.1.8"))
    )
    assert steps.index("check what was assumed") < provider < own
    found = back(world, force="the backup is fresh")
    body = world.pulls()[0]["body"]
    assert "`airflow db downgrade --to-version 3.1.8 --yes` in a pod of the present image" in body
    assert "**Forced**: the backup is fresh" in body
    log = world.repo.git("log", "-1", "--format=%B", found.placed.commit)
    assert "Forced: the backup is fresh" in log
    assert "Airflow 3.2.2 -> 3.1.8" in log


def test_going_back_to_a_newer_airflow_restores_no_backup(world):
    upgrade(world, "3.2.2")
    upgrade(world, "2.11.2")
    found = prepare(world)
    assert found.migration.kind is Class.ONE_WAY and found.refusal
    assert found.steps[0].startswith("take a backup of the metadata database")
    assert not any("restore" in step for step in found.steps)


def image(world, tag):
    present = world.repo.yaml(FROM)["image"]["tag"]
    world.merge(FROM, (f"tag: {present}", f"tag: {tag}"))


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("tag", "kind"), [("3.3.0-r1", Class.BACKWARD), ("1b2c3d4e", Class.UNKNOWN)]
)
def test_the_image_decides_where_it_moves_alone(world, tag, kind):
    pinned = world.repo.yaml(FROM)["image"]["digest"]
    world.merge(FROM, (f', digest: "{pinned}"', ""))
    image(world, tag)
    found = prepare(world)
    assert found.migration.kind is kind
    assert found.refusal and found.steps
    assert world.repo.run("rollback", "staging").code == 1


@pytest.mark.usefixtures("own_chart")
def test_a_rebuild_of_the_same_release_is_said_to_be_unproven(world, staged):
    found = prepare(world)
    assert not found.refusal
    assert "a person has to decide" in found.database
    assert "revert is enough" not in found.database


@pytest.mark.thorough
def test_a_freeze_does_not_hold_it_up(world):
    world.configure("argocd: {project: {manage: true, name: airflow}}\n")
    world.repo.write(
        FROM,
        world.repo.read(FROM)
        + 'sync: {windows: [{kind: deny, schedule: "0 * * * *", duration: 2h}]}\n',
    )
    world.repo.run("generate")
    world.repo.commit("Freeze")
    world.push()
    world.stage()
    done = back(world)
    assert b"3.2.2-r1" in world.show(done.placed.branch, FROM)
    assert "sync by hand" in world.pulls()[0]["body"]


@pytest.mark.thorough
def test_a_pause_is_no_state_to_go_back_to_and_outlives_the_rollback(world, staged):
    assert world.repo.run("pause", "staging").code == 0
    world.repo.git("merge", "--quiet", "--ff-only", "pause/staging")
    world.push()
    done = back(world)
    text = world.show(done.placed.branch, FROM).decode()
    assert "tag: 3.2.2-r1" in text
    assert "automated: false" in text
    assert "# Paused by gen-env" in text


def test_a_tree_of_another_gen_env_comes_back_byte_for_byte(world):
    lock = changed(world.repo.read(LOCK), ("genEnv: ", "genEnv: 0.0.1 # "))
    values = "environments/staging/generated/values.yaml"
    odd = world.repo.read(values) + "# as an older one wrote it\n"
    world.repo.write(LOCK, lock)
    world.repo.write(values, odd)
    world.repo.commit("Old")
    world.push()
    world.stage()
    done = back(world)
    assert world.show(done.placed.branch, values) == odd.encode()
    assert world.show(done.placed.branch, LOCK) == lock.encode()
    assert "not regenerated by this" in world.pulls()[0]["body"]


def test_a_secret_that_is_gone_meanwhile_is_named(world, staged):
    name = "airflow-git-ssh"
    world.repo.git("rm", "--quiet", f"{SECRETS}/{name}.yaml")
    world.merge(FROM, ("    secretName: airflow-git-ssh\n", "    secretName: other-ssh\n"))
    found = prepare(world)
    assert any(f"{SECRETS}/{name}.yaml" in note for note in found.notes)


def test_another_namespace_then_is_refused(world):
    world.repo.write(LOCK, changed(world.repo.read(LOCK), ("airflow-staging", "elsewhere")))
    world.repo.write(
        FROM,
        changed(world.repo.read(FROM), ("cluster: main}", "cluster: main, namespace: elsewhere}")),
    )
    world.repo.run("generate")
    world.repo.commit("Move")
    world.push()
    with pytest.raises(UserError, match="namespace was airflow-staging then"):
        prepare(world)


def test_another_engine_then_is_refused(world):
    world.repo.write(FROM, world.repo.read(FROM) + "engine: flux\n")
    world.repo.run("generate")
    world.repo.commit("Move")
    world.push()
    with pytest.raises(UserError, match="engine was argocd then and is flux now"):
        prepare(world)


def test_an_engine_that_the_settings_name_is_no_state_of_the_environment(world):
    world.stage()
    world.configure(PATHS + "engine: flux\n")
    done = back(world)
    assert b"3.2.2-r1" in world.show(done.placed.branch, FROM)
    world.repo.git("switch", "--quiet", done.placed.branch)
    assert world.repo.run("generate", "--check").code == 0


def test_a_tree_of_another_gen_env_comes_back_with_its_kustomizations(world):
    world.configure(PATHS + "engine: flux\n")
    world.repo.write(LOCK, changed(world.repo.read(LOCK), ("genEnv: ", "genEnv: 0.0.1 # ")))
    world.repo.commit("Old")
    world.push()
    place = "clusters/main/gen-env/staging.yaml"
    before = world.show("main", place)
    world.merge(FROM, ("CeleryExecutor", "KubernetesExecutor"), ("workers:\n  replicas: 2\n", ""))
    assert world.show("main", place) != before
    done = back(world)
    assert "not regenerated by this" in world.pulls()[0]["body"]
    assert world.show(done.placed.branch, place) == before


def test_under_flux_a_downgrade_suspends_the_release_too(world):
    world.configure(PATHS + "engine: flux\n")
    upgrade(world, "3.2.1")
    upgrade(world, "3.3.0")
    steps = " ".join(prepare(world, force="tried").steps)
    assert "flux suspend helmrelease airflow-staging -n flux-system" in steps
    assert "flux resume helmrelease airflow-staging -n flux-system" in steps
    assert "Argo CD" not in steps and "sync it" not in steps


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["nowhere"], 'environment "nowhere" not found'),
        (["staging", "--to", "nonsense"], "revision 'nonsense' not found"),
        (["staging", "--to", "--all"], "invalid revision"),
        (["staging"], "no earlier state of staging"),
        (["staging", "--to", "main", "--force", " "], "needs a reason"),
    ],
)
def test_bad_input(world, arguments, word):
    before = snapshot(world.repo)
    done = world.repo.run("rollback", *arguments)
    assert done.code == 1
    assert word in done.said
    assert snapshot(world.repo) == before


def test_a_revision_without_the_environment(world):
    world.repo.git("switch", "--quiet", "--orphan", "empty")
    world.repo.write("readme.md", "nothing\n")
    world.repo.commit("Empty")
    empty = world.repo.git("rev-parse", "HEAD")
    world.repo.git("switch", "--quiet", "main")
    with pytest.raises(UserError, match="no readable definition"):
        prepare(world, to=empty)


def test_to_what_it_is_already(world):
    done = world.repo.run("rollback", "staging", "--to", "main")
    assert done.code == 0
    assert "on main already matches" in done.stderr


@pytest.mark.usefixtures("own_chart")
def test_a_dry_run_writes_nothing(world, staged):
    before = snapshot(world.repo)
    done = world.repo.run("rollback", "staging", "--dry-run", "-o", "markdown")
    assert done.code == 0
    assert done.stdout.startswith("This restores staging")
    assert snapshot(world.repo) == before


def test_the_rendered_diff_stands_in_the_text(world, staged, own_chart):
    back(world)
    body = world.pulls()[0]["body"]
    assert "+        image: registry.example.com/airflow:3.2.2-r1@sha256" in body
    assert "| Environment |" in body


def test_json_is_one_document_with_files_steps_and_basis(world, staged):
    dry = world.repo.run("rollback", "staging", "--force", "why", "--dry-run", "-o", "json").json
    assert dry["environment"] == "staging" and dry["base"] == world.repo.git("rev-parse", "main")
    assert "environments/staging/environment.yaml" in dry["files"]
    assert dry["migration"]["kind"] and dry["refused"] is None
    assert dry["basis"]["chart"]["version"] == "1.22.0"
    done = world.repo.run("rollback", "staging", "--force", "why", "-o", "json")
    assert done.json == dry and dry["branch"] in done.stderr
    same = world.repo.run("rollback", "staging", "--to", "main", "-o", "json")
    assert same.json["files"] == []


def test_a_state_that_cannot_be_rendered_comes_back_only_with_a_reason(
    world, staged, tmp_path, monkeypatch
):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    branches = world.repo.git("branch")
    done = world.repo.run("rollback", "staging")
    assert done.code == 1 and "refused: not compared object by object" in done.stderr, done.said
    assert "is not in the cache" in done.stderr and world.repo.git("branch") == branches
    done = world.repo.run("rollback", "staging", "--force", "the site is down")
    assert done.code == 0 and "is not in the cache" in done.stderr, done.said
