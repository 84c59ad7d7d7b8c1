"""Environments of Flux in `render` and `diff`: what is read, shown, said, and refused."""

import dataclasses

import pytest
import yaml

from generator.core.files import Snapshot
from generator.core.problem import Severity
from generator.diff.model import Action
from generator.pipeline import review
from tests import definitions
from tests.repositories import DEV, SETTINGS, changed, repository

FLUX = SETTINGS + "engine: flux\n"
FOLDER = "environments/dev"
CLUSTER_FILE = "clusters/main/gen-env/dev.yaml"


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    charts = definitions.stand_in_charts(tmp_path_factory.mktemp("charts"))
    cached = definitions.cached_renderer(tmp_path_factory.mktemp("renders"))
    return review.Toolchain(charts, cached)


def tree(tools, text=DEV, settings=FLUX):
    """The files of a repository with its tree generated and every stub sealed."""
    path = f"{FOLDER}/environment.yaml"
    files = Snapshot({"gen-env.yaml": settings.encode(), path: text.encode()})
    made, _ = definitions.generated(files, tools.charts, tools.renderer)
    return dict(made.contents)


@pytest.fixture(scope="module")
def base(tools):
    return tree(tools)


def compared(base, head, tools):
    """The one environment that differs."""
    touched = {path for path in {*base, *head} if base.get(path) != head.get(path)}
    revisions = review.Revisions(
        base=Snapshot(base), head=Snapshot(head), base_name="base", head_name="head"
    )
    revisions = dataclasses.replace(revisions, changed=frozenset(touched))
    report = review.review(revisions, (), touched, tools)
    (found,) = report.environments
    return found


def test_a_changed_value_changes_what_runs_and_the_helm_release(base, tools):
    head = tree(tools, DEV + "scheduler: {replicas: 2}\n")
    found = compared(base, head, tools)
    assert found.rendered, found.reason
    changed = {(change.key.kind, change.key.name): change for change in found.changes}
    assert ("Deployment", "airflow-scheduler") in changed
    release = changed["HelmRelease", "airflow-dev"]
    assert release.action is Action.MODIFIED and "airflow-dev-values-" in release.diff
    assert found.basis.chart.version == "1.22.0"
    assert not found.problems


def test_nothing_is_said_of_an_equal_tree(base, tools):
    revisions = review.Revisions(
        base=Snapshot(base), head=Snapshot(base), base_name="base", head_name="head"
    )
    report = review.review(revisions, (), None, tools)
    assert not report.environments and not report.problems


def test_a_pause_is_told_at_the_kustomizations(base, tools):
    head = tree(tools, DEV + "sync: {automated: false}\n")
    assert b"suspend" not in base[CLUSTER_FILE]
    found = compared(base, head, tools)
    told = [item for item in found.impact if item.rule == "impact/sync-policy"]
    told = {item.resource.kind: item.message for item in told}
    suspended = "it is suspended: git does not reach the cluster until it is resumed"
    assert told["Kustomization"].startswith(suspended)
    assert "airflow-dev-prerequisites" in told["Kustomization"]
    assert told["HelmRelease"] == "driftDetection is warn instead of enabled"


def test_another_engine_is_an_error_until_it_is_accepted(base, tools):
    argocd = tree(tools, settings=SETTINGS)
    for before, after, word in ((argocd, base, "Flux"), (base, argocd, "Argo CD")):
        found = compared(before, after, tools)
        (engine,) = [item for item in found.impact if item.rule == "impact/engine"]
        assert engine.message.startswith(f"{word} applies it")
        rules = {item.rule for item in found.impact}
        assert "impact/foreign-namespace" not in rules


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("destination", "moved"),
    [
        ("storageNamespace: records", "storageNamespace airflow-dev → records"),
        ("releaseName: other", "releaseName airflow → other"),
        (
            "namespace: other",
            "targetNamespace airflow-dev → other, storageNamespace airflow-dev → other",
        ),
    ],
)
def test_other_names_for_helms_records_are_an_error(base, tools, destination, moved):
    head = tree(tools, changed(DEV, ("{cluster: main}", f"{{cluster: main, {destination}}}")))
    (records,) = _records(compared(base, head, tools))
    assert records.severity is Severity.ERROR
    assert records.message.startswith(f"{moved}: Flux does not find the installed release")


@pytest.mark.parametrize(
    ("suspend", "words"),
    [
        (b"", "suspend that one before the merge"),
        (b"  suspend: true\n", "it is in git, and the cluster was not read"),
    ],
)
def test_a_second_helm_release_for_the_same_records_is_told(tools, suspend, words):
    settings = FLUX + "argocd: {adopted: {applications: [other]}}\n"
    text = changed(DEV, ("{cluster: main}", "{cluster: main, application: other}"))
    before, path = tree(tools, settings=settings), f"{FOLDER}/generated/release/release.yaml"
    before = {**before, path: before[path].replace(b"  maxHistory", suspend + b"  maxHistory")}
    (records,) = _records(compared(before, tree(tools, text, settings), tools))
    assert records.severity is Severity.WARNING
    assert records.message.startswith("it replaces HelmRelease flux-system/airflow-dev: both have")
    assert records.message.endswith(words)


def _records(found):
    return [item for item in found.impact if item.rule == "impact/helm-records"]


def test_what_flux_keeps_is_not_told_to_be_pruned(base, tools):
    text = DEV + "logging: {persistence: {size: 5Gi}}\n"
    before = tree(tools, text)
    found = compared(before, base, tools)
    losses = [item.message for item in found.impact if item.rule == "impact/data-loss"]
    assert losses and all("stays in the cluster" in message for message in losses)


@pytest.mark.parametrize(
    ("mark", "kept"),
    [
        ("helm.sh/resource-policy: keep", False),
        ("kustomize.toolkit.fluxcd.io/prune: disabled", True),
    ],
)
def test_a_kustomization_keeps_by_its_own_mark_alone(base, tools, mark, kept):
    path = f"{FOLDER}/generated/release/kustomization.yaml"
    claim = (
        "apiVersion: v1\nkind: PersistentVolumeClaim\n"
        f"metadata: {{name: own, namespace: airflow-dev, annotations: {{{mark}}}}}\n"
        "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n"
    )
    place = f"{FOLDER}/manifests/claim.yaml"
    named = base[path].replace(b"resources:\n", b"resources:\n- ../../manifests/claim.yaml\n")
    before = {**base, place: claim.encode(), path: named}
    losses = [it for it in compared(before, base, tools).impact if it.rule == "impact/data-loss"]
    assert [it.severity for it in losses] == [Severity.WARNING if kept else Severity.ERROR]


RELEASE = f"{FOLDER}/generated/release/release.yaml"
KUSTOMIZATION = f"{FOLDER}/generated/release/kustomization.yaml"
OTHER = b"""---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: other, namespace: flux-system}
spec: {interval: 1m}
"""
UNREAD = [
    (RELEASE, b"  valuesFrom:", b"  values: {x: 1}\n  valuesFrom:", "values of the"),
    (RELEASE, b"  maxHistory", b"  postRenderers: []\n  maxHistory", "postRenderers"),
    (
        RELEASE,
        b"  maxHistory",
        b"  commonMetadata: {labels: {x: y}}\n  maxHistory",
        "commonMetadata",
    ),
    (RELEASE, b"  install:", b"  install:\n    disableHooks: true", "install.disableHooks"),
    (RELEASE, b"  upgrade:", b"  upgrade:\n    preserveValues: true", "upgrade.preserveValues"),
    (
        RELEASE,
        b"      chart: airflow",
        b"      chart: airflow\n      valuesFiles: [x.yaml]",
        "valuesFiles",
    ),
    (RELEASE, b"        name: airflow-dev", b"        name: other", "HelmRepository other"),
    (
        RELEASE,
        b"        kind: HelmRepo",
        b"        namespace: other\n        kind: HelmRepo",
        "namespace",
    ),
    (RELEASE, b"---\n", OTHER + b"---\n", "the whole object of HelmRelease"),
    (
        RELEASE,
        b"  labels:",
        b"  annotations: {kustomize.toolkit.fluxcd.io/ssa: Ignore}\n  labels:",
        "ssa",
    ),
    (KUSTOMIZATION, b"=../values.yaml", b"=../../x.yaml", "other values"),
    (KUSTOMIZATION, b"resources:", b"patches: []\nresources:", "patches"),
    (CLUSTER_FILE, b"  prune: true", b"  prune: true\n  patches: [{patch: x}]", "patches of Kust"),
    (
        CLUSTER_FILE,
        b"  prune: true",
        b"  prune: true\n  postBuild: {substitute: {a: b}}",
        "postBuild",
    ),
    (CLUSTER_FILE, b"  prune: true", b"  prune: true\n  force: true", "force of Kustomization"),
    (CLUSTER_FILE, b"  path: ./environments", b"  path: ./elsewhere", "path of Kustomization"),
    (CLUSTER_FILE, b"    name: flux-system", b"    name: other", "sourceRef of Kustomization"),
    (CLUSTER_FILE, b"---\n", OTHER + b"---\n", "the whole object of HelmRelease other"),
]


@pytest.mark.few(4)
@pytest.mark.parametrize(("path", "old", "new", "word"), UNREAD)
def test_a_deployed_tree_that_cannot_be_read_is_not_compared(base, tools, path, old, new, word):
    assert old in base[path]
    before = {**base, path: base[path].replace(old, new)}
    found = compared(before, base, tools)
    assert not found.rendered
    assert word in " ".join(item.message for item in found.problems)


@pytest.mark.few(2)
@pytest.mark.parametrize(("path", "old", "new", "word"), UNREAD)
def test_nor_is_one_of_a_change_that_says_it_is_of_another_gen_env(
    base, tools, path, old, new, word
):
    lock = f"{FOLDER}/gen-env.lock"
    other = base[lock].replace(b'genEnv: "', b'genEnv: "0.0.')
    head = {**base, lock: other, path: base[path].replace(old, new)}
    found = compared(base, head, tools)
    assert not found.rendered
    assert word in " ".join(item.message for item in found.problems)


def test_another_source_of_the_chart_is_told(base, tools):
    head = tree(tools, settings=FLUX + "chart: {url: 'https://charts.example.org'}\n")
    found = compared({**base, "gen-env.yaml": head["gen-env.yaml"]}, head, tools)
    told = [item.message for item in found.impact if item.rule == "impact/application-source"]
    (message,) = told
    assert message.startswith("Flux applies what https://charts.example.org holds")


def test_objects_of_both_engines_are_refused(base, tools):
    argocd = tree(tools, settings=SETTINGS)
    path = f"{FOLDER}/generated/application.yaml"
    found = compared({**base, path: argocd[path]}, base, tools)
    assert not found.rendered
    assert "both Argo CD and Flux" in " ".join(item.message for item in found.problems)


def test_a_file_of_the_cluster_alone_reaches_its_environment(base, tools):
    old = base[CLUSTER_FILE]
    found = compared(
        {**base, CLUSTER_FILE: old.replace(b"prune: true", b"prune: false")}, base, tools
    )
    assert found.name == "dev"
    assert {change.key.kind for change in found.changes} == {"Kustomization"}


def test_render_shows_what_is_beside_the_chart(tmp_path):
    repo = repository(tmp_path / "repo", settings=FLUX, dev=DEV)
    repo.run("generate")
    shown = list(yaml.safe_load_all(repo.run("render", "dev", "--only", "manifests").stdout))
    assert {"Namespace", "SealedSecret"} <= {item["kind"] for item in shown}
    assert not any("argocd" in str(item["metadata"].get("annotations")) for item in shown)


def test_a_file_beside_gen_envs_in_a_clusters_folder_is_no_absent_change(tmp_path):
    repo = repository(tmp_path / "repo", settings=FLUX, dev=DEV)
    repo.git("init", "--quiet", "--initial-branch=main")
    assert repo.run("generate").code == 0
    repo.commit("Base")
    repo.write("clusters/main/theirs.yaml", "kind: ConfigMap\n")
    repo.commit("Theirs")
    (item,) = repo.run("diff", "HEAD~1", "HEAD", "-o", "json").json["impact"]
    assert (item["rule"], item["severity"]) == ("impact/flux-folder", "warning")
    assert "gen-env has not read" in item["message"]
