import pytest

from tests.generator.impact.builders import found, manifest, workload

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


LAUNCHER = role(rule(["create", "delete", "list", "patch", "watch"], ["pods"]))
ON_KUBERNETES = {"executor": "KubernetesExecutor"}


def pods(component="worker", account="worker", **pod):
    return workload(component, serviceAccountName=account, **pod)


def test_pods_under_another_account_lose_what_the_first_one_may():
    other = manifest("v1", "ServiceAccount", "w2")
    base, head = [ACCOUNT, LAUNCHER, binding(), pods()], [other, LAUNCHER, binding()]
    (item,) = found(base, [*head, pods(account="w2")], "rbac-narrowed")
    assert item.severity == "warning" and "(ServiceAccount worker → w2)" in item.message
    assert "worker may no longer create/delete" in item.message
    both = [*head, binding(subject="w2"), pods(account="w2")]
    assert found(base, both, "rbac-narrowed") == []


def test_workloads_of_one_account_are_one_finding():
    works = [pods(), pods("triggerer")]
    (item,) = found([ACCOUNT, LAUNCHER, binding(), *works], [ACCOUNT, *works], "rbac-narrowed")
    assert "triggerer and worker may no longer" in item.message


@pytest.mark.parametrize(
    "head",
    [
        [ACCOUNT, pods("scheduler")],
        [ACCOUNT, LAUNCHER, pods("scheduler")],
        [ACCOUNT, LAUNCHER, binding(), pods("scheduler", automountServiceAccountToken=False)],
        [
            manifest("v1", "ServiceAccount", "worker", automountServiceAccountToken=False),
            LAUNCHER,
            binding(),
            pods("scheduler"),
        ],
    ],
)
def test_an_executor_without_its_rights_is_an_error(head):
    base = [ACCOUNT, LAUNCHER, binding(), pods("scheduler")]
    (item,) = found(base, head, "rbac-narrowed", ON_KUBERNETES, ON_KUBERNETES)
    assert item.severity == "error" and "cannot run tasks" in item.message
    (item,) = found(base, head, "rbac-narrowed", {"executor": "CeleryExecutor"})
    assert item.severity == "warning"


def test_all_verbs_that_become_those_which_the_executor_needs_are_a_warning():
    every = role(rule(["*"], ["pods"]))
    base, head = ([item, binding(), pods("scheduler")] for item in (every, LAUNCHER))
    (item,) = found(base, head, "rbac-narrowed", ON_KUBERNETES, ON_KUBERNETES)
    assert item.severity == "warning"


def test_an_aggregated_role_holds_what_its_parts_hold():
    part = role(*LAUNCHER["rules"], kind="ClusterRole", name="part")
    part["metadata"]["labels"] = {"to": "workers"}
    whole = role(kind="ClusterRole")
    whole["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {"to": "workers"}}]}
    plain = role(*LAUNCHER["rules"], kind="ClusterRole")
    rest = [binding(role_kind="ClusterRole"), pods("scheduler")]
    assert found([plain, *rest], [whole, part, *rest], "rbac-narrowed") == []
    (item,) = found([whole, part, *rest], [whole, *rest], "rbac-narrowed")
    assert "may no longer create/delete" in item.message


def test_rights_of_a_group_and_of_a_projected_token_count():
    everybody = binding()
    everybody["subjects"] = [{"kind": "Group", "name": "system:serviceaccounts:airflow"}]
    base, head = [LAUNCHER, binding(), pods()], [LAUNCHER, everybody, pods()]
    assert found(base, head, "rbac-narrowed") == []
    projected = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    token = pods(automountServiceAccountToken=False, volumes=[{"name": "t", **projected}])
    assert found(base, [LAUNCHER, binding(), token], "rbac-narrowed") == []


def test_an_account_that_no_pod_uses_is_a_note():
    (item,) = found([ACCOUNT, READER, binding()], [ACCOUNT], "rbac-narrowed")
    assert item.severity == "info"


def test_a_new_executor_that_may_not_start_pods_is_an_error():
    base = [ACCOUNT, pods("scheduler")]
    (item,) = found(base, [*base, READER, binding()], "executor-rights", None, ON_KUBERNETES)
    assert item.severity == "error" and "create/delete/list/patch/watch pods" in item.message
    (item,) = found(base, base, "executor-rights", None, ON_KUBERNETES)
    assert item.severity == "warning" and "no binding is rendered" in item.message
    allowed = [*base, LAUNCHER, binding()]
    assert found(base, allowed, "executor-rights", None, ON_KUBERNETES) == []
