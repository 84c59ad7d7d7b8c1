"""Three companies say all that they run in one definition, and no rule has to be suppressed."""

import ipaddress
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.repositories import Repo

GOLDEN = Path(__file__).parents[2] / "golden"
COMPANIES = ("company-eks", "company-openshift", "company-air-gapped")
# What is announced, and what nobody can read from here; neither asks for another definition.
NOTES = {"chart/leaves-with-2", "backup/image-not-read"}
DEFINITION = "environments/production/environment.yaml"

pytestmark = [pytest.mark.thorough, pytest.mark.real_chart]


@pytest.fixture
def company(official_chart, tmp_path):
    """Makes a company's repository, generated anew for the official chart that is at hand."""

    def make(name):
        root = tmp_path / name
        shutil.copytree(GOLDEN / name, root)
        (root / "environments/production/gen-env.lock").unlink()
        repo = Repo(root)
        assert (done := repo.run("generate")).code == 0, done.said
        return repo

    return make


def rendered(repo):
    done = repo.run("render", "production")
    assert done.code == 0, done.said
    return done.stdout


@pytest.mark.parametrize("name", COMPANIES)
def test_every_rule_of_production_is_met_without_suppression(name, company):
    repo = company(name)
    text = repo.read(DEFINITION)
    assert "tier: production" in text and "mode: enforce" in text and "suppress" not in text
    done = repo.run("validate", "-o", "json")
    found = {(item["rule"], item["severity"]) for item in done.json["problems"]}
    assert found <= {(rule, "info") for rule in NOTES}, done.said
    assert done.code == 0
    assert {item["check"] for item in done.json["notDone"]} <= {"crd/schema"}


@pytest.mark.parametrize("name", COMPANIES)
def test_each_declared_peer_is_reached_and_nothing_else_outside(name, company):
    repo = company(name)
    rows = repo.run("explain", "production", "flows", "-o", "json").json["flows"]
    definition = yaml.safe_load(repo.read(DEFINITION))
    cluster = next(iter(yaml.safe_load(repo.read("gen-env.yaml"))["clusters"].values()))
    policy = definition["networkPolicy"]
    peers = [item for group in policy["peers"].values() for item in group]
    declared = {item["cidr"] for item in (*peers, *policy["taskEgress"]) if "cidr" in item}
    declared |= {*definition["database"].get("cidrs", ()), *cluster["apiServerCidrs"]}
    if node := cluster.get("dns", {}).get("nodeLocal"):
        declared.add(f"{node}/32")
    reached = {row["to"] for row in rows if re.fullmatch(r"[0-9./]+", row["to"])}
    assert reached == declared


def test_without_a_way_out_all_is_inside(company):
    repo = company("company-air-gapped")
    rows = repo.run("explain", "production", "flows", "-o", "json").json["flows"]
    networks = [row["to"] for row in rows if re.fullmatch(r"[0-9./]+", row["to"])]
    assert all(ipaddress.ip_network(item).is_private for item in networks)
    text = rendered(repo)
    images = set(re.findall(r"(?m)image: \"?([^\s\"]+)", text))
    assert images and all(item.startswith("registry.corp.example/") for item in images), images
    assert text.count("name: corp-ca") > len(repo.yaml(DEFINITION)["networkPolicy"]["peers"])


def test_openshift_gets_no_user_of_ours(company):
    text = rendered(company("company-openshift"))
    assert "kind: Deployment" in text
    assert "runAsUser" not in text and "fsGroup" not in text


def test_the_role_on_eks_is_each_accounts(company):
    objects = yaml.safe_load_all(rendered(company("company-eks")))
    roles = {
        item["metadata"]["name"]
        for item in objects
        if item["kind"] == "ServiceAccount"
        and "eks.amazonaws.com/role-arn" in (item["metadata"].get("annotations") or {})
    }
    parts = ("api-server", "dag-processor", "scheduler", "triggerer", "worker")
    assert {f"airflow-{part}" for part in parts} <= roles
