"""A rehearsal with real Airflow releases: a fifth of the rows tells what all of them take."""

import os

import pytest

from tests import postgresql
from tests.generator.airflow import filled, installed
from tests.repositories import STAGING, changed, repository, run

pytestmark = pytest.mark.nightly
# Less where the machine is small; four task instances in every run.
ENOUGH = 200_000
RUNS = int(os.environ.get("GEN_ENV_REHEARSAL_RUNS") or ENOUGH)
SLOWEST = "888b59e02a5b"  # makes columns of task_instance NOT NULL


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    """Dumps of Airflow 3.1.8 with a fifth of the rows, and with all."""
    folder = tmp_path_factory.mktemp("dumps")
    with postgresql.server() as server:
        for name, runs in (("fifth", RUNS // 5), ("whole", RUNS)):
            with postgresql.fresh_database(server, f"airflow_{name}") as url:
                filled.fill(url, folder, runs)
                filled.dump(url, folder / f"{name}.dump")
    filled.manifest(folder / "rows.json", RUNS)
    return folder


@pytest.fixture
def repo(tmp_path):
    text = changed(STAGING, ("version: 3.2.2", "version: 3.1.8"), ("tag: 3.2.2-r1", "tag: 3.1.8"))
    return repository(tmp_path / "repo", staging=text)


def rehearsed(repo, version, dump, *options):
    python = installed.python_of(version)
    done = run("-C", repo.root, "rehearse", "staging", "--airflow", version, "--dump", dump,
               "--python", python, *options, "-o", "json")  # fmt: skip
    assert done.code == 0, done.said
    return done.json


def test_a_provider_alone_moves_its_own_chain_and_comes_back(tmp_path):
    python, old = installed.python_of("3.2.2"), "6709f7a774b9"
    facts = "{airflow: 3.2.2, providers: {fab: 3.4.0}}"
    text = changed(STAGING, ("tag: 3.2.2-r1}", f"tag: 3.2.2-r1, facts: {facts}}}"))
    repo = repository(tmp_path / "repo", staging=text)
    with postgresql.server() as server, postgresql.fresh_database(server, "airflow") as url:
        down = ("fab-db", "downgrade", "--to-revision", old, "--yes")
        for command in (("db", "migrate"), down):
            filled.airflow(python, url, tmp_path, *command)
        filled.dump(url, tmp_path / "old.dump")
    found = rehearsed(repo, "3.2.2", tmp_path / "old.dump", "--repeat", "1")
    assert found["outcome"] == "passed" and found["back"]["outcome"] == "returns"
    assert {step["chain"] for step in found["steps"]} == {"alembic_version_fab"}
    assert found["start"]["heads"]["alembic_version_fab"] == [old]
    assert found["start"]["heads"]["alembic_version"] == found["end"]["heads"]["alembic_version"]


def expected(found):
    """Seconds of all revisions, without the start of the commands, which would hide them."""
    return sum(step["estimate"]["seconds"] for step in found["steps"])


@pytest.mark.parametrize("version", ["3.2.2", "3.3.2"])
def test_a_fifth_of_the_rows_tells_within_a_factor_of_two_what_all_of_them_take(
    repo, dumps, version
):
    small = rehearsed(repo, version, dumps / "fifth.dump", "--rows", dumps / "rows.json")
    whole = rehearsed(repo, version, dumps / "whole.dump", "--repeat", "1")
    for found in (small, whole):
        assert found["outcome"] == "passed" and found["back"]["outcome"] == "returns"
    took = sum(step["seconds"] for step in whole["steps"])
    print(f"{version}: {took:.1f} s for {RUNS} runs, expected {expected(small):.1f} s")
    for found in (small, whole):
        locks = {step["revision"]: step["locks"] for step in found["steps"]}[SLOWEST]
        assert locks["task_instance"][0] == "AccessExclusiveLock"
    if RUNS < ENOUGH:
        pytest.skip(f"times of {RUNS} runs are too short to be compared; all else was asserted")
    assert took / 2 <= expected(small) <= took * 2
    slow = [sorted(found["steps"], key=lambda step: -step["estimate"]["seconds"])[:2]
            for found in (small, whole)]  # fmt: skip
    assert all(SLOWEST in {step["revision"] for step in steps} for steps in slow)
