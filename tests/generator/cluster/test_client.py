import threading

import pytest

from generator.cluster import Cluster, ClusterError, Trouble
from generator.cluster.connection import Stream
from generator.cluster.kinds import CLAIMS, DEPLOYMENTS, PODS, REVIEWS
from generator.kube.resource_type import ResourceType
from tests.fakes.apiserver import FakeApiServer


@pytest.fixture
def server():
    with FakeApiServer() as fake:
        yield fake


@pytest.fixture
def cluster(server, tmp_path):
    found = Cluster.connect(kubeconfig=server.kubeconfig(tmp_path))
    yield found
    found.close()


def pod(name, **labels):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "data", "labels": labels},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "x:1",
                    "args": ["--password", "hunter2"],
                    "env": [
                        {"name": "A", "value": "hunter2"},
                        {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                    ],
                }
            ]
        },
    }


def names(listing):
    return [item["metadata"]["name"] for item in listing.items]


def trouble_of(call):
    with pytest.raises(ClusterError) as caught:
        call()
    return caught.value


def test_paths_are_those_of_the_api():
    assert PODS.path("data", "x") == "/api/v1/namespaces/data/pods/x"
    assert DEPLOYMENTS.path("data") == "/apis/apps/v1/namespaces/data/deployments"
    assert REVIEWS.path() == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def test_a_list_is_selected_typed_and_trimmed(server, cluster):
    server.put(pod("a", tier="airflow"), pod("b"), pod("c", tier="airflow", dag_id="etl"))
    listing = cluster.list(PODS, "data", selector="tier=airflow,!dag_id")
    assert names(listing) == ["a"]
    (found,) = listing.items
    assert (found["apiVersion"], found["kind"]) == ("v1", "Pod")
    assert "hunter2" not in str(found)
    assert found["spec"]["containers"][0]["env"][1]["valueFrom"]["secretKeyRef"]["name"] == "s"
    assert listing.version == "103"


def test_long_lists_are_read_page_by_page(server, cluster):
    server.page = 2
    server.put(*(pod(f"p{n}") for n in range(5)))
    assert names(cluster.list(PODS, "data")) == ["p0", "p1", "p2", "p3", "p4"]
    assert len(server.asked("limit=500")) == 3


def test_an_object_is_read_whole_or_is_none(server, cluster):
    server.put(pod("a"))
    assert cluster.get(PODS, "data", "a")["spec"]["containers"][0]["args"]
    assert cluster.get(PODS, "data", "b") is None


def test_a_watch_tells_what_changed_since_a_version(server, cluster):
    server.put(pod("a"))
    version = cluster.list(PODS, "data").version
    server.put(pod("b"), pod("a"))
    server.delete(pod("b"))
    events = list(cluster.watch(PODS, "data", version=version, seconds=1))
    assert [(event.type, event.object["metadata"]["name"]) for event in events] == [
        ("ADDED", "b"),
        ("MODIFIED", "a"),
        ("DELETED", "b"),
    ]
    assert events[-1].version == "104"
    assert "hunter2" not in str(events)


def test_a_bookmark_moves_the_version_only(server, cluster):
    server.put(pod("a"), {**pod("x"), "kind": "ConfigMap"})
    (added, bookmark) = cluster.watch(PODS, "data", version="100", seconds=1)
    assert (added.type, bookmark.type, bookmark.version) == ("ADDED", "BOOKMARK", "102")


def test_a_version_that_is_too_old_is_gone(server, cluster):
    server.put(pod("a"))
    server.compact()
    gone = trouble_of(lambda: list(cluster.watch(PODS, "data", version="100")))
    assert gone.trouble is Trouble.GONE
    server.fail("watch=true", "watch-error")
    gone = trouble_of(lambda: list(cluster.watch(PODS, "data", version="101")))
    assert gone.trouble is Trouble.GONE


def test_a_watch_that_breaks_is_unreachable(server, cluster):
    events = cluster.watch(PODS, "data", version="100", seconds=30)
    server.put(pod("a"))
    assert next(events).type == "ADDED"
    server.drop_watches()
    assert trouble_of(lambda: next(events)).trouble is Trouble.UNREACHABLE


def test_another_thread_can_end_a_watch(server, cluster):
    opened, ended = [], threading.Event()

    def run():
        with pytest.raises(ClusterError):
            list(cluster.watch(PODS, "data", version="100", seconds=60, opened=opened.append))
        ended.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while not opened:
        ended.wait(0.01)
    opened[0].close()
    assert ended.wait(60)


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (401, Trouble.UNAUTHORIZED),
        (403, Trouble.FORBIDDEN),
        (404, Trouble.NOT_FOUND),
        (410, Trouble.GONE),
        (409, Trouble.REFUSED),
        (422, Trouble.REFUSED),
        (500, Trouble.SERVER),
        (503, Trouble.SERVER),
        (302, Trouble.SERVER),
        (0, Trouble.UNREACHABLE),
        ("garbage", Trouble.SERVER),
    ],
)
def test_every_answer_has_its_kind_of_trouble(server, cluster, status, trouble):
    server.fail("/pods", status)
    error = trouble_of(lambda: cluster.list(PODS, "data"))
    assert error.trouble is trouble
    assert "/api/v1/namespaces/data/pods" in error.message


def test_the_server_may_say_how_long_to_wait(server, cluster):
    server.fail("/pods", 429, headers={"Retry-After": "7"})
    error = trouble_of(lambda: cluster.list(PODS, "data"))
    assert (error.trouble, error.retry_after) == (Trouble.THROTTLED, 7.0)
    assert "injected by the test" in error.message


def test_a_kind_that_is_not_installed_is_not_found(server, cluster):
    from tests.fakes.apiserver import SERVED

    sealed = ResourceType("bitnami.com", "v1alpha1", "sealedsecrets", "SealedSecret")
    kept = SERVED.pop("bitnami.com/v1alpha1")
    try:
        error = trouble_of(lambda: cluster.list(sealed, "data"))
    finally:
        SERVED["bitnami.com/v1alpha1"] = kept
    assert error.trouble is Trouble.NOT_FOUND


def test_credentials_are_read_anew_after_they_were_refused(server, cluster, tmp_path):
    assert names(cluster.list(CLAIMS, "data")) == []
    server.tokens = {"new-token"}
    assert trouble_of(lambda: cluster.list(CLAIMS, "data")).trouble is Trouble.UNAUTHORIZED
    server.kubeconfig(tmp_path, token="new-token")
    assert names(cluster.list(CLAIMS, "data")) == []


def test_a_server_that_is_not_there_is_unreachable(tmp_path):
    with FakeApiServer() as fake:
        path = fake.kubeconfig(tmp_path)
    error = trouble_of(lambda: Cluster.connect(kubeconfig=path).list(PODS, "data"))
    assert error.trouble is Trouble.UNREACHABLE
    assert error.hint


def test_a_context_that_does_not_exist_is_named(server, tmp_path):
    cluster = Cluster.connect("elsewhere", kubeconfig=server.kubeconfig(tmp_path))
    error = trouble_of(lambda: cluster.list(PODS, "data"))
    assert "context elsewhere" in error.message
    assert "get-contexts" in error.hint
    missing = Cluster.connect(environ={"HOME": str(tmp_path / "nobody")})
    assert trouble_of(lambda: missing.list(PODS, "data")).trouble is Trouble.UNREACHABLE


def test_the_environment_says_where_the_cluster_is(server, tmp_path):
    path = server.kubeconfig(tmp_path)
    assert names(Cluster.connect(environ={"KUBECONFIG": path}).list(PODS, "data")) == []
    inside = Cluster.connect(environ={"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert "runs in" in inside.name
    assert "not in a cluster" in trouble_of(lambda: inside.list(PODS, "data")).message


def test_a_log_ends_with_its_last_lines(server, cluster):
    server.logs["a", "main", True] = ["one", "two", "three"]
    assert cluster.log_tail("data", "a", "main", previous=True, lines=2) == ("two", "three")
    assert cluster.log_tail("data", "a", "main", previous=False, lines=2) == ()


def test_a_service_is_asked_through_the_proxy(server, cluster):
    server.services["airflow-api-server:api-server", "/api/v2/monitor/health"] = (200, {"a": 1})
    path = "/api/v2/monitor/health"
    assert cluster.service_get("data", "airflow-api-server", "api-server", path) == b'{"a": 1}'
    error = trouble_of(lambda: cluster.service_get("data", "other", "http", path))
    assert error.trouble is Trouble.SERVER


def test_the_server_judges_what_we_may(server, cluster):
    server.denied = {("list", "secrets"), ("get", "pods/log")}
    assert cluster.allowed("list", "pods", namespace="data")
    assert not cluster.allowed("list", "secrets", namespace="data")
    assert not cluster.allowed("get", "pods", subresource="log", namespace="data")


def test_kinds_are_discovered_once(server, cluster):
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment"}
    assert cluster.resource_type(manifest) == DEPLOYMENTS
    assert cluster.resource_type({"apiVersion": "apps/v1", "kind": "Other"}) is None
    assert cluster.resource_type({"apiVersion": "x.io/v1", "kind": "Other"}) is None
    assert cluster.resource_type({"apiVersion": "x.io/v1", "kind": "Other"}) is None
    assert len(server.asked("GET /apis/x.io/v1")) == 1


def test_a_dry_run_changes_nothing(server, cluster):
    server.put(pod("a"))
    wanted = {**pod("a"), "spec": {"containers": [], "nodeName": "n"}}
    result = cluster.apply_dry_run(wanted, "data", manager="gen-env")
    assert result["spec"]["nodeName"] == "n"
    assert "nodeName" not in cluster.get(PODS, "data", "a")["spec"]
    (asked,) = server.asked("PATCH")
    assert "dryRun=All" in asked and "fieldManager=gen-env" in asked
    unknown = {"apiVersion": "x.io/v1", "kind": "Other", "metadata": {"name": "x"}}
    error = trouble_of(lambda: cluster.apply_dry_run(unknown, "data", manager="gen-env"))
    assert error.trouble is Trouble.NOT_FOUND


class Torn:
    """An answer that is closed between two segments by another thread, as http.client has it."""

    connection = None

    def __init__(self, meanwhile):
        self.meanwhile = meanwhile

    def stream(self, **_):
        yield b"one\ntw"
        self.meanwhile()
        raise AttributeError("'NoneType' object has no attribute 'read'")

    def close(self):
        pass


def test_a_stream_that_another_thread_closes_ends_as_a_broken_one():
    answer = Torn(lambda: stream.close())
    stream = Stream(answer, "the watch")
    lines = iter(stream)
    assert next(lines) == b"one"
    with pytest.raises(ClusterError, match="the watch"):
        next(lines)


def test_a_fault_of_our_own_in_a_stream_is_not_hidden():
    lines = iter(Stream(Torn(lambda: None), "the watch"))
    assert next(lines) == b"one"
    with pytest.raises(AttributeError):
        next(lines)
