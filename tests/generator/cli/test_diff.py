import datetime

import pytest

from tests.repositories import DEV, PRODUCTION, SETTINGS, Repo, changed, dev_and_staging, repository


@pytest.fixture
def repo(own_chart, templates, tmp_path):
    return Repo(templates.copy("dev-and-staging", dev_and_staging, tmp_path / "repo"))


PATH = "environments/staging/environment.yaml"


def test_nothing_changed_is_nothing_to_show(repo):
    done = repo.run("diff", "-o", "json")
    assert done.code == 0 and done.json["environments"] == []
    assert repo.run("diff", "--exit-code").code == 0


def test_an_edit_shows_before_anything_is_generated_or_committed(repo):
    repo.edit(PATH, "replicas: 2", "replicas: 3")
    before = repo.tree()
    done = repo.run("diff", "-o", "json")
    assert done.code == 0 and repo.tree() == before
    (environment,) = done.json["environments"]
    assert environment["name"] == "staging" and environment["rendered"]
    (change,) = environment["changes"]
    assert (change["action"], change["kind"]) == ("modified", "Deployment")
    assert "replicas" in str(change["diff"])
    assert repo.run("diff", "--exit-code").code == 1
    assert repo.run("diff", "--env", "dev", "-o", "json").json["environments"] == []


def test_strict_stops_where_an_impact_wants_a_persons_word(repo):
    repo.edit(PATH, "replicas: 2", "replicas: 3")
    assert repo.run("diff", "--strict").code == 0
    repo.git("rm", "-r", "-f", "--quiet", "environments/staging")
    done = repo.run("diff", "--strict", "-o", "json")
    grave = [item for env in done.json["environments"] for item in env["impact"]
             if item["severity"] == "error"]  # fmt: skip
    assert done.code == 1 and grave
    assert repo.run("diff").code == 0


def test_strict_fails_for_new_errors_and_counts_those_that_were_there(tmp_path, own_chart):
    repo = repository(tmp_path / "repo", production=PRODUCTION)
    repo.run("generate")
    repo.init()
    path = "environments/production/environment.yaml"
    repo.git("checkout", "--quiet", "-b", "change")
    repo.edit(path, "maxReplicas: 10", "maxReplicas: 12")
    repo.run("generate")
    repo.commit("more")
    done = repo.run("diff", "--strict", "main", "change")
    assert done.code == 0, done.said
    assert "were there before this change" in done.stdout
    repo.edit(path, "maxReplicas: 12}", "maxReplicas: 12}\nmanifests: [none.yaml]")
    repo.commit("broken")
    done = repo.run("diff", "--strict", "-o", "json", "main", "change")
    (found,) = done.json["environments"]
    assert done.code == 1
    assert {item["state"] for item in found["problems"] if item["severity"] == "error"} == {
        "new",
        "old",
    }
    assert [item["path"] for item in done.json["files"]] == [path]


def test_what_a_change_silences_itself_fails_until_it_is_accepted(tmp_path, own_chart, monkeypatch):
    monkeypatch.delenv("GEN_ENV_CRDS", raising=False)
    repo = repository(tmp_path / "repo", production=PRODUCTION)
    policy = "policy: {tiers: {production: {maySuppress: [secrets/*]}}}\n"
    repo.write("gen-env.yaml", f"{SETTINGS}{policy}")
    repo.run("generate")
    repo.init()
    repo.git("checkout", "--quiet", "-b", "change")
    path = "environments/production/environment.yaml"
    later = (datetime.date.today() + datetime.timedelta(days=30)).isoformat()
    rule = f"suppress: [{{rule: secrets/stub, reason: r, expires: {later}}}]\n"
    repo.write(path, f"{repo.read(path)}{rule}")
    repo.run("generate")
    repo.commit("quiet")
    done = repo.run("diff", "--strict", "main", "change")
    assert done.code == 1 and "impact/silenced" in done.stdout and "secrets/stub" in done.stdout
    for wide in ("impact/silenced", "impact/silenced:"):
        done = repo.run("diff", "--strict", "--accept", wide, "main", "change")
        assert done.code == 2 and "write impact/silenced:RULE" in done.stderr, done.said
    done = repo.run("diff", "--strict", "--accept", "impact/silenced:other/rule", "main", "change")
    assert done.code == 1 and "Needs a decision: impact/silenced:secrets/stub" in done.stdout
    one = "impact/silenced:secrets/stub"
    done = repo.run("diff", "--strict", "--accept", one, "main", "change")
    assert done.code == 0 and "accepted by --accept" in done.stdout, done.said
    accepted = repo.run("diff", "--strict", "--accept", one, "-o", "json", "main", "change").json
    every = [*accepted["problems"], *(p for e in accepted["environments"] for p in e["problems"])]
    assert {"diff/accepted", "diff/not-checked"} <= {item["rule"] for item in every}
    done = repo.run("diff", "--strict", "--accept", "impact/silensed", "main", "change")
    assert done.code == 2 and "did you mean impact/silenced?" in done.stderr
    assert repo.run("diff", "--accept", "impact/silenced").code == 2


def test_two_revisions_are_compared_without_a_checkout(repo):
    repo.git("checkout", "--quiet", "-b", "change")
    repo.edit(PATH, "replicas: 2", "replicas: 3")
    repo.run("generate")
    repo.commit("more")
    repo.git("checkout", "--quiet", "main")
    repo.write("dirty.txt", "x")
    done = repo.run("diff", "main", "change", "-o", "json")
    assert [item["name"] for item in done.json["environments"]] == ["staging"]
    assert repo.git("branch", "--show-current") == "main" and repo.read("dirty.txt") == "x"


def test_a_committed_tree_that_is_out_of_date_is_told(repo):
    repo.git("checkout", "--quiet", "-b", "change")
    repo.edit(PATH, "replicas: 2", "replicas: 3")
    repo.commit("forgot to generate")
    done = repo.run("diff", "main", "change", "-o", "json")
    (environment,) = done.json["environments"]
    assert "tree/out-of-date" in {problem["rule"] for problem in environment["problems"]}


def test_environments_that_come_and_go_are_told(repo):
    repo.definition("test", changed(DEV, ("name: dev", "name: test")))
    repo.run("generate")
    repo.commit("added")
    added = repo.run("diff", "HEAD~1", "HEAD", "-o", "json").json["environments"]
    gone = repo.run("diff", "HEAD", "HEAD~1", "-o", "json").json["environments"]
    assert [item["name"] for item in added] == [item["name"] for item in gone] == ["test"]
    assert {change["action"] for change in added[0]["changes"]} == {"added"}
    assert {change["action"] for change in gone[0]["changes"]} == {"removed"}


def test_a_definition_that_is_wrong_is_told_beside_what_is_deployed(repo):
    repo.edit(PATH, "replicas: 2", "replicas: many")
    (environment,) = repo.run("diff", "-o", "json").json["environments"]
    (problem,) = [item for item in environment["problems"] if item["severity"] == "error"]
    assert (problem["rule"], problem["path"]) == ("definition/schema", PATH)
    assert environment["changes"] == []


@pytest.mark.parametrize("form", ["table", "markdown", "html"])
def test_every_format_names_the_change(repo, form):
    repo.edit(PATH, "replicas: 2", "replicas: 3")
    done = repo.run("diff", "-o", form)
    assert done.code == 0 and "staging" in done.stdout and "worker" in done.stdout


@pytest.mark.parametrize("arguments", [["nowhere"], ["main", "nowhere"], ["--env", "nowhere"]])
def test_what_is_not_there_is_the_users_error(repo, arguments):
    done = repo.run("diff", *arguments)
    assert done.code == 1 and "nowhere" in done.stderr and "internal error" not in done.stderr


def test_settings_that_cannot_be_read_remove_no_environment(tmp_path):
    repo = repository(tmp_path, dev=DEV)
    repo.run("generate")
    repo.init()
    repo.write("gen-env.yaml", b"\xff")
    done = repo.run("diff")
    assert done.code == 1 and "gen-env.yaml:1: not UTF-8" in done.stdout
    assert "removed" not in done.stdout


@pytest.mark.parametrize("budget", ["299", "0", "-1", "many"])
def test_a_budget_that_holds_no_report_is_a_usage_error(tmp_path, budget):
    done = repository(tmp_path).run("diff", "HEAD", "-o", "markdown", "--budget", budget)
    assert done.code == 2 and "--budget" in done.stderr
