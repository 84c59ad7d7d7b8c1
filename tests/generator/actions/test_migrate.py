"""`gen-env migrate`, with a version that came before the first."""

import pytest

from generator.actions import migrate
from generator.actions.migrate import Migration
from generator.core.files import WorkTree
from generator.tree import writer
from generator.yaml import edit
from tests.repositories import DEV, SETTINGS, changed, repository

OLD = """\
# What we play with.
apiVersion: gen-env.dev/v0     # once
kind: Environment
metadata: {name: dev, tier: development}
destination: {cluster: main}
airflowVersion: 3.2.2          # moved in v1
chart: {version: 1.22.0}
database: {embedded: true}
dags: {image: {}}
auth: {defaultUser: {}}
"""


def moved(text, path):
    """v0 had the Airflow version at the top."""
    text = edit.set_value(text, ("airflow", "version"), "3.2.2", file=path)
    return edit.remove(text, ("airflowVersion",), file=path)


V0 = Migration("gen-env.dev/v0", "gen-env.dev/v1", environment=moved)
OLDEST = Migration("gen-env.dev/v00", "gen-env.dev/v0")


@pytest.fixture
def tree(tmp_path):
    settings = changed(SETTINGS, ("gen-env.dev/v1", "gen-env.dev/v0"))
    return repository(tmp_path / "repo", settings=settings, dev=OLD, staging=changed(DEV))


def prepared(tree, *migrations):
    return migrate.prepare(WorkTree(tree.root), migrations)


def test_an_old_file_becomes_todays_and_keeps_its_comments(tree):
    found = prepared(tree, V0)
    assert found.problems == ()
    text = found.plan.writes["environments/dev/environment.yaml"]
    assert "# What we play with.\n" in text
    assert "apiVersion: gen-env.dev/v1     # once\n" in text
    assert "airflowVersion" not in text
    writer.apply(tree.root, found.plan)
    tree.edit("environments/staging/environment.yaml", "name: dev", "name: staging")
    assert tree.run("generate").code == 0


def test_only_old_files_are_touched(tree):
    found = prepared(tree, V0)
    assert sorted(found.moves) == ["environments/dev/environment.yaml", "gen-env.yaml"]
    settings = found.plan.writes["gen-env.yaml"]
    assert settings == changed(tree.read("gen-env.yaml"), ("gen-env.dev/v0", "gen-env.dev/v1"))


def test_versions_are_walked_one_by_one(tree):
    tree.edit("environments/dev/environment.yaml", "gen-env.dev/v0", "gen-env.dev/v00")
    found = prepared(tree, V0, OLDEST)
    assert found.moves["environments/dev/environment.yaml"] == (
        "gen-env.dev/v00",
        "gen-env.dev/v0",
        "gen-env.dev/v1",
    )


def test_a_second_run_changes_nothing(tree):
    writer.apply(tree.root, prepared(tree, V0).plan)
    assert not prepared(tree, V0).plan


def test_an_unknown_version_is_a_problem_with_file_and_line(tree):
    [dev, settings] = sorted(prepared(tree).problems, key=lambda item: item.path)
    assert (dev.place, dev.environment) == ("environments/dev/environment.yaml:2", "dev")
    assert "gen-env.dev/v0 is unknown" in dev.message
    assert settings.path == "gen-env.yaml"


def test_a_newer_version_asks_for_a_newer_gen_env(tree):
    tree.edit("environments/dev/environment.yaml", "gen-env.dev/v0", "gen-env.dev/v7")
    found = prepared(tree, V0)
    [problem] = found.problems
    assert "gen-env.dev/v7 is newer than gen-env.dev/v1" in problem.message
    assert "install the gen-env that wrote it" in problem.hint


def test_a_file_that_is_no_yaml_is_told_like_the_others(tree):
    tree.write("environments/dev/environment.yaml", "a: [\n")
    [problem] = prepared(tree, V0).problems
    assert problem.path == "environments/dev/environment.yaml"


def test_the_command_says_that_there_is_only_one_version(tmp_path):
    tree = repository(tmp_path / "repo", dev=DEV)
    before = tree.tree()
    done = tree.run("migrate")
    assert (done.code, tree.tree()) == (0, before)
    assert "2 files: all are gen-env.dev/v1, the first version there is" in done.stderr


def test_the_command_refuses_a_newer_version_and_writes_nothing(tmp_path):
    tree = repository(tmp_path / "repo", dev=changed(DEV, ("gen-env.dev/v1", "gen-env.dev/v2")))
    before = tree.tree()
    done = tree.run("migrate")
    assert (done.code, tree.tree()) == (1, before)
    assert "environments/dev/environment.yaml:1  [migrate/unknown-version]" in done.stderr
