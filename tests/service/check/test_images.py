"""Images that a pull request newly names, looked up by whole checks; the registry is a stand-in."""

import dataclasses

import pytest

from generator.pipeline.image_look_up import MOST, Answer
from generator.report.model import EnvironmentDiff, Report
from service.check import images
from service.check.assess import Findings
from service.model.job import Grants, State
from tests.fakes.chart_server import serving
from tests.generator.pipeline.test_image_look_up import unknown
from tests.repositories import SETTINGS
from tests.service.check.world import DEV, report

AUTH = "auth: {defaultUser: {}}"


@pytest.fixture
def registry(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with serving() as server:
        server.answers["/v2/team/airflow/manifests/3.2.2-there"] = b"{}"
        server.answers["/v2/team/airflow/manifests/3.2.2-gone"] = unknown()
        yield server


def allow(world, text):
    world.work.write("gen-env.yaml", f"{SETTINGS}policy: {{registries: [{text}]}}\n")
    world.commit(generate=True)
    world.merge()


def name(world, registry, tag, branch="feature", **more):
    image = f"image: {{repository: {registry.host}/team/airflow, tag: {tag}}}"
    return world.change(DEV, AUTH, f"{AUTH}\n{image}", branch=branch, **more)


def said(outcome):
    return " ".join(item["message"] for item in every(report(outcome)))


def every(found):
    return [*found["problems"], *(p for item in found["environments"] for p in item["problems"])]


def test_an_image_that_its_registry_does_not_have_fails_the_check(world, registry):
    allow(world, registry.host)
    outcome = world.check(name(world, registry, "3.2.2-gone"))
    assert outcome.state is State.FAILURE
    assert "image/not-found" in outcome.summary
    assert f"image '{registry.host}/team/airflow:3.2.2-gone' not found" in said(outcome)
    registry.asked.clear()
    world.work.git("switch", "-q", "main")
    outcome = world.check(name(world, registry, "3.2.2-there", "other"))
    assert "not-found" not in outcome.summary and registry.paths()
    # What was there before and what the base names is nobody's news.
    assert all("3.2.2-there" in path for path in registry.paths())


def test_nothing_is_asked_for_a_fork_and_the_image_is_named(world, registry):
    allow(world, registry.host)
    number = name(world, registry, "3.2.2-gone", fork=True)
    world.check(number)
    outcome = world.check(number, grants=Grants(trusted_by="alice"))
    assert not registry.asked
    assert "not-found" not in outcome.summary
    assert "3.2.2-gone' in its registry not checked: the change comes from a fork" in (
        outcome.json_report + world.comment(number)
    )


@pytest.mark.thorough
def test_the_head_cannot_allow_a_registry(world, registry):
    world.branch("feature")
    world.work.write("gen-env.yaml", f"{SETTINGS}policy: {{registries: [{registry.host}]}}\n")
    image = f"image: {{repository: {registry.host}/team/airflow, tag: 3.2.2-gone}}"
    world.work.edit(DEV, AUTH, f"{AUTH}\n{image}")
    world.commit(generate=True)
    world.check(world.open())
    assert not registry.asked


def test_notes_about_what_was_not_looked_up_are_bounded(monkeypatch):
    named = tuple(f"r.example.com/a:{number}" for number in range(MOST + 7))
    monkeypatch.setattr(
        images, "look_up", lambda names, _: [Answer(image, None, "why") for image in names]
    )
    found = Findings(Report("a", "b", (EnvironmentDiff("dev", images=named),), ()))
    undone = images.judged(found, ["r.example.com"], fork=False).not_done
    assert len({item.check for item in undone}) == MOST + 1
    long = dataclasses.replace(found.report.environments[0], images=("x" * 9_000,))
    found = Findings(dataclasses.replace(found.report, environments=(long,)))
    assert len(images.judged(found, ["r"], fork=False).not_done[0].check) < 300
