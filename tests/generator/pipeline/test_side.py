"""What one side of a comparison reads from a tree, however broken."""

import dataclasses
from types import SimpleNamespace

import pytest

from generator.chart.cache import ChartCache
from generator.chart.provider import Charts
from generator.core.basis import Origin, Version
from generator.core.errors import UserError
from generator.core.files import MAX_BYTES, Overlay, Snapshot
from generator.impact.context import View
from generator.pipeline import judged, side
from generator.render.request import RenderResult
from generator.tree import catalogue
from tests.generator.impact.builders import workload
from tests.repositories import DEV, SETTINGS, STAGING, changed, repository

NAME = "staging"
FOLDER = f"environments/{NAME}"


class NoHelm:
    """Stands where nothing may be rendered."""

    def engine_version(self):
        return "none"

    def render(self, request):
        raise AssertionError("nothing is to be rendered here")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    repo = repository(tmp_path_factory.mktemp("repo"), dev=DEV, staging=STAGING)
    assert repo.run("generate").code == 0
    return Snapshot(repo.tree())


def inputs(files, name=NAME):
    return side.inputs(files, name, catalogue.load(files).settings)


def with_files(whole, **contents):
    texts = {f"{FOLDER}/{path}": content for path, content in contents.items()}
    return Overlay(whole, texts)


def failure(tmp_path, item):
    return side.render("here", item, Charts(ChartCache(tmp_path)), NoHelm()).failure


def test_the_target_is_server_namespace_and_release(whole):
    assert inputs(whole).target == ("https://10.0.0.1:6443", "airflow-staging", "airflow")
    assert inputs(whole).cluster.kubernetes_version == "1.34.2"
    assert inputs(whole, "nowhere") is None


class Runs(NoHelm):
    """A renderer whose chart has a scheduler of that image."""

    def __init__(self, image):
        self.image = image

    def render(self, request):
        return RenderResult((workload("scheduler", image=self.image),), "", (), "none")


@pytest.mark.parametrize(
    ("tag", "facts", "version"),
    [
        ("r17", ", facts: {of: r17, airflow: 3.2.1}", Version("3.2.1", Origin.IMAGE)),
        ("3.1.8", "", Version("3.1.8", Origin.IMAGE)),
        ("r17", "", Version("3.2.2", Origin.NAMED)),
    ],
)
def test_the_basis_names_the_airflow_of_the_image_that_runs(tmp_path, whole, tag, facts, version):
    text = changed(STAGING, ("tag: 3.2.2-r1", f"tag: {tag}{facts}"))
    item = inputs(with_files(whole, **{"environment.yaml": text.encode()}))
    rendered = side.render(
        "here", item, SimpleNamespace(locate=lambda version, digest: tmp_path), Runs(f"r/a:{tag}")
    )
    assert rendered.failure is None and rendered.basis.airflow == version
    assert judged.basis(item.built).airflow == version


def test_what_governs_is_known_by_the_same_identity_as_in_the_comparison(tmp_path, whole):
    project = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
               "metadata": {"name": "p"}}  # fmt: skip
    deployed = inputs(whole).deployment
    own = dict(deployed.manifest)
    del own["metadata"]["namespace"]
    item = dataclasses.replace(inputs(whole), governing=(project,))
    changed = dataclasses.replace(deployed, manifest=own, objects=(own,))
    item.__dict__["deployment"] = changed
    charts = SimpleNamespace(locate=lambda version, digest: tmp_path)
    rendered = side.governed(side.render("here", item, charts, Runs("r/a:1")), item)
    facts, objects = rendered.facts, View(rendered).objects
    assert facts.governing <= objects.keys() and facts.application in objects


BROKEN = [
    b"", b"[]", b"{", b"text", b"spec: text", b"spec: [1]", b"spec: {destination: text}",
    b"spec: {sources: text}", b"spec: {sources: [text, {helm: text}, {helm: {releaseName: []}}]}",
    b"spec: {source: 7, destination: [a]}", b"\xff\xfe", b"\x00", b"a: &a [*a]",
    b"a: " + b"[" * 5000, b"metadata: 3\nspec:\n  sources: {chart: x}",
]  # fmt: skip


@pytest.mark.few(5)
@pytest.mark.parametrize("text", BROKEN, ids=lambda text: text[:20])
def test_a_broken_application_is_a_failure_and_no_crash(whole, tmp_path, text):
    files = with_files(whole, **{"generated/application.yaml": text})
    item = inputs(files)
    assert item.target is None or item.target[1:] != ("airflow-staging", "airflow")
    lost = side.inputs(files, NAME, None)
    assert lost.cluster is None
    problem = failure(tmp_path, lost)
    assert problem.environment == NAME and problem.path.startswith(FOLDER)
    assert failure(tmp_path, item) is not None


def test_the_line_of_what_is_broken_is_told(whole, tmp_path):
    for path in ("generated/application.yaml", "generated/values.yaml", "secrets/x.yaml"):
        item = inputs(with_files(whole, **{path: b"a: 1\nb: }\n"}))
        problem = failure(tmp_path, item)
        assert (problem.path, problem.line) == (f"{FOLDER}/{path}", 2)


def test_a_chart_that_is_not_at_hand_is_a_failure_with_a_remedy(whole, tmp_path):
    problem = failure(tmp_path, inputs(whole))
    assert "not in the cache" in problem.message and "chart pull 1.22.0" in problem.hint


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """Files of which one is too large."""

    files: Snapshot
    path: str

    def read(self, path):
        if path == self.path:
            raise UserError(f"larger than {MAX_BYTES} bytes", path=path)
        return self.files.read(path)

    def below(self, folder):
        return self.files.below(folder)

    def links(self, folder):
        return self.files.links(folder)

    def entries(self, folder):
        return self.files.entries(folder)


@pytest.mark.parametrize("place", ["generated/values.yaml", "environment.yaml", "secrets/x.yaml"])
def test_a_file_that_cannot_be_read_is_a_failure_that_names_it(whole, tmp_path, place):
    held = with_files(whole, **{place: b"x"})
    path = f"{FOLDER}/{place}"
    found = catalogue.load(Unreadable(held, path))
    problem = failure(tmp_path, side.inputs(Unreadable(held, path), NAME, found.settings))
    assert problem.path == path and "larger than" in problem.message
    assert [item.rule for item in found.problems] == (
        ["tree/unreadable"] if place == "environment.yaml" else []
    )


def test_settings_that_cannot_be_read_are_a_problem(whole):
    (problem,) = catalogue.load(Unreadable(whole, "gen-env.yaml")).problems
    assert (problem.rule, problem.path) == ("tree/unreadable", "gen-env.yaml")


def test_equal_inputs_are_told_by_all_that_decides(whole):
    before = inputs(whole).identity
    assert inputs(with_files(whole, **{"README.md": b"x"})).identity == before
    for path in ("generated/values.yaml", "gen-env.lock", "secrets/new.yaml"):
        assert inputs(with_files(whole, **{path: b"{}"})).identity != before
    newer = SETTINGS.replace("1.34.2", "1.35.0").encode()
    assert inputs(Overlay(whole, {"gen-env.yaml": newer})).identity != before
    fewer = changed(STAGING, ("database: {", "database: {maxConnections: 50, "))
    with_limit = with_files(whole, **{"environment.yaml": fewer.encode()})
    assert inputs(with_limit).identity == before, "the limit is in no generated file"
    assert inputs(with_limit).promised != inputs(whole).promised
