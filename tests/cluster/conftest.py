"""A real cluster for the tests in this folder, as far as its programs are at hand."""

import os
from pathlib import Path

import pytest

from generator.yaml.manifests import load_manifests
from tests.cluster import controllers, plane, programs, samples, sealing
from tests.standin_chart import stand_in_archive

_PLANE = ("etcd", "kube-apiserver")


def require(*names):
    """Skip, with the reason, where a program is missing."""
    missing = [name for name in names if programs.find(name) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}: make cluster-tools, or KUBEBUILDER_ASSETS")


def define(server):
    """Serve the official CustomResourceDefinitions; gives the folder that they are from."""
    folder = os.environ.get("GEN_ENV_CRDS")
    if not folder:
        pytest.skip("needs the official CustomResourceDefinitions: GEN_ENV_CRDS=DIR")
    for file in sorted(Path(folder).glob("*.yaml")):
        for manifest in load_manifests(file.read_bytes()):
            server.apply(manifest)
    return folder


@pytest.fixture(scope="session")
def real_plane(tmp_path_factory):
    """etcd and kube-apiserver, started once for all tests: what is applied stays as it is."""
    require(*_PLANE)
    with plane.running(tmp_path_factory.mktemp("plane")) as server:
        yield server


@pytest.fixture(scope="session")
def definitions(real_plane):
    """The official CustomResourceDefinitions, served by the real API server."""
    return define(real_plane)


@pytest.fixture(scope="session")
def bed(tmp_path_factory):
    """A second cluster, whose controllers act on what is applied; kwok stands for kubelets."""
    require(*_PLANE, *controllers.PROGRAMS)
    folder = tmp_path_factory.mktemp("bed")
    with plane.running(folder) as server, controllers.running(server, folder):
        define(server)
        yield server


@pytest.fixture(scope="session")
def sealing_certificate(bed, tmp_path_factory):
    """URL of the certificate of a sealed-secrets controller that watches the bed."""
    require("sealed-secrets")
    with sealing.running(bed, tmp_path_factory.mktemp("sealing")) as url:
        yield url


@pytest.fixture(
    scope="module",
    name="samples",
    params=["stand-in", pytest.param("real", marks=pytest.mark.real_chart)],
)
def _samples(request, tmp_path_factory):
    """Every object of every sample environment, by environment: its namespace, its objects."""
    folder = tmp_path_factory.mktemp("charts")
    archive = (
        stand_in_archive(folder)
        if request.param == "stand-in"
        else request.getfixturevalue("real_chart")
    )
    return samples.rendered(archive, folder)
