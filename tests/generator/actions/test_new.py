"""`new` as steps: what is asked, what is planned, and one commit that disturbs nothing."""

import pytest
import yaml

from generator.actions import new
from generator.actions.new import Options, Unanswered
from generator.core.errors import UserError
from tests.definitions import stand_in_charts
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


def test_only_what_has_no_default_is_asked(repo, charts):
    asked = []

    def ask(question, default):
        asked.append((question.split(" (")[0], default))
        return default or "pg.example.com"

    prepared(repo, charts, "test2", "staging", ask=ask)
    assert [question for question, default in asked if not default] == [
        "host of the PostgreSQL server"
    ]
    assert prepared(repo, charts, "dev", ask=nobody).name == "dev"


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
