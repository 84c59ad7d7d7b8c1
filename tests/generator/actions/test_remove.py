"""`remove`: what leaves git, what stays in the cluster, and when it is refused."""

import json

import pytest

from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, Repo, repository, snapshot

MANAGED = SETTINGS.replace(
    "clusters:", "argocd: {project: {manage: true, name: airflow}}\nclusters:"
)


def make(folder):
    made = repository(folder, settings=MANAGED, dev=DEV, staging=STAGING, production=PRODUCTION)
    assert made.run("generate").code == 0
    return made.init()


@pytest.fixture
def repo(templates, tmp_path):
    return Repo(templates.copy("removal", make, tmp_path / "repo"))


def refused(repo, *arguments):
    before = snapshot(repo)
    done = repo.run("remove", *arguments)
    assert done.code == 1 and "Traceback" not in done.said
    assert snapshot(repo) == before
    return done.stderr


def removed(repo, name, *arguments):
    done = repo.run("remove", name, "-o", "json", *arguments)
    assert done.code == 0, done.said
    return json.loads(done.stdout)


def test_one_commit_on_its_branch_takes_everything_that_gen_env_wrote_for_it(repo):
    result = removed(repo, "staging")
    assert result["branch"] == "remove/staging" == repo.git("branch", "--show-current")
    assert result["commit"] == repo.git("rev-parse", "HEAD")
    assert repo.git("rev-list", "--count", "main..HEAD") == "1"
    assert repo.git("status", "--porcelain") == ""
    left = [path for path in repo.tree() if "staging" in path]
    assert left == [] and "bootstrap/access/staging.yaml" in result["removed"]
    assert result["written"] == ["bootstrap/projects/airflow.yaml"]
    assert repo.run("generate", "--check").code == 0


@pytest.mark.parametrize("way", ["--dry-run", "--no-commit"])
def test_without_a_commit_git_is_left_alone(repo, way):
    before = snapshot(repo)
    result = removed(repo, "dev", way)
    assert result["branch"] == result["commit"] == ""
    assert repo.git("branch", "--show-current") == "main"
    assert (snapshot(repo) == before) == (way == "--dry-run")
    assert (repo.root / "environments/dev").exists() == (way == "--dry-run")


def test_it_says_what_the_engine_does_with_what_runs(repo):
    production = removed(repo, "production", "--dry-run")
    assert production["engine"] == "argocd"
    steps = "\n".join(production["steps"])
    for text in ("prune: false", "has no finalizer", "kubectl delete namespace "):
        assert text in steps
    development = "\n".join(removed(repo, "dev", "--dry-run")["steps"])
    assert "its finalizer deletes" in development and "no longer permits" in development
    assert {item["what"] for item in production["notRead"]} == {"the cluster", "the forge"}


def test_it_says_what_becomes_of_data(repo):
    kept = {item["what"]: item["kept"] for item in removed(repo, "staging", "--dry-run")["data"]}
    assert kept["database airflow on pg-staging.example.com"] is True
    lost = {item["what"]: item["kept"] for item in removed(repo, "dev", "--dry-run")["data"]}
    assert lost["embedded PostgreSQL"] is False


def test_under_flux_its_objects_are_named(tmp_path):
    settings = SETTINGS.replace("clusters:", "engine: flux\nclusters:")
    repo = repository(tmp_path / "repo", settings=settings, staging=STAGING)
    assert repo.run("generate").code == 0, repo.run("generate").said
    repo.init()
    result = removed(repo, "staging")
    assert result["engine"] == "flux"
    assert "clusters/main/gen-env/staging.yaml" in result["removed"]
    steps = "\n".join(result["steps"])
    assert "delete kustomization" in steps and "Orphan" in steps and "helmrelease" in steps


def test_under_flux_a_suspended_kustomization_is_not_said_to_prune(tmp_path):
    settings = SETTINGS.replace("clusters:", "engine: flux\nclusters:")
    repo = repository(tmp_path / "repo", settings=settings, dev=DEV)
    assert repo.run("generate").code == 0
    repo.init()
    place = "clusters/main/gen-env/dev.yaml"
    assert "suspend: true" in repo.read(place), "secrets are stubs"

    def steps():
        return "\n".join(removed(repo, "dev", "--dry-run")["steps"])

    assert "while it is suspended" in steps() and "prunes" not in steps()
    repo.write(place, repo.read(place).replace("suspend: true", "suspend: false"))
    assert "prunes their objects" in steps() and "while it is suspended" not in steps()


def test_a_promotion_path_that_names_it_is_in_the_way(repo):
    promotion = "promotion: {paths: {main: [dev, staging, production]}}\n"
    repo.write("gen-env.yaml", repo.read("gen-env.yaml") + promotion)
    repo.commit("paths")
    message = refused(repo, "staging")
    assert "gen-env.yaml:" in message and "dev → staging → production" in message


def test_an_unknown_environment_is_named_with_those_that_are_there(repo):
    assert 'did you mean "staging"' in refused(repo, "stagin")
    refused(repo, "../x")


def test_changes_that_git_does_not_have_are_not_lost(repo):
    repo.write("environments/dev/notes.txt", "mine")
    assert "environments/dev/notes.txt" in refused(repo, "dev")


def test_ignored_files_are_not_lost(repo):
    repo.write(".gitignore", "*.log\n")
    repo.commit("ignore")
    repo.write("environments/dev/a.log", "mine")
    assert "git ignores" in refused(repo, "dev")


def test_a_branch_that_is_there_is_refused(repo):
    repo.git("branch", "remove/dev")
    assert "already exists" in refused(repo, "dev")


def test_an_environment_whose_definition_is_broken_can_go_and_its_data_is_said_to_be_unknown(repo):
    repo.write("environments/dev/environment.yaml", "a: [")
    repo.commit("broken")
    result = removed(repo, "dev")
    assert not (repo.root / "environments/dev").exists()
    assert result["data"] == [] and "unknown" in result["steps"][0]


def test_a_symbolic_link_in_it_is_not_followed(repo, tmp_path):
    (tmp_path / "outside").write_text("x")
    (repo.root / "environments/dev/link").symlink_to(tmp_path / "outside")
    repo.commit("link")
    assert "symbolic link" in refused(repo, "dev")
    assert (tmp_path / "outside").exists()
