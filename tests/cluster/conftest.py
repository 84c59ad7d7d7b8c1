"""A real API server for the tests in this folder, where its programs are at hand."""

import os
from pathlib import Path

import pytest

from tests.cluster import plane, programs


@pytest.fixture(scope="session")
def real_plane(tmp_path_factory):
    """etcd and kube-apiserver, started once for all tests."""
    missing = [name for name in programs.PACKAGES if programs.find(name) is None]
    if missing:
        pytest.skip(f"needs {' and '.join(missing)}: make cluster-tools, or KUBEBUILDER_ASSETS")
    with plane.running(tmp_path_factory.mktemp("plane")) as server:
        yield server


@pytest.fixture(scope="session")
def definitions(real_plane):
    """The official CustomResourceDefinitions, served by the real API server."""
    folder = os.environ.get("GEN_ENV_CRDS")
    if not folder:
        pytest.skip("needs the official CustomResourceDefinitions: GEN_ENV_CRDS=DIR")
    from generator import yamlio

    for file in sorted(Path(folder).glob("*.yaml")):
        for manifest in yamlio.load_manifests(file.read_bytes()):
            real_plane.apply(manifest)
    return folder
