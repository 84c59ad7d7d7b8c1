"""A repository of gen-env in a folder of a larger git repository, with real git."""

import pytest

from generator.definition import location
from tests.repositories import DEV, SETTINGS, Repo, repository, run

AT = ", path: deploy/airflow, forge: gitea}"
INSIDE = SETTINGS.replace(", forge: gitea}", AT)


@pytest.fixture
def top(tmp_path):
    """The larger repository: something else at its top, gen-env's in deploy/airflow."""
    top = Repo(tmp_path / "top")
    top.write("README.md", "other things\n")
    repository(top.root / "deploy/airflow", settings=INSIDE, dev=DEV)
    return top.init()


@pytest.fixture
def inside(top):
    return Repo(top.root / "deploy/airflow")


def sources(repo, name="dev"):
    return repo.yaml(f"environments/{name}/generated/application.yaml")["spec"]["sources"]


def test_argo_cd_is_given_paths_from_the_top_of_the_git_repository(top, inside):
    assert inside.run("generate").code == 0
    chart, git, secrets = sources(inside)
    values = "deploy/airflow/environments/dev/generated/values.yaml"
    assert chart["helm"]["valueFiles"] == [f"$git/{values}"]
    folder = "deploy/airflow/environments/dev"
    assert (git["path"], secrets["path"]) == (f"{folder}/generated/manifests", f"{folder}/secrets")
    assert inside.yaml("bootstrap/root.yaml")["spec"]["source"]["path"] == "deploy/airflow"
    assert (top.root / values).is_file() and (top.root / git["path"]).is_dir()


def test_a_vendored_chart_is_found_from_the_top(inside):
    inside.write("gen-env.yaml", INSIDE + "chart: {source: vendored, path: charts/airflow}\n")
    assert inside.run("generate").code == 0
    chart, *_ = sources(inside)
    assert chart["path"] == "deploy/airflow/charts/airflow"
    values = "/deploy/airflow/environments/dev/generated/values.yaml"
    assert chart["helm"]["valueFiles"] == [values]


def test_new_diff_and_check_work_there(top, inside):
    inside.run("generate")
    top.commit("trees")
    done = inside.run("new", "test", "--no-input")
    assert done.code == 0, done.said
    assert top.git("branch", "--show-current") == "new/test"
    written = top.git("show", "--name-only", "--format=", "HEAD").splitlines()
    roles, *own = written
    assert roles == "deploy/airflow/bootstrap/access/test.yaml"
    assert own and all(path.startswith("deploy/airflow/environments/test/") for path in own)
    assert sources(inside, "test")[2]["path"] == "deploy/airflow/environments/test/secrets"
    assert inside.run("generate", "--check").code == 0
    compared = inside.run("diff", "main", "-o", "json")
    assert [item["name"] for item in compared.json["environments"]] == ["test"]
    inside.edit("environments/test/environment.yaml", "version: 3.3.2", "version: 3.3.1")
    assert inside.run("generate", "--check").code == 1
    assert top.git("status", "--porcelain") == "M deploy/airflow/environments/test/environment.yaml"


@pytest.mark.parametrize(
    ("settings", "said", "hint"),
    [
        (SETTINGS, "is the top of the git repository", "write repository.path: deploy/airflow"),
        (INSIDE.replace("deploy/", "other/"), "is other/airflow", "deploy/airflow"),
    ],
)
def test_another_folder_than_the_settings_say_is_an_error(inside, settings, said, hint):
    inside.write("gen-env.yaml", settings)
    before = inside.tree()
    for command in (
        ["generate"],
        ["generate", "--check"],
        ["validate"],
        ["new", "x", "--no-input"],
    ):
        done = inside.run(*command)
        assert done.code == 1, done.said
        assert "gen-env.yaml:3" in done.said and said in done.said and hint in done.said
    assert inside.tree() == before


def test_a_folder_that_is_said_but_not_so_is_an_error(tmp_path):
    repo = repository(tmp_path, settings=INSIDE, dev=DEV).init()
    done = repo.run("generate")
    assert done.code == 1 and "remove repository.path" in done.said


def test_without_git_what_the_settings_say_is_taken(tmp_path):
    repo = repository(tmp_path, settings=INSIDE, dev=DEV)
    assert repo.run("generate").code == 0
    assert sources(repo)[2]["path"] == "deploy/airflow/environments/dev/secrets"


def test_init_in_a_larger_repository_writes_the_folder(tmp_path):
    top = Repo(tmp_path).write("README.md", "x") and Repo(tmp_path).init()
    done = run("-C", tmp_path, "init", "deploy/airflow", "--url", "https://github.com/a/a.git")
    assert done.code == 0, done.said
    assert "gen-env -C deploy/airflow" in top.read(".github/workflows/gen-env.yml")
    inside = Repo(tmp_path / "deploy/airflow")
    assert inside.yaml("gen-env.yaml")["repository"]["path"] == "deploy/airflow"
    assert top.git("status", "--porcelain") == ""
    assert inside.run("generate", "--check").code == 0


def test_init_in_an_ignored_folder_makes_a_repository_of_its_own(tmp_path):
    top = Repo(tmp_path)
    top.write(".gitignore", "build/\n")
    top.init()
    assert (
        run("-C", tmp_path, "init", "build/demo", "--url", "https://github.com/a/a.git").code == 0
    )
    inside = Repo(tmp_path / "build/demo")
    assert "path" not in inside.yaml("gen-env.yaml")["repository"]
    assert (inside.root / ".git").is_dir()


def test_the_folder_is_known_in_linked_work_trees_too(top):
    top.git("worktree", "add", "--quiet", "../linked", "HEAD")
    assert location.folder(top.root.parent / "linked/deploy/airflow") == "deploy/airflow"
    assert location.folder(top.root) == ""
    assert location.folder(top.root.parent) is None
