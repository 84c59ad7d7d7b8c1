"""The service's chart on a real API server, which admits what the restricted level allows."""

import pytest

from tests.cluster.samples import ensure_namespace
from tests.service.chart import VALUES, objects

pytestmark = pytest.mark.nightly


@pytest.mark.parametrize("database", VALUES)
def test_the_server_takes_every_object_and_a_second_apply_changes_nothing(
    real_plane, definitions, tmp_path, database
):
    name = f"gen-env-{database.lower()}"
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    ensure_namespace(real_plane, "airflow-dev")
    real_plane.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": restricted}}
    )
    versions = []
    for _ in range(2):
        manifests = objects(tmp_path, VALUES[database])
        for item in manifests:
            if item["metadata"]["namespace"] == "gen-env":
                item["metadata"]["namespace"] = name
        applied = [real_plane.apply(item) for item in manifests]
        versions.append([(item.get("spec"), item["metadata"]["labels"]) for item in applied])
    changed = [
        item["kind"] for item, *both in zip(manifests, *versions, strict=True) if both[0] != both[1]
    ]
    assert changed == [] and len(manifests) >= 10


@pytest.mark.parametrize("database", VALUES)
def test_the_restricted_level_admits_its_pods(real_plane, tmp_path, database):
    name = f"gen-env-pods-{database.lower()}"
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    real_plane.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": restricted}}
    )
    for item in objects(tmp_path, VALUES[database]):
        if item["kind"] not in ("Deployment", "Job"):
            continue
        template = item["spec"]["template"]
        # Without the service account, which no controller made here.
        spec = {**template["spec"], "serviceAccountName": "default"}
        spec["automountServiceAccountToken"] = False
        pod = {"apiVersion": "v1", "kind": "Pod", "spec": spec}
        pod["metadata"] = {**template["metadata"], "name": item["metadata"]["name"]}
        pod["metadata"]["namespace"] = name
        account = {"apiVersion": "v1", "kind": "ServiceAccount"}
        real_plane.apply({**account, "metadata": {"name": "default", "namespace": name}})
        real_plane.apply(pod)
        root = {**spec["securityContext"], "runAsNonRoot": False, "runAsUser": 0}
        pod["spec"] = {**spec, "securityContext": root}
        pod["metadata"] = {**pod["metadata"], "name": f"{item['metadata']['name']}-root"}
        status, told = real_plane.try_apply(pod)
        assert status == 403 and "restricted" in told["message"]
