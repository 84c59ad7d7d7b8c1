import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.model.job import STATUS_CONTEXT
from tests.repositories import Repo, run, snapshot

URL = "https://github.com/acme/airflow-gitops.git"


def established(tmp_path, *arguments):
    arguments = arguments if "--url" in arguments else ("--url", URL, *arguments)
    done = run("-C", tmp_path, "init", "repo", *arguments)
    return Repo(tmp_path / "repo"), done


def test_makes_a_repository_with_one_commit_and_nothing_left_over(tmp_path):
    repo, done = established(tmp_path)
    assert done.code == 0
    assert repo.git("rev-list", "--count", "main") == "1"
    assert repo.git("status", "--porcelain") == ""
    assert sorted(done.stdout.splitlines()) == sorted(repo.tree())
    assert {"gen-env.yaml", "bootstrap/root.yaml", "README.md"} <= set(repo.tree())
    assert ".gitattributes" not in repo.tree(), "no forge folds away what a reviewer must see"
    assert "gen-env new dev" in done.stderr


def test_what_it_makes_is_valid_and_ready_for_environments(tmp_path):
    repo, _ = established(tmp_path)
    assert repo.run("validate").code == 0
    assert repo.run("generate", "--check").code == 0
    assert repo.run("new", "dev", "--no-input").code == 0
    assert repo.run("validate").code == 0


def test_a_second_time_changes_nothing(tmp_path):
    repo, _ = established(tmp_path)
    before = snapshot(repo)
    _, again = established(tmp_path)
    assert (again.code, again.stdout) == (0, "")
    assert "already set up" in again.stderr
    assert snapshot(repo) == before


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://github.com/a/b.git", ".github/workflows/gen-env.yml"),
        ("https://gitlab.example.com/a/b.git", ".gitlab-ci.yml"),
        ("https://gitea.example.com/a/b.git", ".gitea/workflows/gen-env.yml"),
        ("https://codeberg.org/a/b.git", ".forgejo/workflows/gen-env.yml"),
    ],
)
def test_the_forge_gets_its_check_where_it_looks_for_it(tmp_path, url, place):
    repo, done = established(tmp_path, "--url", url)
    assert done.code == 0
    text = repo.read(place)
    assert "gen-env diff --strict" in text and "--accept" in text
    assert STATUS_CONTEXT in text
    assert repo.yaml("gen-env.yaml")["repository"]["url"] == url
    assert not [path for path in repo.tree() if path.startswith("ci/")]


def test_the_answers_land_in_the_settings(tmp_path):
    repo, _ = established(
        tmp_path, "--forge", "gitlab", "--branch", "trunk", "--cluster", "prod-eu",
        "--server", "https://10.0.0.1:6443", "--kubernetes-version", "1.33.1",
    )  # fmt: skip
    settings = repo.yaml("gen-env.yaml")
    assert settings["repository"]["branch"] == "trunk"
    assert settings["repository"]["forge"] == "gitlab"
    assert settings["clusters"]["prod-eu"]["server"] == "https://10.0.0.1:6443"
    assert settings["clusters"]["prod-eu"]["kubernetesVersion"] == "1.33.1"
    assert repo.git("branch", "--show-current") == "trunk"


def test_files_that_are_there_are_never_overwritten(tmp_path):
    repo = Repo(tmp_path / "repo")
    repo.write("README.md", "mine")
    repo.write("notes.txt", "mine")
    repo.init()
    repo.write("notes.txt", "changed")
    _, done = established(tmp_path)
    assert done.code == 0
    assert repo.read("README.md") == "mine" and "README.md" not in done.stdout
    assert repo.git("status", "--porcelain").split() == ["M", "notes.txt"]


def test_without_a_commit_git_is_left_alone(tmp_path):
    repo, done = established(tmp_path, "--no-commit")
    assert done.code == 0
    assert not (repo.root / ".git").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--server", "http://10.0.0.1"],
        ["--kubernetes-version", "latest"],
        ["--cluster", "Not A Name"],
        ["--cluster", "a: b"],
        ["--url", "https://x/{{ cookiecutter }}.git"],
        ["--branch", "{% include '/etc/passwd' %}"],
    ],
)
def test_answers_that_the_settings_cannot_hold_leave_nothing_behind(tmp_path, arguments):
    repo, done = established(tmp_path, *arguments)
    assert done.code == 1 and "internal error" not in done.stderr
    assert not repo.root.exists()


def test_a_file_in_the_way_is_an_error(tmp_path):
    (tmp_path / "repo").write_text("mine")
    _, done = established(tmp_path)
    assert done.code == 1 and "is a file" in done.stderr
    assert (tmp_path / "repo").read_text() == "mine"


def test_a_file_above_is_an_error(tmp_path):
    (tmp_path / "a").write_text("mine")
    done = run("-C", tmp_path, "init", "a/repo", "--url", URL)
    assert done.code == 1 and "internal error" not in done.stderr


# What the repository around it tells


def cloned(tmp_path, url):
    repo = Repo(tmp_path / "repo")
    repo.root.mkdir()
    repo.git("init", "--quiet", "--initial-branch=trunk")
    repo.git("remote", "add", "origin", url)
    return repo


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("url", "forge", "place"),
    [
        ("git@github.com:acme/gitops.git", "github", ".github/workflows/gen-env.yml"),
        ("https://github.com/acme/gitops", "github", ".github/workflows/gen-env.yml"),
        ("ssh://git@gitlab.acme.io:2222/data/platform/gitops.git", "gitlab", ".gitlab-ci.yml"),
        ("git@gitlab.com:acme/data/gitops.git", "gitlab", ".gitlab-ci.yml"),
        ("https://gitea.acme.io/data/gitops.git", "gitea", ".gitea/workflows/gen-env.yml"),
        ("git@codeberg.org:acme/gitops.git", "forgejo", ".forgejo/workflows/gen-env.yml"),
        ("ssh://git@forgejo.acme.io/data/gitops.git", "forgejo", ".forgejo/workflows/gen-env.yml"),
    ],
)
def test_address_branch_and_forge_are_those_of_origin(tmp_path, url, forge, place):
    repo = cloned(tmp_path, url)
    done = run("-C", repo.root, "init", ".")
    assert done.code == 0, done.said
    settings = repo.yaml("gen-env.yaml")["repository"]
    assert settings == {"url": url, "branch": "trunk", "forge": forge}
    assert place in done.stdout.splitlines()
    assert "cd" not in done.stderr
    assert repo.run("validate").code == repo.run("generate", "--check").code == 0


def test_credentials_in_the_address_of_origin_stay_out_of_git(tmp_path):
    repo = cloned(tmp_path, "https://ci:hunter2@github.com/acme/gitops.git")
    assert run("-C", repo.root, "init", ".").code == 0
    assert repo.yaml("gen-env.yaml")["repository"]["url"] == "https://github.com/acme/gitops.git"
    assert "hunter2" not in repo.git("show", "HEAD")


@pytest.mark.parametrize("origin", [None, "/srv/git/a.git", "../a.git", "file:///srv/a.git"])
def test_an_address_is_never_invented(tmp_path, origin):
    repo = cloned(tmp_path, origin or "x")
    if origin is None:
        repo.git("remote", "remove", "origin")
    done = run("-C", repo.root, "init", ".")
    assert done.code == 1 and "--url" in done.stderr
    assert repo.tree() == {}


@pytest.mark.parametrize("url", ["https://git.acme.io/a/b.git", "git@work:a/b.git"])
def test_a_forge_that_the_host_does_not_tell_is_never_guessed(tmp_path, url):
    _, done = established(tmp_path, "--url", url)
    assert done.code == 1 and "--forge" in done.stderr
    assert not (tmp_path / "repo").exists()
    repo, done = established(tmp_path, "--url", url, "--forge", "none")
    assert done.code == 0
    assert "forge" not in repo.yaml("gen-env.yaml")["repository"]
    assert not [path for path in repo.tree() if path.startswith(".git")]


def test_at_a_terminal_it_asks_until_the_answer_is_right(tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    typed = "nonsense\n/srv/a.git\nhttps://git.acme.io/a/b.git\nsvn\ngitea\n"
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    done = run("-C", tmp_path, "init", "repo")
    assert done.code == 0, done.said
    repo = Repo(tmp_path / "repo")
    settings = repo.yaml("gen-env.yaml")["repository"]
    assert (settings["url"], settings["forge"]) == ("https://git.acme.io/a/b.git", "gitea")
    assert done.stderr.count("not an https or ssh address") == 2
    assert ".gitea/workflows/gen-env.yml" in repo.tree()


def test_a_pipeline_that_is_there_is_kept_and_the_line_that_it_needs_is_named(tmp_path):
    repo = cloned(tmp_path, "git@gitlab.com:acme/gitops.git")
    repo.write(".gitlab-ci.yml", "build: {script: [make]}\n")
    done = run("-C", repo.root, "init", ".")
    assert "include: [{local: .gitlab/gen-env.yml}]" in done.stderr
    assert repo.read(".gitlab-ci.yml") == "build: {script: [make]}\n"
    assert "gen-env/check" in repo.yaml(".gitlab/gen-env.yml")


@pytest.mark.few(1)
@pytest.mark.parametrize("host", ["github.com", "gitlab.com"])
def test_a_second_folder_is_told_that_the_check_of_the_first_does_not_reach_it(tmp_path, host):
    repo = cloned(tmp_path, f"git@{host}:acme/mono.git")
    repo.write(".gitlab-ci.yml", "build: {script: [make]}\n")
    first = run("-C", repo.root, "init", "one")
    before = repo.tree()
    second = run("-C", repo.root, "init", "the second")
    assert "stays as it is" not in first.stderr
    assert "exists and stays as it is" in second.stderr
    assert "gen-env -C 'the second' validate" in second.stderr
    assert "next: cd 'the second', " in second.stderr
    assert before.items() <= repo.tree().items()


# What the CI does


@pytest.mark.few(4)
@pytest.mark.parametrize(
    ("way", "installs"),
    [
        ("index", ["pip install 'gen-env[helm]=="]),
        (
            "index:https://pypi.acme.io/simple",
            ["--index-url https://pypi.acme.io/simple 'gen-env[helm]=="],
        ),
        (
            "wheel:tools/gen_env-1-py3-none-any.whl",
            ["pip install 'tools/gen_env-1-py3-none-any.whl[helm]'"],
        ),
        ("image:registry.acme.io/gen-env:1", ["registry.acme.io/gen-env:1"]),
    ],
)
@pytest.mark.parametrize("forge", ["github", "gitlab"])
def test_the_ci_gets_gen_env_in_the_way_that_is_chosen(tmp_path, forge, way, installs):
    repo, done = established(tmp_path, "--forge", forge, "--ci-install", way)
    assert done.code == 0
    place = {"github": ".github/workflows/gen-env.yml", "gitlab": ".gitlab-ci.yml"}[forge]
    text = repo.read(place)
    assert repo.yaml(place) and all(part in text for part in installs)
    assert ("pip install" in text) == (not way.startswith("image:"))


@pytest.mark.parametrize(
    "way",
    [
        *(
            "pypi",
            "wheel",
            "image:",
            "index:http://x",
            "wheel:a.tar.gz",
            "image:a b",
            "wheel:a\n.whl",
        ),
        "index:https://user:token@pypi.acme.io/simple",
    ],
)
def test_a_way_to_install_that_cannot_be_is_refused(tmp_path, way):
    repo, done = established(tmp_path, "--ci-install", way)
    assert done.code == 1 and not repo.root.exists()
    assert "token" not in done.stderr


def steps(repo, event):
    """The commands of the check for a pull request or a push, as its forge runs them."""
    if ".gitlab-ci.yml" in repo.tree():
        return repo.yaml(".gitlab-ci.yml")["gen-env/check"]["script"]
    (place,) = (path for path in repo.tree() if path.endswith("workflows/gen-env.yml"))
    job = repo.yaml(place)["jobs"]["check"]["steps"]
    wanted = f"github.event_name == '{event}'"
    return [step["run"] for step in job if "run" in step and step.get("if", wanted) == wanted]


@pytest.mark.few(2)
@pytest.mark.parametrize("folder", ["", "deploy/air flow"])
@pytest.mark.parametrize("forge", ["github", "gitlab", "forgejo"])
def test_the_steps_of_the_ci_are_green_from_the_first_commit_on(tmp_path, forge, folder):
    repo = Repo(tmp_path / "repo")
    repo.write("README", "ours\n")
    repo.init()
    url = ("--url", URL, "--forge", forge)
    assert run("-C", repo.root, "init", folder or ".", *url).code == 0
    fake = tmp_path / "bin" / "pip"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\n")
    fake.chmod(0o755)
    before, after = repo.git("rev-parse", "HEAD~1"), repo.git("rev-parse", "HEAD")
    for base, event in ((None, "push"), (before, "pull_request"), (after, "pull_request")):
        environment = {
            **os.environ,
            "PATH": f"{fake.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
            "GITHUB_BASE_REF": "main",
        }
        if base is not None:
            repo.git("update-ref", "refs/remotes/origin/main", base)
            environment["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = "main"
        for script in steps(repo, event):
            done = subprocess.run(
                ["bash", "-eo", "pipefail", "-c", script],
                cwd=repo.root, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, (script, done.stdout, done.stderr)


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    for role in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{part}")
    config = tmp_path / "gitconfig"
    config.write_text("[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))


def test_without_an_identity_a_new_folder_is_not_left_behind(tmp_path, nobody):
    repo, done = established(tmp_path)
    assert done.code == 1 and "\n  git config --global user.name" in done.stderr
    assert "\n  git config --global user.email" in done.stderr
    assert not repo.root.exists()


def test_without_an_identity_a_folder_that_was_there_is_as_before(tmp_path, nobody):
    repo = Repo(tmp_path / "repo")
    repo.write("notes.txt", "mine")
    _, done = established(tmp_path)
    assert done.code == 1
    assert repo.tree() == {"notes.txt": b"mine"}
    assert not (repo.root / ".git").exists()


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    from generator.git.worktree import Worktree

    def interrupted(self, paths, message):
        raise KeyboardInterrupt

    monkeypatch.setattr(Worktree, "commit_only", interrupted)
    repo, done = established(tmp_path)
    assert done.code == 130
    assert not repo.root.exists()
