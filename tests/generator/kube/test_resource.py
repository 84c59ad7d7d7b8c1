import pytest

from generator.kube.resource import Key, group_of, key_of, ordered, without_none


def manifest(kind, name="a", namespace=None, api="v1"):
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


def test_the_version_is_no_part_of_the_identity():
    old, new = manifest("CronJob", api="batch/v1beta1"), manifest("CronJob", api="batch/v1")
    assert key_of(old) == key_of(new) == Key("batch", "CronJob", "", "a")


def test_the_default_namespace_is_for_namespaced_kinds():
    assert key_of(manifest("Pod"), "x").namespace == "x"
    assert key_of(manifest("Pod", namespace="y"), "x").namespace == "y"
    assert key_of(manifest("ClusterRole", namespace="y"), "x").namespace == ""


@pytest.mark.parametrize("broken", [{}, {"metadata": None}, {"kind": None, "apiVersion": None}])
def test_an_object_without_identity_has_an_empty_one(broken):
    assert key_of(broken) == Key("", "", "", "")


def test_objects_are_listed_as_helm_installs_them_and_others_last():
    kinds = ["Zebra", "Job", "Deployment", "Secret", "Namespace", "Aardvark", "Service"]
    assert [item["kind"] for item in ordered(manifest(kind) for kind in kinds)] == [
        "Namespace", "Secret", "Service", "Deployment", "Job", "Aardvark", "Zebra",
    ]  # fmt: skip


def test_within_a_kind_namespace_and_name_decide():
    items = [
        manifest("Secret", "b", "x"),
        manifest("Secret", "a", "y"),
        manifest("Secret", "a", "x"),
    ]
    assert [str(key_of(item)) for item in ordered(items)] == [
        "Secret x/a", "Secret x/b", "Secret y/a",
    ]  # fmt: skip


def test_groups():
    assert (group_of("apps/v1"), group_of("v1"), group_of("")) == ("apps", "", "")


def test_none_is_dropped_and_what_is_empty_stays():
    assert without_none({"a": None, "b": {"c": None}, "d": [{"e": None}, None], "f": ""}) == {
        "b": {}, "d": [{}, None], "f": "",
    }  # fmt: skip
