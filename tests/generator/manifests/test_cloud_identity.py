"""Credentials of a cloud by the identity of the pods: known from the cluster, else demanded."""

import pytest

from generator.manifests import network_policies
from tests.repositories import PRODUCTION, SETTINGS, changed, release

ROLES = {
    "eks": "eks.amazonaws.com/role-arn",
    "gke": "iam.gke.io/gcp-service-account",
    "aks": "azure.workload.identity/client-id",
}
STORES = {"eks": "s3://logs", "gke": "gs://logs", "aks": "wasb-logs"}
RUNNING = {"api-server", "scheduler", "dag-processor", "triggerer", "worker"}
JOBS = {"run-airflow-migrations", "database-cleanup"}
TOKENS = "    cloudIdentity: [{cidr: 10.70.0.0/24}]\n"


def opened(text, cloud):
    """Address and port → components that may reach it, and what is missing."""
    settings = changed(SETTINGS, ("cloud: eks", f"cloud: {cloud}"))
    found, problems = network_policies.policies(release(text, settings=settings))
    reached = {}
    for item in found:
        part = item["spec"]["podSelector"].get("matchLabels", {}).get("component")
        for rule in item["spec"].get("egress", ()):
            for entry in rule["to"]:
                for port in rule["ports"]:
                    place = entry.get("ipBlock", {}).get("cidr"), port["port"]
                    reached.setdefault(place, set()).add(part)
    return reached, [(problem.rule, problem.message, problem.hint) for problem in problems]


def stored(cloud, more=""):
    kind = {"eks": "s3", "gke": "gcs", "aks": "wasb"}[cloud]
    remote = f'{{remote: {{type: {kind}, url: "{STORES[cloud]}"{more}}}}}'
    return changed(PRODUCTION, ('{remote: {type: s3, url: "s3://logs/production"}}', remote))


def annotated(text, cloud):
    return text + f"serviceAccount: {{annotations: {{{ROLES[cloud]}: x}}}}\n"


@pytest.mark.parametrize("cloud", ["eks", "aks"])
def test_a_role_of_the_pods_needs_the_clouds_token_service(cloud):
    _, ((rule, message, hint),) = opened(annotated(stored(cloud), cloud), cloud)
    assert rule == "network/undeclared-peer"
    assert {"eks": "AWS STS", "aks": "Microsoft Entra"}[cloud] in message
    assert "networkPolicy.peers.cloudIdentity" in hint


def test_the_declared_token_service_is_open_to_who_has_the_role():
    text = annotated(PRODUCTION, "eks").replace("  peers:\n", f"  peers:\n{TOKENS}")
    reached, problems = opened(text, "eks")
    assert problems == []
    assert RUNNING <= reached["10.70.0.0/24", 443] <= RUNNING | JOBS


@pytest.mark.parametrize(
    ("cloud", "places"),
    [
        ("eks", {("169.254.170.23/32", 80), ("fd00:ec2::23/128", 80)}),
        ("gke", {("169.254.169.254/32", 80), ("169.254.169.252/32", 988)}),
    ],
)
def test_without_a_role_the_server_on_the_node_is_open_where_logs_need_it(cloud, places):
    reached, problems = opened(stored(cloud), cloud)
    assert problems == []
    assert all(reached[place] == RUNNING for place in places)
    with_connection, _ = opened(stored(cloud, ", connectionId: logs"), cloud)
    assert not places & set(with_connection)


def test_an_account_of_google_leads_to_the_metadata_server():
    reached, problems = opened(annotated(stored("gke", ", connectionId: logs"), "gke"), "gke")
    assert problems == [] and reached["169.254.169.254/32", 80] >= RUNNING


@pytest.mark.parametrize("cloud", ["aks", "openshift", "other"])
def test_the_identity_of_a_whole_node_is_never_opened_unasked(cloud):
    reached, problems = opened(PRODUCTION, cloud)
    assert not any(str(cidr).startswith("169.254") for cidr, _ in reached)
    assert {rule for rule, _, _ in problems} == {"network/peer-not-read"}
    assert all("annotate serviceAccount" in hint for _, _, hint in problems)
    text = PRODUCTION.replace(
        "  peers:\n", "  peers:\n    cloudIdentity: [{cidr: 169.254.169.254/32, ports: [80]}]\n"
    )
    reached, problems = opened(text, cloud)
    assert problems == [] and reached["169.254.169.254/32", 80] == RUNNING


def test_a_cloud_that_is_not_named_is_asked_for():
    settings = changed(SETTINGS, ("    cloud: eks\n", ""))
    _, problems = network_policies.policies(release(PRODUCTION, settings=settings))
    assert {problem.hint for problem in problems} == {"set clusters.main.cloud in gen-env.yaml"}


def test_secrets_that_airflow_looks_up_in_the_cloud_need_its_credentials():
    backend = "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend"
    text = stored("eks", ", connectionId: logs") + f"secretsBackend: {{backend: {backend}}}\n"
    text = text.replace("  peers:\n", "  peers:\n    secretsBackend: [{cidr: 10.71.0.0/24}]\n")
    reached, problems = opened(text, "eks")
    assert problems == []
    assert {*RUNNING, "run-airflow-migrations"} <= reached["169.254.170.23/32", 80]


@pytest.mark.parametrize(
    ("cloud", "store", "place"),
    [
        ("eks", "cloudwatch://arn:aws:logs:eu:1:log-group:a", ("169.254.170.23/32", 80)),
        ("gke", "stackdriver://logs", ("169.254.169.254/32", 80)),
    ],
)
def test_the_clouds_log_service_needs_credentials_too(cloud, store, place):
    written = f'{{remote_logging: "True", remote_base_log_folder: "{store}"}}'
    text = changed(PRODUCTION, ('logging: {remote: {type: s3, url: "s3://logs/production"}}\n', ""))
    text += f"values: {{config: {{logging: {written}}}}}\n"
    assert opened(text, cloud)[0][place] >= {"worker"}
