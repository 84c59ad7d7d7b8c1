"""gen-env's samples on every archive of the official chart that is at hand."""

import datetime
import re
from pathlib import Path

import pytest

from generator.actions import validate
from generator.chart.cache import ChartCache
from generator.chart.traits import Reading
from generator.chart.version import parse_version
from generator.core.files import Overlay, Snapshot
from generator.core.layered import leaves
from generator.core.problem import Severity
from generator.pipeline import generate, toolchain
from generator.render.request import RenderRequest
from generator.tree import catalogue
from generator.yaml import edit
from tests import chart_range
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, changed

ROOT = Path(__file__).resolve().parents[3]
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


def _on(version, text):
    """The definition on that chart, with an Airflow that it runs: the first know no Airflow 3."""
    on_it = changed(text, ("version: 1.22.0", f"version: {version}"))
    old = parse_version(version) < parse_version("1.17.0")
    return re.sub(r"3\.[23]\.2", "2.10.5", on_it) if old else on_it


def _files(text, name):
    """The definition in a repository; with the project's own settings where it is a sample."""
    path = f"environments/{name}/environment.yaml"
    settings = SETTINGS if name in SAMPLES else (ROOT / "gen-env.yaml").read_text("utf-8")
    return Snapshot({"gen-env.yaml": settings.encode(), path: text.encode()})


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
    gone = _renders(version, SAMPLES[name], name, charts)
    assert parse_version(version) < parse_version("1.18.0") or not gone


SHIPPED = {
    # Where the folder of a sample is; `name` in it is not one of SAMPLES.
    f"shipped-{name}": (ROOT / "environments" / name / "environment.yaml").read_text("utf-8")
    for name in ("dev", "staging", "production")
}
BUNDLES = re.compile(r"(?m)^dags:\n  bundles:\n(    .*\n)+")
GIT = """\
dags: {gitSync: {repository: "https://github.com/example/dags.git", ref: main, public: true}}
"""


@chart_range.each_version(since="1.16.0", few=1)
@pytest.mark.parametrize("name", SHIPPED)
def test_each_environment_of_the_project_itself_renders_on_each_chart(version, name, charts):
    text = SHIPPED[name].replace("name: ", "name: shipped-", 1)
    if parse_version(version) < parse_version("1.19.0"):  # These charts have no bundles.
        text = BUNDLES.sub(GIT, text)
    gone = _renders(version, text, name, charts)
    assert parse_version(version) < parse_version("1.19.0") or not gone


def _renders(version, sample, name, charts):
    """Generate and validate the sample as far as the chart goes; the fields that it does not."""
    text, gone = _without_what_the_chart_lacks(_on(version, sample), name, charts)
    for field, since in gone.items():
        able = _built(_on(since, sample), name, charts)
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
    return gone


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
