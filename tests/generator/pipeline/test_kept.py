"""Judged comparisons are kept, and used again only where nothing differs that they depend on."""

import dataclasses
import json
import os
import subprocess
import sys

import pytest

import generator
from generator.core import program
from generator.core.errors import UserError
from generator.core.files import Overlay, Snapshot
from generator.core.problem import Problem, Severity
from generator.pipeline import kept, review, side
from generator.pipeline.side import Inputs
from generator.render.cache import RenderCache
from generator.tree import catalogue
from tests import definitions
from tests.repositories import DEV, SETTINGS, STAGING

FOLDER = "environments/staging"


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    charts = definitions.stand_in_charts(tmp_path_factory.mktemp("charts"))
    return review.Toolchain(charts, definitions.cached_renderer(tmp_path_factory.mktemp("renders")))


def tree(tools, **texts):
    files = {f"environments/{name}/environment.yaml": text.encode() for name, text in texts.items()}
    files["gen-env.yaml"] = SETTINGS.encode()
    made, _ = definitions.generated(Snapshot(files), tools.charts, tools.renderer)
    return Snapshot(dict(made.contents))


@pytest.fixture(scope="module")
def base(tools):
    return tree(tools, staging=STAGING)


@pytest.fixture
def cached(tools, tmp_path):
    """With comparisons kept in a place of their own."""
    cache = RenderCache(tmp_path / "kept")
    return dataclasses.replace(tools, renderer=Known(tools.renderer, cache))


def reviewed(base, head, tools):
    return review.review(review.Revisions(base, head, "base", "head"), (), None, tools)


class Known:
    """A renderer whose renders are kept elsewhere than the comparisons."""

    def __init__(self, renderer, cache):
        self.renderer, self.cache = renderer, cache

    def engine_version(self):
        return self.renderer.engine_version()

    def render(self, request):
        return self.renderer.render(request)


class Unused(Known):
    """A renderer that must not be needed."""

    def render(self, request):
        raise AssertionError(f"{request.release} is rendered again")


@pytest.mark.parametrize(
    "texts",
    [
        {"staging": STAGING + "scheduler: {replicas: 3}\n", "dev": DEV},
        {"other": STAGING.replace("name: staging", "name: other")},
    ],
    ids=["changed and added", "moved"],
)
def test_the_same_comparison_is_made_once_and_told_alike(base, tools, cached, texts):
    head = tree(cached, **texts)
    first = reviewed(base, head, cached)
    assert any(item.changes and item.impact for item in first.environments)
    again = dataclasses.replace(tools, renderer=Unused(tools.renderer, cached.cache))
    assert reviewed(base, head, again) == first


def test_what_did_not_render_is_looked_at_again(base, cached):
    values = f"{FOLDER}/generated/values.yaml"
    head = Overlay(base, {values: base.read(values) + b"---\na: 1\n"})
    subjects = sides(base, head, cached)
    broken = review.EnvironmentDiff("staging", rendered=False, reason="the head does not render")
    key = kept.key("staging", None, subjects, (), cached.renderer)
    kept.put(cached.cache, key, broken)
    assert kept.get(cached.cache, key) is None


def subject(files, tools, name="base"):
    settings = catalogue.load(files).settings
    item = side.inputs(files, "staging", settings, charts=tools.charts)
    return kept.Subject(name, item, files, tools.charts)


def sides(base, head, tools):
    return (subject(base, tools), subject(head, tools, "head"))


def with_item(subject, **fields):
    return dataclasses.replace(subject, item=dataclasses.replace(subject.item, **fields))


def with_file(subject, path, more):
    files = {**subject.item.files, path: subject.item.files.get(path, b"") + more}
    return with_item(subject, files=files)


def other_kubernetes(subject):
    cluster = subject.item.cluster.model_copy(update={"kubernetes_version": "1.33.0"})
    return with_item(subject, cluster=cluster)


def other_definition(subject):
    """As built from other settings, with the same tree."""
    release = subject.item.built.release
    database = release.environment.database.model_copy(update={"max_connections": 7})
    environment = release.environment.model_copy(update={"database": database})
    resolved = dataclasses.replace(release.resolved, environment=environment)
    built = dataclasses.replace(
        subject.item.built, release=dataclasses.replace(release, resolved=resolved)
    )
    return with_item(subject, built=built)


def other_chart(subject, folder):
    """The archive in its place has other bytes."""
    place = folder / "other.tgz"
    place.write_bytes(side.archive(subject.item, subject.charts).read_bytes() + b"\0")

    class Located:
        def locate(self, version, digest):
            return place

    return dataclasses.replace(subject, charts=Located())


def moved(subject):
    files = {p.replace("/staging/", "/other/"): text for p, text in subject.item.files.items()}
    return with_item(subject, name="other", files=files)


INPUTS = {
    "name": moved,
    "files": lambda item: with_file(item, f"{FOLDER}/generated/values.yaml", b"# x\n"),
    "cluster": other_kubernetes,
    "built": other_definition,
    "prefix": lambda item: with_item(item, prefix="sub/"),
    "governing": lambda item: with_item(item, governing=({"kind": "AppProject", "spec": {1: 2}},)),
}


def test_every_input_of_a_side_is_part_of_the_key(base, tools):
    assert {field.name for field in dataclasses.fields(Inputs)} == {*INPUTS, "unreadable"}
    one = subject(base, tools)
    others = [with_file(one, path, b"\n") for path in one.item.files]
    others += [make(one) for make in INPUTS.values()]
    others += [with_file(one, f"{FOLDER}/manifests/new.yaml", b"")]
    keys = [kept.key("staging", None, (one, one), (), tools.renderer)]
    for other in others:
        keys += [
            kept.key("staging", None, pair, (), tools.renderer)
            for pair in ((one, other), (other, one))
        ]
    assert None not in keys and len({*keys}) == len(keys)


def test_settings_chart_engine_names_and_problems_are_part_of_the_key(
    base, tools, tmp_path, monkeypatch
):
    one = subject(base, tools)
    loose = Overlay(base, {"gen-env.yaml": base.read("gen-env.yaml") + b"# x\n"})
    problem = Problem("tree/missing", Severity.ERROR, "a", environment="staging")

    class Newer:
        def engine_version(self):
            return "another"

    def key(other=one, name="staging", old=None, problems=(), renderer=tools.renderer):
        return kept.key(name, old, (one, other), problems, renderer)

    keys = [
        key(),
        key(dataclasses.replace(one, files=loose)),
        key(dataclasses.replace(one, revision="other")),
        key(dataclasses.replace(one, item=None)),
        key(other_chart(one, tmp_path)),
        key(name="other"),
        key(old="other"),
        key(problems=(problem,)),
        key(problems=(dataclasses.replace(problem, line=1),)),
        key(problems=(problem, problem)),
        key(renderer=Newer()),
    ]
    with monkeypatch.context() as patch:
        patch.setenv("GEN_ENV_WHOLE_CHARTS", "1")
        keys.append(key())
    with monkeypatch.context() as patch:
        patch.setattr(program, "identity", lambda: "another gen-env")
        keys.append(key())
    assert None not in keys and len({*keys}) == len(keys)


def test_nothing_is_kept_of_what_is_not_certain(base, tools, monkeypatch):
    one = subject(base, tools)

    def key(other):
        return kept.key("staging", None, (one, other), (), tools.renderer)

    class Nowhere:
        def locate(self, version, digest):
            return None

    assert key(with_item(one, unreadable=UserError("cannot read"))) is None
    assert key(dataclasses.replace(one, charts=Nowhere())) is None
    monkeypatch.setattr(program, "identity", lambda: None)
    assert key(one) is None


def test_sets_are_the_same_text_in_every_process():
    assert kept._stable(frozenset("cab")) == "{'a','b','c'}"


def test_a_program_is_another_one_when_a_file_of_it_or_beside_it_is(tmp_path, monkeypatch):
    folder = tmp_path / "own"
    (folder / "rules").mkdir(parents=True)
    file = folder / "rules" / "one.py"
    file.write_text("A = 1\n")
    monkeypatch.setattr(program, "_OWN", folder)
    identity = program.identity.__wrapped__
    assert identity() is None, "it changed after this process began"
    monkeypatch.setattr(generator, "BEGAN", 2**63)
    seen = [identity()]
    times = file.stat()
    file.write_text("A = 2\n")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    seen.append(identity())
    (folder / "rules" / "two.json").write_text("{}")
    seen.append(identity())
    (tmp_path / "beside" / "dependency-1.dist-info").mkdir(parents=True)
    monkeypatch.setattr(program.sys, "path", [*sys.path, str(tmp_path / "beside")])
    seen.append(identity())
    (tmp_path / "beside" / "dependency-1.dist-info").rename(tmp_path / "beside" / "dependency-2")
    seen.append(identity())
    monkeypatch.setattr(program.sys, "version", "another Python")
    seen.append(identity())
    assert None not in seen and len({*seen}) == len(seen)


_REPLACED_WHILE_WAITING = """
import pathlib, sys, time
import generator
file = pathlib.Path(sys.argv[1], "rule.py")
file.write_text("A = 2")
time.sleep(1)  # on a busy machine a process waits for longer than it runs
from generator.core import program
program._OWN = file.parent
print(program.identity())
"""


def test_a_program_that_was_replaced_while_it_waited_to_begin_is_not_certain(tmp_path):
    argv = [sys.executable, "-c", _REPLACED_WHILE_WAITING, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"EnvironmentDiff": {"name": "staging", "gone": 1}}',
        b'{"EnvironmentDiff": {}}',
        b'{"Other": {}}',
        b'{"Action": "burnt"}',
        b'{"Key": {}, "Action": "added"}',
        b"[" * 100_000,
        b"\xff",
    ],
    ids=range(11),
)
def test_an_entry_that_cannot_be_read_is_none(cached, body):
    cached.cache.put_bytes("a" * 64, body)
    assert kept.get(cached.cache, "a" * 64) is None


def test_what_would_not_be_read_as_it_was_is_not_kept(cached):
    for value in (1.5, ["a"], {"a": "b"}, b"a"):
        kept.put(cached.cache, "b" * 64, review.EnvironmentDiff("staging", reason=value))
    assert cached.cache.get_bytes("b" * 64) is None
    kept.put(cached.cache, "b" * 64, review.EnvironmentDiff("staging", reason="\udcff\0\u2028"))
    assert json.loads(cached.cache.get_bytes("b" * 64))
    assert kept.get(cached.cache, "b" * 64).reason == "\udcff\0\u2028"


def test_a_cache_of_another_user_is_neither_read_nor_written(cached, monkeypatch):
    made = review.EnvironmentDiff("staging")
    kept.put(cached.cache, "c" * 64, made)
    owner = cached.cache.root.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert kept.get(cached.cache, "c" * 64) is None
    kept.put(cached.cache, "d" * 64, made)
    monkeypatch.undo()
    assert kept.get(cached.cache, "c" * 64) == made
    assert kept.get(cached.cache, "d" * 64) is None


def test_bytes_are_never_taken_for_a_text(base, tools):
    one = subject(base, tools)
    missing = dataclasses.replace(one, files=Overlay(base, {}, frozenset({"gen-env.yaml"})))
    said = dataclasses.replace(one, files=Overlay(base, {"gen-env.yaml": b"None"}))
    keys = {kept.key("staging", None, (one, side), (), tools.renderer) for side in (missing, said)}
    assert len(keys) == 2 and None not in keys
