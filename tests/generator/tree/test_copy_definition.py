"""What a definition made from another one keeps, leaves out and asks for."""

import pytest
import yaml

from generator.definition import definition
from generator.tree.copy_definition import offspring
from generator.yaml.errors import YamlError

FULL = """\
# yaml-language-server: $schema=../../.gen-env/environment.schema.json
apiVersion: gen-env.dev/v1
kind: Environment
metadata: {name: production, tier: production}
destination: {cluster: main, namespace: airflow, releaseName: af, application: old, project: money}
airflow:
  version: 3.2.2
  config: {api: {base_url: "https://airflow.example.com"}, core: {parallelism: 64}}
  env: {STAGE: production, SMTP: "smtp://mail.example.com"}
chart: {version: 1.22.0}
image: {repository: registry.example.com/airflow, pullSecrets: [registry]}
auth:
  oidc:
    {issuer: "https://id.example.com", clientId: airflow-prod, secretName: oidc-prod,
     roles: {a: Admin}}
database:
  {host: pg.example.com, name: prod, secretName: prod-db, cidrs: [10.20.0.0/24],
   maxConnections: 300}
pgbouncer: {secretName: pgb, statsSecretName: pgs, poolSize: 20}
broker: {embedded: false, host: redis.example.com, secretName: broker, passwordSecretName: pass}
keys: {jwtSecretName: jwt-prod}
dags:
  gitSync: {repository: "git@git.example.com:dags.git", ref: main, secretName: airflow-git-ssh}
serviceAccount:
  annotations: {role: "arn:aws:iam::1:role/prod"}
  workers: {role: "arn:aws:iam::1:role/w"}
logging: {remote: {type: s3, url: "s3://prod-logs/airflow", connectionId: aws}}
ingress:
  host: airflow.example.com
  tls: {secretName: tls-prod}
  annotations: {dns: airflow.example.com.}
networkPolicy:
  mode: enforce
  peers:
    git: [{cidr: 10.9.0.0/24}]
    logs: [{cidr: 10.40.0.0/24}]
    database: [{cidr: 10.20.0.0/24}]
    broker: [{cidr: 10.60.0.0/24}]
    secretsBackend: [{cidr: 10.70.0.0/24}]
  taskEgress: [{cidr: 10.30.0.0/16}]
secrets: {extra: {airflow-connections: {keys: [AIRFLOW_CONN_X], envFrom: true}}}
secretsBackend:
  backend: hashicorp.VaultBackend
  kwargs: {url: "https://vault", connections_path: prod}
labels: {team: data, stage: production}
values: {scheduler: {safeToEvict: false}}
suppress: [{rule: x/y, reason: z, expires: 2027-01-01}]
"""


def made(text=FULL, name="staging", source="production", **given):
    return offspring(definition.load(source, text.encode()), name, given)


def data(found):
    return yaml.safe_load(found.text)


def test_nothing_of_the_others_own_is_left():
    text = made().text
    for own in (
        "prod-logs", "oidc-prod", "airflow-prod", "prod-db", "pg.example.com", "redis.example.com",
        "airflow.example.com", "tls-prod", "jwt-prod", "10.20.", "10.30.", "10.40.", "10.60.",
        "10.70.", "arn:aws", "vault", "money", "releaseName", "namespace", "expires", "300",
    ):  # fmt: skip
        assert own not in text, own


def test_what_makes_it_alike_stays():
    found = data(made())
    assert found["pgbouncer"] == {"poolSize": 20}
    assert found["auth"]["oidc"] == {"issuer": "https://id.example.com", "roles": {"a": "Admin"}}
    assert found["airflow"]["config"] == {"api": {}, "core": {"parallelism": 64}}
    assert found["networkPolicy"]["peers"] == {"git": [{"cidr": "10.9.0.0/24"}]}
    assert found["values"] == {"scheduler": {"safeToEvict": False}}
    assert found["image"]["repository"] == "registry.example.com/airflow"


def test_names_of_secrets_without_a_default_stay_as_their_values_do_not_come_along():
    found = data(made())
    assert found["dags"]["gitSync"]["secretName"] == "airflow-git-ssh"
    assert found["image"]["pullSecrets"] == ["registry"]
    assert "airflow-connections" in found["secrets"]["extra"]


def test_what_it_cannot_be_without_is_asked_for():
    asked = [question.text for question in made().questions]
    assert asked == [
        "database.host of staging",
        "broker.host of staging",
        "ingress.host of staging",
        "auth.oidc.clientId of staging",
        "logging.remote.url of staging",
        "networks of the database server, such as 10.20.0.0/24 (database.cidrs)",
        "networks of the task logs' store, such as 10.40.0.0/24 (networkPolicy.peers.logs)",
    ]


def test_networks_are_asked_for_only_where_they_are_enforced():
    found = made(FULL.replace("mode: enforce", "mode: ingress"))
    assert not any("networks" in question.text for question in found.questions)
    assert "database.cidrs" in found.left_out and "networkPolicy.peers.logs" in found.left_out


def test_what_was_left_out_is_named():
    assert set(made().left_out) == {
        "destination.project", "database.name", "database.maxConnections",
        "serviceAccount.annotations", "serviceAccount.workers", "secretsBackend",
        "networkPolicy.peers.database", "networkPolicy.peers.broker",
        "networkPolicy.peers.secretsBackend", "networkPolicy.taskEgress",
        "airflow.config.api.base_url", "ingress.annotations.dns",
    }  # fmt: skip


def test_what_may_be_the_others_is_named():
    assert set(made().doubtful) == {
        "airflow.env.STAGE", "airflow.env.SMTP", "auth.oidc.issuer", "dags.gitSync.repository",
        "labels.stage",
    }  # fmt: skip


def test_an_environment_called_as_a_part_of_the_format_makes_the_format_no_doubt():
    assert (
        "apiVersion"
        not in made(FULL.replace("{name: production", "{name: dev"), source="dev").doubtful
    )


@pytest.mark.parametrize(
    "field",
    ["database.host", "database", "database.embedded", "database.host.x"],
)
def test_a_field_that_the_user_gives_is_not_asked_for(field):
    asked = {question.path for question in made(**{field: "x"}).questions}
    assert (("database", "host") in asked) == (field == "database.host.x")


def test_a_whole_choice_replaced_asks_for_nothing_of_the_old_one():
    asked = {question.path for question in made(**{"auth.ldap": "{}"}).questions}
    assert ("auth", "oidc", "clientId") not in asked


@pytest.mark.parametrize(
    ("path", "kept"), [("prod/{secret}", False), ("{environment}/{secret}", True)]
)
def test_a_store_path_that_both_would_share_is_left_out(path, kept):
    more = f"{{provider: external-secrets, path: '{path}', store: {{name: vault}}}}"
    text = "\n".join(line for line in FULL.splitlines() if not line.startswith("secrets:"))
    found = made(f"{text}\nsecrets: {more}\n")
    assert ("path" in data(found)["secrets"]) == kept
    assert ("secrets.path" in found.left_out) != kept


def test_it_gets_its_own_name_and_team():
    found = made(name="payments/dev")
    assert data(found)["metadata"] == {"name": "dev", "team": "payments", "tier": "production"}
    assert found.text.startswith("# yaml-language-server: $schema=../../../.gen-env/")
    back = made(found.text, name="dev", source="payments/dev")
    assert "team" not in data(back)["metadata"]


def test_a_shared_value_is_refused_rather_than_changed_in_two_places():
    text = FULL.replace("[{cidr: 10.9.0.0/24}]", "&net [{cidr: 10.9.0.0/24}]")
    text = text.replace("logs: [{cidr: 10.40.0.0/24}]", "logs: *net")
    with pytest.raises(YamlError, match="cannot change"):
        made(
            text.replace("database: [{cidr: 10.20.0.0/24}]", "database: *net").replace(
                "git: &net", "x: &net"
            )
        )
