"""What an archive of an image holds, and how it gets into a definition."""

import gzip
import hashlib
import io
import json
import lzma
import tarfile

import pytest
import zstandard

from generator.actions import image
from generator.core.errors import UserError
from tests.repositories import STAGING, repository

SITE = "home/airflow/.local/lib/python3.12/site-packages"
BASE = ("apache_airflow_core-3.2.2", "apache_airflow-3.2.2", "apache_airflow_providers_fab-3.6.4",
        "apache_airflow_providers_cncf_kubernetes-10.9.0", "requests-2.32.0")  # fmt: skip
SHORT = {"cncf-kubernetes": "10.9.0", "fab": "3.6.4"}
DEFINITION = "environments/staging/environment.yaml"


def metadata(*packages, site=SITE):
    return [f"{site}/{package}.dist-info/METADATA" for package in packages]


def tar(contents):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def layer(*paths):
    return tar(dict.fromkeys(paths, b"x"))


def saved(path, *layers, tags=("registry.example.com/airflow:3.2.2-r1",)):
    """As `docker save` writes it."""
    names = [f"{number}/layer.tar" for number, _ in enumerate(layers)]
    manifest = [{"Config": "c.json", "RepoTags": list(tags), "Layers": names}]
    files = dict(zip(names, layers, strict=True))
    path.write_bytes(tar({**files, "manifest.json": json.dumps(manifest).encode()}))
    return path


class Layout:
    """An OCI image layout with gzipped layers, written below an index of platforms."""

    def __init__(self):
        self.blobs = {}

    def blob(self, data):
        digest = hashlib.sha256(data).hexdigest()
        self.blobs[f"blobs/sha256/{digest}"] = data
        return f"sha256:{digest}"

    def image(self, *layers):
        kind = "application/vnd.oci.image"
        packed = [gzip.compress(item, mtime=0) for item in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{kind}.manifest.v1+json",
            "config": self.described(f"{kind}.config.v1+json", b"{}"),
            "layers": [self.described(f"{kind}.layer.v1.tar+gzip", item) for item in packed],
        }
        return self.blob(json.dumps(manifest).encode())

    def described(self, kind, data):
        return {"mediaType": kind, "digest": self.blob(data), "size": len(data)}

    def write(self, path, **platforms):
        entries = [
            {"digest": digest, "platform": {"os": os, "architecture": os}}
            for os, digest in platforms.items()
        ]
        index = self.blob(json.dumps({"manifests": entries}).encode())
        top = {"manifests": [{"digest": index, "mediaType": "application/vnd.oci.image.index.v1"}]}
        path.write_bytes(tar({**self.blobs, "index.json": json.dumps(top).encode()}))
        return index


def test_an_archive_of_docker_save_tells_airflow_python_and_providers(tmp_path):
    found = image.archive(saved(tmp_path / "a.tar", layer("etc/passwd"), layer(*metadata(*BASE))))
    assert found.facts("3.2.2-r1") == {
        "of": "3.2.2-r1", "airflow": "3.2.2", "python": "3.12", "providers": SHORT,
    }  # fmt: skip
    assert found.tags == ("registry.example.com/airflow:3.2.2-r1",)


@pytest.mark.parametrize(
    "hidden",
    [
        f"{SITE}/.wh.apache_airflow_providers_fab-3.6.4.dist-info",
        f"{SITE}/apache_airflow_providers_fab-3.6.4.dist-info/.wh.METADATA",
        f"{SITE}/apache_airflow_providers_fab-3.6.4.dist-info/.wh..wh..opq",
    ],
)
def test_a_package_that_a_later_layer_replaces_is_not_there(tmp_path, hidden):
    newer = layer(hidden, *metadata("apache_airflow_providers_fab-3.5.0"))
    found = image.archive(saved(tmp_path / "a.tar", layer(*metadata(*BASE)), newer))
    assert found.contents.providers == {**SHORT, "fab": "3.5.0"}


def test_layers_packed_with_zstd_are_read(tmp_path):
    packed = zstandard.compress(layer("etc/passwd")) + zstandard.compress(b"")
    path = saved(tmp_path / "a.tar", packed, zstandard.compress(layer(*metadata(*BASE))))
    assert image.archive(path).contents.providers == SHORT


def test_an_opaque_folder_hides_what_lies_below_and_not_what_it_brings(tmp_path):
    newer = layer("home/airflow/.wh..wh..opq", *metadata("apache_airflow-2.11.2"))
    found = image.archive(saved(tmp_path / "a.tar", layer(*metadata(*BASE)), newer))
    assert (found.contents.airflow, found.contents.providers) == ("2.11.2", {})


def test_an_oci_layout_of_several_platforms_that_agree(tmp_path):
    layout, path = Layout(), tmp_path / "a.tar"
    attestation = layout.blob(b"{}")
    index = layout.write(
        path, linux=layout.image(layer(*metadata(*BASE))), unknown=attestation,
        arm=layout.image(layer("other"), layer(*metadata(*BASE))),
    )  # fmt: skip
    found = image.archive(path)
    assert found.contents.providers == SHORT
    assert index in found.digests


def test_platforms_that_differ_are_refused(tmp_path):
    layout, path = Layout(), tmp_path / "a.tar"
    newer = layer(*metadata("apache_airflow_core-3.3.0"))
    layout.write(
        path, linux=layout.image(layer(*metadata(*BASE))), arm=layout.image(newer)
    )  # fmt: skip
    with pytest.raises(UserError, match="2 images that differ: linux/linux, arm/arm"):
        image.archive(path)


def broken(path, manifest, **files):
    path.write_bytes(tar({"manifest.json": manifest, **files}))
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path, "not found"),
        (lambda path: path.write_bytes(b"x" * 2000) and path, "not a tar archive"),
        (lambda path: path.write_bytes(layer("a")) and path, "neither manifest.json nor index"),
        (lambda path: broken(path, b"{"), "manifest.json is not valid JSON"),
        (lambda path: broken(path, b"[]"), "no image in the archive"),
        (lambda path: broken(path, b'[{"Layers": []}]'), "an image with 0 layers"),
        (lambda path: broken(path, b'[{"Layers": ["l"]}]'), "names l but does not contain it"),
        (lambda path: broken(path, b'[{"Layers": ["l"]}]', l=b"(\xb5/\xfd"), "or cut short"),
        (lambda path: saved(path, layer("etc/passwd")), "no Airflow is installed"),
        (lambda path: saved(path, layer(*metadata("apache_airflow_core-3.3.0rc1"))),
         "not a release"),
        (lambda path: saved(path, layer(*metadata("apache_airflow_core-3.2.2"), *metadata(
            "apache_airflow_core-3.3.0", site="opt/lib/python3.12/site-packages"))),
         "apache_airflow_core is installed in 2 versions: 3.2.2, 3.3.0"),
    ],
)  # fmt: skip
def test_what_is_no_image_with_one_airflow_is_refused(tmp_path, make, words):
    with pytest.raises(UserError, match=words):
        image.archive(make(tmp_path / "a.tar"))


@pytest.mark.parametrize("target", ["layer.tar", "../nothing.tar"])
def test_a_layer_that_is_a_link_to_nowhere_is_refused(tmp_path, target):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("0/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, target
        archive.addfile(link)
        data = b'[{"Layers": ["0/layer.tar"]}]'
        member = tarfile.TarInfo("manifest.json")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    with pytest.raises(UserError, match=r"names 0/layer\.tar but does not contain it"):
        image.archive(path)


@pytest.mark.parametrize("document", [b"[]", b"5", b"null"])
def test_an_index_that_leads_to_no_manifest_is_refused(tmp_path, document):
    layout, path = Layout(), tmp_path / "a.tar"
    layout.write(path, linux=layout.blob(document))
    with pytest.raises(UserError, match="is not the manifest of an image"):
        image.archive(path)


def test_a_broken_compressed_archive_is_refused(tmp_path):
    data = bytearray(lzma.compress(saved(tmp_path / "a.tar", layer(*metadata(*BASE))).read_bytes()))
    data[len(data) // 2] ^= 255
    path = tmp_path / "a.tar.xz"
    path.write_bytes(data)
    with pytest.raises(UserError, match="not a tar archive"):
        image.archive(path)


@pytest.fixture
def repo(tmp_path):
    made = repository(tmp_path / "repo", staging=STAGING)
    assert made.run("generate").code == 0
    return made


def test_the_facts_are_written_into_the_definition_and_change_nothing_that_is_generated(
    repo, tmp_path
):
    path = saved(tmp_path / "a.tar", layer(*metadata(*BASE)))
    done = repo.run("image", "inspect", str(path), "--env", "staging")
    assert done.code == 0, done.said
    facts = repo.yaml(DEFINITION)["image"]["facts"]
    assert facts == {"of": "3.2.2-r1", "airflow": "3.2.2", "python": "3.12", "providers": SHORT}
    assert repo.run("generate", "--check").code == 0


def test_facts_of_another_image_are_not_written(repo, tmp_path):
    path = saved(tmp_path / "a.tar", layer(*metadata(*BASE)), tags=("r/airflow:3.1.8",))
    before = repo.read(DEFINITION)
    done = repo.run("image", "inspect", str(path), "--env", "staging")
    assert done.code == 1 and "runs registry.example.com/airflow:3.2.2-r1" in done.said
    assert repo.read(DEFINITION) == before
    assert repo.run("image", "inspect", str(path), "--env", "staging", "--of", "x").code == 0
    assert repo.yaml(DEFINITION)["image"]["facts"]["of"] == "x"


def test_the_same_tag_of_another_repository_is_another_image(repo, tmp_path):
    path = saved(tmp_path / "a.tar", layer(*metadata(*BASE)), tags=("apache/airflow:3.2.2-r1",))
    done = repo.run("image", "inspect", str(path), "--env", "staging")
    assert done.code == 1 and "inspected: apache/airflow:3.2.2-r1" in done.said


def test_a_name_without_a_digest_is_said_to_be_no_proof(repo, tmp_path):
    path = saved(tmp_path / "a.tar", layer(*metadata(*BASE)), tags=())
    done = repo.run("image", "inspect", str(path), "--env", "staging")
    assert done.code == 0 and "not verified" in done.stderr


def test_facts_that_the_definition_cannot_hold_are_not_written(repo):
    before = repo.read(DEFINITION)
    done = repo.run(
        "image", "inspect", "--airflow", "3.2.2", "--provider", "fab=", "--env", "staging"
    )
    assert done.code == 1 and "image.facts.providers.fab" in done.said
    assert repo.read(DEFINITION) == before


def test_facts_by_hand(repo):
    done = repo.run(
        "image", "inspect", "--airflow", "3.2.2", "--provider", "fab=3.6.4", "--provider",
        "apache-airflow-providers-edge3=3.2.0", "-o", "json",
    )  # fmt: skip
    assert json.loads(done.stdout)["image"]["facts"] == {
        "airflow": "3.2.2", "providers": {"fab": "3.6.4", "edge3": "3.2.0"},
    }  # fmt: skip
    bare = repo.run("image", "inspect", "--airflow", "3.2.2", "-o", "json")
    assert json.loads(bare.stdout)["image"]["facts"] == {"airflow": "3.2.2"}


@pytest.mark.parametrize(
    "arguments", [[], ["--python", "3.12"], ["a.tar", "--airflow", "3.2.2"], ["--airflow"]]
)
def test_wrong_use_is_refused(repo, arguments):
    assert repo.run("image", "inspect", *arguments).code == 2


def test_a_pinned_digest_must_be_the_archives(repo, tmp_path):
    layout, path = Layout(), tmp_path / "a.tar"
    index = layout.write(path, linux=layout.image(layer(*metadata(*BASE))))
    text = repo.read(DEFINITION)
    for digest, code in ((index, 0), ("sha256:" + "a" * 64, 1)):
        repo.write(DEFINITION, text.replace("tag: 3.2.2-r1", f'tag: 3.2.2-r1, digest: "{digest}"'))
        done = repo.run("image", "inspect", str(path), "--env", "staging")
        assert done.code == code, done.said
