"""`init` as steps: a new repository, or one that is there, with real git."""

import subprocess

import pytest
import yaml

from generator.actions import init
from generator.actions.init import Options
from generator.core.errors import UserError
from tests.repositories import DEV, Repo, changed, run

URL = "https://gitlab.example.com/data/airflow.git"


def options(**more):
    given = {
        "url": URL,
        "branch": "main",
        "forge": "gitlab",
        "cluster": "main",
        "server": "https://10.0.0.1:6443",
        "kubernetes_version": "1.34.2",
    }
    return Options(**{**given, **more})


def test_a_new_repository_is_one_commit_with_everything(tmp_path):
    repo = Repo(tmp_path / "new")
    written = init.init(repo.root, options(branch="trunk"), commit=True).written
    assert repo.git("rev-list", "--count", "HEAD") == "1"
    assert repo.git("branch", "--show-current") == "trunk"
    assert repo.git("status", "--porcelain") == ""
    assert set(repo.git("ls-files").split()) == set(written) == set(repo.tree())
    settings = repo.yaml("gen-env.yaml")
    assert settings["repository"] == {"url": URL, "branch": "trunk", "forge": "gitlab"}
    assert ".gitlab-ci.yml" in written


@pytest.mark.parametrize(
    ("url", "forge"),
    [
        ("https://github.com/a/b.git", "github"),
        ("git@gitlab.com:a/b.git", "gitlab"),
        ("https://codeberg.org/a/b.git", "forgejo"),
        ("https://gitea.example.com/a/b.git", "gitea"),
    ],
)
def test_the_forge_is_taken_from_the_url(url, forge):
    assert init.forge_of(url) == forge


def test_a_host_that_does_not_tell_its_forge_is_refused():
    with pytest.raises(UserError, match=r"cannot tell which forge git\.example\.com is"):
        init.forge_of("https://git.example.com/a/b.git")


def test_what_is_set_up_already_is_left_alone(tmp_path):
    init.init(tmp_path, options(), commit=True)
    before = Repo(tmp_path).tree()
    assert init.init(tmp_path, options(url="https://other"), commit=True) == init.Made()
    assert Repo(tmp_path).tree() == before


def test_files_that_are_there_are_never_overwritten(tmp_path):
    repo = Repo(tmp_path)
    repo.write("README.md", "mine\n")
    repo.init()
    written = init.init(tmp_path, options(), commit=True).written
    assert "README.md" not in written and repo.read("README.md") == "mine\n"
    assert repo.git("rev-list", "--count", "HEAD") == "2"


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "new").write_text("mine")
    with pytest.raises(UserError, match="is a file"):
        init.init(tmp_path / "new", options(), commit=True)


@pytest.mark.parametrize(
    "more", [{"kubernetes_version": "new"}, {"cluster": "Not A Label"}, {"cluster": "a: b"}]
)
def test_answers_that_the_settings_cannot_hold_leave_nothing(tmp_path, more):
    with pytest.raises(UserError):
        init.init(tmp_path / "new", options(**more), commit=True)
    assert not (tmp_path / "new").exists()


def test_a_commit_that_is_refused_leaves_nothing(tmp_path, monkeypatch):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.hooksPath")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(hooks))
    with pytest.raises(UserError):
        init.init(tmp_path / "new", options(), commit=True)
    assert not (tmp_path / "new").exists()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine").write_text("x")
    with pytest.raises(UserError):
        init.init(tmp_path / "there", options(), commit=True)
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["mine"]


def test_without_a_commit_git_is_not_touched(tmp_path):
    init.init(tmp_path / "new", options(), commit=False)
    assert not (tmp_path / "new" / ".git").exists()


def test_what_it_writes_is_valid_yaml_and_current(tmp_path):
    repo = Repo(tmp_path / "new")
    init.init(repo.root, options(), commit=True)
    for path in subprocess.check_output(["git", "-C", repo.root, "ls-files"], text=True).split():
        if path.endswith((".yaml", ".yml")):
            list(yaml.safe_load_all(repo.read(path)))
    assert repo.run("generate", "--check").code == 0


SYNC = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m0s, ref: {branch: trunk}, url: "ssh://git@gitlab.example.com/data/fleet.git"}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 10m0s
  path: ./fleet/NAME
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
"""


def bootstrapped(folder, *clusters):
    """A repository as `flux bootstrap --path=fleet/NAME` leaves it."""
    repo = Repo(folder)
    for name in clusters:
        place = f"fleet/{name}/flux-system"
        repo.write(f"{place}/gotk-sync.yaml", SYNC.replace("NAME", name))
        repo.write(f"{place}/gotk-components.yaml", "# controllers\n")
        listed = "resources: [gotk-components.yaml, gotk-sync.yaml]\n"
        repo.write(f"{place}/kustomization.yaml", listed)
    return repo.init()


def test_beside_a_flux_bootstrap_its_cluster_and_folder_are_taken(tmp_path):
    repo = bootstrapped(tmp_path, "prod-eu")
    before = repo.tree()
    assert run("-C", tmp_path, "init", ".").code == 0
    settings = repo.yaml("gen-env.yaml")
    assert settings["engine"] == "flux" and list(settings["clusters"]) == ["prod-eu"]
    flux = {"namespace": "flux-system", "source": "flux-system", "path": "fleet/{cluster}"}
    assert settings["flux"] == flux and "argocd" not in settings
    url = "ssh://git@gitlab.example.com/data/fleet.git"
    assert settings["repository"] == {"url": url, "branch": "trunk", "forge": "gitlab"}
    assert before.items() <= repo.tree().items() and not (tmp_path / "bootstrap").exists()
    assert "--path=fleet/prod-eu" in repo.read("README.md")
    repo.definition("dev", changed(DEV, ("cluster: main", "cluster: prod-eu")))
    assert repo.run("generate").code == 0
    assert (tmp_path / "fleet/prod-eu/gen-env/dev.yaml").is_file()


def test_of_several_clusters_of_flux_one_is_named(tmp_path):
    bootstrapped(tmp_path, "a", "b")
    done = run("-C", tmp_path, "init", ".")
    assert done.code == 1 and "several clusters here: a, b" in done.said
    assert run("-C", tmp_path, "init", ".", "--cluster", "b").code == 0
    assert list(Repo(tmp_path).yaml("gen-env.yaml")["clusters"]) == ["b"]


@pytest.mark.parametrize(
    ("engine", "there", "settings"),
    [("argocd", ("a",), None), ("flux", (), "flux"), (None, (), None)],
)
def test_the_engine_is_the_one_that_is_asked_for(engine, there, settings, tmp_path):
    bootstrapped(tmp_path, *there)
    asked = ("--url", URL, *(("--engine", engine) if engine else ()))
    assert run("-C", tmp_path, "init", ".", *asked).code == 0
    assert Repo(tmp_path).yaml("gen-env.yaml").get("engine") == settings
    assert (tmp_path / "bootstrap/root.yaml").exists() is (settings is None)


def test_a_sync_file_of_flux_that_does_not_parse_is_named(tmp_path):
    Repo(tmp_path).write("clusters/a/flux-system/gotk-sync.yaml", "kind: [")
    done = run("-C", tmp_path, "init", ".")
    assert done.code == 1 and "clusters/a/flux-system/gotk-sync.yaml" in done.said
    assert not (tmp_path / "gen-env.yaml").exists()
