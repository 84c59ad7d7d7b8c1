"""`validate` as steps: what is checked, and what is told to be not done."""

import datetime

import pytest

from generator.actions.validate import Toolchain, validate
from generator.core.files import Snapshot
from generator.lint.objects import pod_security
from generator.lint.objects.old_chart_advice import advised
from generator.pipeline import toolchain
from tests.definitions import stand_in_charts
from tests.repositories import DEV, SETTINGS, release, repository
from tests.standin_chart import stand_in_archive

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
RENDERED = SETTINGS + "chart: {source: rendered}\n"


class Refusing:
    """A renderer that must not be asked."""

    def engine_version(self):
        return "none"

    def render(self, request):
        raise AssertionError("rendered although nothing may be")


@pytest.fixture
def charts(tmp_path):
    return stand_in_charts(tmp_path)


def generated(tmp_path, settings=SETTINGS, text=DEV):
    """The files of a repository whose tree was just written."""
    repo = repository(tmp_path / "repo", settings=settings, dev=text)
    assert repo.run("generate").code == 0
    return Snapshot(repo.tree())


def checked(files, charts, renderer=None, **more):
    return validate([], Toolchain(files, charts, renderer, NOW, **more))


@pytest.mark.parametrize("settings", [SETTINGS, RENDERED], ids=["repository", "rendered"])
def test_where_nothing_may_be_rendered_that_is_not_done_and_no_fault(
    tmp_path, charts, settings, monkeypatch
):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "machine"))
    toolchain.charts().cache.add(stand_in_archive(tmp_path))
    files = generated(tmp_path, settings)
    found = checked(files, charts, Refusing(), unrendered="it is a stranger's")
    assert not [item for item in found.problems if item.fails]
    done = {item.check for item in found.not_done if item.reason == "it is a stranger's"}
    assert done == {"rendered objects"} | ({"generated tree"} if settings == RENDERED else set())


def test_without_rendering_text_is_checked_all_the_same(tmp_path, charts):
    contents = dict(generated(tmp_path, text=DEV + "values: {statsdd: {}}\n").contents)
    path = "environments/dev/generated/values.yaml"
    contents[path] += b"mine: 1\n"
    found = checked(Snapshot(contents), charts, unrendered="no")
    rules = {item.rule for item in found.problems}
    assert {"values/misspelt-key", "tree/out-of-date"} <= rules


def test_a_missing_renderer_is_a_fault_where_there_must_be_one(tmp_path, charts):
    found = checked(generated(tmp_path), charts)
    assert "chart/archive" in {item.rule for item in found.problems}
    assert not [item for item in found.not_done if item.check == "rendered objects"]


@pytest.mark.parametrize(
    ("version", "way"), [("1.15.0", "set security.podSecurity: baseline, or move"), ("1.16.0", "")]
)
def test_advice_on_an_old_chart_has_a_way_out_where_it_has_no_key(version, way):
    airflow = "2.9.3" if version == "1.15.0" else "2.10.5"
    text = DEV.replace("1.22.0", version).replace("3.2.2", airflow).replace("auth: {d", "#")
    advice = advised(pod_security.RESTRICTED.problem("m", hint="set it"), release(text)).hint
    assert advice.startswith("set it") and way in advice
    assert (advice == "set it") is not bool(way)
