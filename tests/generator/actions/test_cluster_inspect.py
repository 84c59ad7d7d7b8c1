"""`cluster inspect`: an entry of the catalogue from what an API server answers."""

import json

import pytest
import yaml

from generator.actions.setup import cluster_inspect
from generator.cluster import Cluster, ClusterError
from generator.definition.definition import load_settings
from generator.model.repository import Repository
from tests.fakes.apiserver import FakeApiServer
from tests.repositories import SETTINGS, repository, run

GROUPS = (
    *("apps/v1", "bitnami.com/v1alpha1", "keda.sh/v1alpha1", "monitoring.coreos.com/v1"),
    *("gateway.networking.k8s.io/v1", "unheard.of/v1"),
)


def listed(*items):
    return {"kind": "List", "metadata": {}, "items": list(items)}


def named(name, namespace="", labels=None, annotations=None, **more):
    metadata = {"name": name, "namespace": namespace, "labels": labels or {}}
    return {"metadata": {**metadata, "annotations": annotations or {}}, **more}


def groups(*versions):
    return {"groups": [{"versions": [{"groupVersion": item}]} for item in versions]}


@pytest.fixture
def server():
    with FakeApiServer() as fake:
        fake.documents = {
            "/version": {"gitVersion": "v1.33.4-eks-ecaa3a6"},
            "/apis": groups(*GROUPS),
            "/api/v1/nodes": listed(named("a"), named("b")),
            "/api/v1/services": listed(
                named("sealed-secrets", "sealing"), named("sealed-secrets-metrics", "sealing")
            ),
            "/api/v1/pods": listed(named("operator", "scaling")),
            "/apis/storage.k8s.io/v1/storageclasses": listed(
                named(
                    "gp3",
                    annotations={"storageclass.kubernetes.io/is-default-class": "true"},
                    provisioner="ebs.csi.aws.com",
                ),
                named("efs", provisioner="efs.csi.aws.com"),
                named("odd", provisioner="acme.io/disk"),
            ),
            "/apis/networking.k8s.io/v1/ingressclasses": listed(named("alb")),
            "/apis/monitoring.coreos.com/v1/prometheuses": listed(
                named(
                    "k8s", "monitoring",
                    spec={"serviceMonitorSelector": {"matchLabels": {"release": "prometheus"}}},
                )
            ),
            "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices": listed(
                {
                    "metadata": {"name": "kubernetes"},
                    "addressType": "IPv4",
                    "endpoints": [{"addresses": ["10.0.0.2"]}, {"addresses": ["10.0.0.1"]}],
                    "ports": [{"port": 6443}],
                }
            ),
        }  # fmt: skip
        yield fake


@pytest.fixture
def cluster(server, tmp_path):
    found = Cluster.connect(kubeconfig=server.kubeconfig(tmp_path))
    yield found
    found.close()


def test_the_entry_says_what_the_server_answers(cluster, server):
    found = cluster_inspect.inspect(cluster, "https://10.0.0.1")
    expected = {
        "server": "https://10.0.0.1",
        "kubernetesVersion": "1.33.4",
        "nodes": 2,
        "apiVersions": sorted(set(GROUPS) - {"apps/v1", "unheard.of/v1"}),
        "apiServerCidrs": ["10.0.0.1/32", "10.0.0.2/32"],
        "apiServerPorts": [443, 6443],
        "storageClass": "gp3",
        "storageClasses": {
            "efs": ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany"],
            "gp3": ["ReadWriteOnce", "ReadWriteOncePod"],
        },
        "ingress": {"className": "alb", "namespace": "scaling"},
        "monitoring": {"namespace": "monitoring", "labels": {"release": "prometheus"}},
        "keda": {"namespace": "scaling"},
        "sealing": {
            "certificate": "cluster", "namespace": "sealing", "controllerName": "sealed-secrets",
        },
    }  # fmt: skip
    assert {key: value for key, value in found.entry.items() if key != "cloud"} == expected
    assert found.entry.get("cloud", "eks") == "eks"
    assert [item.what for item in found.not_read] == ["StorageClass odd"]
    assert {request.split()[0] for request in server.requests} == {"GET"}, "it only reads"


@pytest.mark.parametrize(
    ("version", "label", "cloud"),
    [
        ("v1.33.4-eks-ecaa3a6", "", "eks"),
        ("v1.33.4-gke.1134000", "", "gke"),
        ("v1.33.4", "kubernetes.azure.com/cluster", "aks"),
        ("v1.33.4", "eks.amazonaws.com/nodegroup", "eks"),
        ("v1.33.4", "kubernetes.io/os", "other"),
    ],
)
def test_the_cloud_is_told_by_the_version_or_by_labels_of_nodes(version, label, cloud):
    assert cluster_inspect._cloud(version, [named("a", labels={label: "x"})]) == cloud


def test_what_may_not_be_read_is_named_and_never_counts_as_absent(cluster, server):
    for path in [path for path in server.documents if path.startswith("/api")]:
        server.fail(path, 403, times=9)
    found = cluster_inspect.inspect(cluster, "https://10.0.0.1")
    assert set(found.entry) == {"server", "kubernetesVersion", "cloud"}
    names = {item.what for item in found.not_read}
    assert {"API groups", "nodes", "storageclasses", "ingressclasses", "endpointslices"} <= names


def test_a_server_without_any_of_it_gives_a_short_entry(cluster, server):
    server.documents = {"/version": {"gitVersion": "v1.34.2"}, "/apis": groups("apps/v1")}
    found = cluster_inspect.inspect(cluster, "https://10.0.0.1")
    assert found.entry == {"server": "https://10.0.0.1", "kubernetesVersion": "1.34.2"}


@pytest.mark.parametrize("answer", [{}, {"gitVersion": "latest"}, {"gitVersion": 1}])
def test_a_version_that_cannot_be_read_is_an_error(cluster, server, answer):
    server.documents["/version"] = answer
    with pytest.raises(Exception, match="cannot read the version"):
        cluster_inspect.inspect(cluster, "https://10.0.0.1")


def test_a_cluster_that_does_not_answer_is_an_error(tmp_path):
    server = FakeApiServer()
    path = server.kubeconfig(tmp_path)
    server.server.server_close()
    with pytest.raises(ClusterError):
        cluster_inspect.inspect(Cluster.connect(kubeconfig=path), "https://10.0.0.1")


def test_gen_env_yaml_gets_what_it_lacks_and_keeps_what_differs():
    entry = {
        "server": "https://10.9.9.9", "kubernetesVersion": "1.34.2", "nodes": 3,
        "ingress": {"className": "nginx"},
    }  # fmt: skip
    text, differing = cluster_inspect.merged(SETTINGS, "main", entry, "gen-env.yaml")
    assert differing == ("server",)
    written = yaml.safe_load(text)["clusters"]["main"]
    assert written["nodes"] == 3 and written["server"] == "https://10.0.0.1:6443"
    text, differing = cluster_inspect.merged(SETTINGS, "other", entry, "gen-env.yaml")
    assert differing == () and yaml.safe_load(text)["clusters"]["other"] == entry
    assert load_settings(text.encode())[1] == ()


@pytest.mark.parametrize(
    ("context", "name"),
    [
        ("prod-eu", "prod-eu"),
        ("arn:aws:eks:eu-west-1:1234:cluster/Prod_A", "prod-a"),
        ("gke_acme_europe-west1-b_data", "gke-acme-europe-west1-b-data"),
        ("default/api-acme-io:6443/kube:admin", "kube-admin"),
        ("///", "main"),
    ],
)
def test_a_context_gives_a_name_that_the_catalogue_can_hold(context, name):
    assert cluster_inspect.name_of(context) == name


@pytest.fixture
def https(server, tmp_path, monkeypatch):
    """A kubeconfig on loopback; the catalogue wants an https address, which is no matter here."""
    monkeypatch.setenv("KUBECONFIG", server.kubeconfig(tmp_path))
    monkeypatch.setattr(Cluster, "server", lambda self: "https://10.0.0.1:6443")


def test_the_command_prints_the_entry_and_writes_it(server, https, tmp_path):
    repo = repository(tmp_path / "repo")
    done = run("cluster", "inspect", "fake", "-o", "json")
    assert done.code == 0, done.said
    assert json.loads(done.stdout)["name"] == "fake"
    assert "not read: StorageClass odd" in done.stderr
    before = repo.read("gen-env.yaml")
    done = repo.run("cluster", "inspect", "fake", "--name", "main", "--write")
    assert done.code == 0, done.said
    assert "says otherwise of main.kubernetesVersion" in done.stderr
    written = repo.yaml("gen-env.yaml")["clusters"]["main"]
    assert written["storageClasses"]["efs"] and written["kubernetesVersion"] == "1.34.2"
    assert repo.read("gen-env.yaml") != before
    assert (
        "lacks nothing" in repo.run("cluster", "inspect", "fake", "--name", "main", "--write").said
    )


def test_an_unknown_context_is_a_short_error(https):
    done = run("cluster", "inspect", "nowhere")
    assert done.code == 1 and "Traceback" not in done.said and "get-contexts" in done.stderr


def test_the_fields_that_it_writes_are_those_of_the_catalogue():
    assert "storageClasses" in cluster_inspect._known()
    assert Repository.model_fields["clusters"]
