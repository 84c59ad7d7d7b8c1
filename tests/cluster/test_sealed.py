"""What `gen-env seal` makes, unsealed by the real sealed-secrets controller."""

import base64
import json
import subprocess

import pytest

from generator.yaml.manifests import load_manifests
from generator.yaml.writer import dump
from tests import repositories
from tests.cluster import process, programs
from tests.cluster.conftest import require
from tests.cluster.samples import ensure_namespace

pytestmark = pytest.mark.nightly

SCOPES = ("strict", "namespace-wide", "cluster-wide")
VALUE = "postgresql://airflow:p%40ss@pg-staging.example.com:5432/airflow"
SECRET = "airflow-database"


@pytest.fixture(params=SCOPES)
def sealed(request, sealing_certificate, tmp_path):
    """Scope, and the SealedSecret that `gen-env seal` made in it."""
    text = repositories.STAGING + f"secrets: {{scope: {request.param}}}\n"
    repo = repositories.repository(tmp_path / "repo", staging=text).init()
    assert repo.run("generate", "staging").code == 0
    path = repo.root / "value"
    path.write_text(VALUE, encoding="utf-8")
    done = repo.run(
        "seal",
        "staging",
        SECRET,
        "--from-file",
        f"connection={path}",
        "--cert",
        sealing_certificate,
    )
    assert done.code == 0, done.said
    file = repo.root / f"environments/staging/secrets/{SECRET}.yaml"
    (manifest,) = load_manifests(file.read_bytes())
    return request.param, manifest


def place(bed, manifest, namespace, name=SECRET):
    """The SealedSecret as somebody put it into that namespace under that name."""
    ensure_namespace(bed, namespace)
    metadata = {**manifest["metadata"], "namespace": namespace, "name": name}
    return bed.apply({**manifest, "metadata": metadata})


def condition(bed, placed):
    """What the controller says of it, once it says something of this very content."""

    def found():
        now = bed.get(bed.path(placed))
        status = now.get("status", {})
        if status.get("observedGeneration") != now["metadata"]["generation"]:
            return None
        return next(iter(status.get("conditions", [])), None)

    return process.until(found, "a word of the controller")


def secret(bed, placed):
    metadata = placed["metadata"]
    path = f"/api/v1/namespaces/{metadata['namespace']}/secrets/{metadata['name']}"
    return bed.get(path)


def test_the_controller_unseals_what_we_sealed_in_its_place(bed, sealed):
    _, manifest = sealed
    placed = place(bed, manifest, manifest["metadata"]["namespace"])
    try:
        assert condition(bed, placed)["status"] == "True"
        found = process.until(lambda: secret(bed, placed), "the Secret")
        assert base64.b64decode(found["data"]["connection"]).decode() == VALUE
    finally:
        bed.call("DELETE", bed.path(placed))
        process.until(lambda: secret(bed, placed) is None, "the Secret gone")


@pytest.mark.parametrize(
    ("namespace", "name", "scopes"),
    [
        ("elsewhere", SECRET, {"cluster-wide"}),
        ("airflow-staging", "another-name", {"namespace-wide", "cluster-wide"}),
    ],
)
def test_it_is_unsealed_elsewhere_only_as_far_as_its_scope_goes(
    bed, sealed, namespace, name, scopes
):
    scope, manifest = sealed
    placed = place(bed, manifest, namespace, name)
    try:
        told = condition(bed, placed)
        assert (told["status"] == "True") == (scope in scopes), told
        if scope not in scopes:
            assert "no key could decrypt secret" in told["message"]
            assert secret(bed, placed) is None
    finally:
        bed.call("DELETE", bed.path(placed))
        process.until(lambda: secret(bed, placed) is None, "the Secret gone")


def test_kubeseal_itself_opens_what_we_sealed(bed, sealed, tmp_path):
    require("kubeseal")
    _, manifest = sealed
    keys = bed.get(
        "/api/v1/namespaces/kube-system/secrets"
        "?labelSelector=sealedsecrets.bitnami.com/sealed-secrets-key%3Dactive"
    )["items"]
    assert len(keys) == 1
    key = tmp_path / "key.pem"
    key.write_bytes(base64.b64decode(keys[0]["data"]["tls.key"]))
    done = subprocess.run(
        [programs.find("kubeseal"), "--recovery-unseal", f"--recovery-private-key={key}"],
        input=dump(manifest),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    opened = json.loads(done.stdout)
    assert base64.b64decode(opened["data"]["connection"]).decode() == VALUE
