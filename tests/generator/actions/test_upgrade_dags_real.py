"""What `upgrade --dags bundles` writes, fetched by the git bundle of real Airflow."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from generator.redaction.secret import Secret
from generator.seal import git_connection
from tests.fakes import git_server
from tests.generator.airflow import installed
from tests.repositories import STAGING, Repo, changed, repository

pytestmark = pytest.mark.nightly

PROBE = Path(__file__).with_name("bundle_probe.py")
TOKEN = "a-token-of-the-dags"
REPOSITORY = "https://git.example.com/dags.git"
PRIVATE = changed(
    STAGING,
    ("git@git.example.com:dags.git", REPOSITORY),
    ("    secretName: airflow-git-ssh\n", "    secretName: airflow-git\n    subPath: flows\n"),
)


@pytest.fixture
def dags(tmp_path):
    """A repository of DAGs over HTTP that lets nobody in without the token."""
    work = Repo(tmp_path / "dags")
    work.write("flows/first.py", "")
    work.init()
    bare = tmp_path / "served" / "dags.git"
    work.git("clone", "--quiet", "--bare", ".", str(bare))
    work.git("remote", "add", "served", str(bare))
    with git_server.serving(bare.parent) as server:
        server.require("bot", TOKEN)
        yield work, server


@pytest.mark.parametrize("version", ["3.2.2", "3.3.2"])
def test_the_bundle_is_fetched_with_the_sealed_connection_and_versions_stay(
    version, dags, tmp_path
):
    python = installed.python_of(version, "git")
    work, server = dags
    branch = work.git("branch", "--show-current").strip()
    repo = repository(tmp_path / "repo", staging=changed(PRIVATE, ("3.2.2", version)))
    repo.run("generate")
    repo.init()
    done = repo.run("upgrade", "staging", "--dags", "bundles")
    assert done.code == 0, done.said
    values = repo.yaml("environments/staging/generated/values.yaml")
    (entry,) = values["dagProcessor"]["dagBundleConfigList"]
    secrets = [item for item in values["secret"] if "CONN_GIT" in item["envName"]]
    (secret,) = secrets
    assert entry["kwargs"].pop("repo_url") == REPOSITORY
    entry["kwargs"] |= {"repo_url": f"{server.url}/dags.git", "tracking_ref": branch}
    variables = {
        "AIRFLOW_HOME": str(tmp_path / "home"), "HOME": str(tmp_path / "home"),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([entry]),
        secret["envName"]: git_connection.with_token("bot", Secret(TOKEN)).text(),
    }  # fmt: skip
    first = work.git("rev-parse", "HEAD")
    assert fetched(python, variables) == [["first.py"], first]
    work.write("flows/second.py", "")
    work.commit("Second")
    work.git("push", "--quiet", "served", "HEAD")
    assert fetched(python, variables) == [["first.py", "second.py"], work.git("rev-parse", "HEAD")]
    assert fetched(python, variables, first) == [["first.py"], first]


def fetched(python, variables, *version):
    """Names of files, and commit, of the bundle as a fresh Airflow sees it."""
    done = subprocess.run(
        [python, PROBE, *version], capture_output=True, text=True, check=False, timeout=120,
        env={"PATH": os.environ["PATH"], **variables},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
