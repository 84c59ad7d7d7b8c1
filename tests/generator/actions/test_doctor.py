"""`doctor`: each thing is ok, a warning or not looked at, and nothing hangs."""

import json
import socket
import sys
import time
from pathlib import Path

import pytest

from generator.actions.setup import doctor, doctor_machine
from generator.actions.setup.doctor import State
from generator.core.errors import UserError
from generator.promotion import forge_access
from generator.render.engine import choose_engine
from tests.fakes.apiserver import FakeApiServer
from tests.repositories import DEV, SETTINGS, repository, run

CONTEXT = SETTINGS + "    context: fake\n"


@pytest.fixture(autouse=True)
def no_tokens(monkeypatch):
    for name in ("GEN_ENV_FORGE_TOKEN", "FORGEJO_TOKEN", "GITEA_TOKEN", "GEN_ENV_OFFLINE"):
        monkeypatch.delenv(name, raising=False)


def checks(root, **more):
    found = doctor.assess(
        root, forge_access.forge_of, **{"offline": False, "timeout": 100.0, **more}
    )
    return {(item.group, item.subject): item for item in found}


@pytest.fixture
def repo(tmp_path):
    made = repository(tmp_path / "repo", settings=CONTEXT, dev=DEV).init()
    made.git("remote", "add", "origin", "git@git.example.com:airflow.git")
    return made


def test_outside_of_a_repository_the_machine_is_looked_at_and_the_rest_is_named(tmp_path):
    done = run("-C", tmp_path, "doctor", "-o", "json")
    found = {item["group"]: item for item in json.loads(done.stdout)["checks"]}
    assert found["machine"]["state"] == "ok"
    for group in ("engine", "forge", "cluster"):
        assert (
            found[group]["state"] == "not looked at" and "gen-env init" in found[group]["message"]
        )


def test_a_cluster_is_compared_with_the_catalogue(repo, tmp_path, monkeypatch):
    with FakeApiServer() as server:
        monkeypatch.setenv("KUBECONFIG", server.kubeconfig(tmp_path))
        served = [{"versions": [{"groupVersion": "keda.sh/v1alpha1"}]}]
        server.documents = {"/version": {"gitVersion": "v1.34.9"}, "/apis": {"groups": served}}
        found = checks(repo.root)["cluster", "main"]
        assert found.state is State.WARNING
        assert "does not serve monitoring.coreos.com/v1" in found.message
        assert "it has: KEDA" in found.message and "cluster inspect fake" in found.hint
        served.append({"versions": [{"groupVersion": "monitoring.coreos.com/v1"}]})
        assert checks(repo.root)["cluster", "main"].state is State.OK
        server.documents["/version"] = {"gitVersion": "v1.29.1"}
        assert "Kubernetes 1.34.2" in checks(repo.root)["cluster", "main"].message
        assert {request.split()[0] for request in server.requests} == {"GET"}


def test_what_never_answers_does_not_hang_it(repo, tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = FakeApiServer()
        server.server.server_close()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        path = tmp_path / "kubeconfig"
        config = Path(server.kubeconfig(tmp_path)).read_text()
        path.write_text(config.replace(server_url(server), url))
        monkeypatch.setenv("KUBECONFIG", str(path))
        began = time.monotonic()
        found = checks(repo.root, timeout=0.3)["cluster", "main"]
        assert time.monotonic() - began < 30
    assert found.state is State.NOT_READ and "no answer within 0.3 s" in found.message


def server_url(server):
    return f"http://127.0.0.1:{server.server.server_address[1]}"


def test_offline_asks_nobody(repo, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    found = checks(repo.root, offline=True)
    for key in (("forge", "pull requests"), ("cluster", "main")):
        assert (found[key].state, found[key].message) == (State.NOT_READ, "offline")


def test_without_a_context_or_a_token_it_says_so_and_does_not_say_ok(tmp_path):
    repo = repository(tmp_path / "repo", dev=DEV).init()
    found = checks(repo.root)
    assert found["cluster", "main"].state is State.NOT_READ
    assert found["forge", "pull requests"].state is State.NOT_READ
    assert found["forge", "origin"].state is State.WARNING


@pytest.mark.parametrize(
    ("origin", "state"),
    [
        ("git@git.example.com:airflow.git", State.OK),
        ("ssh://git@git.example.com:2222/airflow", State.OK),
        ("https://git.example.com/airflow.git", State.OK),
        ("https://git.example.com/other.git", State.WARNING),
        ("https://elsewhere.example.com/airflow.git", State.WARNING),
    ],
)
def test_origin_and_the_address_in_the_settings_name_one_repository(repo, origin, state):
    repo.git("remote", "set-url", "origin", origin)
    assert checks(repo.root, offline=True)["forge", "origin"].state is state


def test_a_chart_that_a_definition_names_and_the_cache_lacks_is_named(repo, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "none"))
    (found,) = (item for key, item in checks(repo.root, offline=True).items() if key[0] == "charts")
    assert found.state is State.WARNING and "lacks 1.22.0" in found.message
    assert "chart pull 1.22.0" in found.hint


def test_a_cache_without_any_chart_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "none"))
    (found,) = (item for key, item in checks(None, offline=True).items() if key[0] == "charts")
    assert found.state is State.WARNING and "0 versions" in found.message
    assert "chart pull" in found.hint


def test_broken_settings_end_in_no_green_line(repo):
    repo.write("gen-env.yaml", "a: [")
    found = checks(repo.root)
    assert found["cluster", ""].state is State.NOT_READ
    assert repo.run("doctor", "--offline").code in (0, 1)


def test_without_the_library_the_program_serves_and_without_both_it_is_a_warning(
    tmp_path, monkeypatch
):
    find = doctor_machine.importlib.util.find_spec
    monkeypatch.setattr(
        doctor_machine.importlib.util,
        "find_spec",
        lambda name: None if name == "helm_python" else find(name),
    )
    monkeypatch.setenv("GEN_ENV_HELM", "helm-that-is-not-there")
    look = doctor_machine._helm(None)
    assert not look.fits and "gen-env[helm]" in look.hint
    with pytest.raises(UserError, match="nothing renders here") as caught:
        choose_engine(None)
    assert "gen-env[helm]" in caught.value.hint
    monkeypatch.setenv("GEN_ENV_HELM", sys.executable)
    assert not doctor_machine._helm(None).fits, "it is not Helm"
    program = tmp_path / "helm"
    program.write_text("#!/bin/sh\necho v3.19.0\n")
    program.chmod(0o755)
    monkeypatch.setenv("GEN_ENV_HELM", str(program))
    look = doctor_machine._helm(None)
    assert look.fits and "v3.19.0" in look.message and "not installed" in look.message
    assert "3.19.0" in choose_engine(None).engine_version()


def test_elsewhere_than_on_linux_it_says_which_bound_is_missing(monkeypatch):
    monkeypatch.setattr(doctor_machine.sys, "platform", "darwin")
    look = doctor_machine._system()
    assert look.fits and "not in memory" in look.message
