"""A change on its way to production, under Flux and on old charts: what people are told of it."""

import re

import pytest

from generator.chart.cache import ChartCache
from generator.forge.port import ForgeKind
from generator.verify.result import Outcome
from service.follow_up import verify as verify_module
from service.model.job import Kind
from tests import chart_range
from tests.made_up_chart import next_minor
from tests.repositories import PRODUCTION, SETTINGS, repository
from tests.service.follow_up import world as worlds
from tests.service.follow_up.test_verify import Verifier, answer
from tests.service.follow_up.world import HOUR, SOAKED, STAGING

pytestmark = pytest.mark.thorough
AIRFLOW = {
    "flux": "3.2.2",
    "1.9.0": "2.5.3",
    "1.11.0": "2.7.1",
    "1.13.1": "2.8.3",
    "1.16.0": "2.10.5",
    "1.18.0": "3.0.2",
    "1.23.0": "3.2.2",
    "a newer Airflow": "3.9.0",
}
TABLES = {
    "1.23.0": "chart 1.23.0 (judged by the table of 1.22.x), Airflow 3.2.2",
    "a newer Airflow": "chart 1.22.0, Airflow 3.9.0 (judged by the table of 3.3.2)",
}


@pytest.fixture(params=AIRFLOW)
def case(request):
    return request.param


@pytest.fixture
def kind():
    return ForgeKind.GITEA


@pytest.fixture
def template(case, templates, own_chart, monkeypatch, tmp_path):
    if case == "1.23.0":
        monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
        ChartCache(tmp_path / "charts").add(next_minor(tmp_path))
    elif case in chart_range.RELEASES:
        cache = chart_range.archive(case).path.parent
        monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(cache))

    def made(folder):
        settings = SETTINGS + worlds.POLICY + ("engine: flux\n" if case == "flux" else "")
        texts = (_on(case, text) for text in (worlds.STAGED, PRODUCTION))
        repo = repository(folder, settings=settings, **dict(zip(NAMES, texts, strict=True)))
        assert (done := repo.run("generate")).code == 0, done.said
        repo.init()

    return templates.place(f"promotion-path-{case}", made)


NAMES = ("staging", "production")


def _on(case, text):
    """The definition for that chart and its Airflow; under Flux as it is."""
    if case == "flux":
        return text
    text = text.replace("1.22.0", _chart(case)).replace("3.2.2", AIRFLOW[case])
    if case == "1.9.0":  # Its KEDA asks PgBouncer.
        text = re.sub("autoscaling: .*", "replicas: 2", text)
    return re.sub("(?m)^auth: .*$", "auth: {}", text)


def _chart(case):
    return case if case[0].isdigit() else "1.22.0"


def test_a_change_is_checked_verified_and_promoted(world, case, monkeypatch):
    monkeypatch.setattr(verify_module, "_LONGEST_PAUSE", 0.0)
    world.verifying()
    tag = f"tag: {AIRFLOW[case]}-r"
    number = world.change(STAGING, f"{tag}1", f"{tag}2")
    assert world.check(number).state == "success"
    _is_of(case, world.comment(number))

    sha = world.store.pulls[number]["sha"]
    world.merge(sha)
    world.store.pulls[number] |= {"state": "closed", "merged": True, "merge_sha": sha}
    world.verifier = Verifier(answer(Outcome.VERIFIED, "healthy"))
    world.submit(Kind.MERGE, number, sha=sha)
    world.drain()
    ((found, _, _, _),) = world.verifier.asked
    assert found.expected.engine == ("flux" if case == "flux" else "argocd")

    world.pass_time(SOAKED)
    world.drain()
    (promotion,) = [
        pull for pull in world.store.pulls.values() if pull["head"].startswith("promote/")
    ]
    assert world.check(promotion["number"]).state == "success"
    _is_of(case, world.store.comments_of(promotion["number"])[0]["body"])
    world.run(Kind.GATES, promotion["number"])
    world.pass_time(world.now + HOUR)
    world.drain()
    assert world.gates(promotion["number"])[0] == "success"


def _is_of(case, comment):
    judged = TABLES.get(case, f"chart {_chart(case)}, Airflow {AIRFLOW[case]}")
    assert f"Judged by {judged}" in comment
    assert ("HelmRelease" in comment) == (case == "flux")
    assert case != "flux" or "Argo CD" not in comment
    # The same warning of the chart's notes was there before: nothing is new.
    assert "New findings" not in comment
