"""`gen-env image lock`, `check`, `pin` and `ci` on an index and a registry of loopback."""

import shutil
import sys
from pathlib import Path

import packaging
import pytest
import yaml

from generator.actions import image_lock, image_pin
from generator.core.errors import UserError
from tests.fakes.package_index import Index, with_airflow
from tests.generator.image.test_registry import AIRFLOW, published, stand_in
from tests.repositories import DEV, repository

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LOCK = "environments/dev/requirements.lock"
DEFINITION = "environments/dev/environment.yaml"
PACKAGING = {
    f"packaging/{path.name}": path.read_text()
    for path in Path(packaging.__file__).parent.glob("*.py")
}


@pytest.fixture
def index():
    made = Index()
    with_airflow(made)
    made.add("packaging", "26.0", PACKAGING)
    made.add("pandas", "2.2.0")
    made.add("pandas", "2.3.0", uploaded="2026-06-15")
    with made.serving() as address:
        made.address = address
        yield made


def build(address="", more="", base="apache/airflow:3.2.2"):
    image = f'  build:\n    base: {base}   # the official one\n    python: "{PYTHON}"\n{more}'
    image += f"    index: {address}\n" if address else ""
    return f"{DEV}image:\n  repository: registry.example.com/airflow  # where CI pushes\n{image}"


def made(tmp_path, index, more="    requirements: [pandas]\n"):
    return repository(tmp_path / "repo", dev=build(index.address, more))


def test_a_lock_holds_what_was_uploaded_by_the_release_day_with_digests(tmp_path, index):
    repo = made(tmp_path, index)
    done = repo.run("image", "lock", "dev")
    assert done.code == 0, done.said
    text = repo.read(LOCK)
    assert "by uploads up to 2026-05-29" in done.stderr
    assert "pandas==2.2.0" in text and text.count("--hash=sha256:") == 6
    assert "127.0.0.1" not in text and "[image/lock]" not in repo.run("generate").said
    again = repo.run("image", "lock", "dev")
    assert repo.read(LOCK) == text and "→" not in again.stderr


def test_a_lock_out_of_date_is_told_and_its_renewal_names_what_changes(tmp_path, index):
    repo = made(tmp_path, index)
    repo.run("image", "lock", "dev")
    assert repo.run("image", "lock", "dev", "--check").code == 0
    repo.edit(DEFINITION, "    requirements", '    notAfter: "2026-06-20"\n    requirements')
    stale = repo.run("image", "lock", "dev", "--check")
    assert stale.code != 0 and "was made from other requirements" in stale.stderr
    assert "was made from other requirements" in repo.run("generate").said
    assert "was made from other requirements" in repo.run("image", "check", "dev").stderr
    assert "  pandas 2.2.0 → 2.3.0\n" in repo.run("image", "lock", "dev").stderr


def test_constraints_decide_where_the_file_is_there(tmp_path, index):
    repo = made(tmp_path, index, "    requirements: [pandas]\n    constraints: constraints.txt\n")
    assert "constraints.txt not found" in repo.run("image", "lock", "dev").stderr
    repo.write("environments/dev/constraints.txt", b"pandas==2.3.0\r\n")
    assert "by constraints.txt" in repo.run("image", "lock", "dev").stderr
    assert "pandas==2.3.0" in repo.read(LOCK)


def test_an_unknown_package_is_named_and_nothing_is_written(tmp_path, index):
    repo = made(tmp_path, index, "    requirements: [no-such-package-here]\n")
    done = repo.run("image", "lock", "dev")
    assert done.code != 0 and "no-such-package-here was not found" in " ".join(done.stderr.split())
    assert not (repo.root / LOCK).exists()


def test_without_constraints_and_a_known_day_nothing_is_locked(tmp_path, index):
    repo = made(tmp_path, index, "")
    repo.edit(DEFINITION, "airflow: {version: 3.2.2}", "airflow: {version: 3.9.0}")
    done = repo.run("image", "lock", "dev")
    assert done.code != 0 and "release day of Airflow 3.9.0 is unknown" in done.stderr
    assert "image.build.constraints" in done.stderr and "image.build.notAfter" in done.stderr


def test_without_uv_that_is_what_is_said(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(UserError, match="uv not found"):
        image_lock.uv()


def test_credentials_come_from_netrc_and_reach_neither_lock_nor_output(
    tmp_path, index, monkeypatch
):
    index.password = "hunter2hunter2"
    repo = made(tmp_path, index)
    refused = repo.run("image", "lock", "dev")
    assert refused.code != 0 and index.refused
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login ci password {index.password}\n")
    monkeypatch.setenv("NETRC", str(netrc))
    done = repo.run("image", "lock", "dev")
    assert done.code == 0
    assert index.password not in done.said + refused.said + repo.read(LOCK)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({}, "no problems found in what was checked"),
        (
            {
                "broken": {
                    "airflow/api_fastapi/app.py": "raise TypeError('a discriminator field')\n"
                }
            },
            "airflow.api_fastapi.app cannot be imported: TypeError: a discriminator field",
        ),
    ],
)
def test_check_imports_components_and_dags_and_says_what_it_did_not_see(
    tmp_path, index, about, words
):
    with_airflow(index, **about)
    repo = made(tmp_path, index, "    dags: dags\n")
    repo.write("dags/good.py", "x = 1\n")
    repo.run("image", "lock", "dev")
    done = repo.run("image", "check", "dev")
    assert words in done.said and done.code == bool(about)
    assert "not checked  packages of the base image" in done.stdout
    repo.write("dags/bad.py", "import nothing_here\n")
    done = repo.run("image", "check", "dev")
    assert done.code == 1
    assert "dags/bad.py: ModuleNotFoundError: No module named 'nothing_here'" in done.stdout


@pytest.mark.thorough
def test_check_names_a_provider_older_than_airflow_asks_for(tmp_path, index):
    repo = made(tmp_path, index, "    dags: dags\n")
    repo.run("image", "lock", "dev")
    text = repo.read(LOCK)
    index.files.pop("apache_airflow-3.2.2-py3-none-any.whl")
    with_airflow(index, floor="4.0.0")
    # A lock by hand, or one whose constraints lie: the resolver would not write it.
    import hashlib

    data = index.files["apache_airflow-3.2.2-py3-none-any.whl"][1]
    head, rest = (
        text.split("apache-airflow==3.2.2", 1)
        if "apache-airflow==" in text
        else (text.split("apache-airflow[fab,postgres,statsd]==3.2.2", 1))
    )
    after = rest.split("\n", 2)[2]
    digest = hashlib.sha256(data).hexdigest()
    repo.write(LOCK, f"{head}apache-airflow==3.2.2 \\\n    --hash=sha256:{digest}\n{after}")
    done = repo.run("image", "check", "dev")
    assert "apache-airflow-providers-fab is 3.6.4, and Airflow asks for >=4.0.0" in done.stdout
    assert "dags not found" in done.stdout


def test_check_says_what_it_cannot_do_without_that_python(tmp_path, index):
    repo = repository(tmp_path / "repo", dev=build(index.address).replace(PYTHON, "3.99"))
    path = repo.write(LOCK, "")
    done = repo.run("generate")
    line = next(p for p in repo.read("environments/dev/generated/image/Containerfile").split("'")
                if p.startswith("# inputs"))  # fmt: skip
    path.write_text(f"{line}\na==1 \\\n    --hash=sha256:{'a' * 64}\n")
    done = repo.run("image", "check", "dev")
    assert done.code == 1 and "nothing could be checked" in done.stderr
    assert "Python 3.99 is not installed on this machine" in done.stdout


def test_pin_writes_the_digest_of_the_registry_and_keeps_every_comment(tmp_path):
    layout, digest = published(AIRFLOW)
    with stand_in(layout, digest, tag="3.2.2") as (_, server):
        text = build(base=f"{server}:3.2.2").replace("registry.example.com/airflow", server)
        repo = repository(tmp_path / "repo", dev=text)
        assert repo.run("image", "pin", "dev", "--base").code == 0
        assert repo.run("image", "pin", "dev").code == 0
    pinned = repo.read(DEFINITION)
    assert repo.yaml(DEFINITION)["image"]["build"]["base"] == f"{server}:3.2.2@{digest}"
    assert "   # the official one\n" in pinned and "  # where CI pushes\n" in pinned
    assert repo.yaml(DEFINITION)["image"]["digest"] == digest
    gone = [line for line in text.splitlines() if line not in pinned.splitlines()]
    assert gone == [f"    base: {server}:3.2.2   # the official one"]


def test_pin_takes_the_digest_of_a_build_and_says_that_nobody_looked(tmp_path):
    repo = repository(tmp_path / "repo", dev=build())
    digest = "sha256:" + "ab" * 32
    done = repo.run("image", "pin", "dev", "--digest", digest)
    assert "the registry was not asked" in done.stderr
    assert repo.yaml(DEFINITION)["image"]["digest"] == digest
    before = repo.read(DEFINITION)
    assert repo.run("image", "pin", "dev", "--digest", "latest").code != 0
    assert repo.read(DEFINITION) == before


def test_a_base_of_the_defaults_is_not_pinned_in_the_definition():
    class Elsewhere:
        name = "dev"
        environment = None

        class definition:
            path = "x"

            @staticmethod
            def part(*_):
                return None

        @staticmethod
        def place(*_):
            return "gen-env.yaml", 3

    with pytest.raises(UserError, match=r"image\.build\.base is not in the definition"):
        image_pin.subject(Elsewhere(), base=True)


@pytest.mark.parametrize("forge", ["github", "gitlab", "gitea"])
@pytest.mark.parametrize("builder", ["buildkit", "buildah"])
def test_ci_steps_are_yaml_that_builds_what_was_generated(tmp_path, forge, builder):
    more = (
        "    indexCredentials: true\n    index: https://pypi.example.com/simple\n    dags: dags\n"
    )
    repo = repository(tmp_path / "repo", dev=build(more=more))
    repo.run("generate")
    done = repo.run("image", "ci", "dev", "--forge", forge, "--builder", builder)
    steps = yaml.safe_load(done.stdout)
    assert (
        done.stdout == repo.run("image", "ci", "dev", "--forge", forge, "--builder", builder).stdout
    )
    if forge == "gitlab":
        (job,) = steps.values()
        script = "\n".join(job["script"])
    else:
        assert steps["on"]["push"]["branches"] == ["main"]
        assert steps["permissions"] == {"contents": "read"}
        script = "\n".join(step.get("run", "") for step in steps["jobs"]["image"]["steps"])
    assert "--file environments/dev/generated/image/Containerfile" in script
    assert "gen-env image lock --check dev" in script and "--password-stdin" in script
    assert "--secret id=netrc,src=/tmp/netrc" in script and "registry.example.com" in script
    assert "1780099200" in script and "image.digest" in script
    # A secret is a variable of the forge; no argument of a program holds its value.
    assert "--password " not in script and "build-arg NETRC" not in script


@pytest.mark.parametrize("name", ["x.io/a;id", "x.io/a$(id)", "x.io/${{ secrets.A }}"])
def test_ci_steps_refuse_a_name_that_a_shell_would_run(tmp_path, name):
    text = build().replace("registry.example.com/airflow", f'"{name}"')
    repo = repository(tmp_path / "repo", dev=text)
    done = repo.run("image", "ci", "dev", "--forge", "github")
    assert done.code != 0 and "not a plain name" in done.stderr and not done.stdout
