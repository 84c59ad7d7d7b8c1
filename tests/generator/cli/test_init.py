import pytest

from service.model.check import STATUS_CONTEXT
from tests.repositories import Repo, run, snapshot


def established(tmp_path, *arguments):
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
    done = run("-C", tmp_path, "init", "a/repo")
    assert done.code == 1 and "internal error" not in done.stderr


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
    assert done.code == 1 and "git config --global user.name" in done.stderr
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
