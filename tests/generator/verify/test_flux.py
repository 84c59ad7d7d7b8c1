"""Verification of an environment of Flux: what its objects show, and what they do not."""

import copy
import dataclasses

import pytest

from generator.actions import diff, verify
from generator.core.files import Snapshot
from generator.engine import deployment, flux
from generator.git.worktree import Worktree
from generator.kube.fields import name_of
from generator.verify.result import Outcome
from generator.verify.snapshot import Source
from generator.verify.subscriptions import subscriptions
from generator.verify.verdict import decide
from tests import definitions
from tests.generator.verify.scene import BASIS, LATER, OLD, OURS, Scene, at, expected
from tests.repositories import SETTINGS, STAGING, changed, release, repository

HUB = "flux-system"
NAMES = ("airflow-staging", "airflow-staging-prerequisites")


RELEASE = release(STAGING, settings=SETTINGS + "engine: flux\n")
GENERATED = {
    item["metadata"]["name"]: item
    for item in reversed(flux.in_cluster(RELEASE, ["a file"], complete=True))
}


def helm_release():
    made = flux.objects(RELEASE)
    return copy.deepcopy(deployment.of(made).manifest)


def ready(status="True", reason="Succeeded", message="", generation=3):
    return {
        "type": "Ready", "status": status, "reason": reason, "message": message,
        "observedGeneration": generation,
    }  # fmt: skip


def kustomization(name, commit=OURS):
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": HUB, "generation": 3},
        "spec": copy.deepcopy(GENERATED[name]["spec"]),
        "status": {
            "conditions": [ready()],
            "lastAppliedRevision": f"main@sha1:{commit}",
            "lastAttemptedRevision": f"main@sha1:{commit}",
            "observedGeneration": 3,
        },
    }


class Flux(Scene):
    """The same cluster, deployed by Flux instead of Argo CD."""

    def __init__(self):
        super().__init__()
        self.application = helm_release()
        self.application["metadata"]["generation"] = 3
        self.application["status"] = {
            "conditions": [ready()],
            "observedGeneration": 3,
            "history": [
                {"name": "airflow", "version": 4, "status": "deployed", "chartVersion": "1.22.0",
                 "lastDeployed": at(10)},
                {"name": "airflow", "version": 3, "status": "superseded", "chartVersion": "1.21.0"},
            ],
        }  # fmt: skip
        self.kustomizations = [kustomization(name) for name in NAMES]
        self.jobs = {}  # Helm deletes a hook that succeeded

    def look(self, seconds):
        found = super().look(seconds)
        return dataclasses.replace(found, kustomizations=tuple(copy.deepcopy(self.kustomizations)))


def wanted(**more):
    manifests = []
    for item in expected().manifests:
        own = copy.deepcopy(item)
        if own["kind"] == "Job":
            own["metadata"]["annotations"] = {"helm.sh/hook": "post-install,post-upgrade"}
        manifests.append(own)
    return expected(
        **{
            "application": "airflow-staging",
            "application_namespace": HUB,
            "application_manifest": helm_release(),
            "engine": "flux",
            "kustomizations": tuple(GENERATED.values()),
            "manifests": tuple(manifests),
            **more,
        }
    )


def played(scene, *moments, **more):
    verdict = None
    for moment in moments or (100, 140):
        verdict = decide(wanted(**more), scene.look(moment), verdict)
    return verdict


def states(verdict):
    return {item.name: item.state.value for item in verdict.conditions}


def messages(verdict):
    return {item.name: item.message for item in verdict.conditions}


def test_a_healthy_release_at_the_commit_is_verified():
    verdict = played(Flux())
    assert verdict.outcome is Outcome.VERIFIED, verdict.message
    found = messages(verdict)
    assert found["operation"] == "Helm deployed the release"
    assert "the hook airflow-run-airflow-migrations succeeded" in found["migration"]
    assert "Argo CD" not in " ".join(found.values())


def test_it_says_that_drift_is_not_in_the_status():
    assert "only those are seen" in messages(played(Flux()))["synced"]


def test_a_commit_that_is_not_applied_yet_is_waited_for():
    scene = Flux()
    scene.kustomizations[0] = kustomization(NAMES[0], OLD)
    verdict = played(scene)
    assert verdict.outcome is Outcome.PENDING and states(verdict)["revision"] == "waiting"
    assert "does not contain" in messages(verdict)["revision"]


def test_a_later_commit_takes_over():
    scene = Flux()
    scene.kustomizations = [kustomization(name, LATER) for name in NAMES]
    assert played(scene, 100).outcome is Outcome.SUPERSEDED


def test_a_missing_kustomization_is_named():
    scene = Flux()
    del scene.kustomizations[1]
    verdict = played(scene)
    assert verdict.outcome is Outcome.PENDING
    assert f"Kustomization {NAMES[1]} not found" in messages(verdict)["revision"]


def test_a_release_with_other_values_is_not_that_of_the_commit():
    scene = Flux()
    scene.application["spec"]["valuesFrom"][0]["name"] = "airflow-staging-values-0"
    verdict = played(scene)
    assert verdict.outcome is Outcome.PENDING and states(verdict)["application"] == "waiting"
    assert states(verdict)["synced"] == "waiting"


def test_a_generation_that_nobody_looked_at_proves_nothing():
    scene = Flux()
    scene.application["metadata"]["generation"] = 4
    verdict = played(scene)
    assert verdict.outcome is Outcome.PENDING and states(verdict)["operation"] == "waiting"


def test_an_upgrade_that_fails_is_a_failure_that_lasts():
    scene = Flux()
    scene.application["status"]["conditions"] = [
        ready("False", "UpgradeFailed", "Helm upgrade failed: post-upgrade hooks failed")
    ]
    scene.application["status"]["failures"] = 2
    scene.application["status"]["history"][0]["status"] = "failed"
    verdict = played(scene, 100, 170)
    assert verdict.outcome is Outcome.FAILED
    assert "post-upgrade hooks failed" in messages(verdict)["operation"]
    assert "failed 2 times" in messages(verdict)["operation"]
    assert "the hook" not in messages(verdict)["migration"]


def test_a_release_that_flux_rolled_back_is_a_failure():
    scene = Flux()
    scene.application["status"]["conditions"].append(
        {"type": "Remediated", "status": "True", "reason": "RollbackSucceeded", "message": "to v3"}
    )
    verdict = played(scene, 100, 170)
    assert verdict.outcome is Outcome.FAILED and "remediated" in messages(verdict)["operation"]


def test_a_health_check_that_fails_is_waited_for_and_named():
    scene = Flux()
    scene.kustomizations[0]["status"]["conditions"] = [
        ready("False", "HealthCheckFailed", "timeout waiting for Deployment/data/airflow-scheduler")
    ]
    verdict = played(scene)
    assert verdict.outcome is Outcome.PENDING
    assert "airflow-scheduler" in messages(verdict)["settled"]


@pytest.mark.parametrize("which", ["kustomization", "helmrelease"])
def test_suspended_before_the_commit_is_not_synced_and_says_how_to_resume(which):
    scene = Flux()
    scene.kustomizations[0] = kustomization(NAMES[0], OLD)
    owner = scene.kustomizations[0] if which == "kustomization" else scene.application
    owner["spec"]["suspend"] = True
    verdict = played(scene)
    assert verdict.outcome is Outcome.NOT_SYNCED
    assert f"flux resume {which} airflow-staging -n {HUB}" in verdict.message


def test_what_cannot_be_read_keeps_it_from_success():
    for source in (Source.KUSTOMIZATIONS, Source.APPLICATION):
        scene = Flux()
        scene.unavailable = {source: "forbidden"}
        verdict = played(scene)
        assert verdict.outcome is Outcome.PENDING
        assert states(verdict)["revision"] == "unknown"


def test_an_object_of_an_unread_kind_must_be_in_an_inventory():
    place = {"name": "ui", "namespace": "data"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": place}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "airflow:x", "namespace": "data"},
    }  # fmt: skip
    manifests = (*wanted().manifests, service, role)
    scene = Flux()
    verdict = played(scene, manifests=manifests)
    assert verdict.outcome is Outcome.PENDING and "Flux does not list it" in verdict.message
    scene.application["status"]["inventory"] = {
        "entries": [
            {"id": "data_ui__Service", "v": "v1"},
            {"id": "data_airflow__x_rbac.authorization.k8s.io_Role", "v": "v1"},
        ]
    }
    assert played(scene, manifests=manifests).outcome is Outcome.VERIFIED


def test_the_basis_of_a_verdict_is_that_of_the_render():
    assert played(Flux()).basis.chart == BASIS.chart


def test_the_objects_of_flux_are_read_by_name_from_its_namespace_and_nothing_else_there():
    read = [
        (item.resource.kind, item.namespace, item.fields)
        for item in subscriptions(wanted(), cluster="here", hub="hub")
        if item.cluster == "hub"
    ]
    assert read == [
        ("HelmRelease", HUB, "metadata.name=airflow-staging"),
        *(("Kustomization", HUB, f"metadata.name={name}") for name in NAMES),
    ]


def test_the_rights_are_those_of_what_is_read():
    rules = flux.access("airflow-staging", release(STAGING).resolved.settings.repository)
    assert {(item.resources, item.names) for item in rules} == {
        (("helmreleases",), ("airflow-staging",)),
        (("kustomizations",), NAMES),
    }
    assert {item.namespace for item in rules} == {HUB}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("values", {"executor": "LocalExecutor"}),
        ("postRenderers", [{"kustomize": {}}]),
        ("kubeConfig", {"secretRef": {"name": "elsewhere"}}),
        ("valuesFrom", [*helm_release()["spec"]["valuesFrom"], {"kind": "Secret", "name": "more"}]),
        ("install", {**helm_release()["spec"]["install"], "disableHooks": True}),
    ],
)
def test_a_release_with_more_than_the_commit_gives_is_not_that_of_the_commit(field, value):
    scene = Flux()
    scene.application["spec"][field] = value
    verdict = played(scene)
    assert verdict.outcome is Outcome.PENDING
    assert f"has spec.{field}" in messages(verdict)["application"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("path", "./elsewhere", "does not have the commit's spec"),
        ("healthChecks", [], "does not have the commit's spec"),
        ("patches", [{"patch": "x"}], "has spec.patches"),
        ("postBuild", {"substitute": {"a": "b"}}, "has spec.postBuild"),
    ],
)
def test_a_kustomization_that_applies_something_else_is_waited_for(field, value, words):
    scene = Flux()
    scene.kustomizations[0]["spec"][field] = value
    verdict = played(scene)
    assert verdict.outcome is Outcome.PENDING and words in messages(verdict)["revision"]


def test_fields_that_change_nothing_that_is_applied_may_be_added():
    scene = Flux()
    scene.application["spec"]["chart"]["spec"]["reconcileStrategy"] = "ChartVersion"
    for item in (scene.application, *scene.kustomizations):
        item["spec"]["serviceAccountName"] = "deployer"
    assert played(scene).outcome is Outcome.VERIFIED


@pytest.mark.parametrize(
    ("version", "outcome"), [("*", Outcome.VERIFIED), ("1.22.0", Outcome.PENDING)]
)
def test_a_chart_from_git_has_the_version_that_the_api_server_fills_in(version, outcome):
    manifest, scene = helm_release(), Flux()
    del manifest["spec"]["chart"]["spec"]["version"]
    scene.application["spec"]["chart"]["spec"]["version"] = version
    assert played(scene, application_manifest=manifest).outcome is outcome


def test_a_kustomization_that_is_stalled_is_a_failure():
    scene = Flux()
    scene.kustomizations[0]["status"]["conditions"] = [
        ready("False", "BuildFailed", "invalid path"),
        {"type": "Stalled", "status": "True", "reason": "BuildFailed"},
    ]
    verdict = played(scene, 100, 170)
    assert verdict.outcome is Outcome.FAILED and "invalid path" in verdict.message


def test_a_commit_without_kustomizations_is_not_verified():
    verdict = played(Flux(), kustomizations=())
    assert verdict.outcome is Outcome.PENDING and "not in git" in messages(verdict)["revision"]


def test_a_history_that_names_no_chart_proves_no_chart():
    scene = Flux()
    del scene.application["status"]["history"][0]["chartVersion"]
    verdict = played(scene)
    assert verdict.outcome is Outcome.PENDING
    assert "names no chart" in messages(verdict)["revision"]


def test_a_release_at_work_and_a_kustomization_that_goes_are_not_done():
    scene = Flux()
    scene.application["status"]["conditions"].append({"type": "Reconciling", "status": "True"})
    assert states(played(scene))["operation"] == "waiting"
    scene = Flux()
    scene.kustomizations[0]["metadata"]["deletionTimestamp"] = at(20)
    verdict = played(scene, 100, 170)
    assert verdict.outcome is Outcome.FAILED and "is being deleted" in verdict.message


def test_a_commit_of_an_environment_of_flux_is_what_is_verified(tmp_path):
    charts, renderer = definitions.stand_in_charts(tmp_path), definitions.cached_renderer(tmp_path)
    version = "    kubernetesVersion"
    settings = changed(SETTINGS, (version, f"    context: eu\n{version}"))
    settings += "engine: flux\nargocd: {context: hub}\n"
    written = {"gen-env.yaml": settings, "environments/staging/environment.yaml": STAGING}
    files = Snapshot({path: text.encode() for path, text in written.items()})
    repo = repository(tmp_path / "repo")
    for path, content in definitions.generated(files, charts)[0].contents.items():
        repo.write(path, content.decode())
    repo.init()
    tree = Worktree.find(repo.root)
    sha = repo.git("rev-parse", "HEAD")
    at = verify.Revision(tree, "", sha, diff.at_revision(tree, sha, ""), charts, renderer)
    found = verify.subject_at(at, "staging")
    assert found.context == found.hub_context == "eu"
    promise = found.expected
    assert (promise.engine, promise.application, promise.namespace) == (
        "flux",
        "airflow-staging",
        "airflow-staging",
    )
    assert tuple(map(name_of, promise.kustomizations)) == NAMES
    assert promise.chart_version == "1.22.0"
    kinds = {item["kind"] for item in promise.manifests}
    assert "Deployment" in kinds and not kinds & {"HelmRelease", "Kustomization", "HelmRepository"}
    assert promise.migration_job == "airflow-run-airflow-migrations"
