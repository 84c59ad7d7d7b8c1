import base64
import json

import pytest

from generator.redaction.manifests import mask
from generator.redaction.names import Claim, claim
from generator.redaction.text import redact, redact_prose

CANARY = "c4n4ry-Zq9"
OF_SECRETS = [
    "DB_PASSWORD",
    "snowflake_token",
    "apiKey",
    "AIRFLOW_CONN_ANY",
    "AWS_SECRET_ACCESS_KEY",
    "password1",
    "fernet_key",
    "AIRFLOW__CORE__FERNET_KEY",
    "jwtSecret",
    "PGPASSWORD",
    "client-secret",
    "storageAccountKey",
    "basicAuth",
    "webserver-secret-key",
    "gitSshKey",
    "sasToken",
    "privateKey",
    "pass",
    ".dockerconfigjson",
]
ABOUT_SECRETS = [
    "secretName",
    "passwordSecretName",
    "TOKEN_URL",
    "secretKeyRef",
    "imagePullSecrets",
    "tokenExpirationSeconds",
    "existingSecret",
    "sshKeySecret",
    "key",
    "name",
    "parallelism",
    "SECRETS__BACKEND",
    "checksum/webserver-secret-key",
    "AIRFLOW__CORE__FERNET_KEY_CMD",
    "compass",
    "bypass",
    "monkey",
]


def test_secret_keys_stay_and_values_go():
    base = {"kind": "Secret", "data": {"a": "b25l", "b": "dHdv"}, "stringData": {"c": "three"}}
    head = {"kind": "Secret", "data": {"a": "b25l", "b": "b3RoZXI="}, "stringData": {"c": "three"}}
    assert mask(base, head) == (
        {
            "kind": "Secret",
            "data": {"a": "<masked>", "b": "<masked>"},
            "stringData": {"c": "<masked>"},
        },
        {
            "kind": "Secret",
            "data": {"a": "<masked>", "b": "<masked: changed>"},
            "stringData": {"c": "<masked>"},
        },
    )


def test_exchanged_secrets_both_show_as_changed():
    base = {"kind": "Secret", "data": {"a": "b25l", "b": "dHdv"}}
    head = {"kind": "Secret", "data": {"a": "dHdv", "b": "b25l"}}
    assert mask(base, head)[1]["data"] == {"a": "<masked: changed>", "b": "<masked: changed>"}


def test_exchanged_passwords_in_a_text_both_show_as_changed():
    base = {"t": "a = x://u:one@h\nb = x://u:two@h\n"}
    head = {"t": "a = x://u:two@h\nb = x://u:one@h\n"}
    assert mask(base, head)[1]["t"].count("<masked: changed>") == 2


def test_equal_secrets_of_different_keys_cannot_be_told():
    one = {"kind": "Secret", "data": {"a": "c2FtZQ==", "b": "c2FtZQ=="}}
    other = {"kind": "Secret", "data": {"a": "c2FtZQ==", "b": "b3RoZXI="}}
    assert mask(one, None)[0] == mask(other, None)[0]


def test_a_secret_that_changes_its_type_shows():
    base = {"kind": "Secret", "data": {"a": 1}}
    head = {"kind": "Secret", "data": {"a": "1"}}
    assert mask(base, head)[1]["data"]["a"] == "<masked: changed>"


def test_sealed_secret_shows_which_keys_were_sealed_anew():
    base = {"kind": "SealedSecret", "spec": {"encryptedData": {"a": "Ag1", "b": "Ag2", "c": ""}}}
    head = {"kind": "SealedSecret", "spec": {"encryptedData": {"a": "Ag1", "b": "Ag9", "c": "Ag3"}}}
    assert mask(base, head)[0]["spec"]["encryptedData"] == {
        "a": "<sealed>",
        "b": "<sealed>",
        "c": "<not yet sealed>",
    }
    assert mask(base, head)[1]["spec"]["encryptedData"]["b"] == "<sealed: resealed>"


def test_what_a_template_of_an_external_secret_writes_itself_is_hidden():
    data = {"host": "{{ .host }}:5432", "pin": "4711-blue"}
    manifest = {"kind": "ExternalSecret", "spec": {"target": {"template": {"data": data}}}}
    shown = mask(manifest, manifest)[1]["spec"]["target"]["template"]["data"]
    assert shown == {"host": "{{ .host }}:5432", "pin": "<masked>"}


def test_inputs_are_left_alone():
    base = {"kind": "Secret", "data": {"a": "b25l"}, "metadata": {"name": "x"}}
    before = json.dumps(base)
    mask(base, base)
    assert json.dumps(base) == before


@pytest.mark.parametrize(
    "name",
    OF_SECRETS,
)
def test_names_of_secrets(name):
    assert claim(name) >= Claim.UNLESS_PATH


@pytest.mark.parametrize(
    "name",
    ABOUT_SECRETS,
)
def test_names_that_only_speak_of_secrets(name):
    assert claim(name) < Claim.UNLESS_PATH


SHOWN = [
    "postgresql://airflow@pg.example.com/airflow",
    "git@github.com:example/dags.git",
    "ssh://git@github.com/example/dags.git",
    "registry.example.com/airflow:3.2.2@sha256:" + "9f" * 32,
    "automountServiceAccountToken: false",
    "password = $(DB_PASSWORD)",
    "secretName: airflow-fernet",
    "http://airflow-api-server:8080/execution/",
    "load_examples = False",
    "",
]


@pytest.mark.parametrize("text", SHOWN)
def test_what_is_no_secret_stays_readable(text):
    assert redact(text) == text


HIDDEN = [
    f"postgresql://airflow:{CANARY}@pg.example.com/airflow",
    f"postgresql+psycopg2://airflow:{CANARY}/x@y@pg.example.com/airflow",
    f"redis://:{CANARY}@redis:6379/0",
    f"https://{CANARY}@github.com/example/dags.git",
    f"https://user:{CANARY}@github.com/a https://user:{CANARY}@github.com/b",
    f"airflow:{CANARY}@tcp(mysql:3306)/airflow",
    f"https://store.example.com/x?sig={CANARY}&se=2027",
    f"postgresql://h/db?user=a&password={CANARY}",
    f"password = {CANARY}",
    f"password = two words {CANARY}",
    f"export DB_PASSWORD={CANARY}",
    f"token: '{CANARY}'",
    f'{{"conn_type": "http", "password": "{CANARY}"}}',
    f'{{"password": "a\\"{CANARY}", "host": "h"}}',
    f'{{"password": "a"{CANARY}", "host": "h"}}',
    f'{{\\"password\\": \\"{CANARY}\\"}}',
    f"x: 1, password: 'it''s {CANARY}'",
    f'{{"name": "DB_PASSWORD", "value": "{CANARY}"}}',
    f"- name: DB_PASSWORD\n  value: {CANARY}\n",
    f"password: |\n  {CANARY}\n  more\nnext: 1\n",
    f"airflow db create --password {CANARY} --force",
    f"mysql --password={CANARY}",
    f'exec airflow users create -u admin -p "{CANARY}"',
    f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----\n",
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n",
    f"kind: Secret\ndata:\n  any: {CANARY}\n  text: |\n    {CANARY}\ntype: Opaque\n",
    f"kind: Secret\nstringData:\n    any: {CANARY}",
    json.dumps({"kind": "Secret", "data": {"any": CANARY}}),
    json.dumps({"kind": "List", "items": [{"kind": "Secret", "stringData": {"any": CANARY}}]}),
    json.dumps({"kind": "Secret", "data": {"any": CANARY}})[:-3],
    base64.b64encode(f"postgresql://airflow:{CANARY}@pg/airflow".encode()).decode(),
    f"x = {base64.b64encode(f'password={CANARY}'.encode()).decode()}",
]


@pytest.mark.parametrize("text", HIDDEN)
def test_a_secret_in_a_text_is_hidden(text):
    shown = redact(text)
    assert CANARY not in shown
    assert "<masked>" in shown
    assert base64.b64encode(CANARY.encode()).decode()[:8] not in shown


@pytest.mark.parametrize(
    "token",
    [
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2" * 9,
        "glpat-" + "a1B2" * 5,
        "xoxb-1234567890-abcdef",
        "AKIA" + "ABCD1234" * 2,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
        "V1l4bE5mZ0ZtQ2hYb1o2b3ZKd1R5cVdkS2xQc0hnVXY=",
    ],
)
def test_a_token_is_known_by_its_shape(token):
    assert token not in redact(f"note {token} end")
    assert token not in redact_prose(f"note {token} end")


def test_our_own_sentences_are_no_assignments():
    sentence = "the Fernet key is read from airflow-fernet: unless both hold the same key"
    assert redact_prose(sentence) == sentence


def test_flags_of_an_argument_list():
    base = {"args": ["bash", "-c", 'exec airflow users create "$@"', "--", "-p", "12345"]}
    assert mask(base, None)[0]["args"][-1] == "<masked>"
    other = {"args": ["client", "--token", CANARY, "-p", "6379"]}
    assert mask(other, None)[0]["args"] == ["client", "--token", "<masked>", "-p", "6379"]


def test_a_reference_is_no_secret():
    entry = {"name": "X_TOKEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "token"}}}
    assert mask(entry, None)[0] == entry
    external = {"secretKey": "password", "remoteRef": {"key": "prod/db"}}
    assert mask(external, None)[0] == external


@pytest.mark.few(3)
@pytest.mark.parametrize(
    "text",
    [
        "a" * 300_000,
        "a:" * 100_000,
        "://" * 100_000,
        "x=" * 100_000,
        "password=" * 30_000,
        "-" * 300_000,
        '"' * 200_000,
        "A" * 43 + "=" * 100_000,
        "kind: Secret\n" * 20_000,
        "data:\n" * 20_000 + "kind: Secret\n",
        "://u:" + "p" * 200_000,
    ],
)
def test_time_is_linear_in_the_length(text):
    import time

    start = time.process_time()
    redact(text)
    assert time.process_time() - start < 5


def test_the_copy_that_a_tool_keeps_in_an_annotation_is_hidden_whole():
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": '{"spec": {"any": "x"}}'}
    manifest = {"kind": "Deployment", "metadata": {"annotations": annotations}}
    assert list(mask(manifest, None)[0]["metadata"]["annotations"].values()) == ["<masked>"]
