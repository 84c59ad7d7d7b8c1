import pytest

from tests.generator.impact.builders import found, manifest

RBAC = "rbac.authorization.k8s.io/v1"
ACCOUNT = manifest("v1", "ServiceAccount", "worker")


def role(*rules, kind="Role", name="r"):
    return manifest(RBAC, kind, name, rules=list(rules))


def rule(verbs, resources, groups=("",), **rest):
    return {"apiGroups": list(groups), "resources": resources, "verbs": verbs, **rest}


def binding(kind="RoleBinding", role_kind="Role", name="r", subject="worker"):
    return manifest(
        RBAC,
        kind,
        f"{name}-{subject}",
        roleRef={"kind": role_kind, "name": name},
        subjects=[{"kind": "ServiceAccount", "name": subject, "namespace": "airflow"}],
    )


READER = role(rule(["get"], ["pods"]))


def test_a_new_verb_is_told_with_its_subject():
    (item,) = found(
        [READER, binding()], [role(rule(["get", "delete"], ["pods"])), binding()], "rbac-widened"
    )
    assert item.message == "may now delete pods in airflow"
    assert str(item.resource) == "ServiceAccount airflow/worker"
    assert item.severity == "warning"


@pytest.mark.parametrize(
    ("wider", "words"),
    [
        (rule(["get"], ["secrets"]), "what other accounts may do"),
        (rule(["bind"], ["roles"], ["rbac.authorization.k8s.io"]), "any other right"),
        (rule(["get"], ["pods"], ["metrics.k8s.io"]), "get pods of metrics.k8s.io"),
        (rule(["get"], ["configmaps"], resourceNames=["one"]), "get configmaps named one"),
        ({"nonResourceURLs": ["/metrics"], "verbs": ["get"]}, "get /metrics"),
    ],
)
def test_what_widens_is_told_in_words(wider, words):
    head = [role(READER["rules"][0], wider), binding()]
    (item,) = found([READER, binding()], head, "rbac-widened")
    assert words in item.message


def test_a_new_subject_gains_what_the_role_allows():
    base = [READER, binding()]
    (item,) = found(base, [*base, binding(subject="triggerer")], "rbac-widened")
    assert str(item.resource) == "ServiceAccount airflow/triggerer"


def test_everything_is_an_error():
    wild = role(rule(["*"], ["*"], ["*"]))
    (item,) = found([READER, binding()], [wild, binding()], "rbac-widened")
    assert item.severity == "error" and "do everything" in item.message
    admin = binding("ClusterRoleBinding", "ClusterRole", "cluster-admin")
    (item,) = found([READER, binding()], [READER, binding(), admin], "rbac-widened")
    assert item.severity == "error" and "in the whole cluster" in item.message


def test_a_role_that_is_not_rendered_counts_by_its_name():
    (item,) = found([ACCOUNT], [ACCOUNT, binding(role_kind="ClusterRole", name="edit")],
                    "rbac-widened")  # fmt: skip
    assert "do everything that the ClusterRole edit allows in airflow" in item.message


@pytest.mark.parametrize(
    ("base", "head"),
    [
        (rule(["*"], ["pods"]), rule(["get"], ["pods"])),
        (rule(["get"], ["*"]), rule(["get"], ["pods"])),
        (rule(["get"], ["pods"], ["*"]), rule(["get"], ["pods"], ["metrics.k8s.io"])),
        (rule(["get"], ["pods"]), rule(["get"], ["pods"], resourceNames=["one"])),
        (rule(["get", "list"], ["pods"]), rule(["list", "get"], ["pods"])),
    ],
)
def test_less_or_the_same_is_not_widened(base, head):
    assert found([role(base), binding()], [role(head), binding()], "rbac-widened") == []


def test_the_same_rights_by_another_role_are_not_widened():
    head = [role(READER["rules"][0], name="other"), binding(name="other")]
    assert found([READER, binding()], head, "rbac-widened") == []


def test_a_cluster_binding_covers_the_namespace():
    cluster = role(READER["rules"][0], kind="ClusterRole")
    base = [cluster, binding("ClusterRoleBinding", "ClusterRole")]
    head = [cluster, binding("RoleBinding", "ClusterRole")]
    assert found(base, head, "rbac-widened") == []
    assert found(head, base, "rbac-widened")


def test_lost_rights_of_an_account_that_stays_are_told():
    (item,) = found([ACCOUNT, READER, binding()], [ACCOUNT], "rbac-narrowed")
    assert item.message == "may no longer get pods in airflow"
    assert found([ACCOUNT, READER, binding()], [READER], "rbac-narrowed") == []
