# ruff: noqa: E501 (tables of one line each)
"""explain, secrets, schema, upgrade: commands that tell."""

import jsonschema
import pytest
import yaml

from tests.repositories import DEV, PRODUCTION, SETTINGS, changed, repository, run

TIERED = (
    SETTINGS
    + """\
defaults:
  tiers:
    development:
      scheduler: {replicas: 2}
      workers: {concurrency: 4}
  clusters:
    main:
      workers: {concurrency: 5}
  teams:
    payments:
      labels: {cost: payments}
"""
)


@pytest.fixture
def repo(tmp_path):
    return repository(tmp_path, settings=TIERED, dev=DEV, production=PRODUCTION)


def sources(done):
    return {row["field"]: (row["value"], row["source"]) for row in done.json}


def test_explain_names_file_and_line_of_every_value(repo):
    found = sources(repo.run("explain", "dev", "-o", "json"))
    own = "environments/dev/environment.yaml"
    assert found["airflow.version"] == ("3.2.2", f"{own}:5")
    assert found["scheduler.replicas"] == (2, "gen-env.yaml defaults.tiers.development:16")
    assert found["workers.concurrency"] == (5, "gen-env.yaml defaults.clusters.main:20")
    assert found["airflow.executor"] == ("LocalExecutor", "built-in for development")
    assert found["workers.terminationGracePeriodSeconds"] == (600, "built-in")
    assert not any(value in (None, {}, []) for value, _ in found.values())


def test_explain_of_one_field_has_purpose_and_chart_values(repo):
    done = repo.run("explain", "production", "workers.autoscaling")
    assert done.code == 0
    assert "workers.autoscaling.type" in done.stdout and "keda" in done.stdout
    assert "workers.celery.keda.enabled" in done.stdout
    done = repo.run("explain", "dev", "dags")
    assert "gitSync: a push is live within the period" in done.stdout, "the trade-offs are told"


def test_explain_of_a_field_shows_what_is_unset_too(repo):
    assert "workers.replicas" in sources(repo.run("explain", "dev", "workers", "-o", "json"))


def test_explain_of_an_unknown_field_names_those_there_are(repo):
    done = repo.run("explain", "dev", "wrokers")
    assert (done.code, done.stdout) == (1, "")
    assert "field 'wrokers' not found" in done.stderr and "workers" in done.stderr


def test_explain_of_an_unknown_environment(repo):
    done = repo.run("explain", "nowhere")
    assert done.code == 1 and "known environments: dev, production" in done.stderr


def test_secrets_lists_every_key_with_its_state(repo):
    before = {row["state"] for row in repo.run("secrets", "dev", "-o", "json").json}
    assert before == {"missing"}
    repo.run("generate")
    done = repo.run("secrets", "dev")
    assert done.code == 0
    assert done.stdout.splitlines()[0].split() == ["SECRET", "KEY", "STATE", "HOW", "WHY"]
    assert "6 keys to seal: gen-env seal dev SECRET" in done.stderr
    repo.seal("dev", "airflow-fernet-key")
    rows = {row["secret"]: row for row in repo.run("secrets", "dev", "-o", "json").json}
    assert rows["airflow-fernet-key"]["state"] == "sealed"
    assert rows["airflow-jwt-secret"]["state"] == "stub"
    assert set(rows["airflow-jwt-secret"]) == {
        "secret", "key", "state", "made", "why", "readers", "path"
    }  # fmt: skip
    assert "apiServer" not in rows["airflow-jwt-secret"]["readers"]
    assert rows["airflow-jwt-secret"]["path"] == "environments/dev/secrets/airflow-jwt-secret.yaml"


@pytest.mark.parametrize(
    ("provider", "state"),
    [
        ("{provider: existing}", "existing"),
        ("{provider: external-secrets, store: {name: vault}}", "external"),
    ],
)
def test_secrets_from_elsewhere_need_no_sealing(tmp_path, provider, state):
    repo = repository(tmp_path, dev=DEV + f"secrets: {provider}\n")
    repo.run("generate")
    done = repo.run("secrets", "dev", "-o", "json")
    assert {row["state"] for row in done.json} == {state}
    assert not (tmp_path / "environments/dev/secrets").exists()
    policy = repo.yaml("environments/dev/generated/application.yaml")["spec"]["syncPolicy"]
    assert policy["automated"], "nothing here is a stub"
    external = tmp_path / "environments/dev/generated/manifests/external-secrets.yaml"
    assert external.exists() == (state == "external")


def test_external_secrets_ask_the_store_for_each_key(tmp_path):
    store = "secrets: {provider: external-secrets, store: {name: vault, kind: SecretStore}, path: 'kv/{environment}/{secret}'}\n"
    repo = repository(
        tmp_path, payments__dev=changed(DEV, ("dev,", "dev, team: payments,")) + store
    )
    repo.run("generate")
    text = repo.read("environments/payments/dev/generated/manifests/external-secrets.yaml")
    by_name = {item["metadata"]["name"]: item for item in yaml.safe_load_all(text)}
    spec = by_name["airflow-fernet-key"]["spec"]
    assert spec["secretStoreRef"] == {"kind": "SecretStore", "name": "vault"}
    assert spec["data"] == [
        {
            "secretKey": "fernet-key",
            "remoteRef": {"key": "kv/payments/dev/airflow-fernet-key", "property": "fernet-key"},
        }
    ]
    options = by_name["airflow-fernet-key"]["metadata"]["annotations"]
    assert options["argocd.argoproj.io/sync-options"] == "Prune=confirm,Delete=confirm"


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["environment", "repository"])
def test_schema_prints_a_valid_schema_as_the_repository_holds_it(repo, kind):
    schema = run("schema", kind).json
    jsonschema.Draft202012Validator.check_schema(schema)
    repo.run("generate")
    import json

    held = json.loads(repo.read(f".gen-env/{kind}.schema.json"))
    assert held.pop("$comment").startswith("Generated by gen-env")
    assert held == schema


# upgrade


def test_upgrade_edits_in_place_and_says_what_to_mind(repo, own_chart):
    repo.run("generate")
    path = "environments/production/environment.yaml"
    before = repo.read(path)
    done = repo.run("upgrade", "production", "--airflow", "3.2.3")
    assert done.code == 0, done.said
    assert repo.read(path) == before.replace("version: 3.2.2", "version: 3.2.3")
    assert "image.tag is still 3.2.2-r1" in done.stdout
    assert "In this order:" in done.stdout
    assert repo.run("generate", "--check").code == 0
    values = repo.yaml("environments/production/generated/values.yaml")
    assert values["airflowVersion"] == "3.2.3"


def test_upgrade_dry_run_writes_nothing(repo, own_chart):
    before = repo.tree()
    done = repo.run("upgrade", "dev", "--airflow", "3.2.3", "--dry-run")
    assert done.code == 0 and "In this order:" in done.stdout
    assert repo.tree() == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --chart VERSION, --airflow VERSION or --dags bundles"),
        (["--chart", "9.0.0"], "has versions 1.x, and 2.x to come"),
        (["--airflow", "latest"], "three numbers"),
    ],
)
def test_an_upgrade_that_cannot_be_writes_nothing(repo, arguments, words):
    repo.run("generate")
    before = repo.tree()
    done = repo.run("upgrade", "dev", *arguments)
    assert done.code == 1 and words in done.said
    assert repo.tree() == before


def test_an_upgrade_of_a_version_from_the_defaults_says_where_it_stands(tmp_path):
    settings = SETTINGS + "defaults: {tiers: {development: {airflow: {version: 3.2.2}}}}\n"
    repo = repository(
        tmp_path, settings=settings, dev=changed(DEV, ("airflow: {version: 3.2.2}\n", ""))
    )
    done = repo.run("upgrade", "dev", "--airflow", "3.2.3")
    assert done.code == 1 and "defaults in gen-env.yaml" in done.stderr


def test_from_airflow_2_to_3_everything_to_mind_is_named(tmp_path):
    repo = repository(tmp_path, dev=changed(DEV, ("3.2.2", "2.11.0")))
    repo.run("generate")
    done = repo.run("upgrade", "dev", "--airflow", "3.2.2", "--dry-run")
    for word in ("webserver", "JWT", "DAG processor", "Execution API", "backup", "migration"):
        assert word in done.stdout
