"""gen-env's samples on every archive of the official chart that is at hand."""

import datetime
import re

import pytest

from generator.actions import validate
from generator.chart.cache import ChartCache
from generator.chart.traits import Reading
from generator.core.files import Overlay, Snapshot
from generator.core.layered import leaves
from generator.core.problem import Severity
from generator.pipeline import generate, toolchain
from generator.render.request import RenderRequest
from generator.tree import catalogue
from generator.yaml import edit
from tests import chart_range
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, changed

SAMPLES = {"dev": DEV, "staging": STAGING, "production": PRODUCTION}
LACKS = re.compile(r"chart \S+ cannot express (\S+): it has no key \S+; it needs chart (\S+) ")
NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
GENERATED = (
    "schema/",
    "render/",
    "values/",
    "chart/",
    *(f"rendered/{name}" for name in ("monitor", "service", "policy", "target")),
)


@pytest.fixture
def charts():
    """All archives at hand."""
    if not chart_range.VERSIONS:
        pytest.skip("needs archives of the official chart: gen-env chart add")
    return generate.Charts(ChartCache(chart_range.archive(chart_range.VERSIONS[0]).path.parent))


def _airflow(version):
    """An Airflow that the chart runs: the first charts know no Airflow 3, the last no 2.10."""
    minor = int(version.split(".")[1])
    return "2.10.5" if minor < 17 else "3.2.2"


def _on(version, text):
    airflow = ("version: 3.2.2", f"version: {_airflow(version)}")
    return changed(text, ("version: 1.22.0", f"version: {version}"), airflow)


def _files(text, name):
    path = f"environments/{name}/environment.yaml"
    return Snapshot({"gen-env.yaml": SETTINGS.encode(), path: text.encode()})


def _built(text, name, charts):
    files = _files(text, name)
    found = catalogue.load(files)
    return generate.build(files, found.settings, found.definitions[name], charts)


def _without_what_the_chart_lacks(text, name, charts):
    """The definition without the fields that errors name, and these with the chart that can."""
    gone = {}
    for problem in _built(text, name, charts).problems:
        if problem.severity is Severity.ERROR:
            field, since = LACKS.match(problem.message).groups()
            gone[field] = since
            text = edit.remove(text, tuple(field.split(".")))
    return text, gone


@chart_range.each_version
@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_renders_on_each_chart_as_far_as_it_has_the_keys(version, name, charts):
    text, gone = _without_what_the_chart_lacks(_on(version, SAMPLES[name]), name, charts)
    if (*map(int, version.split(".")),) >= (1, 18, 0):
        assert gone == {}
    for field, since in gone.items():
        able = _built(_on(since, SAMPLES[name]), name, charts)
        assert not [item for item in able.problems if f" {field}:" in item.message], field
    files = _files(text, name)
    renderer = toolchain.lazy(files)
    made = generate.generate(files, (), charts, renderer)
    writes = {path: text.encode() for path, text in made.plan_of(name, "").writes.items()}
    tools = validate.Toolchain(Overlay(files, writes), charts, renderer, NOW)
    found = validate.validate([], tools)
    assert not [item for item in found.not_done if "rendered" in item.check]
    errors = [item for item in found.problems if item.severity is Severity.ERROR]
    assert not [item for item in errors if item.rule.startswith(GENERATED)]
    traits, values = chart_range.traits(version), made.built[name].release.values
    ignored = [path for path, _ in leaves(values) if traits.reading(path) is Reading.IGNORED]
    assert ignored == []


@chart_range.each_version
def test_the_workloads_that_are_waited_for_are_those_that_the_chart_makes(version, charts):
    text, _ = _without_what_the_chart_lacks(_on(version, STAGING), "staging", charts)
    release = _built(text, "staging", charts).release
    files = _files(text, "staging")
    made = toolchain.lazy(files).render(
        RenderRequest(
            chart_range.archive(version).path,
            release.environment.release,
            release.environment.namespace,
            release.values,
            "1.34.2",
        )
    )
    kinds = {"Deployment", "StatefulSet"}
    rendered = {
        (item["kind"], item["metadata"]["name"]) for item in made.manifests if item["kind"] in kinds
    }
    assert set(release.line.workloads(release.topology)) == rendered
