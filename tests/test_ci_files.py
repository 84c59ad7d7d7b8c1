"""The CI files that gen-env writes and ships, against the schemas that the forges' owners publish,
and what their steps say of a change that is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema.validators import validator_for

from tests.generator.cli.test_init import established, steps
from tests.repositories import DEV

ROOT = Path(__file__).parents[1]
SCHEMAS = {
    "workflow": "vendor.github-workflows",
    "action": "vendor.github-actions",
    "gitlab": "vendor.gitlab-ci",
}
# Gitea and Forgejo read the format of GitHub's workflows.
PLACES = {
    "github": ".github/workflows/gen-env.yml",
    "gitlab": ".gitlab-ci.yml",
    "gitea": ".gitea/workflows/gen-env.yml",
    "forgejo": ".forgejo/workflows/gen-env.yml",
}
GRAVE = ("impact/database", "impact/service-gone")
WAYS = ("index", "index:https://pypi.acme.io/simple", "image:registry.acme.io/gen-env:1")


def faults(kind, data):
    schema = get_builtin_schema(SCHEMAS[kind])
    # YAML 1.1 reads the key `on` as true.
    named = {"on" if key is True else key: value for key, value in data.items()}
    found = validator_for(schema)(schema).iter_errors(named)
    return [f"{error.json_path}: {error.message[:300]}" for error in found]


def scripts(data):
    if "jobs" in data:
        return [
            step["run"] for job in data["jobs"].values() for step in job["steps"] if "run" in step
        ]
    return [line for job in data.values() for line in job.get("script", [])]


@pytest.mark.few(4)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("forge", PLACES)
def test_the_check_that_init_writes_is_of_the_forges_format(tmp_path, forge, way):
    repo, done = established(tmp_path, "--forge", forge, "--ci-install", way)
    assert done.code == 0, done.said
    data = repo.yaml(PLACES[forge])
    assert not faults("gitlab" if forge == "gitlab" else "workflow", data)
    for script in scripts(data):
        assert "${{" not in script, "what others can write would become a part of the script"
        checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
        assert not checked.stderr


def test_the_action_and_the_component_are_of_their_format():
    assert not faults("action", yaml.safe_load((ROOT / "action.yml").read_text()))
    _, component = yaml.safe_load_all((ROOT / "templates" / "check.yml").read_text())
    assert not faults("gitlab", component)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("workflow", {"on": "push", "jobs": {"a": {"runs_on": "x", "steps": [{"run": "ls"}]}}}),
        ("action", {"name": "a", "description": "b"}),
        ("gitlab", {"check": {"script": "ls", "artifacts": {"path": ["a"]}}}),
    ],
)
def test_a_file_of_another_format_is_found(kind, data):
    assert faults(kind, data)


@pytest.mark.thorough
@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_a_pull_request_that_loses_data_is_red_until_the_loss_is_accepted(
    tmp_path, own_chart, forge
):
    repo, _ = established(tmp_path, "--forge", forge)
    repo.definition("dev", DEV)
    assert repo.run("generate").code == 0
    repo.commit("An environment")
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    repo.edit("environments/dev/environment.yaml", "{embedded: true}", "{host: pg.example.com}")
    assert repo.run("generate").code == 0
    repo.commit("Another database")
    script = steps(repo, "pull_request")[-1]
    assert result(repo, script) == 1
    labels = ",".join(("other", *(f"gen-env accept {rule}" for rule in GRAVE)))
    assert result(repo, script, LABELS=labels, GEN_ENV_ACCEPT=" ".join(GRAVE)) == 0


def result(repo, script, **variables):
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(repo.root.parent / "summary"),
        "GITHUB_BASE_REF": "main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "LABELS": "",
        **variables,
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=repo.root, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    print(
        (repo.root.parent / "summary").exists()
        and (repo.root.parent / "summary").read_text()[:3000]
    )
    return done.returncode
