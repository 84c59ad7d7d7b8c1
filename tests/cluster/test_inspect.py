"""`cluster inspect` on a real API server."""

import pytest

from generator.actions.setup import cluster_inspect
from generator.cluster import Cluster
from tests.cluster.plane import ADMIN, READER

pytestmark = pytest.mark.nightly

CLASSES = {"gp3": "ebs.csi.aws.com", "efs": "efs.csi.aws.com"}


def test_the_entry_of_a_real_api_server_is_valid_and_holds_what_was_put_there(real_plane, tmp_path):
    for name, provisioner in CLASSES.items():
        real_plane.apply(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": name},
                "provisioner": provisioner,
            }
        )
    real_plane.apply(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "kubernetes-as-published",  # a server on loopback publishes no address
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": "kubernetes"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["10.0.0.1"]}],
            "ports": [{"name": "https", "port": 6443}],
        }
    )
    cluster = Cluster.connect(
        kubeconfig=str(real_plane.kubeconfig(tmp_path / "config", token=ADMIN))
    )
    found = cluster_inspect.inspect(cluster, cluster.server())
    assert found.entry["server"] == real_plane.url
    assert real_plane.get("/version")["gitVersion"].startswith(
        f"v{found.entry['kubernetesVersion']}"
    )
    assert set(CLASSES) <= set(found.entry["storageClasses"])
    assert found.entry["apiServerCidrs"] == ["10.0.0.1/32"]
    assert found.entry["apiServerPorts"] == [443, 6443]
    assert not found.not_read


def test_with_few_rights_the_rest_is_named_as_not_read(real_plane, tmp_path):
    cluster = Cluster.connect(
        kubeconfig=str(real_plane.kubeconfig(tmp_path / "config", token=READER))
    )
    found = cluster_inspect.inspect(cluster, cluster.server())
    assert {"nodes", "storageclasses"} <= {item.what for item in found.not_read}
    assert "nodes" not in found.entry
