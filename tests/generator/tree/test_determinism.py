"""The same tree on every machine: time zone, locale, umask, hash seed and folder do not matter."""

import os
import stat
import subprocess
import sys

import pytest

from generator.yaml.writer import dump
from tests import definitions

pytestmark = pytest.mark.thorough

CIRCUMSTANCES = {
    "another time zone": {"TZ": "Pacific/Kiritimati"},
    "a Turkish locale": {"LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"},
    "no locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "another hash seed": {"PYTHONHASHSEED": "4242"},
    "a third hash seed": {"PYTHONHASHSEED": "1"},
    "a closed umask": {"umask": 0o077},
    "an open umask": {"umask": 0o000},
}
# Nothing of the machine that runs the test, such as its chart cache.
_ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nowhere",
    "GEN_ENV_OFFLINE": "1",
    "LC_ALL": "C.UTF-8",
    "PYTHONHASHSEED": "0",
}
_START = "import os, sys; os.umask(int(sys.argv.pop(1))); from generator.cli.main import run; run()"


def repository(folder):
    """A repository with environments of many kinds, and characters beyond ASCII."""
    files = {"gen-env.yaml": dump(definitions.settings())}
    for number, case in enumerate(definitions.pairwise()[:12]):
        wanted = definitions.definition(case | {"name": "plain"})
        wanted["metadata"] = wanted["metadata"] | {"name": f"e{number}"}
        wanted["destination"] = wanted["destination"] | {"namespace": f"airflow-{number}"}
        env = wanted["airflow"].get("env", {})
        wanted["airflow"] = wanted["airflow"] | {"env": env | {"CITY": "zürich ıİß"}}
        if "host" in wanted["database"]:
            wanted["database"] = wanted["database"] | {"name": f"airflow{number}"}
        files[f"environments/e{number}/environment.yaml"] = dump(wanted)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def generate(folder, circumstances):
    """Run `gen-env generate` in a process of its own."""
    variables = dict(circumstances)
    umask = variables.pop("umask", 0o022)
    done = subprocess.run(
        [sys.executable, "-c", _START, str(umask), "-C", str(folder), "generate"],
        env={**_ENVIRONMENT, **variables},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def tree(folder):
    """Path → content and mode of everything that was written."""
    return {
        path.relative_to(folder).as_posix(): (
            path.read_bytes() if path.is_file() else None,
            stat.S_IMODE(path.stat().st_mode) if "generated" in path.as_posix() else None,
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = repository(tmp_path_factory.mktemp("expected"))
    printed = generate(folder, {})
    return tree(folder), printed


@pytest.mark.always
@pytest.mark.few(1)
@pytest.mark.parametrize("name", CIRCUMSTANCES)
def test_the_tree_and_what_is_printed_are_the_same_under(name, tmp_path, expected):
    folder = repository(tmp_path / "repository in another place ü")
    printed = generate(folder, CIRCUMSTANCES[name])
    assert (tree(folder), printed) == expected


@pytest.mark.thorough
def test_files_are_readable_for_everybody_whatever_the_umask(tmp_path):
    folder = repository(tmp_path)
    generate(folder, {"umask": 0o077})
    written = [path for path in folder.rglob("*") if "generated" in path.parts]
    assert len(written) > 40
    for path in written:
        wanted = 0o644 if path.is_file() else 0o755
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path


def test_nothing_of_the_machine_is_in_the_tree(tmp_path, expected):
    contents, _ = expected
    host, user = os.uname().nodename, os.environ.get("USER", "")
    for path, (content, _) in contents.items():
        for word in (str(tmp_path.parent), host, user):
            assert not word or len(word) < 5 or word.encode() not in (content or b""), path


def test_a_second_run_writes_nothing(tmp_path):
    folder = repository(tmp_path)
    generate(folder, {})
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert generate(folder, {"PYTHONHASHSEED": "7"}) == b""
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
