"""What Flux is given of a definition: Kustomizations, the HelmRelease and its chart's source."""

import itertools
import posixpath

import pytest
import yaml

from generator.chart.chart import open_chart
from generator.core.files import Snapshot, WorkTree
from generator.engine import flux
from generator.engine.deployment import is_of_engine
from generator.pipeline import generate
from generator.render.engine import choose_engine
from generator.tree import catalogue
from tests import definitions
from tests.cluster.samples import NAMES, ROOT
from tests.repositories import (
    DEV,
    PRODUCTION,
    SETTINGS,
    STAGING,
    built,
    changed,
    release,
    repository,
)

FLUX = SETTINGS + "engine: flux\n"
PRUNE = "kustomize.toolkit.fluxcd.io/prune"
WINDOWS = "sync: {windows: [{kind: deny, schedule: '0 1 * * *', duration: 1h}]}\n"
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap"}


def objects(text=DEV, *, complete=True, chart="{source: repository}", settings=FLUX):
    """Every object of Flux for a definition, by kind; Kustomizations as a list in their order."""
    item = release(text, settings=f"{settings}chart: {chart}\n")
    made = [*flux.in_cluster(item, ["a.yaml"], complete=complete), *flux.objects(item)]
    kinds = itertools.groupby(made, key=lambda manifest: manifest["kind"])
    found = {kind: list(group) for kind, group in kinds}
    return {kind: group if kind == "Kustomization" else group[0] for kind, group in found.items()}


@pytest.fixture(scope="module")
def repo(tmp_path_factory):
    found = repository(tmp_path_factory.mktemp("flux") / "repo", settings=FLUX, staging=STAGING)
    assert found.run("generate").code == 0
    return found


def applied(repo, name, place):
    """The objects that kustomize gives for a folder, its generator's ConfigMap among them."""
    folder = f"environments/{name}/generated/{place}"
    content = repo.yaml(f"{folder}/kustomization.yaml")
    assert set(content) <= {"apiVersion", "kind", "resources", "configMapGenerator"}
    found = []
    for path in content["resources"]:
        found += yaml.safe_load_all(repo.read(posixpath.normpath(f"{folder}/{path}")))
    for item in content.get("configMapGenerator", ()):
        ((key, path),) = [file.split("=") for file in item["files"]]
        data = {key: repo.read(posixpath.normpath(f"{folder}/{path}"))}
        metadata = {"name": item["name"], "namespace": item["namespace"]}
        found.append({**CONFIG, "metadata": metadata, "data": data})
    return found


def test_the_most_specific_engine_holds():
    for_cluster = changed(
        SETTINGS, ("    kubernetesVersion", "    engine: flux\n    kubernetesVersion")
    )
    own = DEV + "engine: argocd\n"
    assert release(DEV).environment.engine == "argocd"
    assert release(DEV, settings=FLUX).environment.engine == "flux"
    assert release(DEV, settings=for_cluster).environment.engine == "flux"
    assert release(own, settings=for_cluster).environment.engine == "argocd"
    by_tier = "defaults: {tiers: {development: {destination: {cluster: main}}}}\n"
    without = changed(DEV, ("destination: {cluster: main}\n", ""))
    assert release(without, settings=for_cluster + by_tier).environment.engine == "flux"


def test_the_engine_comes_from_the_line_that_named_it():
    item = built(DEV, settings=FLUX)
    assert item.resolved.place("engine") == ("gen-env.yaml", FLUX.count("\n"))


def test_prerequisites_come_before_the_release():
    first, second = objects()["Kustomization"]
    assert second["spec"]["dependsOn"] == [{"name": first["metadata"]["name"]}]
    assert first["spec"]["wait"] is True
    (check,) = first["spec"]["healthCheckExprs"]
    assert check["kind"] == "SealedSecret" and "Synced" in check["current"]


def test_secrets_and_policies_are_prerequisites_and_all_else_comes_with_the_release(repo):
    before = {item["kind"] for item in applied(repo, "staging", "prerequisites")}
    assert {"Namespace", "SealedSecret"} <= before <= {"Namespace", "SealedSecret", "NetworkPolicy"}
    after = [item["kind"] for item in applied(repo, "staging", "release")]
    assert after == ["HelmRepository", "HelmRelease", "ConfigMap"]


def test_helm_gets_the_values_file_word_for_word_and_other_values_by_another_name(repo):
    *_, helm, values = applied(repo, "staging", "release")
    assert values["data"]["values.yaml"] == repo.read("environments/staging/generated/values.yaml")
    reference = {"kind": "ConfigMap", "valuesKey": "values.yaml"}
    name = values["metadata"]["name"]
    assert helm["spec"]["valuesFrom"] == [{**reference, "name": name}]
    assert values["metadata"]["namespace"] == helm["metadata"]["namespace"]
    other = release(changed(STAGING, ("replicas: 2", "replicas: 3")), settings=FLUX)
    assert flux.values_name(other) != name == flux.values_name(release(STAGING, settings=FLUX))


def test_every_object_is_in_the_namespace_of_flux_and_names_no_other():
    found = objects(PRODUCTION)
    made = [*found.pop("Kustomization"), *found.values()]
    assert {item["metadata"]["namespace"] for item in made} == {"flux-system"}
    references = [
        made[0]["spec"]["sourceRef"],
        found["HelmRelease"]["spec"]["chart"]["spec"]["sourceRef"],
    ]
    assert not any("namespace" in reference for reference in references)
    spec = found["HelmRelease"]["spec"]
    assert spec["targetNamespace"] == spec["storageNamespace"] == "airflow"


def test_a_chart_comes_from_its_repository_registry_or_folder():
    spec = objects(chart="{source: repository, url: https://charts.example.com}")
    assert spec["HelmRepository"]["spec"]["url"] == "https://charts.example.com"
    assert spec["HelmRelease"]["spec"]["chart"]["spec"]["version"] == "1.22.0"
    spec = objects(chart="{source: oci, url: oci://registry.example.com/charts}")
    assert spec["OCIRepository"]["spec"]["url"] == "oci://registry.example.com/charts/airflow"
    assert spec["OCIRepository"]["spec"]["ref"] == {"tag": "1.22.0"}
    assert spec["HelmRelease"]["spec"]["chartRef"] == {
        "kind": "OCIRepository",
        "name": "airflow-dev",
    }
    spec = objects(chart="{source: vendored, path: charts/airflow}")
    chart = spec["HelmRelease"]["spec"]["chart"]["spec"]
    assert chart["chart"] == "./charts/airflow"
    assert chart["sourceRef"] == {"kind": "GitRepository", "name": "flux-system"}
    assert set(spec) == {"Kustomization", "HelmRelease"}


def test_a_failed_release_is_neither_uninstalled_nor_rolled_back():
    spec = objects()["HelmRelease"]["spec"]
    for action in (spec["install"], spec["upgrade"]):
        assert action["strategy"]["name"] == "RetryOnFailure" and "remediation" not in action


def test_helm_waits_for_its_hooks_and_not_for_pods_that_wait_for_them():
    found = objects(DEV + "jobs: {migrationsWaitTimeout: 1200}\n")
    spec = found["HelmRelease"]["spec"]
    assert spec["install"]["disableWait"] and spec["upgrade"]["disableWait"]
    assert spec["timeout"] == "1500s"
    checks = found["Kustomization"][1]["spec"]["healthChecks"]
    assert {"HelmRelease", "Deployment"} <= {item["kind"] for item in checks}


@pytest.mark.parametrize(("text", "kept"), [(DEV, False), (STAGING, True), (PRODUCTION, True)])
def test_deleting_an_object_of_flux_cleans_up_in_development_alone(text, kept):
    found = objects(text)
    made = [*found.pop("Kustomization"), *found.values()]
    for item in made:
        guard = item["metadata"].get("annotations", {}).get(PRUNE)
        assert (guard == "disabled") == kept, item["kind"]
        if item["kind"] == "Kustomization":
            assert (item["spec"].get("deletionPolicy") == "Orphan") == kept


def test_namespace_and_secrets_are_never_pruned(repo):
    for item in applied(repo, "staging", "prerequisites"):
        if item["kind"] != "NetworkPolicy":
            assert item["metadata"]["annotations"][PRUNE] == "disabled", item["metadata"]["name"]


def test_nothing_of_argo_cd_is_in_the_tree(repo):
    words = [
        path for path, text in repo.tree().items() if b"argo" in text and "/schema" not in path
    ]
    assert [path for path in words if not path.startswith((".gen-env/", ".git/"))] == []


def test_a_sealed_file_from_before_gets_what_keeps_it_and_loses_nothing(tmp_path):
    repo = repository(tmp_path / "repo", dev=DEV)
    assert repo.run("generate").code == 0
    repo.seal("dev")
    path = "environments/dev/secrets/airflow-fernet-key.yaml"
    before = repo.yaml(path)
    repo.write("gen-env.yaml", FLUX)
    assert repo.run("generate").code == 0
    after = repo.yaml(path)
    assert after["metadata"]["annotations"].pop(PRUNE) == "disabled"
    assert after == before
    assert not (repo.root / "environments/dev/generated/application.yaml").exists()
    assert repo.run("generate", "--check").code == 0


def test_suspended_is_what_is_not_synced_or_has_a_stub():
    def suspended(text, **more):
        return [
            item["spec"].get("suspend", False) for item in objects(text, **more)["Kustomization"]
        ]

    assert suspended(DEV) == [False, False]
    assert suspended(DEV, complete=False) == [True, True]
    assert suspended(DEV + "sync: {automated: false}\n") == [True, True]


def test_drift_is_corrected_only_where_gen_env_syncs_by_itself():
    def mode(text):
        return objects(text)["HelmRelease"]["spec"]["driftDetection"]["mode"]

    assert mode(DEV) == "enabled"
    assert (
        mode(DEV + "sync: {selfHeal: false}\n")
        == mode(DEV + "sync: {automated: false}\n")
        == "warn"
    )


@pytest.mark.parametrize(
    ("text", "settings", "word"),
    [
        (DEV + WINDOWS, FLUX, "sync windows"),
        (DEV, FLUX + "chart: {source: rendered}\n", "charts rendered in git"),
        (
            changed(DEV, ("{cluster: main}", "{cluster: main, project: theirs}")),
            FLUX + "argocd: {adopted: {projects: [theirs]}}\n",
            "an AppProject",
        ),
    ],
)  # fmt: skip
def test_what_flux_does_not_have_is_refused_where_it_is_written(text, settings, word):
    item = built(text, settings=settings)
    (problem,) = item.problems
    assert problem.rule == "sync/not-for-flux" and word in problem.message and problem.line
    assert item.release is None


def test_a_name_that_fits_no_label_is_refused():
    name = "a" * 50
    text = changed(DEV, ("{cluster: main}", f"{{cluster: main, application: {name}}}"))
    item = built(text, settings=FLUX + f"argocd: {{adopted: {{applications: [{name}]}}}}\n")
    assert [problem.rule for problem in item.problems] == ["sync/long-name"]


def test_an_own_root_has_source_and_kustomization_of_each_cluster_and_prunes_nothing(tmp_path):
    settings = FLUX + "flux: {root: own, secretName: git, namespace: gitops, source: airflow}\n"
    repo = repository(tmp_path / "repo", settings=settings, dev=DEV)
    assert repo.run("generate").code == 0
    source, root = yaml.safe_load_all(repo.read("bootstrap/flux/main.yaml"))
    assert source["spec"]["secretRef"] == {"name": "git"}
    assert root["spec"]["sourceRef"] == {"kind": "GitRepository", "name": "airflow"}
    assert root["spec"]["prune"] is False and root["spec"]["path"] == "./clusters/main/gen-env"
    assert not (repo.root / "bootstrap/root.yaml").exists()


def test_an_environment_that_moves_leaves_no_file_behind(tmp_path):
    two = changed(
        SETTINGS,
        (
            "clusters:\n",
            "clusters:\n  other: {server: 'https://10.1.0.1', kubernetesVersion: 1.34.2}\n",
        ),
    )
    repo = repository(tmp_path / "repo", settings=two + "engine: flux\n", dev=DEV, staging=STAGING)
    assert repo.run("generate").code == 0
    (repo.root / "environments/dev/gen-env.lock").unlink()
    repo.edit("environments/dev/environment.yaml", "cluster: main", "cluster: other")
    done = repo.run("generate", "dev")
    assert done.code == 0, done.said
    left = sorted(path for path in repo.tree() if path.startswith("clusters/"))
    assert left == ["clusters/main/gen-env/staging.yaml", "clusters/other/gen-env/dev.yaml"]


def test_argo_cd_still_finds_the_others_where_both_engines_are_used(tmp_path):
    repo = repository(tmp_path / "repo", dev=DEV + "engine: flux\n", staging=STAGING)
    assert repo.run("generate").code == 0
    assert (repo.root / "bootstrap/root.yaml").exists()
    assert (repo.root / "environments/staging/generated/application.yaml").exists()
    assert (repo.root / "clusters/main/gen-env/dev.yaml").exists()


def test_an_object_of_flux_is_none_that_a_team_may_bring():
    policy = "policy: {tiers: {development: {manifests: [HelmRelease.helm.toolkit.fluxcd.io]}}}\n"
    with pytest.raises(AssertionError, match="no team may deploy"):
        built(DEV, settings=SETTINGS + policy)


# What both engines give to the cluster


_OWN = (
    "helm.sh/hook", "helm.sh/resource-policy", "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
)  # fmt: skip


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "choices",
    [
        {"executor": "celery", "database": "embedded", "dags": "ssh"},
        {"executor": "kubernetes", "database": "pgbouncer", "logging": "volume"},
    ],
    ids=["celery", "kubernetes"],
)
def test_both_engines_render_the_same_objects_but_for_hooks_and_guards(choices, tmp_path):
    charts = definitions.stand_in_charts(tmp_path)
    renderer = choose_engine(None)
    case = definitions.completed({**choices, "tier": "staging", "source": "repository"})

    def rendered(engine):
        files = definitions.repository({**case, "engine": engine})
        item = definitions.built(files)
        chart = renderer.render(generate.request(item, generate.archive_for(item, charts)))
        return {_identity(found): found for found in map(_plain, chart.manifests)}

    argocd, helm = rendered("argocd"), rendered("flux")
    assert argocd == helm
    assert len(argocd) > 20


@pytest.mark.thorough
def test_of_the_official_chart_and_beside_it_both_engines_give_each_sample_the_same(real_chart):
    """But for hooks, guards and order, which each engine is told in its own way."""
    argocd, helm = samples(real_chart, "argocd"), samples(real_chart, "flux")
    assert argocd.keys() == helm.keys()
    for name, found in argocd.items():
        assert found.keys() == helm[name].keys(), name
        for identity, manifest in found.items():
            assert manifest == helm[name][identity], (name, identity)
    assert sum(map(len, argocd.values())) > 150


def samples(archive, engine):
    """Sample → its objects: those of the chart, and those beside it."""
    files = WorkTree(ROOT)
    settings = yaml.safe_load(files.read("gen-env.yaml"))
    if engine == "flux":
        settings = {**settings, "engine": "flux", "argocd": {}}
    written = {"gen-env.yaml": yaml.safe_dump(settings).encode()}
    for name in NAMES:
        path = f"environments/{name}/environment.yaml"
        definition = yaml.safe_load(files.read(path))
        # Windows, and a backup in the sync, are Argo CD's alone.
        definition.pop("sync", None)
        definition.get("backup", {}).pop("beforeMigration", None)
        written[path] = yaml.safe_dump(definition).encode()
    found, result = catalogue.load(Snapshot(written)), {}
    for name in NAMES:
        item = generate.build(Snapshot(written), found.settings, found.definitions[name])
        rendered = choose_engine(None).render(generate.request(item, open_chart(archive)))
        objects = [*rendered.manifests, *generate.own_manifests(item)]
        result[name] = {_identity(it): _plain(it) for it in objects if not is_of_engine(it)}
    return result


def _identity(manifest):
    return manifest["kind"], manifest["metadata"]["name"]


def _plain(manifest):
    """Without the annotations by which an engine runs a hook, or keeps or orders an object."""
    found = yaml.safe_load(yaml.safe_dump(manifest))
    spec = found.get("spec") or {}
    for holder in (found, spec.get("template") or {}, *spec.get("volumeClaimTemplates", ())):
        metadata = holder.get("metadata", {})
        annotations = metadata.get("annotations") or {}
        kept = {k: v for k, v in annotations.items() if not k.startswith(_OWN)}
        metadata.pop("annotations", None)
        metadata |= {"annotations": kept} if kept else {}
    return found


def test_an_ejected_environment_stays_where_flux_finds_it_without_headers(tmp_path):
    repo = repository(tmp_path / "repo", settings=FLUX, dev=DEV, staging=STAGING)
    assert repo.run("generate").code == 0
    repo.init()
    done = repo.run("eject", "dev")
    assert done.code == 0 and "Flux reads the same files" in done.said, done.said
    path = "clusters/main/gen-env/dev.yaml"
    left = repo.tree()
    assert b"Generated by gen-env" not in left[path]
    assert not any(
        b"Generated by gen-env" in text
        for name, text in left.items()
        if name.startswith("environments/dev/")
    )
    again = repo.run("generate")
    assert again.code == 0, again.said
    assert repo.tree()[path] == left[path]
