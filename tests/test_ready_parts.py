"""What teams without the service take: pre-commit hooks, a GitHub Action, a GitLab component."""

import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.repositories import DEV, repository

ROOT = Path(__file__).parents[1]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
SPEC, COMPONENT = yaml.safe_load_all((ROOT / "templates" / "check.yml").read_text())


@pytest.fixture
def repo(tmp_path):
    repo = repository(tmp_path / "repo" / "deploy", dev=DEV)
    assert repo.run("generate").code == 0
    repo.init()
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    return repo


def shell(repo, script, **variables):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITHUB_BASE_REF": "main",
        "GITHUB_STEP_SUMMARY": str(repo.root.parent / "summary"),
        **variables,
    }
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=repo.root.parent, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_is_green_and_turns_red(repo, hook):
    words = shlex.split(hook["entry"])
    assert words[0] == "gen-env"
    assert repo.run(*words[1:]).code == 0
    repo.edit("environments/dev/generated/values.yaml", "LocalExecutor", "CeleryExecutor")
    assert repo.run(*words[1:]).code == 1


def test_hooks_bring_the_version_of_helm_that_the_extra_has():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extra = project["optional-dependencies"]["helm"]
    assert {tuple(hook["additional_dependencies"]) for hook in HOOKS} == {tuple(extra)}


@pytest.mark.few(1)
@pytest.mark.parametrize("event", ["push", "pull_request"])
def test_the_steps_of_the_action_run(repo, event):
    steps = [step for step in ACTION["runs"]["steps"] if "install" not in step["if"]]
    other = {"push": "!=", "pull_request": "=="}[event]
    (step,) = (step for step in steps if f"{other} 'pull_request'" in step["if"])
    done = shell(repo, step["run"], FOLDER="deploy", ACCEPT="impact/data-loss")
    assert done.returncode == 0, done.stderr


def test_no_input_of_the_action_is_put_into_a_script():
    assert all("${{" not in step.get("run", "") for step in ACTION["runs"]["steps"])


def test_the_action_installs_into_a_python_of_its_own_and_with_none_into_no_python():
    chosen, install = (step for step in ACTION["runs"]["steps"] if "install" in step["if"])
    assert chosen["uses"].startswith("actions/setup-python@")
    assert chosen["if"] == install["if"] == "inputs.install != 'none'"
    assert install["run"].startswith("python -m pip install ")


@pytest.mark.few(1)
@pytest.mark.parametrize("target", ["", "main"])
def test_the_script_of_the_component_runs(repo, target):
    (job,) = COMPONENT.values()
    assert set(SPEC["spec"]["inputs"]) == {"stage", "image", "install", "folder"}
    for script in job["script"]:
        done = shell(
            repo, script, GEN_ENV_INSTALL="", GEN_ENV_FOLDER="deploy",
            CI_MERGE_REQUEST_TARGET_BRANCH_NAME=target,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
