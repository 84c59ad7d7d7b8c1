"""`gen-env` alone: where you are, and the next sensible step."""

from tests.repositories import DEV, repository, run


def step(repo):
    done = repo.run()
    assert done.code == 0, done.said
    return done.stdout


def test_outside_of_a_repository_it_names_the_ways_in(tmp_path):
    done = run("-C", tmp_path)
    assert done.code == 0 and "gen-env init PATH" in done.stdout and "gen-env check" in done.stdout


def test_in_a_repository_it_names_the_first_step_that_is_missing(tmp_path):
    repo = repository(tmp_path / "repo").init()
    assert "0 environments on main" in step(repo) and "gen-env new dev" in step(repo)
    repo.definition("dev", DEV)
    assert "gen-env generate dev" in step(repo)
    assert repo.run("generate").code == 0
    assert "gen-env secrets dev" in step(repo) and "gen-env diff" in step(repo)
    repo.commit("dev")
    assert "gen-env diff" not in step(repo) and "gen-env status" in step(repo)
    repo.write("environments/dev/environment.yaml", "a: [")
    assert "gen-env validate dev" in step(repo)


def test_a_wrong_folder_is_an_error(tmp_path):
    assert run("-C", tmp_path / "nowhere").code == 1
