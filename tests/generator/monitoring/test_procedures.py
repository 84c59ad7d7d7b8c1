"""The pages of procedures: every command in them exists, and runs until it needs a cluster."""

import io
import re
import shlex

import pytest
from cryptography.fernet import Fernet

from generator.monitoring import procedures
from tests.generator.cli.test_seal import CATALOGUE, CERTIFICATE, KEY, certificate
from tests.generator.manifests.test_backups import with_backup
from tests.repositories import (
    DEV,
    PRODUCTION,
    SETTINGS,
    STAGING,
    built,
    changed,
    release,
    repository,
)

NAMES = ["disaster.md", "restore.md", "rollback.md", "secrets.md", "upgrade.md"]
ON = "runbooks: true\n"
PROMOTED = (
    CATALOGUE.replace("{sealing}", f"{{certificate: {CERTIFICATE}}}")
    + "promotion: {paths: {main: [staging, production]}}\n"
)
FLUX = changed(PRODUCTION, ("destination:", "engine: flux\ndestination:"))
VAULT = STAGING + "secrets: {provider: external-secrets, store: {name: vault}}\n"


def pages(text, settings=SETTINGS):
    return procedures.pages(release(text + ON, settings=settings))


def commands(found):
    """The lines of all blocks, and commands of gen-env in sentences."""
    for page in found.values():
        for block in re.findall(r"```sh\n(.*?)```", page, re.S):
            yield from block.splitlines()
        yield from re.findall(r"`(gen-env [^`]+)`", page)


VARIANTS = {
    "backup": with_backup(),
    "bucket": with_backup(STAGING, "{s3: {bucket: backups}}"),
    "no backup": PRODUCTION,
    "external backup": PRODUCTION + "backup: {external: snapshots of the provider}\n",
    "mysql": changed(PRODUCTION, ("database:\n", "database:\n  type: mysql\n")),
    "bundled": DEV,
    "flux": FLUX,
    "store": VAULT,
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_environment_has_every_page_without_a_gap(name):
    found = pages(VARIANTS[name])
    assert sorted(found) == NAMES
    for page in found.values():
        assert "$" not in page.replace("`", "") and "\n\n\n" not in page and "None" not in page
        assert page.count("```") % 2 == 0 and "```sh\n```" not in page


def test_no_pages_without_the_field():
    assert procedures.pages(release(PRODUCTION)) == {}


def test_they_are_files_of_the_tree_and_go_with_the_field(tmp_path):
    repo = repository(tmp_path / "repo", dev=DEV + ON)
    assert repo.run("generate").code == 0
    folder = repo.root / "environments/dev/generated/runbooks"
    assert sorted(path.name for path in folder.iterdir()) == NAMES
    assert repo.run("validate", "dev").said.count("tree/") == 0
    repo.definition("dev", DEV)
    assert repo.run("generate").code == 0
    assert not folder.exists()


def test_objects_in_the_commands_are_those_of_the_environment(official_chart):
    """What kubectl is asked for is in the rendered release, or among the manifests."""
    from generator.core.files import Snapshot
    from generator.manifests import ALL
    from generator.pipeline import generate, toolchain

    made = built(with_backup() + ON)
    files = Snapshot({})
    charts, renderer = toolchain.charts(files, None), toolchain.lazy(files, None)
    rendered = generate.render_release(made, charts, renderer, [])
    objects = [*rendered.manifests, *(x for item in ALL for x in item.objects(made.release))]
    known = {f"{x['kind'].lower()}/{x['metadata']['name']}" for x in objects}
    named = set()
    for line in commands(procedures.pages(made.release)):
        if line.startswith("kubectl --namespace airflow"):
            named |= set(re.findall(r"\b(?:deployment|statefulset|cronjob)/[\w-]+", line))
    assert "cronjob/airflow-backup" in named and "deployment/airflow-api-server" in named
    assert named <= known


def test_a_job_of_an_earlier_time_is_not_waited_for_in_place_of_the_new_one():
    lines = list(commands(pages(with_backup())))
    for job in re.findall(r"\bjob/([\w-]+)", " ".join(line for line in lines if " wait " in line)):
        waits = next(n for n, line in enumerate(lines) if " wait " in line and job in line)
        before = [line for line in lines[:waits] if job in line or "rehearsal-job.yaml" in line]
        assert any(f"delete job {job} --ignore-not-found" in line for line in before), job


def test_keda_does_not_start_again_what_a_rollback_stops():
    page = pages(with_backup())["rollback.md"]
    asked = "annotate scaledobject airflow-worker autoscaling.keda.sh/paused-replicas"
    order = [page.index(words) for words in (
        f"{asked}=0", "scale deployment/airflow-worker --replicas=0", f"{asked}-\n",
        "gen-env verify",
    )]  # fmt: skip
    assert order == sorted(order)
    assert "scaledobject" not in pages(DEV)["rollback.md"]


def test_the_order_of_a_rebuilt_cluster():
    page = " ".join(pages(with_backup())["disaster.md"].split())
    order = [page.index(words) for words in (
        "apply -f sealing-keys.yaml", "gen-env cluster inspect", "gen-env pause production",
        "apply -f bootstrap/root.yaml", "`airflow.example.com`", "gen-env verify",
    )]  # fmt: skip
    assert order == sorted(order)
    assert "Fernet key must be the old one" in page
    flux = pages(FLUX)["disaster.md"]
    assert "flux bootstrap" in flux and "root.yaml" not in flux
    assert "external-secrets brings" in pages(VAULT)["disaster.md"]


def test_versions_that_come_by_promotion_are_promoted():
    page = pages(PRODUCTION, PROMOTED)["upgrade.md"]
    assert "gen-env promote staging production --pr" in page
    assert "gen-env upgrade production --airflow VERSION\n" not in page
    assert "gen-env upgrade production --airflow VERSION\n" in pages(PRODUCTION)["upgrade.md"]


def test_each_secret_has_a_way_to_be_rotated():
    found = release(with_backup() + ON)
    page = procedures.pages(found)["secrets.md"]
    together = {"prod-database", "airflow-result-backend", "airflow-pgbouncer-config",
                "airflow-pgbouncer-stats"}  # fmt: skip
    for need in found.needs:
        assert (f"## {need.name} (" in page) == (need.name not in together), need.name
    assert page.count("--user ROLE") == 1
    assert "airflow-jwt-secret --generate --replace" in page
    assert "airflow-fernet-key --generate" not in page and "--rotate-fernet --reencrypted" in page
    assert "--replace" not in pages(DEV)["secrets.md"].partition("airflow-postgresql-password")[2]


# gen-env as the pages have it


@pytest.fixture(scope="module")
def lines():
    found = {line for text in VARIANTS.values() for line in commands(pages(text))}
    found |= set(commands(pages(PRODUCTION, PROMOTED)))
    return sorted(found)


def test_other_programs_are_kubectl_alone(lines):
    assert {line.split()[0] for line in lines} == {"gen-env", "kubectl"}
    verbs = {re.sub(r"kubectl (--namespace \S+ )?", "", line).split()[0] for line in lines
             if line.startswith("kubectl")}  # fmt: skip
    assert verbs <= {
        "annotate",
        "apply",
        "create",
        "delete",
        "exec",
        "get",
        "logs",
        "rollout",
        "scale",
        "wait",
    }


# What ends a command where there is neither a cluster nor a forge.
ENDS = {
    "cluster": "cannot use context CONTEXT",
    "promote": "blocked by gate verified",
    "--dump": "dump not found",
    "--result": "printed.json: cannot read",
    "--resume": "has no pause by gen-env",
    "--fetch-cert": "clusters.main.context",
    "verify": "cannot use context",
}


def test_every_command_of_gen_env_runs_until_it_needs_the_world(
    official_chart, tmp_path, monkeypatch
):
    texts = {"staging": STAGING, "production": with_backup()}
    repo = repository(tmp_path / "repo", settings=PROMOTED, **texts)
    repo.write(CERTIFICATE, certificate())
    assert repo.run("generate").code == 0
    key = Fernet.generate_key().decode()
    for name in texts:
        assert repo.run("seal", name, "airflow-fernet-key", f"fernet-key={key}").code == 0
    repo.init()
    for name in texts:
        repo.edit(f"environments/{name}/environment.yaml", "tag: 3.2.2-r1", "tag: 3.2.2-r2")
    assert repo.run("generate").code == 0
    repo.commit("Another image")
    values = {"VERSION": "3.3.2", "IMAGE": "r/airflow:3.3.2", "TIME": "2026-01-02T03:04:05Z",
              "FILE": str(tmp_path / "key")}  # fmt: skip
    (tmp_path / "key").write_text(KEY, "utf-8")
    monkeypatch.chdir(repo.root)
    run = []
    lines = {line for text in texts.values() for line in commands(pages(text, PROMOTED))}
    for line in sorted(lines):
        words = [values.get(word, word.replace("=FILE", f"={tmp_path / 'key'}"))
                 for word in shlex.split(line.partition(" > ")[0])][1:]  # fmt: skip
        if line.startswith("kubectl"):
            continue
        if words[0] in ("upgrade", "rollback", "promote", "pause") and "--dry-run" not in words:
            words = [word for word in words if word != "--pr"] + ["--dry-run"]
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(key.encode())))
        done = repo.run(*words)
        ends = next((ENDS[word] for word in words if word in ENDS), None)
        if words[0] == "validate":
            ends = "secrets/stub" if done.code else None
        if words[0] == "seal" and len(words) == 3 and words[2].startswith("airflow"):
            ends = "no terminal to ask on"
        assert (done.code == 0) == (ends is None) and done.code < 2, (line, done.said)
        assert ends is None or ends in done.said, (line, done.said)
        run.append(words[0])
    assert len(run) > 30
