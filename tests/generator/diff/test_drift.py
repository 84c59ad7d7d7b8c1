import base64

from generator.diff import drift
from generator.diff.model import Action, Side


def deployment(**spec):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": "n"},
        "spec": {
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": "a", "image": "i:1"}]}},
            **spec,
        },
    }


def found(wanted, live):
    return drift.structural(Side("base", (wanted,), namespace="n"), live)


def test_what_the_cluster_adds_is_no_drift():
    live = deployment(revisionHistoryLimit=10)
    live["status"] = {"readyReplicas": 1}
    live["metadata"]["uid"] = "1"
    container = {"name": "a", "image": "i:1", "imagePullPolicy": "Always"}
    sidecar = {"name": "injected", "image": "proxy"}
    live["spec"]["template"]["spec"]["containers"] = [sidecar, container]
    assert found(deployment(), [live]) == ()


def test_a_desired_field_that_differs_is_drift_from_git_to_the_cluster():
    (change,) = found(deployment(), [deployment(replicas=5)])
    assert change.action is Action.MODIFIED
    assert "-  replicas: 1\n+  replicas: 5" in change.diff


def test_a_desired_field_that_is_gone_is_drift():
    live = deployment()
    del live["spec"]["replicas"]
    assert "-  replicas: 1" in found(deployment(), [live])[0].diff


def test_an_object_that_is_not_there_is_removed():
    assert found(deployment(), [])[0].action is Action.REMOVED


def test_the_same_in_other_words_is_no_drift():
    wanted = deployment(resources={"limits": {"cpu": "1000m", "memory": "1024Mi"}}, empty={}, n="")
    live = deployment(resources={"limits": {"cpu": "1", "memory": "1Gi"}})
    assert found(wanted, [live]) == ()


def test_numbers_outside_of_quantities_are_compared_as_written():
    assert found(deployment(tag="1.0"), [deployment(tag="1.00")])


def test_string_data_equals_the_data_that_the_server_makes_of_it():
    name = {"name": "s", "namespace": "n"}
    wanted = {"apiVersion": "v1", "kind": "Secret", "metadata": name, "stringData": {"a": "one"}}
    encoded = {"a": base64.b64encode(b"one").decode(), "b": "eA=="}
    live = {"apiVersion": "v1", "kind": "Secret", "metadata": name, "data": encoded}
    assert found(wanted, [live]) == ()
    other = {**live, "data": {"a": base64.b64encode(b"c4n4ry").decode()}}
    (change,) = found(wanted, [other])
    assert "c4n4ry" not in change.diff and "<masked: changed>" in change.diff


def test_lists_without_names_count_as_a_whole():
    assert found(deployment(args=["a"]), [deployment(args=["a", "b"])])


def test_an_answer_of_a_dry_run_is_compared_without_the_servers_own_fields():
    live = deployment(replicas=5)
    live["metadata"] |= {"resourceVersion": "7", "managedFields": [{}], "generation": 3}
    live["status"] = {"x": 1}
    answer = deployment(replicas=1)
    answer["metadata"] |= {"resourceVersion": "8", "generation": 4}
    (change,) = drift.applied([live], [answer])
    assert "-  replicas: 1\n+  replicas: 5" in change.diff
    assert "resourceVersion" not in change.diff
    assert drift.applied([answer], [answer]) == ()
    assert drift.applied([], [answer])[0].action is Action.REMOVED
