"""`gen-env harden`: one step at a time from adopted to hardened, nothing lost on the way."""

import pytest
import yaml

from generator.model.adoption import STEPS
from tests.repositories import DEV, SETTINGS, Repo, repository

PATH = "environments/staging/environment.yaml"
TREE = "environments/staging/generated/values.yaml"
ADOPTED = """\
# Taken over in spring.
apiVersion: gen-env.dev/v1
kind: Environment
metadata: {name: staging, tier: staging}
destination: {cluster: main, namespace: airflow}
adoption: {leave: [defaultAirflowTag]}     # until we trust it
airflow: {version: 3.2.2, executor: CeleryExecutor}
chart: {version: 1.22.0}
image: {tag: 3.2.2-r1}
database: {host: pg.example.com, secretName: db}
dags: {image: {}}
auth: {oidc: {issuer: "https://id.example.com", clientId: airflow}}
"""


@pytest.fixture
def repo(own_chart, templates, tmp_path):
    """A repository under git with an adopted environment; `values` are added by the test."""

    def make(values=None):
        if values:
            return adopted(tmp_path / "repo", yaml.safe_dump({"values": values}))
        return Repo(templates.copy("adopted", adopted, tmp_path / "repo"))

    return make


def adopted(folder, more=""):
    repo = repository(folder, settings=SETTINGS, staging=ADOPTED + more)
    assert repo.run("generate").code == 0
    return repo.init()


def steps(repo):
    return (repo.yaml(PATH).get("adoption") or {}).get("steps", [])


def harden(repo, *arguments):
    done = repo.run("harden", "staging", *arguments)
    assert done.code == 0, done.said
    return done


def test_the_list_shows_every_step_and_writes_nothing(repo):
    repo = repo()
    before = repo.tree()
    done = harden(repo, "--list")
    names = [line.split()[0] for line in done.stdout.splitlines()[1:]]
    assert names == list(STEPS)
    assert repo.tree() == before


def test_a_step_edits_the_definition_in_place_and_shows_what_it_does(repo):
    repo = repo()
    done = harden(repo, "--step", "housekeeping")
    text = repo.read(PATH)
    assert text.startswith("# Taken over in spring.\n")
    assert "# until we trust it" in text
    assert steps(repo) == ["housekeeping"]
    assert repo.yaml(TREE)["enableServiceLinks"] is False
    assert "enableServiceLinks: false" in done.stdout
    assert repo.run("generate", "--check").code == 0


def test_only_the_keys_of_that_step_change(repo):
    repo = repo()
    before = repo.yaml(TREE)
    harden(repo, "--step", "hooks")
    after = repo.yaml(TREE)
    assert set(after) - set(before) == {"migrateDatabaseJob", "createUserJob"}
    assert {key: after[key] for key in before} == before


def test_dry_run_shows_and_writes_nothing(repo):
    repo = repo()
    before = repo.tree()
    done = harden(repo, "--step", "hooks", "--dry-run")
    assert "argocd.argoproj.io/hook" in done.stdout
    assert repo.tree() == before


def test_the_image_reaches_what_was_left_out(repo):
    repo = repo()
    assert "defaultAirflowTag" not in repo.yaml(TREE)
    harden(repo, "--step", "image")
    assert repo.yaml(TREE)["defaultAirflowTag"] == "3.2.2-r1"
    assert "leave" not in repo.yaml(PATH)["adoption"]


@pytest.mark.thorough
def test_steps_that_change_nothing_come_along_with_the_next(repo):
    repo = repo()
    for _ in range(len(STEPS)):
        before = repo.yaml(TREE), set(repo.tree())
        harden(repo)
        if "adoption" not in repo.yaml(PATH):
            return
        assert (repo.yaml(TREE), set(repo.tree())) != before
    raise AssertionError("hardening does not end")


@pytest.mark.thorough
def test_at_the_end_it_is_an_environment_like_any_other(repo, tmp_path):
    repo = repo()
    while "adoption" in repo.yaml(PATH):
        harden(repo)
    own = ADOPTED.replace("adoption: {leave: [defaultAirflowTag]}     # until we trust it\n", "")
    other = repository(tmp_path / "other", staging=own)
    assert other.run("generate").code == 0
    assert repo.yaml(TREE) == other.yaml(TREE)
    names = {path for path in other.tree() if path.startswith("environments/")}
    assert names <= set(repo.tree())
    done = repo.run("harden", "staging")
    assert (done.code, "is not adopted: all hardening is on" in done.stderr) == (1, True)


def test_what_was_a_value_becomes_a_field(repo):
    values = {
        "scheduler": {"resources": {"requests": {"cpu": 1}}},
        "env": [{"name": "TZ", "value": "UTC"}],
        "secret": [{"envName": "PASSWORD", "secretName": "mine", "secretKey": "key"}],
        "extraEnvFrom": "- secretRef:\n    name: connections\n",
    }
    repo = repo(values)
    harden(repo, "--step", "resources")
    definition = repo.yaml(PATH)
    assert definition["scheduler"] == {"resources": {"requests": {"cpu": 1}}}
    assert "scheduler" not in definition["values"]
    assert repo.yaml(TREE)["scheduler"]["resources"]["requests"]["cpu"] == "1"
    done = harden(repo, "--step", "config")
    definition = repo.yaml(PATH)
    assert definition["airflow"]["env"] == {"TZ": "UTC"}
    assert {"name": "TZ", "value": "UTC"} in repo.yaml(TREE)["env"]
    assert "airflow.env" in done.stdout


def test_hardening_replaces_what_stands_against_it_and_says_so(repo):
    repo = repo({"securityContexts": {"pod": {"runAsUser": 0}}, "labels": {"a": "b"}})
    done = harden(repo, "--step", "contexts")
    assert "no longer in values: values.securityContexts.pod.runAsUser" in done.stdout
    assert repo.yaml(PATH)["values"] == {"labels": {"a": "b"}}
    assert repo.yaml(TREE)["securityContexts"]["pod"]["runAsNonRoot"] is True


def test_a_value_that_means_something_is_never_dropped_in_silence(repo):
    template = [{"name": "A", "value": "{{ .Release.Name }}"}]
    repo = repo({"env": template})
    before = repo.tree()
    done = repo.run("harden", "staging", "--step", "config")
    assert (done.code, repo.tree()) == (1, before)
    line = repo.line(PATH, "env:")
    assert f"{PATH}:{line}  [adoption/no-field]" in done.stderr
    assert "after this step airflow.env decides it; a field cannot contain" in done.stderr
    again = repo.run("harden", "staging", "--step", "config", "--drop", "values.env")
    assert (again.code, "no longer in values: values.env" in again.stdout) == (0, True)


def test_policies_of_the_chart_go_only_where_others_take_their_place(repo):
    repo = repo({"networkPolicies": {"enabled": True}})
    before = repo.tree()
    done = repo.run("harden", "staging", "--step", "network")
    assert (done.code, repo.tree()) == (1, before)
    assert "values.networkPolicies.enabled must be removed: after this step" in done.stderr
    assert "write networkPolicy" in done.stderr, done.stderr
    repo.edit(PATH, "dags: {image: {}}", "dags: {image: {}}\nnetworkPolicy: {mode: ingress}")
    repo.run("generate")
    done = harden(repo, "--step", "network")
    assert "no longer in values: values.networkPolicies.enabled" in done.stdout


@pytest.mark.parametrize("why", ["does not render", "no archive"])
def test_a_step_whose_effect_is_not_known_is_not_written(repo, why, tmp_path, monkeypatch):
    repo = repo()
    if why == "no archive":
        monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
        message = "is not in the cache"
    else:
        repo.write(PATH, f"{repo.read(PATH)}values: {{statsd: {{enabled: 5}}}}\n")
        message = "statsd.enabled: got number, want boolean"
    before = repo.tree()
    done = repo.run("harden", "staging", "--step", "housekeeping")
    assert (done.code, repo.tree()) == (1, before)
    assert message in done.stderr and "nothing was written" in done.stderr
    done = repo.run("harden", "staging", "--step", "housekeeping", "-o", "json")
    assert (done.json["possible"], done.json["written"]) == (False, False)


def test_only_what_is_in_the_way_can_be_let_go(repo):
    repo = repo({"labels": {"a": "b"}})
    before = repo.tree()
    done = repo.run("harden", "staging", "--step", "config", "--drop", "values.labels")
    assert (done.code, "values.labels: not in the way of this step" in done.stderr) == (1, True)
    assert repo.tree() == before


@pytest.mark.thorough
def test_names_stay_where_the_standard_would_rename_everything(repo):
    repo = repo()
    repo.edit(PATH, "namespace: airflow}", "namespace: airflow, releaseName: af}")
    repo.write("environments/staging/gen-env.lock", "")
    (repo.root / "environments/staging/gen-env.lock").unlink()
    repo.run("generate")
    harden(repo, "--step", "naming")
    assert repo.yaml(TREE)["useStandardNaming"] is False


def test_unknown_steps_and_steps_taken_are_errors(repo):
    repo = repo()
    harden(repo, "--step", "hooks")
    taken = repo.run("harden", "staging", "--step", "hooks")
    assert (taken.code, "has already taken the step hooks" in taken.stderr) == (1, True)
    unknown = repo.run("harden", "staging", "--step", "magic")
    assert (unknown.code, "unknown hardening step 'magic'" in unknown.stderr) == (1, True)


def test_an_environment_of_our_own_has_nothing_to_harden(tmp_path):
    repo = repository(tmp_path / "repo", dev=DEV)
    done = repo.run("harden", "dev")
    assert (done.code, "dev is not adopted" in done.stderr) == (1, True)
    assert repo.run("harden", "moon").code == 1
