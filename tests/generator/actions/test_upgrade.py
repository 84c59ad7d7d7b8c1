"""What an upgrade edits, tells, and in which order: a real repository, two real archives."""

import json
import time

import pytest
import yaml

from generator.chart.archive import pack, unpack
from generator.definition.rehearsal_file import Side
from tests.fakes.apiserver import FakeApiServer
from tests.generator.pipeline.test_drills import BACKUP, job
from tests.generator.pipeline.test_rehearsals import FOUND
from tests.repositories import DEV, PRODUCTION, STAGING, changed, repository, run
from tests.standin_chart import stand_in_archive

PATH = "environments/production/environment.yaml"
NEWER = "1.22.1"


def newer(folder):
    """The stand-in chart as a later release could be: keys come, go, move, change."""
    files = dict(unpack(stand_in_archive(folder).read_bytes()))
    about = yaml.safe_load(files["Chart.yaml"]) | {"version": NEWER}
    files["Chart.yaml"] = yaml.safe_dump(about).encode()
    values = yaml.safe_load(files["values.yaml"])
    values["brandNew"] = {"key": 1}
    values["scheduler"]["replicas"] = 7
    values.pop("labels", None)
    files["values.yaml"] = yaml.safe_dump(values).encode()
    schema = json.loads(files.get("values.schema.json", b'{"properties": {}}'))
    schema.setdefault("properties", {}).pop("labels", None)
    schema["properties"]["executor"] = {
        "type": "string",
        "description": "The executor (deprecated, use `executors` instead)",
    }
    schema["properties"]["unheardOf"] = {"description": "Deprecated"}
    schema["required"] = ["executor"]
    files["values.schema.json"] = json.dumps(schema).encode()
    target = folder / f"airflow-{NEWER}.tgz"
    target.write_bytes(pack("airflow", files))
    return target


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_ENV_CHART_CACHE", str(folder / "charts"))
        for archive in (stand_in_archive(folder), newer(folder)):
            done = run("chart", "add", archive)
            assert done.code == 0, done.said
    return folder


@pytest.fixture
def repo(caches, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(caches / "charts"))
    monkeypatch.setenv("GEN_ENV_RENDER_CACHE", str(caches / "renders"))
    repo = repository(tmp_path / "repo", dev=DEV, production=PRODUCTION)
    repo.run("generate")
    return repo.init()


def test_the_definition_is_edited_in_place_and_the_tree_follows(repo):
    before = repo.read(PATH)
    done = repo.run("upgrade", "production", "--chart", NEWER)
    assert done.code == 0, done.said
    assert repo.read(PATH) == before.replace("version: 1.22.0", f"version: {NEWER}")
    assert "# What earns money." in repo.read(PATH)
    assert NEWER in repo.read("environments/production/generated/application.yaml")
    assert NEWER in repo.read("environments/production/gen-env.lock")
    assert repo.run("generate", "--check", "production").code == 0
    assert "1.22.0" in repo.read("environments/dev/environment.yaml")


def test_what_differs_between_the_two_charts_is_listed(repo):
    said = repo.run("upgrade", "production", "--chart", NEWER, "--dry-run").stdout
    assert f"chart 1.22.0 → {NEWER}" in said
    for line in (
        "removed value labels",
        "newly required value executor",
        "changed default of scheduler.replicas",
        "deprecated value executor (used here): use executors",
        "1 deprecated value more, not used here",
        "2 new values: brandNew, unheardOf",
    ):
        assert line in said, said


def test_a_dry_run_writes_nothing(repo):
    before = repo.tree()
    done = repo.run("upgrade", "production", "--chart", NEWER, "--airflow", "3.2.3", "--dry-run")
    assert done.code == 0 and repo.tree() == before


def test_a_migration_tells_what_to_do_in_which_order(repo):
    said = repo.run("upgrade", "production", "--airflow", "3.3.0", "--dry-run").stdout
    assert "Airflow 3.2.2 → 3.3.0" in said and "database migration:" in said
    assert "image.tag is still 3.2.2-r1" in said
    steps = ("take a backup", "build the image", "pause DAGs", "merge production", "then unpause")
    places = [said.index(step) for step in steps]
    assert places == sorted(places)


def test_policy_wants_a_migration_rehearsed_and_the_result_goes_with_the_upgrade(repo, tmp_path):
    repo.write(
        "gen-env.yaml",
        repo.read("gen-env.yaml") + "policy: {tiers: {production: {rehearsal: 168h}}}\n",
    )
    done = repo.run("upgrade", "production", "--airflow", "3.3.0", "--dry-run")
    assert done.code == 1 and "upgrade/rehearsal" in done.said
    assert "gen-env rehearse production --airflow 3.3.0" in done.said
    place = tmp_path / "rehearsal.json"
    for to, code in (("3.3.2", 1), ("3.3.0", 0)):
        result = FOUND.model_copy(
            update={"at": int(time.time()), "start": Side(airflow="3.2.2"), "end": Side(airflow=to)}
        )
        place.write_text(result.text())
        done = repo.run("upgrade", "production", "--airflow", "3.3.0", "--rehearsal", place)
        assert done.code == code, done.said
    assert "Airflow 3.2.2 → 3.3.0 takes 90 s" in done.stdout
    assert repo.read("environments/production/rehearsal.json") == place.read_text()
    assert repo.run("generate", "--check", "production").code == 0
    place.write_text("{}")
    done = repo.run("upgrade", "production", "--airflow", "3.3.0", "--rehearsal", place)
    assert done.code == 1 and "not the result of a rehearsal" in done.said


def test_policy_wants_a_young_drill_and_says_why_it_was_not_read(repo):
    settings, definition = repo.read("gen-env.yaml"), "environments/production/environment.yaml"
    repo.write("gen-env.yaml", settings + "policy: {tiers: {production: {drill: 336h}}}\n")
    done = repo.run("upgrade", "production", "--airflow", "3.2.3", "--dry-run")
    assert done.code == 1
    assert "[upgrade/backup]" in done.said
    assert "drill: not read: gen-env makes no backup of production" in done.said
    repo.write(definition, repo.read(definition) + BACKUP)
    assert repo.run("generate", "production").code == 0
    done = repo.run("upgrade", "production", "--airflow", "3.2.3", "--dry-run")
    assert done.code == 1
    assert "drill: not read: gen-env.yaml has no clusters.main.context" in done.said


def test_an_upgrade_reads_the_drill_in_the_environments_cluster(repo, tmp_path, monkeypatch):
    definition = "environments/production/environment.yaml"
    settings = changed(repo.read("gen-env.yaml"), ("  main:\n", "  main:\n    context: fake\n"))
    repo.write("gen-env.yaml", settings + "policy: {tiers: {production: {drill: 336h}}}\n")
    repo.write(definition, repo.read(definition) + BACKUP)
    assert repo.run("generate", "production").code == 0
    upgrade = ("upgrade", "production", "--airflow", "3.2.3", "--dry-run")
    with FakeApiServer() as server:
        monkeypatch.setenv("KUBECONFIG", server.kubeconfig(tmp_path))
        done = repo.run(*upgrade)
        assert done.code == 1 and "drill: no restore drill has ended" in done.said
        ended = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7200))
        drill = job("airflow-restore-drill", ended)
        drill["metadata"]["namespace"] = "airflow"
        server.put({"apiVersion": "batch/v1", "kind": "Job", **drill})
        done = repo.run(*upgrade)
        assert done.code == 0, done.said
        assert "the last restore drill succeeded 2 hours ago" in done.stdout
    done = repo.run(*upgrade)
    assert done.code == 1 and "drill: not read: " in done.said


def test_from_airflow_2_to_3_the_breaking_steps_are_told(repo):
    two = changed(DEV, ("version: 3.2.2", "version: 2.11.0"))
    repo.definition("dev", two)
    assert repo.run("generate", "dev").code == 0
    done = repo.run("upgrade", "dev", "--airflow", "3.2.2")
    assert done.code == 0, done.said
    for word in ("API server", "JWT secret", "DAG processor", "Execution API", "one-way"):
        assert word in done.stdout, done.stdout
    values = repo.yaml("environments/dev/generated/values.yaml")
    assert values["airflowVersion"] == "3.2.2"


def test_a_patch_release_needs_no_backup(repo):
    repo.definition("dev", changed(DEV, ("version: 3.2.2", "version: 3.2.1")))
    said = repo.run("upgrade", "dev", "--airflow", "3.2.2", "--dry-run").stdout
    assert "Airflow 3.2.1 → 3.2.2" in said and "verify" in said
    assert "take a backup" not in said and "pause DAGs" not in said


@pytest.mark.parametrize("name", ["dev", "staging"], ids=["a tree", "no tree yet"])
def test_nothing_is_written_where_a_side_cannot_be_rendered(repo, name, tmp_path, monkeypatch):
    repo.definition("staging", STAGING)
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    before = repo.tree()
    for wish in (("--airflow", "3.2.3"), ("--chart", NEWER, "--new-defaults")):
        done = repo.run("upgrade", name, *wish)
        assert (done.code, repo.tree()) == (1, before), done.said
        assert "is not in the cache" in done.stderr and "nothing was written" in done.stderr
    found = repo.run("upgrade", name, "--airflow", "3.2.3", "-o", "json").json
    assert [(item["possible"], item["written"]) for item in found] == [(False, False)]


def test_a_chart_that_is_not_at_hand_is_told(repo):
    done = repo.run("upgrade", "production", "--chart", "1.99.0")
    assert done.code == 1 and "chart airflow 1.99.0 is not in the cache" in done.stderr
    assert "not compared" in done.stdout and "1.22.0" in repo.read(PATH)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["production"], "nothing to upgrade to"),
        (["nowhere", "--chart", NEWER], 'environment "nowhere" not found'),
        (["production", "--chart", "latest"], "latest"),
    ],
)
def test_a_wrong_wish_is_the_users_error_and_writes_nothing(repo, arguments, words):
    before = repo.tree()
    done = repo.run("upgrade", *arguments)
    assert done.code in (1, 2) and words in done.said and "internal error" not in done.said
    assert repo.tree() == before


def test_a_version_that_comes_from_the_defaults_is_changed_there(repo):
    repo.edit(PATH, "chart: {version: 1.22.0}\n", "")
    repo.edit(
        "gen-env.yaml",
        "clusters:\n",
        "defaults: {tiers: {production: {chart: {version: 1.22.0}}}}\nclusters:\n",
    )
    assert repo.run("generate").code == 0
    done = repo.run("upgrade", "production", "--chart", NEWER)
    assert done.code == 1 and "gen-env.yaml" in done.stderr and "defaults" in done.stderr
