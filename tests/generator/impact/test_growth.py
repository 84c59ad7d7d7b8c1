"""The work of all impact rules grows with what is compared, and not with its square."""

import cProfile
import pstats

import pytest

from generator.impact import registry
from tests.generator.impact.builders import (
    config,
    from_secret,
    manifest,
    policy,
    secret,
    service,
    side,
    workload,
)


def work(make, size):
    """Function calls, which a busy machine does not change, as `make(size)` is compared."""
    base, head = (side(manifests) for manifests in make(size))
    profile = cProfile.Profile(builtins=False)
    profile.runcall(registry.find, base, head)
    return pstats.Stats(profile).total_calls


def restarted(size):
    for image in ("r/airflow:3.2.1", "r/airflow:3.3.0"):
        secrets = [secret(f"s{number}", key="1") for number in range(size)]
        configs = [config({"a": image}, f"m{number}") for number in range(size)]
        works = [
            workload(
                f"c{number}",
                image=image,
                container_env=[from_secret("X", f"s{number}", "key")],
                container_envFrom=[{"secretRef": {"name": f"s{number}"}}],
            )
            for number in range(size)
        ]
        yield [*secrets, *configs, *works]


def removed(size):
    works = [workload(f"c{number}", "StatefulSet") for number in range(size)]
    services = [service(f"c{number}") for number in range(size)]
    claims = [manifest("v1", "PersistentVolumeClaim", f"p{number}") for number in range(size)]
    text = "\n".join(f"k{number} = http://airflow-c{number}:80" for number in range(size))
    kept = [workload("scheduler"), config({"airflow.cfg": f"[core]\n{text}\n"})]
    yield [*works, *services, *claims, *kept]
    yield kept


def bound(size):
    api = "rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]
    roles = [manifest(api, "Role", f"r{number}", rules=rules) for number in range(size)]
    accounts = [manifest("v1", "ServiceAccount", f"a{number}") for number in range(size)]
    works = [workload(f"c{number}", serviceAccountName=f"a{number}") for number in range(size)]
    bindings = [
        manifest(
            api,
            "RoleBinding",
            f"b{number}",
            roleRef={"kind": "Role", "name": f"r{number}"},
            subjects=[{"kind": "ServiceAccount", "name": f"a{number}"}],
        )
        for number in range(size)
    ]
    yield [*roles, *accounts, *works, *bindings]
    yield [*roles, *accounts, *works, *bindings[: size // 2]]


def selected(size):
    works = [workload(f"c{number}") for number in range(size)]
    for port in (80, 81):
        peers = [{"from": [{"podSelector": {}}], "ports": [{"port": port}]}]
        policies = [
            policy(f"c{number}", ingress=peers, name=f"p{number}") for number in range(size)
        ]
        yield [*works, *policies]


@pytest.mark.parametrize("make", [restarted, removed, bound, selected])
def test_four_times_the_objects_are_some_four_times_the_work(make):
    small, large = work(make, 60), work(make, 240)
    assert large < 4.2 * small
