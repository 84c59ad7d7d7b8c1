"""Ten changes of the project's own environments: what a reviewer sees first, word for word.

Each golden file is all that stands open above the first folded part. Read it aloud: it must say
what there is to know, to decide, and what was not looked at.
"""

import os
import shutil
from pathlib import Path

import pytest

from generator.actions import diff
from generator.report import html
from tests.golden_cases import REWRITE
from tests.repositories import Repo

PROJECT = Path(__file__).parents[3]
STORIES = PROJECT / "tests" / "stories"
DEV, STAGING, PRODUCTION = (
    f"environments/{name}/environment.yaml" for name in ("dev", "staging", "production")
)
OLD_DIGEST = "9f2c3b1d7e6a5f4c8b0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b"
NEW_DIGEST = "1d7e6a5f4c8b0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b9f2c3b"
IMAGE = (PRODUCTION, OLD_DIGEST, NEW_DIGEST)

CHANGES = {
    "airflow-minor": [
        (PRODUCTION, "version: 3.2.2", "version: 3.3.2"),
        (PRODUCTION, "3.2.2-r17", "3.3.2-r1"),
        IMAGE,
    ],
    "image-rebuilt": [(PRODUCTION, "3.3.2-r17", "3.3.2-r18"), IMAGE],
    "too-many-workers": [(PRODUCTION, "maxReplicas: 20", "maxReplicas: 80")],
    "executor": [(STAGING, "executor: KubernetesExecutor", "executor: LocalExecutor")],
    "policies-opened": [(PRODUCTION, "mode: enforce", "mode: ingress")],
    "more-rights-for-people": [(PRODUCTION, "data-engineers: Op", "data-engineers: Admin")],
    "database-moves": [(PRODUCTION, "host: pg.internal", "host: pg-new.internal")],
    "dags-move": [
        (PRODUCTION, "4c1f0b7e2d9a8c6b5f3e1d0a9b8c7d6e5f4a3b2c", "5d2f0b7e" * 5),
    ],
    "data-goes": [
        (DEV, "database: {type: postgresql, embedded: true}",
         "database: {type: postgresql, host: pg.example.com, cidrs: [10.22.0.0/24]}"),
    ],
    "cluster-upgraded": [("gen-env.yaml", "Version: 1.34.2", "Version: 1.35.0")],
    "environment-removed": [(STAGING, None, None)],
    "head-is-broken": [(PRODUCTION, "scheduler: {replicas: 2}", "scheduler: {replicas: many}")],
}  # fmt: skip

# What production had before its Airflow moved to the line of the samples.
BEFORE = {
    "airflow-minor": [
        (PRODUCTION, "version: 3.3.2", "version: 3.2.2"),
        (PRODUCTION, "3.3.2-r17", "3.2.2-r17"),
    ],
}


@pytest.fixture
def repo(official_chart, templates, tmp_path):
    return Repo(templates.copy("own-environments", _own, tmp_path / "repo"))


def _own(folder):
    for name in ("environments", "bootstrap", ".gen-env"):
        shutil.copytree(PROJECT / name, folder / name)
    shutil.copy(PROJECT / "gen-env.yaml", folder)
    Repo(folder).init()


def compared(repo, name):
    if name in BEFORE:
        change(repo, BEFORE[name])
        assert repo.run("generate").code == 0
        repo.commit("Before")
    change(repo, CHANGES[name])
    return diff.compare(diff.Request(repo.root), lambda *_: None)


def change(repo, edits):
    for path, old, new in edits:
        if old is None:
            shutil.rmtree((repo.root / path).parent)
        else:
            text = (repo.root / path).read_text("utf-8")
            assert old in text
            (repo.root / path).write_text(text.replace(old, new), "utf-8")


@pytest.mark.few(1)
@pytest.mark.golden
@pytest.mark.parametrize("name", CHANGES)
def test_the_first_screen_tells_the_story(repo, name):
    report = compared(repo, name)
    text = diff.formatted(report, "markdown", 60_000, color=False)
    screen = text.partition("<details>")[0].partition("\n\n")[2]
    path = STORIES / f"{name}.md"
    if REWRITE:
        path.write_text(screen, "utf-8")
    assert screen == path.read_text("utf-8"), "make golden rewrites it; then read it aloud"
    if folder := os.environ.get("GEN_ENV_PAGES"):
        Path(folder, f"{name}.html").write_text(html.render(report), "utf-8")
