"""Adoption of releases that Flux goes on to apply: engine, names and Helm's records stay."""

import tarfile

import pytest
import yaml

from tests.generator.adoption.scene import HERE, Adoption, application
from tests.repositories import DEV, SETTINGS, changed, repository

VERSION = "    kubernetesVersion"
BY_CLUSTER = changed(SETTINGS, (VERSION, f"    engine: flux\n{VERSION}"))
FLUX = SETTINGS + "engine: flux\n"
VALUES = {
    "executor": "KubernetesExecutor",
    "images": {"airflow": {"repository": "registry.example.com/a", "tag": "3.2.2-r1"}},
    "airflowVersion": "3.2.2",
    "fernetKeySecretName": "fernet",
    "data": {"metadataSecretName": "database"},
    "postgresql": {"enabled": False},
    "apiServer": {"replicas": 2},
}
HOST = ("--set", "database.host=db.example.com")
HELM_REPOSITORY = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "HelmRepository",
    "metadata": {"name": "apache", "namespace": "flux-system"},
    "spec": {"interval": "1h", "url": "https://airflow.apache.org"},
}
CHART = {
    "spec": {
        "chart": "airflow",
        "version": "1.22.0",
        "sourceRef": {"kind": "HelmRepository", "name": "apache", "namespace": "flux-system"},
    }
}
REMEDIATION = {
    "timeout": "20m",
    "maxHistory": 4,
    "install": {"remediation": {"retries": 3}, "crds": "Skip"},
    "upgrade": {"remediation": {"retries": 5, "strategy": "rollback"}, "cleanupOnFail": True},
    "rollback": {"cleanupOnFail": True},
    "driftDetection": {
        "mode": "enabled",
        "ignore": [{"paths": ["/spec/replicas"], "target": {"kind": "Deployment"}}],
    },
    "test": {"enable": True},
}


def helm_release(name="airflow", namespace="flux-system", more=(), **spec):
    """A HelmRelease with its source, as text."""
    own = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"interval": "30m", "chart": CHART, "values": VALUES, **spec},
    }
    own["spec"] = {key: value for key, value in own["spec"].items() if value is not None}
    return yaml.safe_dump_all([own, HELM_REPOSITORY, *more])


def config_map(namespace="flux-system"):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "airflow-values", "namespace": namespace},
        "data": {"values.yaml": yaml.safe_dump(VALUES)},
    }


SHAPES = {
    "inline values": (helm_release(targetNamespace="data", storageNamespace="data"), {}),
    "records in the namespace of Flux": (
        helm_release(targetNamespace="data"),
        {"releaseName": "data-airflow", "namespace": "data", "storageNamespace": "flux-system"},
    ),
    "values of a ConfigMap in the file": (
        helm_release(
            targetNamespace="data",
            values={"apiServer": {"replicas": 3}},
            valuesFrom=[{"kind": "ConfigMap", "name": "airflow-values"}],
            more=[config_map()],
        ),
        {"namespace": "data"},
    ),
    "in the namespace of the release": (
        helm_release(namespace="data"),
        {"releaseName": "airflow", "namespace": "data"},
    ),
    "names of its own": (
        helm_release(
            "old",
            releaseName="af",
            targetNamespace="data",
            storageNamespace="records",
        ),
        {"releaseName": "af", "storageNamespace": "records", "application": "old"},
    ),
    "remediation, drift and timeouts": (
        helm_release(targetNamespace="data", **REMEDIATION),
        {"namespace": "data"},
    ),
    "chart of a HelmChart": (
        helm_release(
            targetNamespace="data",
            chart=None,
            chartRef={"kind": "HelmChart", "name": "airflow"},
            more=[
                {
                    "apiVersion": "source.toolkit.fluxcd.io/v1",
                    "kind": "HelmChart",
                    "metadata": {"name": "airflow", "namespace": "flux-system"},
                    **CHART,
                }
            ],
        ),
        {"namespace": "data"},
    ),
}

OCI = "oci://registry.example.com/charts"


def of_registry(**ref):
    """A HelmRelease of a chart in a registry."""
    source = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "OCIRepository",
        "metadata": {"name": "chart", "namespace": "flux-system"},
        "spec": {"interval": "1h", "url": f"{OCI}/airflow", "ref": ref},
    }
    reference = {"kind": "OCIRepository", "name": "chart"}
    return helm_release(targetNamespace="data", chart=None, chartRef=reference, more=[source])


class FluxAdoption(Adoption):
    """A repository of which Flux applies every environment."""

    def __init__(self, root, archive, files, settings=FLUX):
        super().__init__(root, archive, files)
        self.repo = repository(root, settings=settings)

    def made(self, kind="HelmRelease"):
        path = "environments/staging/generated/release/release.yaml"
        documents = yaml.safe_load_all(self.repo.read(path))
        return next(item for item in documents if item["kind"] == kind)


@pytest.mark.few(1)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_helm_release_is_adopted_with_engine_names_and_records(shape, tmp_path, own_chart):
    text, destination = SHAPES[shape]
    before = next(iter(yaml.safe_load_all(text)))
    adoption = FluxAdoption(tmp_path / "repo", own_chart, {"old.yaml": text})
    done = adoption.repo.run("adopt", "old.yaml", "--name", "staging", "--write", *HOST)
    assert done.code == 0, done.said
    assert "the same objects before and after" in done.said
    assert destination.items() <= adoption.definition["destination"].items()
    after = adoption.made()
    spec, old = after["spec"], before["spec"]
    where = before["metadata"]["namespace"]
    assert spec["storageNamespace"] == old.get("storageNamespace", where)
    assert spec["targetNamespace"] == old.get("targetNamespace", where)
    kept = ("interval", "timeout", "install", "upgrade", "rollback", "driftDetection", "test")
    assert {key: spec.get(key) for key in kept} == {key: old.get(key) for key in kept}
    if where == "flux-system":
        assert after["metadata"]["name"] == before["metadata"]["name"]
    else:
        assert "metadata.namespace: data before, flux-system after" in done.said
    assert "flux suspend helmrelease" in done.said
    assert adoption.repo.run("generate", "--check").code == 0
    assert adoption.repo.run("validate").code == 0


@pytest.mark.parametrize(
    ("ref", "more", "words"),
    [
        ({"tag": "1.22.0"}, (), ""),
        ({"digest": f"sha256:{'1' * 64}"}, ("--chart", "1.22.0"), "ref.digest is lost: no file"),
    ],
)
def test_a_chart_in_a_registry_is_pinned_by_its_version(ref, more, words, tmp_path, own_chart):
    settings = FLUX + f"chart: {{source: oci, url: '{OCI}'}}\n"
    files = {"old.yaml": of_registry(**ref)}
    adoption = FluxAdoption(tmp_path / "repo", own_chart, files, settings)
    done = adoption.repo.run("adopt", "old.yaml", "--name", "staging", "--write", *HOST, *more)
    assert done.code == 0, done.said
    assert "the same objects before and after" in done.said and words in done.said
    assert adoption.made()["spec"]["chartRef"] == {"kind": "OCIRepository", "name": "airflow"}
    assert adoption.made("OCIRepository")["spec"]["ref"] == {"tag": "1.22.0"}


@pytest.mark.few(1)
@pytest.mark.parametrize("version", ["v2beta1", "v2beta2"])
def test_an_older_kind_and_an_optional_config_map_that_is_not_there_are_adopted(
    version, tmp_path, own_chart
):
    optional = [{"kind": "ConfigMap", "name": "gone", "optional": True}]
    text = helm_release(targetNamespace="data", valuesFrom=optional).replace(
        "io/v2", f"io/{version}"
    )
    files = {"old.yaml": text, "empty.yaml": "{}\n"}
    adoption = FluxAdoption(tmp_path / "repo", own_chart, files)
    arguments = ("--name", "staging", "--write", *HOST)
    done = adoption.repo.run("adopt", "old.yaml", *arguments)
    assert done.code == 1 and "an empty file for an optional one" in done.said
    done = adoption.repo.run("adopt", "old.yaml", "empty.yaml", *arguments)
    assert done.code == 0, done.said
    assert "the same objects before and after" in done.said and f"/{version} before" in done.said
    assert adoption.made()["apiVersion"].endswith("/v2")


@pytest.mark.thorough
def test_a_chart_from_git_is_compared_with_the_vendored_one(tmp_path, official_chart):
    chart = {"spec": {"chart": "./charts/airflow", "sourceRef": {"kind": "GitRepository",
             "name": "flux-system"}}}  # fmt: skip
    source = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": "flux-system", "namespace": "flux-system"},
        "spec": {"interval": "1m", "url": HERE, "ref": {"branch": "main"}},
    }
    text = helm_release(targetNamespace="data", chart=chart, more=[source])
    settings = FLUX + "chart: {source: vendored, path: charts/airflow}\n"
    adoption = FluxAdoption(tmp_path / "repo", official_chart, {"old.yaml": text}, settings)
    with tarfile.open(official_chart) as packed:
        packed.extractall(adoption.repo.root / "charts", filter="data")
    adoption.repo.commit("The chart")
    adoption.repo.git("update-ref", "refs/remotes/origin/main", "main")
    done = adoption.repo.run("adopt", "old.yaml", "--name", "staging", "--write", *HOST)
    assert done.code == 0, done.said
    assert "the same objects before and after" in done.said
    assert adoption.made()["spec"]["chart"]["spec"]["chart"] == "./charts/airflow"


BOUND = {"serviceAccountName": "deployer"}
REFUSED = {
    "an Application": (application({"values": yaml.safe_dump(VALUES)}), "what Argo CD applied"),
    "no namespace": (helm_release(namespace=None), "no metadata.namespace"),
    "another cluster": (helm_release(kubeConfig={"secretRef": {"name": "x"}}), "another cluster"),
    "hooks off": (helm_release(install={"disableHooks": True}), "hooks are not run"),
    "changed objects": (helm_release(postRenderers=[{"kustomize": {}}]), "postRenderers"),
    "an account of another namespace": (
        helm_release(namespace="data", **BOUND), "HelmRelease: metadata.namespace: data before"
    ),
    "another chart repository": (
        helm_release().replace("https://airflow.apache.org", "https://mirror.example.com"),
        "not proven: chart of https://mirror.example.com",
    ),
}  # fmt: skip


@pytest.mark.few(3)
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_stay_as_it_is_is_refused_and_named(case, tmp_path, own_chart):
    text, words = REFUSED[case]
    adoption = FluxAdoption(tmp_path / "repo", own_chart, {"old.yaml": text})
    before = adoption.repo.tree()
    done = adoption.repo.run("adopt", "old.yaml", "--name", "staging", "--write", *HOST)
    assert done.code == 1 and words in done.said, done.said
    assert adoption.repo.tree() == before


@pytest.mark.few(1)
@pytest.mark.parametrize("settings", [FLUX, BY_CLUSTER, SETTINGS])
def test_helm_by_hand_goes_on_under_flux(settings, tmp_path, own_chart):
    files = {"old.yaml": yaml.safe_dump(VALUES)}
    adoption = FluxAdoption(tmp_path / "repo", own_chart, files, settings)
    engine = ("--set", "engine=flux") if settings is SETTINGS else ()
    more = ("--chart", "1.22.0", "--namespace", "data", "--release", "af", *engine)
    done = adoption.repo.run("adopt", "old.yaml", "--name", "staging", "--write", *HOST, *more)
    assert done.code == 0, done.said
    spec = adoption.made()["spec"]
    assert (spec["releaseName"], spec["storageNamespace"]) == ("af", "data")
    assert "nobody may run helm for af" in done.said


@pytest.mark.thorough
def test_hardening_ends_with_the_same_names_and_gen_envs_way_of_installing(tmp_path, own_chart):
    text = helm_release("old", releaseName="af", targetNamespace="data", storageNamespace="records",
                        **REMEDIATION)  # fmt: skip
    adoption = FluxAdoption(tmp_path / "repo", own_chart, {"old.yaml": text})
    done = adoption.repo.run("adopt", "old.yaml", "--name", "staging", "--write", *HOST)
    assert done.code == 0, done.said
    before = adoption.made()
    apart = FluxAdoption(tmp_path / "apart", own_chart, {"old.yaml": text})
    assert apart.repo.run("adopt", "old.yaml", "--name", "staging", "--write", *HOST).code == 0
    assert "helmRelease" in apart.definition["adoption"]
    done = apart.repo.run("harden", "staging", "--step", "rest")
    assert done.code == 0 and "helmRelease" not in apart.definition["adoption"], done.said
    while "adoption" in adoption.definition:
        assert adoption.made()["spec"]["install"] == before["spec"]["install"]
        done = adoption.repo.run("harden", "staging")
        assert done.code == 0, done.said
    after = adoption.made()
    names = ("releaseName", "targetNamespace", "storageNamespace")
    assert {key: after["spec"][key] for key in names} == {key: before["spec"][key] for key in names}
    assert after["metadata"]["name"] == "old"
    assert after["spec"]["install"]["strategy"]["name"] == "RetryOnFailure"


def test_a_definition_cannot_steer_flux_by_what_it_keeps(tmp_path):
    steer = "{helmRelease: {labels: {kustomize.toolkit.fluxcd.io/reconcile: disabled}}}"
    for adoption, words in (
        (steer, "would change how Flux applies"),
        ("{helmRelease: {spec: {postRenderers: []}}}", "'postRenderers' is not one of"),
        (
            "{helmRelease: {spec: {upgrade: {disableHooks: true}}}}",
            "'upgrade.disableHooks' changes",
        ),
    ):
        repo = repository(tmp_path / words[1:8], settings=FLUX, dev=DEV + f"adoption: {adoption}\n")
        done = repo.run("generate")
        assert done.code == 1 and words in done.said


@pytest.mark.parametrize(
    "text",
    [
        changed(DEV, ("{cluster: main}", "{cluster: main, storageNamespace: records}")),
        DEV + "adoption: {helmRelease: {spec: {interval: 1m}}}\n",
    ],
)
def test_what_only_flux_has_is_an_error_under_argocd(text, tmp_path):
    done = repository(tmp_path / "repo", dev=text).run("generate")
    assert done.code == 1 and "sync/not-for-argocd" in done.said, done.said
