"""The state of every secret that an environment needs."""

import pytest

from generator.manifests import sealed_secrets
from generator.tree import secret_state
from generator.tree.objects import SecretFile
from tests.repositories import DEV, STAGING, ciphertext, release


def rows(text, files=()):
    return {(row.secret, row.key): row for row in secret_state.rows(release(text), files)}


def stub(text, name, **data):
    """The file that generate writes for a Secret, with these keys sealed."""
    made = release(text)
    (need,) = [need for need in made.needs if need.name == name]
    manifest = sealed_secrets.stub(made, need)
    manifest["spec"]["encryptedData"] |= data
    return SecretFile(f"environments/x/secrets/{name}.yaml", "", manifest)


def test_what_is_not_there_is_missing():
    found = rows(STAGING)
    assert {row.state for row in found.values()} == {"missing"}
    assert {row.path for row in found.values()} == {""}


def test_a_stub_and_a_sealed_key_are_told_apart():
    sealed = stub(STAGING, "airflow-database", connection=ciphertext())
    found = rows(STAGING, [sealed, stub(STAGING, "airflow-fernet-key")])
    assert found["airflow-database", "connection"].state == "sealed"
    assert found["airflow-database", "connection"].path == sealed.path
    assert found["airflow-fernet-key", "fernet-key"].state == "stub"


def test_it_says_how_a_value_is_made_and_who_reads_it():
    found = rows(STAGING)
    assert found["airflow-fernet-key", "fernet-key"].made == "generated"
    assert found["airflow-database", "connection"].made == "assembled"
    assert found["airflow-git-ssh", "gitSshKey"].made == "given"
    assert "scheduler" in found["airflow-database", "connection"].readers


@pytest.mark.parametrize(
    ("provider", "state"),
    [
        ("{provider: external-secrets, store: {name: vault}}", "external"),
        ("{provider: existing}", "existing"),
    ],
)
def test_what_others_bring_is_said_to_be_theirs(provider, state):
    assert {row.state for row in rows(DEV + f"secrets: {provider}\n").values()} == {state}


def test_each_secret_is_where_its_own_provider_keeps_it():
    text = STAGING + (
        "existing: {secrets: [airflow-git-ssh]}\n"
        "secrets: {store: {name: vault}, providers: {airflow-database: external-secrets}}\n"
    )
    found = rows(text)
    assert found["airflow-git-ssh", "gitSshKey"].state == "existing"
    assert found["airflow-database", "connection"].state == "external"
    assert found["airflow-fernet-key", "fernet-key"].state == "missing"


def test_the_json_shape_is_documented():
    row = next(iter(rows(DEV).values()))
    assert set(row.as_json()) == {"secret", "key", "state", "made", "why", "readers", "path"}
    assert isinstance(row.as_json()["readers"], list)
