"""Every command on environments with charts and an Airflow that are not gen-env's own.

What it says is about them; of what no table knows, it says by which it judged.
"""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from generator.chart.cache import ChartCache
from generator.release import chart_lines
from generator.release.chart_lines import Level
from tests import chart_range
from tests.bare import Bare
from tests.chart_two import chart_two
from tests.generator.adoption.test_chart_range import AIRFLOW_2, AIRFLOW_3, BOTH
from tests.made_up_chart import next_minor
from tests.repositories import DEV, SETTINGS, STAGING, changed, repository
from tests.standin_chart import stand_in_archive

pytestmark = pytest.mark.thorough


@dataclasses.dataclass(frozen=True)
class Case:
    """A chart, two versions of Airflow, and what is said of both."""

    chart: str
    old: str
    new: str
    archive: Callable[[Path], Path] | None = None
    """Makes the chart; without it the official one is meant."""
    table: str = ""
    airflow_table: str = ""

    def basis(self, airflow):
        chart = f"{self.chart}{self.table and f' (judged by the table of {self.table})'}"
        judged = f" (judged by the table of {self.airflow_table})" if self.airflow_table else ""
        return f"chart {chart}, Airflow {airflow}{judged}"

    @property
    def words(self):
        """By name, what stands for a case in what is expected of a command."""
        return {
            "chart": self.chart,
            "old": self.old,
            "new": self.new,
            "before": self.basis(self.old),
            "after": self.basis(self.new),
        }


OLD = {
    "1.9.0": Case("1.9.0", "2.5.2", "2.5.3"),
    "1.11.0": Case("1.11.0", "2.7.1", "2.7.2"),
    "1.13.1": Case("1.13.1", "2.8.2", "2.8.3"),
    "1.18.0": Case("1.18.0", "3.0.2", "3.0.3"),
}
CASES = {
    **OLD,
    "a newer Airflow": Case("1.22.0", "3.9.0", "3.9.1", stand_in_archive, airflow_table="3.3.2"),
    "a newer chart": Case("1.23.0", "3.2.1", "3.2.2", next_minor, "1.22.x"),
    "chart 2.0": Case("2.0.0", "3.2.1", "3.2.2", chart_two, "1.22.x"),
}
PATHS = "promotion: {paths: {main: [dev, staging]}}\n"
HOSTS = [part for name in ("database", "broker") for part in ("--set", f"{name}.host=x.example")]
COMMANDS = {
    ("explain", "staging"): [],
    ("status",): ["staging      {old}"],
    ("secrets", "staging"): ["airflow-fernet-key", "keys to seal"],
    ("validate",): ["staging: {before}", "dev: {after}"],
    ("generate", "--check"): ["staging: {before}", "dev: {after}"],
    ("check", "environments/dev/generated/application.yaml"): ["{after}"],
    ("diff", "HEAD~1"): ["Airflow {old} → {new}", "Judged by {before}", "→ {after}"],
    ("diff", "--file", "environments/dev/generated/application.yaml", "HEAD~1", "HEAD"): [
        "{after}"
    ],
    ("upgrade", "staging", "--airflow", "{new}", "--dry-run"): ["Judged by {before}"],
    ("promote", "dev", "staging", "--force", "tried", "--dry-run"): [
        "{old}",
        "{new}",
        "chart {chart}",
    ],
    ("rollback", "dev", "--force", "tried", "--dry-run"): ["Roll dev back", "{before}"],
    ("pause", "dev", "--dry-run"): ["environments/dev/environment.yaml"],
    ("harden", "dev", "--list"): ["dev is not adopted"],
    ("eject", "--dry-run"): ["environments/dev/generated/values.yaml", "1. commit this"],
}


@pytest.fixture(scope="module", params=CASES)
def place(request, tmp_path_factory):
    """A clone in which Airflow moved in dev, and the case."""
    case = CASES[request.param]
    root = tmp_path_factory.mktemp(case.chart)
    archive = case.archive(root) if case.archive else chart_range.archive(case.chart).path
    ChartCache(root / "charts").add(archive)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_ENV_CHART_CACHE", str(root / "charts"))
        texts = {name: _on(case, text) for name, text in (("dev", DEV), ("staging", STAGING))}
        repo = repository(root / "clone", settings=SETTINGS + PATHS, **texts)
        assert (done := repo.run("generate")).code == 0, done.said
        bare = Bare(root / "remote.git")
        bare.init()
        repo.init().git("remote", "add", "origin", str(bare.path))
        path = "environments/dev/environment.yaml"
        moved = (f"version: {case.old}", f"version: {case.new}")
        repo.write(path, changed(repo.read(path), moved))
        assert (done := repo.run("generate")).code == 0, done.said
        repo.commit("Move Airflow")
        repo.git("push", "--quiet", "--set-upstream", "origin", "main")
        yield repo, case


def _on(case, text):
    text = text.replace("1.22.0", case.chart).replace("3.2.2", case.old)
    text = text.replace("embedded: true", "host: pg.example.com")
    if case.chart == "2.0.0":  # It renders no Celery: parts of its templates are gone.
        text = text.replace("CeleryExecutor", "LocalExecutor").replace(
            "workers:\n  replicas: 2\n", ""
        )
        return GIT_SYNC.sub(BUNDLES, text)
    level = "\nsecurity: {podSecurity: baseline}" if case.chart in ("1.9.0", "1.11.0") else ""
    return re.sub("(?m)^auth: .*$", f"auth: {{}}{level}", text)


GIT_SYNC = re.compile(r"(?m)^  gitSync:\n(    .*\n)+")
BUNDLES = """\
  bundles:
    - {name: main, type: git, repository: "https://git.example.com/dags.git", secretName: dags}
"""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_command_speaks_of_the_chart_and_the_airflow_that_run(place, command, monkeypatch):
    repo, case = place
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(repo.root.parent / "charts"))
    before = repo.tree()
    done = repo.run(*(part.format(**case.words) for part in command))
    fails = {"harden": 1}
    assert done.code == fails.get(command[0], 0), done.said
    expected = [*COMMANDS[command]]
    if command[0] == "explain" and case in OLD.values():
        expected += ["chart {chart} reads:", "chart {chart} has no:"]
    if command[0] == "validate" and chart_lines.level(case.chart) is Level.DERIVED:
        expected += ["[chart/not-tried]"]
    for words in expected:
        assert words.format(**case.words) in done.said
    assert repo.tree() == before


@pytest.mark.parametrize("version", OLD)
def test_every_hardening_step_is_taken_on_the_chart_that_was_adopted(
    version, tmp_path, monkeypatch
):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(chart_range.archive(version).path.parent))
    repo = repository(tmp_path / "repo")
    values = AIRFLOW_3 if OLD[version].old.startswith("3.") else AIRFLOW_2
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
