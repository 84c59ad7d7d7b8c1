import copy

import pytest

from generator.cluster import Cluster, ClusterError
from generator.verify.drift import Kind, drift
from generator.verify.equivalence import as_desired
from tests.fakes.apiserver import FakeApiServer
from tests.generator.health.objects import read

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {version: "1.10"}}
    spec:
      tolerations: []
      hostNetwork: false
      containers:
      - name: main
        image: x:1
        env:
        - {name: MODE, value: "1.10"}
        - {name: EMPTY, value: ""}
        ports:
        - {name: http, containerPort: 8080}
        resources: {requests: {cpu: 1, memory: 1024Mi}, limits: {cpu: "1500m"}}
"""
LIVE = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: data
  uid: 1-2-3
  generation: 4
  creationTimestamp: "2026-01-05T10:00:00Z"
  labels: {app: web, added-by: somebody}
  annotations: {deployment.kubernetes.io/revision: "3"}
spec:
  progressDeadlineSeconds: 600
  replicas: 2
  selector: {matchLabels: {app: web}}
  strategy: {type: RollingUpdate}
  template:
    metadata: {labels: {app: web}, annotations: {version: "1.10"}}
    spec:
      dnsPolicy: ClusterFirst
      restartPolicy: Always
      containers:
      - name: main
        image: x:1
        imagePullPolicy: IfNotPresent
        env:
        - {name: MODE, value: "1.10"}
        - {name: EMPTY}
        ports:
        - {name: http, containerPort: 8080, protocol: TCP}
        resources: {requests: {cpu: "1", memory: 1Gi}, limits: {cpu: 1500m}}
        terminationMessagePath: /dev/termination-log
status: {replicas: 2}
"""


def desired():
    return read(DEPLOYMENT)


def live():
    return read(LIVE)


def change(manifest, path, value):
    *way, last = path
    place = manifest
    for step in way:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return manifest


MAIN = ("spec", "template", "spec", "containers", 0)
PLANTED = [
    (("spec", "replicas"), 5),
    (("metadata", "labels", "app"), "other"),
    (("metadata", "labels", "app"), None),
    (("spec", "template", "metadata", "annotations", "version"), "1.1"),
    ((*MAIN, "image"), "x:2"),
    ((*MAIN, "env", 0, "value"), "1.1"),
    ((*MAIN, "env"), [{"name": "EMPTY"}]),
    ((*MAIN, "resources", "requests", "memory"), "2Gi"),
    ((*MAIN, "resources", "limits"), None),
    ((*MAIN, "ports", 0, "containerPort"), 8081),
    (("spec", "template", "spec", "tolerations"), [{"key": "spot"}]),
    (("spec", "template", "spec", "hostNetwork"), True),
]


def test_what_a_server_fills_in_drops_or_spells_otherwise_is_no_drift():
    one, other = as_desired(live(), desired())
    assert one == other


@pytest.mark.parametrize(("path", "value"), PLANTED)
def test_every_planted_change_is_found(path, value):
    one, other = as_desired(change(live(), path, value), desired())
    assert one != other


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1000m", "1", True),
        ("0.5", "500m", True),
        ("1Gi", "1024Mi", True),
        ("1G", "1Gi", False),
        (1, "1", True),
        ("1e3", "1k", True),
        ("1e999999999", "1", False),
        ("abc", "abd", False),
    ],
)
def test_amounts_are_compared_as_amounts(one, other, same):
    def amount(value):
        return {"kind": "X", "spec": {"limits": {"cpu": value}}}

    before, after = as_desired(amount(one), amount(other))
    assert (before == after) is same


def test_lists_are_paired_by_name_and_others_by_place():
    def listed(*items):
        return {"kind": "X", "spec": {"items": list(items)}}

    def same(one, other):
        before, after = as_desired(one, other)
        return before == after

    a, b = {"name": "a", "x": 1}, {"name": "b", "x": 2}
    assert same(listed(b, a), listed(a, b)), "a server merges by name"
    assert same(listed(a, {"name": "sidecar"}, b), listed(a, b)), "somebody else's member"
    assert not same(listed(a), listed(a, b))
    assert not same(listed("x", "y"), listed("x"))
    assert not same(listed("x"), listed("x", "y"))
    udp = {"port": 53, "protocol": "UDP"}
    assert same(listed({"port": 53, "protocol": "TCP"}, udp), listed({"port": 53}, udp))


def test_a_secrets_plain_text_is_compared_as_it_is_stored():
    stored = read("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: aHVudGVyMg==}}")
    plain = read("{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {a: hunter2}}")
    one, other = as_desired(stored, plain)
    assert one == other


@pytest.fixture
def server():
    with FakeApiServer() as fake:
        yield fake


@pytest.fixture
def cluster(server, tmp_path):
    found = Cluster.connect(kubeconfig=server.kubeconfig(tmp_path))
    yield found
    found.close()


@pytest.fixture(params=["with the right to dry-run", "without it", "not asked for"])
def compare(request, server, cluster):
    if request.param == "without it":
        server.denied = {("patch", "deployments"), ("patch", "secrets")}
    asks = request.param != "not asked for"
    return lambda *manifests: drift(cluster, manifests, namespace="data", dry_run=asks)


def stored(server, manifest):
    """What a server makes of the desired object: as applied, with its own fields."""
    found = copy.deepcopy(manifest)
    found["metadata"].update(namespace="data", generation=1)
    server.put(found)
    return found


def test_nothing_differs_after_an_apply(server, compare):
    stored(server, desired())
    assert compare(desired()) == []


def test_the_marks_by_which_argo_cd_tracks_its_objects_are_no_drift(server, compare):
    found = stored(server, desired())
    found["metadata"]["annotations"] = {"argocd.argoproj.io/tracking-id": "a:apps/Deployment:d/web"}
    found["metadata"]["labels"]["app.kubernetes.io/instance"] = "a"
    server.put(found)
    assert compare(desired()) == []


def test_planted_drift_is_found_and_nothing_else(server, compare):
    found = stored(server, desired())
    server.put(change(found, (*MAIN, "image"), "x:2"))
    other = {**desired(), "metadata": {"name": "other"}}
    stored(server, other)

    (one,) = compare(desired(), other)

    assert (str(one.key), one.kind) == ("Deployment data/web", Kind.CHANGED)
    assert "-        image: x:2" in one.diff
    assert "+        image: x:1" in one.diff


def test_what_is_missing_is_named(server, compare):
    unknown = {"apiVersion": "x.io/v1", "kind": "Other", "metadata": {"name": "x"}}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "gone"}}
    found = {one.key.kind: (one.kind, one.message) for one in compare(unknown, service)}
    assert found["Service"] == (Kind.MISSING, "not found in the cluster")
    assert found["Other"] == (Kind.MISSING, "the cluster does not serve x.io/v1 Other")


def test_hooks_come_and_go(compare):
    hook = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"}}
    hook["metadata"]["annotations"] = {"argocd.argoproj.io/hook": "Sync"}
    assert compare(hook) == []


def test_a_drifted_secret_is_masked(server, compare):
    text = "{{apiVersion: v1, kind: Secret, metadata: {{name: s}}, data: {{a: {}}}}}"
    stored(server, read(text.format("aHVudGVyMQ==")))
    (one,) = compare(read(text.format("aHVudGVyMg==")))
    assert one.kind is Kind.CHANGED
    assert "aHVudGVy" not in str(one.as_json())
    assert "masked" in one.diff


def test_what_the_server_would_refuse_is_told(server, cluster):
    stored(server, desired())
    server.fail("dryRun", 422)
    (one,) = drift(cluster, [desired()], namespace="data")
    assert (one.kind, "injected" in one.message) == (Kind.REFUSED, True)


def test_what_cannot_be_read_is_said_and_the_rest_goes_on(server, cluster):
    stored(server, desired())
    server.denied = {("get", "secrets")}
    secret = read("{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {a: eA==}}")
    (one,) = drift(cluster, [secret, desired()], namespace="data")
    assert (one.key.kind, one.kind) == ("Secret", Kind.UNKNOWN)
    assert "forbidden" in one.message


def test_a_cluster_that_does_not_answer_is_no_list_of_differences(server, cluster):
    server.fail("/apis", 0, times=9)
    with pytest.raises(ClusterError):
        drift(cluster, [desired()], namespace="data")
