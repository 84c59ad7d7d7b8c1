"""`new` as steps: what is asked, what is planned, and one commit that disturbs nothing."""

import dataclasses

import pytest
import yaml

from generator.actions import new
from generator.actions.lifecycle.new_questions import Unanswered
from generator.actions.new import Options
from generator.chart import key_table
from generator.chart.cache import ChartCache
from generator.chart.version import parse_version
from generator.core.errors import UserError
from generator.core.files import WorkTree
from generator.pipeline import toolchain
from generator.release.expressed import newest_airflow
from tests import chart_range
from tests.definitions import official_charts, stand_in_charts
from tests.made_up_chart import made_up
from tests.repositories import DEV, STAGING, repository, snapshot


@pytest.fixture
def charts(tmp_path):
    return stand_in_charts(tmp_path)


@pytest.fixture
def repo(tmp_path):
    return repository(tmp_path / "repo", staging=STAGING).init()


def options(name="dev", tier=None, cluster=None, source=None, **fields):
    return Options(
        name, tier, cluster, source, {k.replace("__", "."): v for k, v in fields.items()}
    )


def nobody(question, default):
    if default:
        return default
    raise Unanswered(question)


def prepared(repo, charts, *arguments, ask=nobody, **fields):
    return new.prepare(repo.root, options(*arguments, **fields), ask, charts, None)


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("dev", "development"),
        ("payments/dev-2", "development"),
        ("qa", "staging"),
        ("preprod", "staging"),
        ("production", "production"),
        ("eu-west", "production"),
    ],
)
def test_a_name_suggests_a_tier_and_the_strictest_where_it_does_not(name, tier):
    assert new.guessed_tier(name) == tier


def test_a_plan_holds_definition_lock_tree_and_stubs(repo, charts):
    creation = prepared(repo, charts)
    assert new.acceptable(creation)
    own = [path for path in creation.plan.paths if path.startswith("environments/dev/")]
    assert {path.split("/")[2] for path in own} == {
        "environment.yaml",
        "gen-env.lock",
        "generated",
        "secrets",
    }
    assert yaml.safe_load(creation.plan.writes["environments/dev/environment.yaml"])[
        "metadata"
    ] == {
        "name": "dev",
        "tier": "development",
    }


def test_only_the_database_must_be_answered(repo, charts):
    asked = []

    def ask(question, default):
        asked.append((question, default))
        return default or "pg.example.com"

    prepared(repo, charts, "test2", "staging", ask=ask)
    (needed,) = (question for question, default in asked if not default)
    assert (
        needed
        == "\nDatabase\nhost of the PostgreSQL server, such as pg.example.com (database.host)"
    )
    assert prepared(repo, charts, "dev", ask=nobody).name == "dev"


# Field → a wrong answer, what is said of it, a right answer, and what the definition then holds.
ANSWERS = {
    "database.host": ("https://pg", "not a host name", "pg.acme.io", "pg.acme.io"),
    "dags.gitSync.repository": ("dags.git", "", "git@github.com:acme/dags.git", None),
    "dags.gitSync.ref": ("a\tb", "", "v1", "v1"),
    "dags.gitSync.secretName": ("Not A Name", "not a Kubernetes name", "dags-key", "dags-key"),
    "ingress.host": ("airflow.staging.example.com", "", "airflow.acme.io", "airflow.acme.io"),
    "ingress.className": ("A Class", "not a Kubernetes name", "nginx", "nginx"),
    "ingress.tls.clusterIssuer": ("a\nb", "", "letsencrypt", "letsencrypt"),
    "auth.oidc.issuer": ("id.acme.io", "https://", "https://id.acme.io", "https://id.acme.io"),
    "auth.oidc.clientId": ("a\nb", "", "airflow-qa", "airflow-qa"),
    "networkPolicy.mode": ("maybe", "'enforce'", "ingress", "ingress"),
}


def test_a_wrong_answer_at_any_prompt_is_asked_again_and_the_good_ones_stay(repo, charts):
    repo.edit("gen-env.yaml", "className: nginx, ", "")
    left = {field: list(answers[::2][:2]) for field, answers in ANSWERS.items()}
    faults = {}

    def ask(question, default):
        *lines, last = question.strip().split("\n")
        field = last.rpartition("(")[2].removesuffix(")")
        faults[field] = lines
        return left[field].pop(0)

    creation = prepared(repo, charts, "qa", ask=ask)
    assert not any(left.values()), "every prompt was asked twice"
    data = yaml.safe_load(creation.plan.writes["environments/qa/environment.yaml"])
    for field, (_, said, _, written) in ANSWERS.items():
        assert faults[field] and said in faults[field][0], field
        value = data
        for part in field.split("."):
            value = value[part]
        assert written in (None, value), field
    assert new.acceptable(creation), creation.problems


def test_an_answer_that_is_needed_cannot_be_none(repo, charts):
    answers = iter(["none", "pg.acme.io"])
    creation = prepared(repo, charts, "qa", ask=lambda _, default: default or next(answers))
    assert "host: pg.acme.io" in creation.plan.writes["environments/qa/environment.yaml"]


def test_policies_whose_peers_are_not_declared_are_asked_for_again(repo, charts):
    answers = {"database.host": ["pg.acme.io"], "networkPolicy.mode": ["enforce", "off"]}
    questions = []

    def ask(question, default):
        questions.append(question)
        left = answers.get(question.rpartition("(")[2].removesuffix(")"))
        return left.pop(0) if left else default

    creation = prepared(repo, charts, "qa", ask=ask)
    assert "networkPolicy.peers.database is not set" in questions[-1]
    assert new.acceptable(creation), creation.problems
    given = {"networkPolicy.peers.database": "[{cidr: 10.0.0.1/32}]"}
    answers |= {"database.host": ["pg.acme.io"], "networkPolicy.mode": ["enforce"]}
    creation = prepared(repo, charts, "qa", ask=ask, **given)
    assert "mode: enforce" in creation.plan.writes["environments/qa/environment.yaml"]


def test_a_public_repository_needs_no_secret_and_a_private_one_names_it(repo, charts):
    def definition(secret):
        given = {"repository": "https://git.acme.io/dags.git", "secretName": secret}

        def ask(question, default):
            name = question.rpartition(".")[2].removesuffix(")")
            return given.get(name, default)

        creation = prepared(repo, charts, ask=ask)
        return yaml.safe_load(creation.plan.writes["environments/dev/environment.yaml"])

    assert definition("none")["dags"]["gitSync"]["public"] is True
    private = definition("git-token")["dags"]["gitSync"]
    assert private["secretName"] == "git-token" and "public" not in private


def test_what_set_gives_wrongly_is_reported_before_anybody_is_asked(repo, charts):
    def ask(question, default):
        raise AssertionError(question)

    creation = prepared(repo, charts, "qa", ask=ask, workers__replicas="many")
    assert not new.acceptable(creation)
    assert any("workers.replicas" in item.message for item in creation.problems)


@pytest.mark.parametrize("knows", [True, False])
def test_policies_and_monitors_are_written_where_the_cluster_has_them(repo, charts, knows):
    if not knows:
        repo.edit("gen-env.yaml", ", monitoring.coreos.com/v1", "")
        repo.edit("gen-env.yaml", ", namespace: ingress-nginx", "")
    given = {"database__host": "pg.acme.io", "ingress__host": "a.acme.io"}
    creation = prepared(repo, charts, "production", **given)
    data = yaml.safe_load(creation.plan.writes["environments/production/environment.yaml"])
    assert data["networkPolicy"]["mode"] == ("ingress" if knows else "off")
    assert ("metrics" in data) == knows
    left = "\n".join(creation.left)
    assert ("networkPolicy.mode" in left) == ("ServiceMonitor" in left) == (not knows)
    for step in ("bring DAGs", "set auth.oidc", "seal ", "sync it by hand", "gen-env validate"):
        assert step in left


@chart_range.each_version
def test_what_is_proposed_is_what_the_chart_runs_and_can_express(repo, version, tmp_path):
    charts = official_charts(tmp_path, chart_range.archive(version).path)
    creation = prepared(repo, charts, chart__version=version)
    assert new.acceptable(creation), creation.problems
    data = yaml.safe_load(creation.plan.writes["environments/dev/environment.yaml"])
    minor = int(version.split(".")[1])
    assert data["airflow"]["version"] == ("2.11.2" if minor < 17 else "3.3.2")
    assert data.get("auth") == (None if minor < 14 else {"defaultUser": {}})
    assert any("cannot express auth.defaultUser" in note for note in creation.notes) == (minor < 14)


FRESH = {
    "development": (),
    "production": (
        *("--set", "database.host=pg.example.com", "--set", "ingress.host=a.example.com"),
        *("--set", "ingress.tls.clusterIssuer=letsencrypt"),
        *("--set", "image.repository=registry.example.com/a", "--set", "image.tag=stable-r1"),
    ),
}


@chart_range.each_version
@pytest.mark.parametrize("tier", FRESH)
def test_a_new_environment_is_valid_at_once_on_each_chart(version, tier, tmp_path, monkeypatch):
    """But for the secrets that are not sealed yet."""
    ChartCache(tmp_path / "charts").add(chart_range.archive(version).path)
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    repo = repository(tmp_path / "repo")
    asked = ("--set", f"chart.version={version}", *FRESH[tier])
    done = repo.run("new", "fresh", "--tier", tier, *asked, "--no-input", "--no-commit")
    assert done.code == 0, done.said
    gone = tier == "development" and parse_version(version) < parse_version("1.19.0")
    found = repo.run("validate", "fresh", "-o", "json").json
    errors = [item for item in found["problems"] if item["severity"] == "error"]
    assert {item["rule"] for item in errors} <= {"secrets/stub"}
    definition = repo.yaml("environments/fresh/environment.yaml")
    assert ("postgresql" in definition.get("values", {})) == gone
    assert ("which its registry no longer has" in done.stderr) == gone
    plain = parse_version(version) < parse_version("1.12.0")
    assert (definition.get("security") == {"podSecurity": "baseline"}) == plain
    assert ("security.podSecurity is baseline" in done.stderr) == plain


def test_an_image_of_ones_own_and_a_level_that_was_chosen_stay(tmp_path):
    version = next(iter(chart_range.VERSIONS), "1.6.0")
    charts = official_charts(tmp_path, chart_range.archive(version).path)
    root = repository(tmp_path / "repo").root
    given = {
        "chart.version": version,
        "values.postgresql.image.repository": "r.example.com/postgresql",
        "security.podSecurity": "restricted",
    }
    renderer = toolchain.lazy(WorkTree(root))
    creation = new.prepare(root, options(**given), nobody, charts, renderer)
    data = yaml.safe_load(creation.plan.writes["environments/dev/environment.yaml"])
    assert data["values"] == {"postgresql": {"image": {"repository": "r.example.com/postgresql"}}}
    assert data["security"] == {"podSecurity": "restricted"}
    assert not [note for note in creation.notes if "image" in note or "Security" in note]


def test_an_answer_that_the_chart_cannot_express_is_asked_for_again(tmp_path):
    charts = official_charts(tmp_path, chart_range.archive("1.13.1").path)
    repo = repository(tmp_path / "repo")
    answers, said = iter(["https://id.example.com", "none"]), []

    def ask(question, default):
        if "auth.oidc.issuer" not in question:
            return default or "pg.example.com"
        said.append(question)
        return next(answers)

    creation = prepared(repo, charts, "qa", ask=ask, chart__version="1.13.1")
    assert len(said) == 2 and said[1].startswith("chart 1.13.1 cannot express auth: ")
    assert new.acceptable(creation)


def test_a_chart_without_a_database_of_its_own_asks_for_a_server(tmp_path):
    charts = official_charts(tmp_path, made_up(tmp_path, "2.0.0", without=["postgresql"]))
    repo = repository(tmp_path / "repo")
    with pytest.raises(Unanswered) as caught:
        prepared(repo, charts, chart__version="2.0.0")
    assert [item for item in caught.value.questions if "(database.host)" in item]
    given = {"chart__version": "2.0.0", "database__host": "pg.example.com"}
    assert new.acceptable(prepared(repo, charts, **given))


def test_what_was_not_checked_without_the_chart_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "none"))
    repo = repository(tmp_path / "repo")
    asked = ("--set", "chart.version=1.12.0", *FRESH["development"])
    done = repo.run("new", "fresh", "--tier", "development", *asked, "--no-input", "--no-commit")
    assert done.code == 0, done.said
    assert "whether the image of its database is still there was not checked" in done.stderr
    assert "whether the pods can be restricted was not checked: chart" in done.stderr


def test_an_unseen_chart_gets_the_airflow_that_it_asks_for():
    traits = dataclasses.replace(key_table.traits("1.22.0"), version="9.0.0")
    assert newest_airflow(traits) == newest_airflow(None)
    asks = dataclasses.replace(traits.templates, airflow_floor=(4, 0, 0))
    assert newest_airflow(dataclasses.replace(traits, templates=asks)) == "4.0.0"


def test_what_nobody_answers_is_named(repo, charts):
    with pytest.raises(Unanswered) as caught:
        prepared(repo, charts, "production")
    assert any("database.host" in question for question in caught.value.questions)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dev", "not a DNS label"),
        ("a/b/c", "not deeper"),
        ("../x", "not"),
        ("generated", "reserved for a folder of gen-env"),
        ("staging", "already exists"),
    ],
)
def test_a_name_that_cannot_be_is_refused(repo, charts, name, said):
    with pytest.raises(UserError, match=said):
        prepared(repo, charts, name)


def test_two_names_of_one_application_are_refused(repo, charts):
    repo.definition("payments/dev", DEV.replace("name: dev", "name: dev, team: payments"))
    with pytest.raises(UserError, match="the same Application"):
        prepared(repo, charts, "payments-dev")


def test_findings_stand_beside_the_plan_and_forbid_it(repo, charts):
    creation = prepared(repo, charts, destination__namespace="airflow-staging")
    assert not new.acceptable(creation)
    assert "estate/duplicate-namespace" in {item.rule for item in creation.problems}


def test_a_commit_is_one_and_leaves_other_changes_alone(repo, charts):
    repo.write("notes.txt", "mine")
    repo.git("add", "notes.txt")
    creation = prepared(repo, charts)
    sha = new.commit(repo.root, creation, "new/dev")
    assert repo.git("rev-parse", "new/dev") == sha == repo.git("rev-parse", "HEAD")
    assert repo.git("rev-list", "--count", "main..new/dev") == "1"
    assert set(repo.git("show", "--name-only", "--format=", sha).split()) == set(
        creation.plan.paths
    )
    assert repo.git("diff", "--cached", "--name-only") == "notes.txt"


def test_a_commit_that_fails_leaves_everything_as_it_was(repo, charts):
    creation = prepared(repo, charts)
    repo.git("branch", "new/dev")
    before = snapshot(repo)
    with pytest.raises(UserError, match="new/dev"):
        new.commit(repo.root, creation, "new/dev")
    assert snapshot(repo) == before


def test_from_an_environment_says_what_it_left_out(repo, charts):
    answers = {
        "database.host of qa": "pg-qa.example.com",
        "ingress.host of qa": "airflow.qa.example.com",
        "auth.oidc.clientId of qa": "airflow-qa",
        "logging.remote.url of qa": "s3://logs/qa",
    }
    creation = prepared(repo, charts, "qa", None, None, "staging", ask=lambda q, _: answers.pop(q))
    assert not answers and new.acceptable(creation), creation.problems
    left, kept = creation.notes
    assert "database.cidrs" in left and "auth.oidc.issuer" in kept


def test_from_an_environment_asks_for_the_host_names_of_a_gateway(repo, charts):
    source = "environments/staging/environment.yaml"
    (line,) = (line for line in repo.read(source).splitlines() if line.startswith("ingress:"))
    parent = "{name: g, sectionName: airflow.staging.example.com}"
    repo.edit(
        source,
        line,
        f"gateway: {{hostnames: [airflow.staging.example.com], parentRefs: [{parent}]}}",
    )
    given = {"gateway.hostnames of qa": "a.example.com, b.example.com"}
    creation = prepared(
        repo, charts, "qa", None, None, "staging", ask=lambda q, _: given.get(q, "x.example.com")
    )
    text = creation.plan.writes["environments/qa/environment.yaml"]
    gateway = yaml.safe_load(text)["gateway"]
    assert gateway["hostnames"] == ["a.example.com", "b.example.com"]
    assert "airflow.staging.example.com" not in text
