"""A company's own authorities: one field, followed by everything that connects somewhere."""

import re
from pathlib import Path

import pytest
import yaml

from generator.chart.cache import ChartCache
from generator.core.problem import Severity
from generator.lint.definition import all as rules
from generator.manifests import backups
from generator.pipeline import generate
from generator.pipeline.generate import Charts
from generator.redaction.secret import Secret
from generator.render.engine import SdkEngine
from generator.seal import derived_values
from tests import chart_range
from tests.repositories import PRODUCTION, STAGING, built, changed, release

PAGE = Path(__file__).parents[3] / "docs" / "definition.md"
FILE = "/etc/company-ca/ca.crt"
HTTPS = (
    "repository: git@git.example.com:dags.git",
    "repository: https://git.example.com/dags.git",
)
VERIFY = ("database:\n", "database:\n  sslMode: verify-full\n")
VERIFIED = changed(PRODUCTION, HTTPS, VERIFY)
VERIFIED = re.sub("(?m)^    (secretName: airflow-git-ssh|knownHosts.*)\n", "", VERIFIED)
MAP = "ca: {configMap: company-ca}\n"
LOCAL = """\
backup:
  image: {repository: registry.example.com/backup, tag: r1}
  storage: {s3: {bucket: backups, endpoint: "https://s3.example.com"}}
  encryption: {recipients: [age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p]}
"""


def variables(made):
    return {row["name"]: row["value"] for row in made.values["env"]}


def found_by(made):
    return {problem.rule for problem in rules.problems(made)}


def test_the_documented_definition_is_followed_everywhere():
    section = PAGE.read_text("utf-8").split("## A certificate authority", 1)[1]
    part = yaml.safe_load(re.search(r"```yaml\n(.*?)```", section, re.S)[1])
    made = release(yaml.safe_dump({**yaml.safe_load(VERIFIED), **part}))
    (volume,), (mount,) = made.values["volumes"], made.values["volumeMounts"]
    assert volume["configMap"] == {
        "name": "company-ca",
        "items": [{"key": "ca.crt", "path": "ca.crt"}],
    }
    assert f"{mount['mountPath']}/ca.crt" == FILE and mount["readOnly"] is True
    trusting = {name for name, value in variables(made).items() if value == FILE}
    assert trusting == {
        *("PGSSLROOTCERT", "GIT_SSL_CAINFO"),
        *("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "AWS_CA_BUNDLE"),
    }
    sync = made.values["dags"]["gitSync"]
    assert sync["env"] == [{"name": "GIT_SSL_CAINFO", "value": FILE}]
    assert sync["extraVolumeMounts"] == [mount]


def test_pgbouncer_verifies_with_the_same_authorities():
    assert "database/no-ca" in found_by(release(VERIFIED))
    made = release(VERIFIED + MAP)
    assert "database/no-ca" not in found_by(made)
    ini = derived_values._database_value(made, "pgbouncer-ini", "u", Secret("x")).text()
    assert "server_tls_sslmode = verify-full\n" in ini
    assert f"server_tls_ca_file = {FILE}\n" in ini
    own = release(VERIFIED + MAP + 'values: {pgbouncer: {ssl: {ca: "PEM"}}}\n')
    ini = derived_values._database_value(own, "pgbouncer-ini", "u", Secret("x")).text()
    assert "server_tls_ca_file = /etc/pgbouncer/root.crt\n" in ini


def test_what_the_authorities_are_not_for_keeps_the_systems():
    made = release(VERIFIED + "ca: {configMap: rds, key: eu.pem, for: [database]}\n")
    assert [name for name, value in variables(made).items() if value == FILE] == ["PGSSLROOTCERT"]
    assert "env" not in made.values["dags"]["gitSync"]
    made = release(VERIFIED + "ca: {configMap: company, for: [https]}\n")
    assert "PGSSLROOTCERT" not in variables(made)
    assert "database/no-ca" in found_by(made)


def test_a_secret_is_brought_as_the_others_are_and_restarts_who_reads_it():
    made = release(VERIFIED + "ca: {secret: company-ca, key: tls.crt}\n")
    need = next(item for item in made.sealed if item.name == "company-ca")
    assert need.key_names == ("tls.crt",)
    assert {"api-server", "scheduler", "worker", "pgbouncer"} <= set(need.restarts)
    there = "existing: {secrets: [company-ca]}\n"
    made = release(VERIFIED + "ca: {secret: company-ca}\n" + there)
    assert "company-ca" not in {item.name for item in made.sealed}
    assert made.brought["company-ca"] == frozenset({"ca.crt"})


@pytest.mark.parametrize(
    "source",
    [
        "secretName: company-ca",
        "secretName: company-ca, items: [{key: a, path: a}, {key: b, path: b}]",
        "secretName: company-ca, items: [{key: a}]",
        "items: null",
    ],
)
def test_a_volume_of_the_same_name_is_no_secret_of_the_field(source):
    own = f"values: {{volumes: [{{name: company-ca, secret: {{{source}}}}}]}}\n"
    made = release(VERIFIED + own)
    assert "company-ca" not in {item.name for item in made.needs}
    made = release(VERIFIED + "ca: {secret: corporate, key: tls.crt}\n" + own)
    assert {"tls.crt"} == {key for x in made.needs if x.name == "corporate" for key in x.key_names}


def test_volumes_and_variables_of_the_teams_own_stay_beside():
    more = """\
values:
  volumes: [{name: models, emptyDir: {}}]
  volumeMounts: [{name: models, mountPath: /models}]
  dags: {gitSync: {env: [{name: GIT_TRACE, value: "1"}]}}
airflow: {version: 3.2.2, executor: CeleryExecutor, env: {AWS_CA_BUNDLE: /other.pem}}
"""
    text = re.sub("(?m)^airflow: .*\n", "", VERIFIED)
    made = release(text + MAP + more)
    assert [item["name"] for item in made.values["volumes"]] == ["company-ca", "models"]
    assert [item["name"] for item in made.values["volumeMounts"]] == ["company-ca", "models"]
    names = [row["name"] for row in made.values["dags"]["gitSync"]["env"]]
    assert names == ["GIT_SSL_CAINFO", "GIT_TRACE"]
    assert variables(made)["AWS_CA_BUNDLE"] == "/other.pem"


@pytest.mark.parametrize(
    ("more", "file"),
    [
        ("sslMode: require", None),
        ("sslMode: verify-full", "/etc/ssl/certs/ca-certificates.crt"),
        ("sslMode: require\nca: {configMap: a, for: [git]}", None),
        ("sslMode: require\nca: {configMap: a}", FILE),
    ],
)
def test_backups_of_a_server_that_is_not_to_be_verified_name_no_authorities(more, file):
    """libpq verifies with every file that is named, and `require` would not connect."""
    mode, _, rest = more.partition("\n")
    text = changed(PRODUCTION, ("database:\n", f"database:\n  {mode}\n"))
    made = release(f"{text}{LOCAL}{rest}\n")
    job = next(item for item in backups.MANIFEST.objects(made) if item["kind"] == "CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    values = {row["name"]: row.get("value") for row in pod["containers"][0]["env"]}
    assert values.get("PGSSLROOTCERT") == file


def test_backups_trust_them_too():
    made = release(changed(VERIFIED, ("pgbouncer:", LOCAL + "pgbouncer:")) + MAP)
    job = next(item for item in backups.MANIFEST.objects(made) if item["kind"] == "CronJob")
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    values = {row["name"]: row.get("value") for row in pod["containers"][0]["env"]}
    assert values["PGSSLROOTCERT"] == values["SSL_CERT_FILE"] == FILE
    assert "company-ca" in {item["name"] for item in pod["volumes"]}
    assert "/etc/company-ca" in {x["mountPath"] for x in pod["containers"][0]["volumeMounts"]}


def test_clients_that_read_no_variable_get_the_file_otherwise():
    search = "logging: {remote: {type: elasticsearch}}\n"
    text = re.sub("(?m)^logging: .*\n", search, STAGING)
    made = release(text + MAP)
    assert made.values["config"]["elasticsearch_configs"]["ca_certs"] == FILE
    mysql = "database: {type: mysql, host: db.example.com}\n"
    made = release(re.sub("(?m)^database: .*\n", mysql, STAGING) + MAP)
    uri = derived_values._database_value(made, "database-uri", "u", Secret("x")).text()
    assert uri.endswith("?ssl_ca=%2Fetc%2Fcompany-ca%2Fca.crt")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("ca: {}", "give either configMap or secret"),
        ("ca: {configMap: a, secret: b}", "give either configMap or secret"),
        ("ca: {configMap: A_B}", "not a Kubernetes name"),
        ("ca: {configMap: a, key: ../x}", "not a Secret's key"),
        ("ca: {configMap: a, for: []}", "at least one"),
        ("ca: {configMap: a, for: [database, database]}", "at most once"),
        ("ca: {configMap: a, for: [registry]}", "'database', 'broker', 'git' or 'https'"),
        ("ca: company-ca", "it must be a mapping"),
    ],
)
def test_what_cannot_be_is_refused_at_its_line(part, words):
    text = f"{VERIFIED}{part}\n"
    problems = built(text).problems
    (problem,) = [item for item in problems if item.severity is Severity.ERROR]
    assert words in f"{problem.message} {problem.hint}"
    assert problem.line == len(text.splitlines())


@pytest.mark.thorough
@pytest.mark.parametrize("version", ["1.7.0", "1.9.0", "1.10.0", "1.16.0", "1.22.0"])
def test_each_container_that_is_told_of_the_file_has_it(version):
    """Task pods and jobs too; a chart that cannot is refused, and the one that can is named."""
    text = changed(STAGING, HTTPS, ("    secretName: airflow-git-ssh\n", ""), ("1.22.0", version))
    minor = int(version.split(".")[1])
    both = '"CeleryExecutor,KubernetesExecutor"' if minor > 15 else "KubernetesExecutor"
    text = changed(re.sub("(?m)^auth: .*$", "auth: {}", text), ("CeleryExecutor", both)) + MAP
    if minor < 17:
        text = changed(text, ("version: 3.2.2", "version: 2.10.5"))
    archive = chart_range.archive(version)
    made = built(text, charts=Charts(ChartCache(archive.path.parent)))
    if minor < 10:
        (lacks,) = (item for item in made.problems if "cannot express ca:" in item.message)
        assert lacks.severity is Severity.ERROR
        assert "needs chart 1.10.0 or later" in lacks.message
        return
    told = 0
    for name, container in containers(SdkEngine().render(generate.request(made, archive))):
        values = {row["name"]: row.get("value") for row in container.get("env", ())}
        if FILE in values.values():
            told += 1
            mounts = {item["mountPath"] for item in container.get("volumeMounts", ())}
            assert "/etc/company-ca" in mounts, (name, container["name"])
    assert told > 7


def containers(rendered):
    """Name of the object and container, of workloads, jobs and the file for task pods."""
    for item in rendered.manifests:
        template = (item.get("data") or {}).get("pod_template_file.yaml")
        pods = [yaml.safe_load(template)["spec"]] if template else []
        inner = (item.get("spec") or {}).get("jobTemplate", item).get("spec") or {}
        if item["kind"] in ("Deployment", "StatefulSet", "Job", "CronJob"):
            pods.append(inner["template"]["spec"])
        for pod in pods:
            for container in (*pod.get("initContainers", ()), *pod["containers"]):
                yield item["metadata"]["name"], container
