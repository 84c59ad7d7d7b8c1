import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from generator.actions import new
from generator.actions.lifecycle import new_questions
from generator.cli import new as command
from generator.core.errors import UserError
from generator.core.files import WorkTree
from generator.pipeline import toolchain
from tests.repositories import (
    DEV,
    PRODUCTION,
    SETTINGS,
    Repo,
    ciphertext,
    repository,
    run,
    snapshot,
)

COMMAND = Path(sys.executable).with_name("gen-env")
STAGING = ("--set", "database.host=pg.example.com")
DAGS = "dags.gitSync.repository=https://x/y.git"
HOST = "a.example.com"


@pytest.fixture
def repo(tmp_path):
    return repository(tmp_path / "repo").init()


def default_answer(question, default):
    return default


def written(repo, name="dev"):
    return repo.yaml(f"environments/{name}/environment.yaml")


def test_of_several_clusters_none_is_guessed_and_the_option_for_one_is_named(repo):
    repo.edit(
        "gen-env.yaml",
        "clusters:\n",
        "clusters:\n  eu: {server: https://10.0.0.9:6443, kubernetesVersion: 1.34.2}\n",
    )
    done = repo.run("new", "dev", "--no-input")
    assert done.code == 2 and "give it with --cluster" in done.stderr
    assert repo.run("new", "dev", "--no-input", "--cluster", "eu").code == 0


def test_makes_one_commit_on_its_own_branch_and_leaves_a_clean_tree(repo):
    before = repo.git("rev-parse", "main")
    done = repo.run("new", "dev", "--no-input")
    assert done.code == 0
    assert repo.git("branch", "--show-current") == "new/dev"
    assert repo.git("rev-list", "--count", "main..new/dev") == "1"
    assert repo.git("rev-parse", "main") == before
    assert repo.git("status", "--porcelain") == ""
    changed = repo.git("diff", "--name-only", "main", "new/dev").splitlines()
    assert sorted(done.stdout.splitlines()) == sorted(changed)
    assert "environments/dev/environment.yaml" in changed
    assert repo.git("log", "-1", "--format=%s") == "Add environment dev"
    assert "committed" in done.stderr and "gen-env secrets dev" in done.stderr


def test_what_it_makes_is_current_and_without_errors(repo):
    repo.run("new", "dev", "--no-input")
    assert repo.run("generate", "--check").code == 0
    assert repo.run("validate", "dev").code == 0


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("name", "tier", "executor"),
    [
        ("dev", "development", "LocalExecutor"),
        ("staging", "staging", "CeleryExecutor"),
        ("qa-2", "staging", "CeleryExecutor"),
        ("production", "production", "CeleryExecutor"),
        ("anything", "production", "CeleryExecutor"),
    ],
)
def test_the_name_suggests_the_tier_and_production_is_the_strictest_guess(
    repo, name, tier, executor
):
    assert repo.run("new", name, "--no-input", *STAGING).code == 0
    data = written(repo, name)
    assert data["metadata"] == {"name": name, "tier": tier}
    assert data["airflow"]["executor"] == executor
    assert ("auth" in data) == (tier == "development")


def test_a_team_gives_the_folder_the_metadata_and_the_namespace(repo):
    assert repo.run("new", "dev", "--team", "payments", "--no-input").code == 0
    data = written(repo, "payments/dev")
    assert data["metadata"] == {"name": "dev", "team": "payments", "tier": "development"}
    assert data["destination"]["namespace"] == "payments-airflow-dev"
    assert repo.git("branch", "--show-current") == "new/payments/dev"
    first = repo.read("environments/payments/dev/environment.yaml").splitlines()[0]
    schema = first.partition("$schema=")[2]
    assert (repo.root / "environments/payments/dev" / schema).resolve().is_file()


def test_branch_and_no_commit(repo):
    assert repo.run("new", "dev", "--no-input", "--branch", "feature/x").code == 0
    assert repo.git("branch", "--show-current") == "feature/x"
    before = repo.git("rev-parse", "HEAD")
    assert repo.run("new", "test", "--no-input", "--no-commit").code == 0
    assert repo.git("rev-parse", "HEAD") == before
    assert repo.git("branch", "--show-current") == "feature/x"
    assert (repo.root / "environments/test/generated/values.yaml").is_file()


def test_no_commit_needs_no_git(tmp_path):
    repo = repository(tmp_path)
    assert repo.run("new", "dev", "--no-input", "--no-commit").code == 0
    assert not (tmp_path / ".git").exists()


# What the user has at hand


def test_unrelated_dirty_staged_and_untracked_files_are_left_alone(repo):
    repo.write("README.md", "one\n")
    repo.write("notes.txt", "one\n")
    repo.commit("files")
    repo.write("README.md", "two\n")
    repo.write("notes.txt", "staged\n")
    repo.git("add", "notes.txt")
    repo.write("notes.txt", "staged, and then more\n")
    repo.write("staged-new.txt", "new\n")
    repo.git("add", "staged-new.txt")
    repo.write("untracked.txt", "x\n")
    before = repo.git("status", "--porcelain")
    assert repo.run("new", "dev", "--no-input").code == 0
    assert repo.git("status", "--porcelain") == before
    assert repo.git("show", ":notes.txt") == "staged"
    assert repo.read("notes.txt") == "staged, and then more\n"
    assert "README.md" not in repo.git("show", "--name-only", "--format=", "HEAD")


def test_on_a_detached_head_the_branch_starts_there(repo):
    repo.write("x", "1")
    repo.commit("second")
    start = repo.git("rev-parse", "HEAD~1")
    repo.git("checkout", "--quiet", "--detach", start)
    assert repo.run("new", "dev", "--no-input").code == 0
    assert repo.git("rev-parse", "new/dev~1") == start


def test_another_git_at_work_is_named_and_nothing_is_left(repo):
    before = snapshot(repo)
    lock = repo.write(".git/index.lock", "")
    done = repo.run("new", "dev", "--no-input")
    lock.unlink()
    assert done.code == 1 and "index.lock" in done.stderr
    assert snapshot(repo) == before


def test_before_the_first_commit(tmp_path):
    repo = repository(tmp_path)
    repo.git("init", "--quiet", "--initial-branch=main")
    assert repo.run("new", "dev", "--no-input").code == 0
    assert repo.git("rev-list", "--count", "HEAD") == "1"
    assert repo.git("branch", "--show-current") == "new/dev"
    assert repo.git("status", "--porcelain") == "?? gen-env.yaml"


def test_in_a_linked_work_tree(repo, tmp_path):
    linked = Repo(tmp_path / "linked")
    repo.git("worktree", "add", "--quiet", "-b", "side", linked.root)
    assert linked.run("new", "dev", "--no-input").code == 0
    assert linked.git("branch", "--show-current") == "new/dev"
    assert repo.git("branch", "--show-current") == "main"
    assert not (repo.root / "environments").exists()


def test_big_files_of_the_repository_are_no_concern(repo):
    repo.write("data/model.bin", b"\0" * (5 * 1024 * 1024))
    (repo.root / "data" / "link").symlink_to("nowhere")
    assert repo.run("new", "dev", "--no-input").code == 0


def test_from_another_new_environment_it_begins_at_the_default_branch(repo):
    assert repo.run("new", "dev", "--no-input").code == 0
    repo.write("notes.txt", "mine")
    done = repo.run("new", "test", "--no-input")
    assert done.code == 0 and f"from {repo.git('rev-parse', 'main')[:12]}" in done.stderr
    assert repo.git("rev-list", "--count", "main..new/test") == "1"
    assert not (repo.root / "environments/dev").exists()
    assert repo.git("status", "--porcelain") == "?? notes.txt"
    assert repo.run("generate", "--check").code == 0


def test_a_failure_there_ends_on_the_branch_it_began_on(repo):
    assert repo.run("new", "dev", "--no-input").code == 0
    hook = repo.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    refused(repo, "test", "--no-input")
    assert repo.git("branch", "--show-current") == "new/dev"


# Failing


def refused(repo, *arguments):
    """Run `new`, which must fail with 1 or 2 and change nothing at all."""
    before = snapshot(repo)
    done = repo.run("new", *arguments)
    assert done.code in (1, 2), done.said
    assert done.stdout == ""
    assert "internal error" not in done.stderr and "Traceback" not in done.stderr
    assert snapshot(repo) == before
    return done.stderr


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "name",
    ["Staging", "a_b", "-x", "x-", "a.b", "../x", "/etc", "x" * 64, "", " ", "a/b/c", "é", "a\nb"],
)
def test_a_name_that_is_no_dns_label_is_refused(repo, name):
    refused(repo, "--no-input", "--", name)


@pytest.mark.few(2)
@pytest.mark.parametrize("team", ["Payments", "../x", "a/b", ""])
def test_a_team_that_is_no_dns_label_is_refused_or_none(repo, team):
    if team:
        refused(repo, "dev", "--team", team, "--no-input")
    else:
        assert repo.run("new", "dev", "--team", team, "--no-input").code == 0


@pytest.mark.parametrize("name", ["generated", "secrets", "payments/generated"])
def test_a_name_that_gen_env_needs_for_its_own_folders_is_refused(repo, name):
    assert "another name" in refused(repo, name, "--no-input", *STAGING)


def test_an_environment_that_is_there_is_named(repo):
    repo.run("new", "dev", "--no-input", "--branch", "added")
    said = refused(repo, "dev", "--no-input")
    assert 'environment "dev" already exists' in said and "gen-env generate dev" in said


def test_two_environments_that_would_be_one_application_are_refused(repo):
    added = ("--no-input", "--branch", "added")
    assert repo.run("new", "dev", "--team", "payments", *added).code == 0
    assert "payments/dev" in refused(repo, "payments-dev", "--no-input")


def test_a_branch_that_exists_is_refused_before_anything_is_written(repo):
    repo.git("branch", "new/dev")
    assert "'new/dev' already exists" in refused(repo, "dev", "--no-input")


def test_a_branch_name_in_the_way_of_the_folder_of_branches_is_refused(repo):
    repo.git("branch", "new")
    refused(repo, "dev", "--no-input")


@pytest.mark.few(2)
@pytest.mark.parametrize("branch", ["a..b", "-x", "x.lock", "a b", "HEAD~"])
def test_what_is_no_name_for_a_branch_is_refused(repo, branch):
    refused(repo, "dev", "--no-input", f"--branch={branch}")


def test_a_hook_that_refuses_leaves_everything_as_it_was(repo):
    hook = repo.write(".git/hooks/pre-commit", "#!/bin/sh\necho no luck today >&2\nexit 1\n")
    hook.chmod(0o755)
    repo.write("staged.txt", "x")
    repo.git("add", "staged.txt")
    assert "no luck today" in refused(repo, "dev", "--no-input")


def test_without_an_identity_nothing_is_left(repo, monkeypatch):
    for role in ("AUTHOR", "COMMITTER"):
        for part in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{part}")
    repo.git("config", "user.useConfigOnly", "true")
    assert "git config --global user.name" in refused(repo, "dev", "--no-input")


def test_ignored_paths_are_refused_with_the_pattern(repo):
    repo.write(".gitignore", "secrets/\n")
    repo.commit("ignore")
    assert "git ignores" in refused(repo, "dev", "--no-input")


def test_a_half_done_merge_is_refused(repo):
    repo.git("checkout", "--quiet", "-b", "other")
    repo.write("x", "1")
    repo.commit("x1")
    repo.git("checkout", "--quiet", "main")
    repo.write("x", "2")
    repo.commit("x2")
    repo.git("merge", "other", check=False)
    refused(repo, "dev", "--no-input")


def test_uncommitted_files_in_the_way_are_refused(repo):
    repo.run("new", "dev", "--no-input")
    repo.git("checkout", "--quiet", "main")
    repo.write("bootstrap/root.yaml", "# Generated by gen-env, then by hand\n")
    assert "uncommitted changes in bootstrap/root.yaml" in refused(repo, "test", "--no-input")


def test_foreign_files_in_the_new_folder_are_refused(repo):
    repo.write("environments/dev/generated/values.yaml", "mine: 1\n")
    assert "[tree/not-ours]" in refused(repo, "dev", "--no-input")


@pytest.mark.parametrize(
    "place", ["environments", "environments/dev", "environments/dev/generated"]
)
def test_a_symbolic_link_in_the_way_is_not_followed(repo, tmp_path, place):
    outside = tmp_path / "outside"
    outside.mkdir()
    link = repo.root / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    refused(repo, "dev", "--no-input")
    assert list(outside.iterdir()) == []


def test_outside_of_git_it_says_so(tmp_path):
    repo = repository(tmp_path)
    before = repo.tree(), repo.folders()
    done = repo.run("new", "dev", "--no-input")
    assert done.code == 1 and "not inside a git repository" in done.stderr
    assert (repo.tree(), repo.folders()) == before


def test_broken_settings_are_told_with_their_line(repo):
    repo.edit("gen-env.yaml", "kind: Repository", "kind: Repository\nclustres: {}")
    repo.commit("broken")
    assert "gen-env.yaml:3" in refused(repo, "dev", "--no-input")


# Questions and fields


def test_no_input_names_what_is_missing_and_how_to_give_it(repo):
    said = refused(repo, "staging", "--no-input")
    assert "database.host" in said and "--set" in said


def test_no_input_names_a_cluster_that_must_be_chosen(tmp_path):
    settings = SETTINGS + "  other:\n    server: https://10.0.0.2\n    kubernetesVersion: 1.34.2\n"
    repo = repository(tmp_path, settings=settings).init()
    assert "cluster (main, other)" in refused(repo, "dev", "--no-input")
    assert repo.run("new", "dev", "--no-input", "--cluster", "other").code == 0
    assert written(repo)["destination"]["cluster"] == "other"


def test_an_unknown_cluster_is_refused_with_those_that_are_known(repo):
    assert "known clusters: main" in refused(repo, "dev", "--no-input", "--cluster", "mian")


def test_answers_of_a_person_land_in_the_definition(repo):
    answers = {
        "database.host": "pg.example.com",
        "dags.gitSync.repository": "https://git.example.com/dags.git",
        "ingress.host": "airflow.example.com",
    }
    asked = []

    def ask(question, default):
        asked.append(question)
        return next((answer for key, answer in answers.items() if key in question), default)

    options = new.Options("staging", None, None, None, {})
    creation = new.prepare(repo.root, options, ask, toolchain.charts(), None)
    new.write(repo.root, creation)
    data = written(repo, "staging")
    assert [question.strip().partition("\n")[0] for question in asked if question[0] == "\n"] == [
        *("Database", "DAGs", "Access", "Network")
    ]
    assert data["database"]["host"] == "pg.example.com"
    assert data["dags"]["gitSync"]["repository"] == "https://git.example.com/dags.git"
    assert data["ingress"]["host"] == "airflow.example.com"


@pytest.mark.parametrize(
    ("cluster", "field", "way"),
    [
        ("gateway: {parentRefs: [{name: g}]}", "gateway.hostnames", {"hostnames": [HOST]}),
        ("openshift: true", "route.host", {"host": HOST}),
        ("keda: {namespace: keda}", "ingress.host", {"host": HOST, "tls": {}}),
    ],
)
def test_the_host_name_is_asked_for_the_way_in_that_the_cluster_has(repo, cluster, field, way):
    line = next(line for line in repo.read("gen-env.yaml").splitlines() if "ingress:" in line)
    repo.edit("gen-env.yaml", line, f"    {cluster}")
    answers = {"database.host": "pg.example.com", field: HOST}

    def ask(question, default):
        return next((answer for key, answer in answers.items() if key in question), default)

    options = new.Options("staging", None, None, None, {})
    new.write(repo.root, new.prepare(repo.root, options, ask, toolchain.charts(), None))
    ways = {"ingress", "gateway", "route"}
    found = {key: value for key, value in written(repo, "staging").items() if key in ways}
    assert found == {field.partition(".")[0]: way}


def test_the_prompt_goes_to_stderr_and_takes_an_answer(repo, monkeypatch):
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("pg.example.com\n" + "\n" * 9))
    done = repo.run("new", "staging")
    assert done.code == 0, done.said
    assert "database.host" in done.stderr and "database.host" not in done.stdout
    assert written(repo, "staging")["dags"] == {"image": {}}


def test_the_end_of_input_names_the_open_question_and_changes_nothing(repo, monkeypatch):
    import io

    monkeypatch.setattr(sys, "stdin", io.StringIO("pg.example.com\n"))
    before = snapshot(repo)
    done = repo.run("new", "staging")
    assert done.code == 2 and "end of standard input: no value for git repository" in done.stderr
    assert "(dags.gitSync.repository); give it with --set" in done.stderr
    assert snapshot(repo) == before


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("fields", "path", "value"),
    [
        (["airflow.version=3.1.8"], ("airflow", "version"), "3.1.8"),
        (["image.tag=1234e5"], ("image", "tag"), "1234e5"),
        (["workers.replicas=3"], ("workers", "replicas"), 3),
        (["sync.automated=false"], ("sync", "automated"), False),
        (["airflow.config.core.parallelism=64"], ("airflow", "config", "core", "parallelism"), 64),
        (["labels={cost: data, a: b}"], ("labels",), {"cost": "data", "a": "b"}),
        ([DAGS], ("dags", "gitSync", "repository"), "https://x/y.git"),
        ([DAGS, "dags.gitSync.period=5m"], ("dags", "gitSync", "period"), "5m"),
        (["dags.bundles=[{name: a, type: local, path: /d}]"], ("dags", "bundles", 0, "name"), "a"),
        (["dags.persistence.existingClaim=dags"], ("dags", "persistence", "existingClaim"), "dags"),
        (["auth.oidc={issuer: 'https://id', clientId: a}"], ("auth", "oidc", "clientId"), "a"),
        (["database.host=pg"], ("database", "host"), "pg"),
        (["database.host=pg", "database.type=mysql"], ("database", "type"), "mysql"),
        (["destination.namespace=other"], ("destination", "namespace"), "other"),
        (["values.scheduler.safeToEvict=true"], ("values", "scheduler", "safeToEvict"), True),
        (["ingress.host=a.example.com"], ("ingress", "host"), "a.example.com"),
        (["gateway.hostnames=[a.example.com]"], ("gateway", "hostnames", 0), "a.example.com"),
        (["metadata.tier=staging", "database.host=pg"], ("metadata", "tier"), "staging"),
    ],
    ids=lambda item: ",".join(item) if isinstance(item, list) else "",
)  # fmt: skip
def test_any_field_can_be_set(repo, fields, path, value):
    arguments = [part for field in fields for part in ("--set", field)]
    done = repo.run("new", "dev", "--no-input", *arguments)
    assert done.code == 0, done.said
    data = written(repo)
    for key in path:
        data = data[key]
    assert (str(data) if isinstance(value, str) else data) == value


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "field",
    ["nosuch=1", "workers.replcas=1", "workers.replicas=many", "metadata.name=other", "x", "=1",
     "labels=[", "airflow.version=latest", "a..b=1", "destination.cluster=mars",
     "dags.gitSync.repository={{ 1 }}", "database.host={% raw %}", "airflow.executor=Dask"],
)  # fmt: skip
def test_a_field_that_cannot_be_is_refused(repo, field):
    refused(repo, "dev", "--no-input", "--set", field)


def test_values_of_fields_are_not_quoted_back(repo):
    said = refused(repo, "dev", "--no-input", "--set", "workers.replicas=canary-5512")
    assert "canary-5512" not in said


# --from


@pytest.fixture
def estate(tmp_path):
    repo = repository(tmp_path / "repo", production=PRODUCTION)
    repo.run("generate")
    repo.seal("production")
    repo.run("generate")
    return repo.init()


OWN = {
    "database.host": "pg2.example.com",
    "database.cidrs": "[10.22.0.0/24]",
    "ingress.host": "a2.example.com",
    "auth.oidc.clientId": "airflow-staging",
    "logging.remote.url": "s3://logs/staging",
    "networkPolicy.peers.logs": "[{cidr: 10.42.0.0/24}]",
}


def given(*without):
    return [
        part
        for field, value in OWN.items()
        if field not in without
        for part in ("--set", f"{field}={value}")
    ]


def test_from_leaves_secrets_hosts_and_names_behind(estate):
    done = estate.run("new", "staging", "--from", "production", "--no-input", *given())
    assert done.code == 0, done.said
    data = written(estate, "staging")
    assert data["metadata"] == {"name": "staging", "tier": "staging"}
    assert "namespace" not in data["destination"]
    assert data["database"] == {"host": "pg2.example.com", "cidrs": ["10.22.0.0/24"]}
    assert data["ingress"]["host"] == "a2.example.com"
    assert data["pgbouncer"] == {"replicas": 2, "poolSize": 20}
    text = estate.read("environments/staging/environment.yaml")
    assert text.startswith("# What earns money."), "comments are kept"
    for own in ("prod-database", "pg.example.com", "s3://logs/production", "10.20.", "10.40."):
        assert own not in text
    assert "10.30.0.0" not in text, "what production's tasks may reach is production's"
    assert "networkPolicy.taskEgress" in done.stderr and "auth.oidc.issuer" in done.stderr
    for path in (estate.root / "environments/staging/secrets").glob("*.yaml"):
        assert ciphertext(path.stem) not in path.read_text()
    assert estate.run("validate", "staging").code == 0


def test_from_names_everything_that_it_would_ask_for_at_once(estate):
    said = refused(estate, "staging", "--from", "production", "--no-input")
    assert all(field in said for field in OWN), said
    one = refused(estate, "staging", "--from", "production", "--no-input", *given("ingress.host"))
    assert "ingress.host of staging" in one and "database.host" not in one


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("ingress.host=airflow.example.com", "estate/duplicate-host"),
        ("destination.namespace=airflow", "estate/duplicate-namespace"),
        ("database={host: pg.example.com}", "estate/duplicate-database"),
        ("destination.application=airflow-production", "estate/duplicate-application"),
    ],
)
@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_what_another_environment_has_is_refused_before_anything_is_written(
    estate, name, field, rule
):
    said = refused(estate, name, "--tier=development", "--no-input", "--set", field)
    assert f"[{rule}]" in said and "environment production has the same" in said
    assert f"environments/{name}/environment.yaml:" in said


def test_from_takes_answers_of_a_person(estate, monkeypatch):
    import io

    answers = ["pg2.example.com", "a2.example.com", "airflow-staging", "s3://logs/staging"]
    answers += ["10.22.0.0/24, 10.23.0.0/24", "10.42.0.0/24"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(answers) + "\n"))
    done = estate.run("new", "staging", "--from", "production")
    assert done.code == 0, done.said
    data = written(estate, "staging")
    assert data["database"]["cidrs"] == ["10.22.0.0/24", "10.23.0.0/24"]
    assert data["networkPolicy"]["peers"]["logs"] == [{"cidr": "10.42.0.0/24"}]


def test_from_an_unknown_environment_is_refused(estate):
    assert 'environment "nowhere" not found' in refused(
        estate, "x", "--from", "nowhere", "--no-input"
    )


def test_from_a_broken_environment_is_refused(estate):
    estate.write("environments/production/environment.yaml", "a: [")
    estate.commit("broken")
    refused(estate, "x", "--from", "production", "--no-input")


def test_from_into_a_team_keeps_the_editors_schema_at_hand(tmp_path):
    first = "# yaml-language-server: $schema=../../.gen-env/environment.schema.json\n"
    repo = repository(tmp_path, dev=first + DEV).init()
    assert repo.run("new", "dev", "--team", "payments", "--from", "dev", "--no-input").code == 0
    text = repo.read("environments/payments/dev/environment.yaml")
    schema = text.splitlines()[0].partition("$schema=")[2]
    assert (repo.root / "environments/payments/dev" / schema).resolve().is_file()
    assert written(repo, "payments/dev")["metadata"]["team"] == "payments"


def test_from_can_choose_another_way_to_bring_dags(tmp_path):
    repo = repository(tmp_path, dev=DEV).init()
    way = ("--set", "dags.gitSync.repository=https://git.example.com/d.git")
    assert repo.run("new", "test", "--from", "dev", "--no-input", *way).code == 0
    assert "image" not in written(repo, "test")["dags"]


# Interrupted, or no room


def slow_hook(repo, started):
    hook = repo.write(".git/hooks/pre-commit", f"#!/bin/sh\ntouch {started}\nsleep 30\n")
    hook.chmod(0o755)


@pytest.mark.thorough
def test_ctrl_c_while_a_hook_runs_leaves_everything_as_it_was(repo, tmp_path):
    started = tmp_path / "started"
    slow_hook(repo, started)
    repo.write("staged.txt", "x")
    repo.git("add", "staged.txt")
    before = snapshot(repo)
    process = subprocess.Popen(
        [COMMAND, "-C", repo.root, "new", "dev", "--no-input"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever runs the tests in the background of a script has it ignored, and so have we.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while not started.exists() and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 130, stderr
    assert stdout == "" and "Traceback" not in stderr
    assert snapshot(repo) == before


@pytest.mark.thorough
def test_an_interruption_at_any_write_leaves_everything_as_it_was(repo, monkeypatch):
    options = new.Options("dev", None, None, None, {})
    creation = new.prepare(
        repo.root, options, lambda question, default: default, toolchain.charts(), None
    )
    before = snapshot(repo)
    replace = Path.replace
    for number in range(len(creation.plan.paths)):
        left = [number]

        def interrupted(self, target, left=left):
            if left[0] == 0:
                left[0] = -1
                raise KeyboardInterrupt
            left[0] -= 1
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            new.commit(repo.root, creation, "new/dev")
        monkeypatch.undo()
        assert snapshot(repo) == before


@pytest.mark.thorough
def test_a_full_disk_leaves_everything_as_it_was(repo):
    before = snapshot(repo)
    script = (
        "import resource, signal, sys; from generator.cli.main import main;"
        "import generator.actions.new as new; write = new.commit\n"
        "def limited(*arguments):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))\n"
        "    return write(*arguments)\n"
        "new.commit = limited; sys.exit(main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "-C", repo.root, "new", "dev", "--no-input"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "cannot write" in done.stderr and "nothing was changed" in done.stderr
    assert snapshot(repo) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere: run the tests as a user")
def test_a_read_only_folder_leaves_everything_as_it_was(repo):
    (repo.root / "environments").mkdir()
    (repo.root / "environments").chmod(0o555)
    try:
        assert "cannot write" in refused(repo, "dev", "--no-input")
    finally:
        (repo.root / "environments").chmod(0o755)


def test_asking_refuses_without_input_unless_there_is_a_default():
    assert command._refuse("question", "default") == "default"
    with pytest.raises(new_questions.Unanswered):
        command._refuse("question", "")


def test_prepare_writes_nothing(repo):
    before = snapshot(repo)
    options = new.Options("dev", None, None, None, {})
    creation = new.prepare(
        repo.root, options, lambda question, default: default, toolchain.charts(), None
    )
    assert new.acceptable(creation) and creation.plan
    assert snapshot(repo) == before


def test_a_commit_refuses_paths_that_are_dirty(repo):
    options = new.Options("dev", None, None, None, {})
    creation = new.prepare(
        repo.root, options, lambda question, default: default, toolchain.charts(), None
    )
    repo.write(".gen-env/environment.schema.json", "mine")
    with pytest.raises(UserError, match="uncommitted changes"):
        new.commit(repo.root, creation, "new/dev")
    assert WorkTree(repo.root).read(".gen-env/environment.schema.json") == b"mine"


def test_help_is_there():
    assert "--no-input" in run("new", "--help").stdout
