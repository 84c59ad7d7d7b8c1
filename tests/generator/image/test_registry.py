"""What an image in a registry holds: over HTTP from a stand-in, and from Debian's registry."""

import base64
import contextlib
import errno
import hashlib
import io
import json
import shutil
import socket
import subprocess
import time
from urllib.parse import urljoin

import pytest
import requests

from generator.actions import image
from generator.airflow.image_release import Reference, reference
from generator.core.errors import UserError
from generator.image import registry
from tests.fakes.chart_server import Answer, serving
from tests.generator.image.test_inspect import BASE, SHORT, Layout, layer, metadata
from tests.repositories import STAGING, repository

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DEFINITION = "environments/staging/environment.yaml"


def published(*images, platforms=("linux/amd64", "linux/arm64")):
    """Blobs, and the index over one image per platform."""
    layout = Layout()
    entries = []
    for name, layers in zip(platforms, images, strict=False):
        os, architecture = name.split("/")
        digest = layout.image(*layers)
        entries.append(
            {
                "digest": digest,
                "mediaType": MANIFEST,
                "size": len(layout.blobs[f"blobs/sha256/{digest.partition(':')[2]}"]),
                "platform": {"os": os, "architecture": architecture},
            }
        )
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return layout, layout.blob(json.dumps(index).encode())


AIRFLOW = [layer("etc/passwd"), layer(*metadata(*BASE))]


@contextlib.contextmanager
def stand_in(layout, index, tag="3.2.2-r1", name="team/airflow"):
    with serving() as server:
        for path, data in layout.blobs.items():
            digest = path.removeprefix("blobs/").replace("/", ":")
            kind = "manifests" if data.startswith(b"{") else "blobs"
            server.answers[f"/v2/{name}/{kind}/{digest}"] = data
        top = layout.blobs[f"blobs/sha256/{index.partition(':')[2]}"]
        server.answers[f"/v2/{name}/manifests/{tag}"] = Answer(
            top, headers={"Docker-Content-Digest": index}
        )
        yield server, f"{server.host}/{name}"


@pytest.fixture
def served():
    layout, index = published(AIRFLOW, AIRFLOW)
    with stand_in(layout, index) as (server, name):
        yield server, name, index


@pytest.fixture(autouse=True)
def no_login(monkeypatch, tmp_path):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)


def test_an_image_of_a_registry_tells_airflow_python_and_providers(served):
    _, name, index = served
    found = image.registry(Reference(name, "3.2.2-r1"))
    assert (found.contents.airflow, found.contents.providers) == ("3.2.2", SHORT)
    assert index in found.digests and found.tags == (f"{name}:3.2.2-r1",)
    assert image.registry(Reference(name, digest=index)).contents == found.contents


def test_one_platform_is_read_where_one_is_asked_for():
    layout, index = published(AIRFLOW, [layer(*metadata("apache_airflow_core-3.3.0"))])
    with stand_in(layout, index) as (server, name):
        with pytest.raises(UserError, match="2 images that differ: linux/amd64, linux/arm64"):
            image.registry(Reference(name, "3.2.2-r1"))
        server.asked.clear()
        found = image.registry(Reference(name, "3.2.2-r1"), "linux/arm64")
        assert found.contents.airflow == "3.3.0"
        assert sum("/blobs/" in path for path in server.paths()) == 1
        with pytest.raises(UserError, match=r"no image for linux/s390x: it has linux/amd64, linux"):
            image.registry(Reference(name, "3.2.2-r1"), "linux/s390x")


def test_the_image_of_an_environment_is_read_from_its_registry(served, tmp_path):
    _, name, index = served
    text = STAGING.replace("registry.example.com/airflow", name)
    repo = repository(tmp_path / "repo", staging=text)
    done = repo.run("image", "inspect", "--env", "staging")
    assert done.code == 0, done.said
    assert repo.yaml(DEFINITION)["image"]["facts"]["of"] == "3.2.2-r1"
    assert f"3.2.2-r1 is {index} today, and a tag can move" in done.stderr
    repo.write(DEFINITION, text.replace("tag: 3.2.2-r1", f'tag: 3.2.2-r1, digest: "{index}"'))
    done = repo.run("image", "inspect", "--env", "staging")
    assert (done.code, done.stderr.count("a tag can move")) == (0, 0), done.said
    assert repo.yaml(DEFINITION)["image"]["facts"]["of"] == index
    printed = repo.run("image", "inspect", f"docker://{name}@{index}", "-o", "json")
    assert json.loads(printed.stdout)["image"]["facts"]["providers"] == SHORT


def test_the_password_of_docker_login_goes_to_its_registry_alone(served, tmp_path, monkeypatch):
    server, name, _ = served
    path = f"/v2/{name.partition('/')[2]}/manifests/3.2.2-r1"
    top = server.answers[path].body
    challenge = f'Bearer realm="{server.url}/token",service="r"'

    def manifest(headers):
        if headers.get("authorization") != "Bearer good":
            return Answer(status=401, headers={"WWW-Authenticate": challenge})
        return Answer(top)

    server.answers[path] = manifest
    scope = f"scope=repository%3A{name.partition('/')[2].replace('/', '%2F')}%3Apull&service=r"
    server.answers[f"/token?{scope}"] = b'{"token": "good"}'
    folder = tmp_path / "docker"
    folder.mkdir()
    pair = base64.b64encode(b"me:s3cret-word").decode()
    (folder / "config.json").write_text(json.dumps({"auths": {server.host: {"auth": pair}}}))
    assert image.registry(Reference(name, "3.2.2-r1")).contents.airflow == "3.2.2"
    sent = {path: headers.get("authorization") for path, headers in server.asked}
    assert sent[f"/token?{scope}"] == f"Basic {pair}"
    assert registry.credentials("elsewhere.example.com") is None
    (folder / "config.json").write_text(json.dumps({"auths": {server.host: {"auth": "!!"}}}))
    with pytest.raises(UserError, match="cannot read the registry credentials") as error:
        image.registry(Reference(name, "3.2.2-r1"))
    assert pair not in str(error.value)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda server, at: server.answers.pop(at("manifests")), "answered 404"),
        (lambda server, at: server.answers.update({at("manifests"): b"{"}), "is not valid JSON"),
        (lambda server, at: server.answers.update({at("manifests"): b"{}"}), "0 layers"),
        (
            lambda server, at: server.answers.update(
                {at("manifests"): b'{"layers": [{"digest": "sha256:../../x"}]}'}
            ),
            "is not a digest",
        ),
        (
            lambda server, at: server.answers.update(
                {at("manifests"): Answer(b"{}", headers={"Docker-Content-Digest": "sha256:0"})}
            ),
            "the source states sha256:0",
        ),
        (lambda server, at: server.answers.update({at("blobs"): b"other"}), "another digest"),
        (
            lambda server, at: server.answers.update({at("blobs"): Answer(b"x", cut=True)}),
            "incompl",
        ),
    ],
)
def test_a_broken_registry_is_an_error_with_the_image_or_its_address(served, spoil, words):
    server, name, _ = served

    def at(kind):
        known = [path for path in server.answers if f"/{kind}/" in path]
        return next((path for path in known if path.endswith("r1")), known[-1])

    spoil(server, at)
    with pytest.raises(UserError, match=words):
        image.registry(Reference(name, "3.2.2-r1"))


def test_a_full_disk_is_not_taken_for_a_broken_image_or_network(served, monkeypatch, tmp_path):
    _, name, _ = served

    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(registry.tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(UserError, match="cannot be kept: No space left on device"):
        image.registry(Reference(name, "3.2.2-r1"))
    monkeypatch.undo()
    monkeypatch.setattr(registry.tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(UserError, match="on disk: No such file or directory"):
        image.registry(Reference(name, "3.2.2-r1"))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("airflow", ("docker.io", "library/airflow")),
        ("apache/airflow", ("docker.io", "apache/airflow")),
        ("docker.io/apache/airflow", ("docker.io", "apache/airflow")),
        ("localhost/airflow", ("localhost", "airflow")),
        ("registry:5000/a/b", ("registry:5000", "a/b")),
        ("ghcr.io/a/b", ("ghcr.io", "a/b")),
    ],
)
def test_a_name_without_a_host_is_docker_hubs(name, place):
    assert registry.located(name) == place


@pytest.mark.parametrize("text", ["docker://", "docker://airflow", "docker://UPPER/x:1"])
def test_a_reference_that_names_no_image_is_refused(tmp_path, text):
    repo = repository(tmp_path / "repo", staging=STAGING)
    done = repo.run("image", "inspect", text)
    assert done.code == 1 and "Traceback" not in done.said


@pytest.fixture
def debian_registry(tmp_path):
    """The distribution registry, as Debian packages it."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry on PATH: install Debian's package docker-registry")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "registry.yml"
    config.write_text(
        "version: 0.1\n"
        f"storage: {{filesystem: {{rootdirectory: {tmp_path}/blobs}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\nlog: {{level: error}}\n"
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", config], stdout=log, stderr=log)
        try:
            for _ in range(200):
                with contextlib.suppress(requests.ConnectionError):
                    requests.get(f"http://127.0.0.1:{port}/v2/", timeout=5)
                    break
                time.sleep(0.05)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def pushed(host):
    """An image of Airflow as `team/airflow:3.2.2-r1`; gives the digest of its index."""
    layout, index = published(AIRFLOW, AIRFLOW)
    base = f"http://{host}/v2/team/airflow"
    for data in layout.blobs.values():
        started = requests.post(f"{base}/blobs/uploads/", timeout=10)
        place = urljoin(base, started.headers["Location"])
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        done = requests.put(place, params={"digest": digest}, data=data, timeout=10)
        assert done.status_code == 201, done.text
    for path, data in layout.blobs.items():
        if data.startswith(b'{"schemaVersion"'):
            digest = path.removeprefix("blobs/").replace("/", ":")
            kind = INDEX if digest == index else MANIFEST
            for name in (digest, *(["3.2.2-r1"] if digest == index else [])):
                done = requests.put(
                    f"{base}/manifests/{name}",
                    data=data,
                    headers={"Content-Type": kind},
                    timeout=10,
                )
                assert done.status_code == 201, done.text
    return index


@pytest.mark.thorough
def test_a_real_registry_is_read_as_the_stand_in_is(debian_registry):
    index = pushed(debian_registry)
    found = image.registry(reference(f"{debian_registry}/team/airflow:3.2.2-r1"))
    assert found.contents.providers == SHORT
    assert found.digests[0] == index
