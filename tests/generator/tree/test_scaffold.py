"""Templates baked without touching what is the user's."""

import os

import pytest
import yaml

from generator.core.errors import UserError
from generator.tree import scaffold


def test_a_definition_holds_the_answers_as_yaml_reads_them():
    answers = {"tier": "staging", "executor": "KubernetesExecutor"}
    text = scaffold.definition("payments/dev", answers)
    data = yaml.safe_load(text)
    assert data["metadata"] == {"name": "dev", "team": "payments", "tier": "staging"}
    assert data["airflow"]["executor"] == "KubernetesExecutor"
    assert text.startswith(b"# yaml-language-server: $schema=../../../.gen-env/")


@pytest.mark.parametrize("hostile", ["{{ 1 }}", "{% x %}", "{# x #}"])
def test_an_answer_is_never_run_as_a_template(hostile):
    with pytest.raises(UserError, match="an answer holds"):
        scaffold.definition("dev", {"namespace": hostile})


@pytest.mark.parametrize(
    ("forge", "place"),
    [
        ("github", ".github/workflows/gen-env.yml"),
        ("gitea", ".gitea/workflows/gen-env.yml"),
        ("forgejo", ".forgejo/workflows/gen-env.yml"),
        ("gitlab", ".gitlab-ci.yml"),
    ],
)
def test_the_check_lies_where_its_forge_looks(forge, place):
    files = scaffold.repository({"forge": forge})
    assert place in files and not any(path.startswith("ci/") for path in files)
    assert sum("gen-env.yml" in path or "gitlab-ci" in path for path in files) == 1


def test_the_home_folder_is_not_used_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COOKIECUTTER_CONFIG", "mine")
    scaffold.definition("dev", {})
    assert list(tmp_path.iterdir()) == []
    assert (os.environ["HOME"], os.environ["COOKIECUTTER_CONFIG"]) == (str(tmp_path), "mine")


def test_the_same_answers_give_the_same_bytes():
    assert scaffold.repository({"url": "u"}) == scaffold.repository({"url": "u"})


def test_the_way_up_counts_the_team():
    assert scaffold.to_root("dev") == "../../"
    assert scaffold.to_root("payments/dev") == "../../../"
