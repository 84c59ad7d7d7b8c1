"""`validate` as steps: what is checked, and what is told to be not done."""

import datetime

import pytest

from generator.actions.validate import Toolchain, validate
from generator.core.files import Snapshot
from generator.pipeline import toolchain
from tests.definitions import stand_in_charts
from tests.repositories import DEV, SETTINGS, repository
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
    assert not [item for item in found.problems if item.rule.startswith(("chart/", "tree/"))]
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
