"""What a shell is offered: names that there are, quickly, and never an error."""

import subprocess

import pytest
from click.testing import CliRunner

from generator.actions.change_findings import acceptable
from generator.cli.main import _group
from tests.repositories import Repo, dev_and_staging, run


@pytest.fixture
def repo(own_chart, templates, tmp_path, monkeypatch):
    made = Repo(templates.copy("dev-and-staging", dev_and_staging, tmp_path / "repo"))
    monkeypatch.chdir(made.root)
    return made


def offered(line):
    words = line.split(" ")
    variables = {
        "_GEN_ENV_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = CliRunner().invoke(_group, [], prog_name="gen-env", env=variables)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return [item.partition(",")[2] for item in done.output.splitlines() if item]


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("gen-env explain ", ["dev", "staging"]),
        ("gen-env validate st", ["staging"]),
        ("gen-env diff --env d", ["dev"]),
        ("gen-env promote dev s", ["staging"]),
        ("gen-env explain dev scheduler.repl", ["scheduler.replicas"]),
        ("gen-env seal staging airflow-g", ["airflow-git-ssh"]),
        ("gen-env check --chart ", ["1.22.0"]),
        ("gen-env comp", ["completion"]),
    ],
)
def test_names_are_offered(repo, line, names):
    assert offered(line) == names


def test_rules_are_offered_that_somebody_can_accept(repo):
    found = offered("gen-env diff --accept impact/d")
    assert found and set(found) < set(acceptable())


def test_outside_a_repository_nothing_is_offered_and_nothing_fails(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert offered("gen-env explain ") == []
    assert offered("gen-env seal nope ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_asks_gen_env(shell):
    done = run("completion", shell)
    assert done.code == 0 and f"_GEN_ENV_COMPLETE={shell}_complete" in done.stdout


def test_bash_reads_its_script():
    script = run("completion", "bash").stdout
    subprocess.run(["bash", "-n"], input=script.encode(), check=True)


def test_a_name_that_is_nearly_right_is_suggested(repo):
    assert 'did you mean "staging"?' in run("explain", "stagin").stderr
    assert "did you mean workers.replicas" in run("explain", "staging", "workers.replica").stderr
    unknown = run("diff", "--env", "stagin").stderr
    assert 'did you mean "staging"?' in unknown and "dev, staging" in unknown


def test_generate_prints_what_it_wrote_and_what_it_deleted(repo):
    repo.edit("environments/staging/environment.yaml", "ingress: {host", "#ingress: {host")
    done = run("generate", "-o", "json")
    assert done.code == 0 and done.json["environments"] == ["dev", "staging"]
    assert "environments/staging/generated/values.yaml" in done.json["written"]
    again = run("generate", "-o", "json").json
    assert (again["written"], again["deleted"]) == ([], [])
