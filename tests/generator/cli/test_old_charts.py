"""Every command on environments with old charts: what it says is about that chart."""

import re

import pytest

from tests import chart_range
from tests.bare import Bare
from tests.generator.adoption.test_chart_range import AIRFLOW_2, AIRFLOW_3, BOTH
from tests.repositories import DEV, SETTINGS, STAGING, changed, repository

pytestmark = pytest.mark.thorough
CHARTS = {
    "1.9.0": ("2.5.2", "2.5.3"),
    "1.11.0": ("2.7.1", "2.7.2"),
    "1.13.1": ("2.8.2", "2.8.3"),
    "1.18.0": ("3.0.2", "3.0.3"),
}
PATHS = "promotion: {paths: {main: [dev, staging]}}\n"
HOSTS = [part for name in ("database", "broker") for part in ("--set", f"{name}.host=x.example")]
COMMANDS = {
    ("explain", "staging"): ["chart {chart} reads:", "chart {chart} has no:"],
    ("status",): ["staging      {old}"],
    ("secrets", "staging"): ["airflow-fernet-key", "keys to seal"],
    ("diff", "HEAD~1"): ["Airflow {old} → {new}", "Judged by chart {chart}"],
    ("promote", "dev", "staging", "--force", "tried", "--dry-run"): ["{old}", "{new}"],
    ("rollback", "dev", "--force", "tried", "--dry-run"): [
        "Roll dev back",
        "chart {chart}, Airflow {old}",
    ],
    ("pause", "dev", "--dry-run"): ["environments/dev/environment.yaml"],
    ("harden", "dev", "--list"): ["dev is not adopted"],
    ("eject", "--dry-run"): ["environments/dev/generated/values.yaml", "1. commit this"],
}


@pytest.fixture(scope="module", params=CHARTS)
def place(request, tmp_path_factory):
    """A clone in which Airflow moved in dev, and the words that it is about."""
    version = request.param
    old, new = CHARTS[version]
    root = tmp_path_factory.mktemp(version)
    cache = chart_range.archive(version).path.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_ENV_CHART_CACHE", str(cache))
        texts = {}
        for name, text in (("dev", DEV), ("staging", STAGING)):
            on_it = text.replace("1.22.0", version).replace("3.2.2", old)
            texts[name] = re.sub("(?m)^auth: .*$", "auth: {}", on_it)
        repo = repository(root / "clone", settings=SETTINGS + PATHS, **texts)
        assert (done := repo.run("generate")).code == 0, done.said
        bare = Bare(root / "remote.git")
        bare.init()
        repo.init().git("remote", "add", "origin", str(bare.path))
        path = "environments/dev/environment.yaml"
        repo.write(path, changed(repo.read(path), (f"version: {old}", f"version: {new}")))
        assert (done := repo.run("generate")).code == 0, done.said
        repo.commit("Move Airflow")
        repo.git("push", "--quiet", "--set-upstream", "origin", "main")
        yield repo, {"chart": version, "old": old, "new": new}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_command_speaks_of_the_chart_that_runs(place, command, monkeypatch):
    repo, names = place
    cache = chart_range.archive(names["chart"]).path.parent
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(cache))
    before = repo.tree()
    done = repo.run(*command)
    assert done.code == (1 if command[0] == "harden" else 0), done.said
    for words in COMMANDS[command]:
        assert words.format(**names) in done.said
    assert repo.tree() == before


@pytest.mark.parametrize("version", CHARTS)
def test_every_hardening_step_is_taken_on_the_chart_that_was_adopted(
    version, tmp_path, monkeypatch
):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(chart_range.archive(version).path.parent))
    repo = repository(tmp_path / "repo")
    values = AIRFLOW_3 if CHARTS[version][0].startswith("3.") else AIRFLOW_2
    repo.write("old.yaml", values + BOTH)
    done = repo.run("adopt", "old.yaml", "--name", "dev", "--write", "--chart", version, *HOSTS)
    assert done.code == 0, done.said
    steps = []
    while "adoption:" in repo.read("environments/dev/environment.yaml"):
        done = repo.run("harden", "dev")
        assert done.code == 0, done.said
        assert f"Judged by chart {version}" in done.said or "No rendered object" in done.said
        steps.append(done.stdout.partition(":")[0])
    assert len(steps) > 8 and len(set(steps)) == len(steps)
    assert repo.run("generate", "--check").code == 0
