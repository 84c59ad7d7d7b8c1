"""One field changed at a time in objects of every kind: what gen-env says, and a real API server.

Every fifth change is asked about, with `GEN_ENV_FIELDS=1` each.
"""

import copy
import http.client
import json
import os
import re
from pathlib import Path

import pytest

from generator.diff.equality import same
from generator.impact.rules import immutable
from generator.kube import canonical
from generator.lint.objects import api_server, kubernetes_schema
from generator.lint.objects.context import Context, RenderedInput
from generator.yaml.manifests import load_manifests
from tests.cluster.fidelity.prediction import REFUSED
from tests.cluster.plane import ADMIN
from tests.cluster.samples import ensure_namespace
from tests.generator.impact.builders import found
from tests.generator.lint.mutations import GONE, mutated, mutations

pytestmark = pytest.mark.nightly

STRIDE = int(os.environ.get("GEN_ENV_FIELDS", "5"))
_FILE = Path(__file__).parent.parent / "generator" / "lint" / "whole_objects.yaml"
(OBJECTS,) = load_manifests(_FILE.read_bytes())
# Where gen-env is wrong and why, by the path of the field.
SILENT = re.compile(
    # An object without the part that makes it one: the chart and gen-env render none.
    r"spec|spec\.(template|jobTemplate)(\.spec)?|spec\.jobTemplate\.spec\.template(\.spec)?"
    # Finalizers of pods, which nobody sets.
    r"|.*template\.metadata\.finalizers"
    # Content of Secrets is not looked into.
    r"|data"
    # An autoscaler down to 0, which a feature gate permits.
    r"|spec\.minReplicas"
    # An empty list, which is refused where nothing may stand.
    r"|.*volumeClaimTemplate\.metadata\.finalizers"
    # What a Job does when pods fail, and what a claim is filled from, is judged in part.
    r"|spec\.(podFailurePolicy|successPolicy)\..*|.*\.dataSource(Ref)?(\.apiGroup)?"
    r"|.*\.volumeAttributesClassName"
    # Which volumes are devices, and which of them a pod without the node's users can have.
    r"|.*\.volumeDevices\..*|.*\.hostUsers|.*volumes\.\d+\.(persistentVolumeClaim|fc|iscsi|rbd)(\..*)?"
    # Volumes of services that Kubernetes itself no longer has.
    r"|.*volumes\.\d+\.(azureDisk|cephfs|cinder|flexVolume|flocker|gitRepo|glusterfs|photon\w+|portworx"
    r"|portworxVolume|quobyte|scaleIO|storageos|vsphereVolume)(\..*)?"
)
MISSING = "lacks the key"
"""A required key that is missing the server often reads as empty; gen-env asks for it."""
TOO_STRICT = re.compile(
    # Taken by a server of 1.34 with default features, and refused or dropped by others.
    r"spec\.ports\.\d+\.nodePort|spec\.updateStrategy\.rollingUpdate\.maxUnavailable"
    r"|spec\.revisionHistoryLimit|.*\.fileKeyRef|.*\.seccompProfile\.localhostProfile"
    r"|.*\.volumeClaimTemplates\.\d+\.(apiVersion|kind)|value|.*\.tolerance"
    r"|spec\.podFailurePolicy\..*|.*\.image|spec\.flexVolume|.*\.priority"
    # Judged by the kind's own rules, which are looser.
    r"|metadata\.(name|finalizers)|spec\.template\.spec\.(hostname|subdomain)|spec\.dataSource"
)
GATED = re.compile(
    # Fields that a server of 1.34 drops, as long as its feature gates are as they are by default.
    r".*\.(hostnameOverride|stopSignal|restartPolicyRules|fileKeyRef|clusterTrustBundle|podCertificate)"
    r"|.*\.containers\.\d+\.restartPolicy|.*volumes\.\d+\.image(\..*)?|.*\.serviceAccount"
)


@pytest.fixture(scope="module")
def ask(real_plane):
    """Asks whether the server takes an object, and what it would store."""
    host = real_plane.url.removeprefix("https://")
    connection = http.client.HTTPSConnection(host, context=real_plane.context, timeout=120)

    def ask(manifest):
        place = {**manifest, "metadata": {"name": "web", "namespace": "default"}}
        path, query = real_plane.path(place), "?dryRun=All&fieldValidation=Strict"
        method, content = "PATCH", "application/apply-patch+yaml"
        if manifest["metadata"]["name"] == "web":
            path += f"{query}&fieldManager=test&force=true"
        else:
            method, path, content = "POST", path.rpartition("/")[0] + query, "application/json"
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": content}
        try:
            connection.request(method, path, json.dumps(manifest).encode(), headers)
            answer = connection.getresponse()
            return answer.status in (200, 201), json.loads(answer.read())
        except http.client.RemoteDisconnected:  # it fails itself where it divides by nothing
            connection.close()
            return False, {}

    yield ask
    connection.close()


def refused(manifest):
    """What gen-env says that the server refuses."""
    rendered = RenderedInput((manifest,), Context(server_side=True))
    found = (*kubernetes_schema.problems([manifest], "1.34"), *api_server.problems(rendered))
    return [item.message for item in found if item.rule in REFUSED and item.severity == "error"]


def changes(manifest):
    """Each changed object with the path of the field, and what it becomes."""
    for number, (path, value) in enumerate(mutations(manifest)):
        if number % STRIDE == 0:
            shown = "taken out" if value is GONE else repr(value)[:60]
            yield ".".join(map(str, path)), shown, mutated(manifest, path, value)


@pytest.mark.parametrize("name", OBJECTS)
def test_gen_env_refuses_what_the_server_refuses_and_nothing_else(ask, name):
    assert refused(OBJECTS[name]) == []
    assert ask(OBJECTS[name])[0]
    wrong = []
    for field, value, manifest in changes(OBJECTS[name]):
        said, (taken, answer) = refused(manifest), ask(manifest)
        if not taken and not said and not SILENT.fullmatch(field):
            wrong.append(("not said", field, value, answer.get("message", "")[:200]))
        said = [item for item in said if MISSING not in item]
        if taken and said and not TOO_STRICT.fullmatch(field):
            wrong.append(("said in vain", field, value, said))
    assert wrong == []


@pytest.mark.parametrize(
    "name", [name for name in OBJECTS if OBJECTS[name]["kind"] == "Deployment"]
)
def test_pods_are_replaced_where_the_stored_template_differs(ask, name):
    """What controllers compare; each field also empty, at 0, false and at its usual default."""
    before = OBJECTS[name]["spec"]["template"]
    stored = ask(OBJECTS[name])[1]["spec"]["template"]
    wrong = []
    for field, value, manifest in changes(OBJECTS[name]):
        taken, answer = ask(manifest)
        if not taken or refused(manifest) or GATED.fullmatch(field):
            continue
        stays = same(stored, answer["spec"]["template"])
        after = manifest["spec"]["template"]
        if stays != same(canonical.template(before), canonical.template(after)):
            wrong.append((field, value, "stays" if stays else "is replaced"))
    assert wrong == []


FROZEN = [name for name in OBJECTS if name in immutable.FROZEN] + ["an immutable ConfigMap"]


@pytest.mark.parametrize("name", FROZEN)
def test_what_cannot_change_on_an_object_that_is_there(real_plane, ask, name):
    before = copy.deepcopy(OBJECTS[name.rpartition(" ")[2]])
    before["metadata"]["annotations"] = {"argocd.argoproj.io/sync-options": "ServerSideApply=true"}
    before["metadata"].pop("finalizers")
    before |= {"immutable": True} if name.startswith("an immutable") else {}
    ensure_namespace(real_plane, "default")
    real_plane.apply(before)
    wrong = []
    for field, value, manifest in changes(before):
        if field.startswith("metadata.") or refused(manifest) or GATED.fullmatch(field):
            continue
        taken, answer = ask(manifest)
        stops = [item.rule for item in found([before], [manifest]) if item.severity == "error"]
        if taken is not REFUSED.isdisjoint(stops) and not SILENT.fullmatch(field):
            wrong.append((field, value, stops, answer.get("message", "")[:160]))
    real_plane.call("DELETE", real_plane.path(before))
    assert wrong == []
