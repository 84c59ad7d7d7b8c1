import pytest
import yaml

from generator.core.layered import leaves, lookup
from generator.manifests import network_policies
from generator.pipeline import generate
from generator.release import release
from generator.tree import secret_state
from tests.repositories import DEV, PRODUCTION, built, changed
from tests.repositories import release as released


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ("{executor: x}", "airflow.executor"),
        ("{scheduler: {replicas: 3}}", "scheduler.replicas"),
        ("{images: {airflow: {tag: x}}}", "image"),
        ("{scheduler: 1}", "scheduler"),
        ("{ingress: {apiServer: 1}}", "ingress"),
        ("{cleanup: 1}", "cleanup.pods"),
        ("{networkPolicies: {enabled: true}}", "guarantees"),
    ],
)
def test_a_key_that_a_field_owns_is_refused_with_that_field(values, field):
    problems = built(DEV + f"values: {values}\n").problems
    assert {problem.rule for problem in problems} == {"values/owned-key"}
    assert any(field in problem.message + problem.hint for problem in problems)
    assert {problem.line for problem in problems} == {10}


@pytest.mark.parametrize(
    "values",
    ["{}", "{scheduler: {safeToEvict: false}}", "{scheduler: {startupProbe: {timeoutSeconds: 5}}}"],
)
def test_a_free_key_is_merged_last(values):
    result = built(DEV + f"values: {values}\n")
    assert result.release is not None, result.problems
    if "safeToEvict" in values:
        assert result.release.values["scheduler"]["safeToEvict"] is False
    if "startupProbe" in values:
        probe = result.release.values["scheduler"]["startupProbe"]
        assert probe["timeoutSeconds"] == 5 and "failureThreshold" in probe


def hosts(tls, more):
    text = DEV + f"ingress: {{host: a.example, tls: {tls}, moreHosts: [{more}]}}\n"
    made = built(text).release
    names = {need.name for need in made.needs if need.why == "ingress certificate"}
    return made.values["ingress"]["apiServer"]["hosts"], names


def test_each_host_has_a_certificate_of_its_own_where_cert_manager_makes_them():
    found, needed = hosts("{clusterIssuer: ca}", "{host: b.example}, {host: c.c, secretName: c}")
    assert [item["name"] for item in found] == ["a.example", "b.example", "c.c"]
    secrets = [item["tls"]["secretName"] for item in found]
    assert secrets == ["airflow-tls", "airflow-tls-b.example", "c"] and needed == set()


def test_hosts_share_a_certificate_that_is_there():
    found, needed = hosts("{secretName: wildcard}", "{host: b.example}")
    assert [item["tls"]["secretName"] for item in found] == ["wildcard"] * 2
    assert needed == {"wildcard"}


@pytest.mark.parametrize(
    ("ingress", "words"),
    [
        ("{host: a.example, moreHosts: [{host: A.example}]}", "named twice"),
        ("{host: a.example, moreHosts: [{host: b.example, secretName: c}]}", "add tls"),
    ],
)
def test_hosts_that_cannot_be_are_refused(ingress, words):
    (problem,) = built(DEV + f"ingress: {ingress}\n").problems
    assert words in problem.message


_AUTOSCALED = changed(
    DEV,
    ("version: 3.2.2}", "version: 3.2.2, executor: CeleryExecutor}"),
    ("auth:", "workers: {autoscaling: {type: keda, maxReplicas: 3}}\nauth:"),
)
_SYNCED = changed(DEV, ("image: {}", 'gitSync: {repository: "https://git.example.com/dags.git"}'))


@pytest.mark.parametrize(
    ("values", "off", "on", "field"),
    [
        ("ingress: {apiServer: {enabled: true, hosts: [{name: a.example}]}}",
         DEV, DEV + "ingress: {host: b.example}\n", "ingress.host"),
        ("ingress: {web: {enabled: true}}", DEV, DEV + "ingress: {host: b.example}\n", "ingress"),
        ("dags: {gitSync: {enabled: true, repo: x, wait: 5}}", DEV, _SYNCED, "dags.gitSync"),
        ("workers: {celery: {keda: {enabled: true, maxReplicaCount: 9}}}",
         changed(DEV, ("3.2.2}", "3.2.2, executor: CeleryExecutor}")),
         _AUTOSCALED, "workers.autoscaling"),
        ("elasticsearch: {enabled: true, secretName: logs}", DEV,
         DEV + 'logging: {remote: {type: s3, url: "s3://bucket"}}\n', "logging.remote"),
        ("scheduler: {podDisruptionBudget: {enabled: true}}", DEV,
         DEV + "scheduler: {disruptionBudget: {maxUnavailable: 1}}\n",
         "scheduler.disruptionBudget"),
    ],
)  # fmt: skip
def test_a_key_is_closed_only_while_its_field_is_in_use(values, off, on, field):
    result = built(f"{off}values: {{{values}}}\n")
    assert result.release is not None, result.problems
    for path, value in leaves(yaml.safe_load(values)):
        assert lookup(result.release.values, ".".join(map(str, path))) == value
    problems = built(f"{on}values: {{{values}}}\n").problems
    assert any(field in problem.message for problem in problems), problems
    assert {problem.rule for problem in problems} == {"values/owned-key"}


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ("workers: {celery: {keda: {advanced: {restoreToOriginalReplicaCount: true}}}}",
         _AUTOSCALED),
        ("ingress: {apiServer: {pathType: ImplementationSpecific}}",
         DEV + "ingress: {host: b.example}\n"),
        ("dags: {gitSync: {emptyDirConfig: {sizeLimit: 1Gi}}}", _SYNCED),
    ],
)  # fmt: skip
def test_what_a_field_in_use_does_not_say_stays_open(values, text):
    assert built(f"{text}values: {{{values}}}\n").release is not None


def test_what_values_turn_on_is_followed():
    text = changed(DEV, ("auth:", "networkPolicy: {mode: ingress}\nauth:")) + (
        "values: {ingress: {apiServer: {enabled: true, hosts: [{name: a.example}]}}}\n"
    )
    policies = network_policies.policies(built(text).release)[0]
    (server,) = [item for item in policies if "api-server" in item["metadata"]["name"]]
    assert "ingress-nginx" in str(server["spec"]["ingress"])


def test_a_user_id_is_any_that_kubernetes_takes_but_root():
    values = built(DEV + "security: {uid: 1000650000}\n").release.values
    assert values["uid"] == values["securityContexts"]["pod"]["runAsUser"] == 1000650000
    for wrong in ("0", "2147483648"):
        (problem,) = built(DEV + f"security: {{uid: {wrong}}}\n").problems
        assert "uid" in problem.message


def test_a_provider_of_a_secret_that_nothing_needs_is_named():
    text = DEV + "secrets: {provider: existing, providers: {airflow-databse: sealed-secrets}}\n"
    (problem,) = built(text).problems
    assert problem.rule == "secrets/unknown-secret" and problem.line == 10
    assert "airflow-databse" in problem.message and "airflow-fernet-key" in problem.hint


def test_the_name_of_the_application_is_unique_by_path():
    assert released(DEV).application == "airflow-dev"
    team = changed(DEV, ("name: dev,", "name: dev, team: payments,"))
    assert released(team, name="payments/dev").application == "airflow-payments-dev"


def test_an_annotation_for_a_long_name_fits_and_stays_distinct():
    one, two = release.annotation("x" * 80 + "a"), release.annotation("x" * 80 + "b")
    assert one != two
    for name in (one, two):
        prefix, _, tail = name.partition("/")
        assert prefix == "gen-env.dev" and len(tail) <= 63
    assert release.annotation("airflow-fernet-key") == "gen-env.dev/secret-hash.airflow-fernet-key"


def test_every_needed_key_has_a_state_and_a_way():
    result = built(PRODUCTION)
    rows = secret_state.rows(result.release, result.secrets)
    assert {row.state for row in rows} == {"missing"}
    made = {(row.secret, row.key): row.made for row in rows}
    assert made["airflow-fernet-key", "fernet-key"] == "generated"
    assert made["prod-database", "kedaConnection"] == "assembled"
    assert made["airflow-git-ssh", "gitSshKey"] == "given"
    assert len(made) == len(rows)


def test_what_argo_cd_applies_beside_the_chart():
    kinds = [item["kind"] for item in generate.own_manifests(built(PRODUCTION))]
    assert kinds[0] == "Namespace"
    assert {"NetworkPolicy", "ServiceMonitor", "SealedSecret"} <= set(kinds)
    written = [
        (item["kind"], item["metadata"]["name"]) for item in generate.written(built(PRODUCTION))
    ]
    assert ("Application", "airflow-production") in written
