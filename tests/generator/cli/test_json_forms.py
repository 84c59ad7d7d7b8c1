"""Commands whose results are one JSON document on standard output, and files from anywhere."""

import json

import pytest

from tests.repositories import DEV, STAGING, Repo, repository, run


def make(folder):
    made = repository(folder, dev=DEV, staging=STAGING)
    assert made.run("generate").code == 0
    return made.init()


@pytest.fixture
def repo(own_chart, templates, tmp_path):
    return Repo(templates.copy("json-forms", make, tmp_path / "repo"))


def test_upgrade_and_pause_print_one_document(repo):
    done = repo.run("upgrade", "dev", "--airflow", "3.1.8", "--dry-run", "-o", "json")
    (item,) = json.loads(done.stdout)
    assert item["environment"] == "dev" and item["written"] is False
    assert (
        item["possible"] == (done.code == 0)
        and "environments/dev/environment.yaml" in item["files"]
    )
    done = repo.run("pause", "staging", "-o", "json")
    assert done.code == 0, done.said
    shape = json.loads(done.stdout)
    assert shape["branch"] == "pause/staging" and shape["files"] and shape["nothing"] == ""
    assert repo.git("branch", "--list", "pause/staging")
    assert repo.run("upgrade", "--gen-env", "-o", "json").code == 2


@pytest.mark.parametrize("name", ["absolute", "relative"])
def test_a_file_outside_of_the_folder_is_checked_as_one_inside(repo, tmp_path, name):
    values = tmp_path / "elsewhere" / "values.yaml"
    values.parent.mkdir()
    values.write_text("executor: NoSuchExecutor\n")
    given = {"absolute": str(values), "relative": "../elsewhere/values.yaml"}[name]
    outside = repo.run("check", given, "--chart", "1.22.0", "-o", "json")
    inside = run("-C", values.parent, "check", "values.yaml", "--chart", "1.22.0", "-o", "json")
    assert outside.code == inside.code == 1, outside.said
    assert json.loads(outside.stdout)["problems"] == json.loads(inside.stdout)["problems"]


def test_files_of_two_places_are_refused_with_what_to_do(repo, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "values.yaml").write_text("{}\n")
    done = repo.run("check", "../a/values.yaml", "../b/values.yaml")
    assert done.code == 1 and "one repository or folder at a time" in done.stderr
