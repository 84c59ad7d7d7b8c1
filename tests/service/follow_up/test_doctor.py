"""The doctor at a repository on a forge with real git, and at a stand-in cluster."""

import os

import pytest

from service.cli import doctor
from service.settings.resolve import load
from service.settings.schema import Verification
from tests.fakes import forge as fake_forge
from tests.fakes.apiserver import FakeApiServer
from tests.service import scene
from tests.service.follow_up.world import access


@pytest.fixture
def cluster():
    with FakeApiServer() as made:
        yield made


def findings(world, tmp_path, verification=None):
    """All findings by subject, for the world's connection."""
    settings = load(scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080), {})
    api = f"{world.api}/api/v1"
    connection = scene.changed(world.connection, verification=verification, api_url=api)
    changed = scene.changed(settings, connections=(connection,))
    found = list(doctor.assess(changed))
    assert len({item.subject for item in found}) == len(found)
    place = f"forge: {world.store.repository}: "
    return {item.subject.removeprefix(place): item for item in found}


def verification(fake, tmp_path, *names):
    place = access("fake", fake.kubeconfig(tmp_path))
    return Verification.model_construct(clusters=dict.fromkeys(names or ("main",), place))


def test_where_everything_is_there_nothing_is_amiss(world, tmp_path, cluster):
    found = findings(world, tmp_path, verification(cluster, tmp_path))
    missing = {item.subject for item in found.values() if item.problem}
    assert missing == {"forge: webhook secret"}
    looked = {"data folder", "database", "traces", "API tokens", "API", "git", "cluster main",
              "notifications (nothing is sent)"}  # fmt: skip
    assert looked <= set(found)
    assert [name for name in found if name.startswith("chart ")]


@pytest.mark.thorough
def test_rights_that_are_missing_are_named_with_what_gives_them(world, tmp_path, cluster):
    cluster.denied = {("get", "pods/log"), ("list", "applications")}
    found = findings(world, tmp_path, verification(cluster, tmp_path))["cluster main"]
    assert "cannot get pods/log in namespace" in found.problem
    assert "cannot list applications.argoproj.io airflow-" in found.problem
    assert "--print-role" in found.hint


@pytest.mark.thorough
def test_the_cluster_of_argo_cd_is_asked_for_its_own_part(world, tmp_path, cluster):
    with FakeApiServer() as hub:
        hub.denied = {("list", "applications")}
        known = verification(cluster, tmp_path)
        there = tmp_path / "hub"
        there.mkdir()
        known = scene.changed(known, argocd=access("fake", hub.kubeconfig(there)))
        found = findings(world, tmp_path, known)
    assert not found["cluster main"].problem
    assert "cannot list applications" in found["Argo CD of main"].problem


def test_a_cluster_that_does_not_answer_or_refuses_us_is_told(world, tmp_path, cluster):
    away = tmp_path / "away"
    away.mkdir()
    cluster.tokens = {"another"}
    refused = findings(world, tmp_path, verification(cluster, tmp_path))["cluster main"]
    assert refused.problem and refused.hint
    missing = Verification.model_construct(clusters={"main": access("fake", away / "none")})
    assert findings(world, tmp_path, missing)["cluster main"].problem


@pytest.mark.thorough
def test_a_cluster_of_no_environment_is_most_likely_misspelt(world, tmp_path, cluster):
    found = findings(world, tmp_path, verification(cluster, tmp_path, "main", "mian"))
    assert "no environment" in found["cluster mian"].problem
    assert not found["cluster main"].problem


def test_a_chart_that_cannot_be_had_is_told(world, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    [found] = [item for name, item in findings(world, tmp_path).items() if name.startswith("chart")]
    assert "is not in the cache" in found.problem and "gen-env chart add" in found.hint


def test_wrong_credentials_are_told_once_for_each_way_in(world, tmp_path):
    from generator.redaction.secret import Secret

    wrong = Secret("canary-wrong-token-0123456789")
    world.connection = scene.changed(world.connection, token=wrong)
    found = findings(world, tmp_path)
    assert found["API"].problem
    assert not any("canary" in f"{item.problem}{item.hint}" for item in found.values())


def test_an_account_that_may_not_ask_for_others_rights_is_told(world, tmp_path):
    world.store.rights[fake_forge.BOT] = "write"
    found = findings(world, tmp_path)
    assert not found["API"].problem
    assert "comment commands are refused" in found["rights of others"].problem
    assert "administrator" in found["rights of others"].hint


def test_without_a_data_folder_nothing_else_is_looked_at(tmp_path):
    settings = load(scene.write_settings(tmp_path, "http://127.0.0.1:9", 8080), {})
    (tmp_path / "data").write_text("")
    [found] = doctor.assess(settings)
    assert found.subject == "data folder" and "cannot create" in found.problem


def test_traces_that_cannot_be_made_are_told(world, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(os.environ, "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert "grpc" in findings(world, tmp_path)["traces"].problem
