"""Nothing that Flux can reach goes unseen, and nothing is taken from it unseen."""

import pytest
import yaml

from generator.chart.cache import ChartCache
from generator.chart.provider import Charts
from generator.core.errors import UserError
from generator.core.files import Snapshot
from generator.core.problem import Severity
from generator.definition.definition import load_settings
from generator.engine import flux_reach
from generator.pipeline import generate
from tests.repositories import DEV, SETTINGS, Repo, repository

FLUX = SETTINGS + (
    "engine: flux\npolicy: {tiers: {development: {manifests: [ConfigMap, Job.batch]}}}\n"
)
FOLDER = "environments/dev"
JOB = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x, namespace: airflow-dev}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: airflow-dev}\n"


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    text = DEV + "manifests: [config.yaml]\n"
    repo = repository(tmp_path_factory.mktemp("honest") / "repo", settings=FLUX, dev=text)
    repo.write(f"{FOLDER}/manifests/config.yaml", CONFIG)
    done = repo.run("generate")
    assert done.code == 0, done.said
    return repo.tree()


def errors(contents, tmp_path, **more):
    charts = Charts(ChartCache(tmp_path / "charts"))
    found = generate.generate(Snapshot(contents, **more), (), charts)
    return [item for item in found.problems if item.severity is Severity.ERROR]


def test_an_honest_tree_has_no_finding(honest, tmp_path):
    assert not errors(honest, tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        f"{FOLDER}/generated/more.yaml",
        f"{FOLDER}/generated/release/more.yaml",
        f"{FOLDER}/generated/release/kustomization.yml",
        f"{FOLDER}/generated/prerequisites/Kustomization",
        f"{FOLDER}/secrets/job.yaml",
        f"{FOLDER}/manifests/job.yaml",
        "clusters/main/gen-env/job.yaml",
        "clusters/main/gen-env/deeper/job.json",
        "clusters/main/gen-env/kustomization.yaml",
        "bootstrap/flux/job.yaml",
        "bootstrap/access/job.yaml",
    ],
)
def test_a_file_that_nobody_stands_for_is_red(honest, tmp_path, path):
    (found,) = errors({**honest, path: JOB.encode()}, tmp_path)
    assert (found.rule, found.path) == ("tree/foreign", path)


@pytest.mark.parametrize("folder", ["secrets", "generated/release", "manifests"])
def test_a_link_in_reach_is_red(honest, tmp_path, folder):
    link = f"{FOLDER}/{folder}/link.yaml"
    found = errors(honest, tmp_path, symlinks=(link,))
    assert link in {item.path for item in found}


@pytest.mark.parametrize(
    "path",
    [
        f"{FOLDER}/.sourceignore",
        f"{FOLDER}/generated/manifests/.sourceignore",
        "environments/.sourceignore",
        "clusters/.sourceignore",
        "clusters/main/gen-env/.sourceignore",
    ],
)
def test_a_file_that_takes_files_from_flux_is_red(honest, tmp_path, path):
    found = errors({**honest, path: b"*.yaml\n"}, tmp_path)
    assert {(item.rule, item.path) for item in found} == {("tree/foreign", path)}


@pytest.mark.parametrize(
    ("text", "red"),
    [
        ("# a comment\n\n/docs/\n/README.md\n", False),
        ("/environments/dev/generated/manifests/network-policies.yaml\n", True),
        ("network-policies.yaml\n", True),
        ("/env*/\n", True),
        ("/*\n!/clusters\n", True),
        ("/clusters/\n", True),
    ],
)
def test_at_the_top_only_plain_paths_may_be_taken_from_flux(honest, tmp_path, text, red):
    found = errors({**honest, ".sourceignore": text.encode()}, tmp_path)
    assert [item.path for item in found] == ([".sourceignore"] if red else [])


@pytest.mark.parametrize("engine", ["flux", "argocd"])
def test_a_name_that_source_controller_leaves_out_is_red(tmp_path, engine):
    """An environment of that name would have no Kustomization, a manifest none to build."""
    settings = FLUX.replace("engine: flux", f"engine: {engine}")
    repo = repository(tmp_path / "repo", settings=settings)
    text = DEV.replace("name: dev", "name: cloudbuild").replace("airflow-dev", "airflow-cloudbuild")
    repo.write("environments/cloudbuild/environment.yaml", text + "manifests: [cloudbuild.yaml]\n")
    config = CONFIG.replace("airflow-dev", "airflow-cloudbuild")
    repo.write("environments/cloudbuild/manifests/cloudbuild.yaml", config)
    done = repo.run("generate", "-o", "json")
    found = {item["path"] for item in done.json["problems"] if "from git" in item["message"]}
    names = ("clusters/main/gen-env", "environments/cloudbuild/manifests")
    assert found == ({f"{name}/cloudbuild.yaml" for name in names} if engine == "flux" else set())


NAMED = "resources: [flux-system, gen-env/dev.yaml]\n"


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
@pytest.mark.parametrize(
    "text",
    ["resources: []\n", "resources: 7\n", NAMED + "patches: []\n", NAMED + "namePrefix: x-\n",
     "{{\n", "resources: [gen-env/dev.yaml, gen-env/gone.yaml]\n", ""],
)  # fmt: skip
def test_a_kustomization_over_a_clusters_folder_gives_all_of_it_or_is_red(
    honest, tmp_path, name, text
):
    path = f"clusters/main/{name}"
    found = errors({**honest, path: text.encode()}, tmp_path)
    assert {(item.rule, item.path) for item in found} == {("tree/foreign", path)}
    assert not errors({**honest, path: NAMED.encode()}, tmp_path)


def test_under_a_root_of_its_own_nothing_is_read_above_a_clusters_folder(tmp_path):
    own = FLUX + "flux: {root: own, source: airflow}\n"
    repo = repository(tmp_path / "repo", settings=own, dev=DEV)
    assert repo.run("generate").code == 0
    more = {"clusters/main/kustomization.yaml": b"resources: []\n"}
    assert not errors({**repo.tree(), **more}, tmp_path)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("path", "text", "red"),
    [
        ("../.sourceignore", "/airflow/\n", True),
        ("../.sourceignore", "/deploy/\n", False),
        ("../../.sourceignore", "/deploy/\n", True),
        ("../../.sourceignore", "/airflow/\n", False),
        (".sourceignore", "/environments/\n", True),
        (".sourceignore", "/deploy/\n", False),
    ],
)
def test_a_path_begins_at_the_folder_of_the_file_that_names_it(tmp_path, path, text, red):
    below = FLUX.replace("branch: main", "branch: main, path: deploy/airflow")
    repo = repository(tmp_path / "repo/deploy/airflow", settings=below, dev=DEV)
    top = Repo(tmp_path / "repo")
    top.git("init", "--quiet", "--initial-branch=main")
    assert repo.run("generate").code == 0
    top.commit("Start")
    repo.write(path, text)
    top.commit("Less")
    compared = repo.run("diff", "HEAD~1", "HEAD", "-o", "json").json["problems"]
    assert [item["path"] for item in compared] == [path] * red


def test_over_a_vendored_chart_no_file_takes_files_from_flux():
    vendored = FLUX + "chart: {source: vendored, path: vendor/charts/airflow}\n"
    settings = load_settings(vendored.encode())[0]
    found = flux_reach.in_repository(
        Snapshot({"vendor/.sourceignore": b"templates\n"}), settings.repository
    )
    assert [item.path for item in found] == ["vendor/.sourceignore"]
    assert "vendor/.sourceignore" in flux_reach.paths(settings.repository)


def test_without_flux_nobody_reads_what_only_flux_does(tmp_path):
    repo = repository(tmp_path / "repo", dev=DEV)
    assert repo.run("generate").code == 0
    more = {"clusters/main/gen-env/theirs.yaml": JOB.encode(), ".sourceignore": b"*\n"}
    assert not errors({**repo.tree(), **more}, tmp_path)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("annotations", "kustomize.toolkit.fluxcd.io/reconcile"),
        ("labels", "kustomize.toolkit.fluxcd.io/reconcile"),
        ("annotations", "kustomize.toolkit.fluxcd.io/ssa"),
        ("annotations", "kustomize.toolkit.fluxcd.io/force"),
        ("annotations", "kustomize.toolkit.fluxcd.io/substitute"),
        ("annotations", "config.kubernetes.io/local-config"),
        ("annotations", "internal.config.kubernetes.io/needsHashSuffix"),
        ("annotations", "kustomize.config.k8s.io/needs-hash"),
    ],
)
def test_an_object_that_would_be_applied_otherwise_than_shown_is_refused(
    honest, tmp_path, field, name
):
    path = f"{FOLDER}/manifests/config.yaml"
    own = yaml.safe_load(CONFIG)
    own["metadata"][field] = {name: "disabled"}
    found = errors({**honest, path: yaml.safe_dump(own).encode()}, tmp_path)
    assert [(item.rule, item.path) for item in found] == [("manifests/refused", path)]
    sealed = f"{FOLDER}/secrets/airflow-fernet-key.yaml"
    secret = yaml.safe_load(honest[sealed])
    secret["metadata"].setdefault(field, {})[name] = "disabled"
    found = errors({**honest, sealed: yaml.safe_dump(secret).encode()}, tmp_path)
    assert sealed in {item.path for item in found if item.rule == "tree/foreign"}


def test_an_object_without_a_namespace_is_refused(honest, tmp_path):
    path = f"{FOLDER}/manifests/config.yaml"
    text = CONFIG.replace(", namespace: airflow-dev", "")
    (found,) = errors({**honest, path: text.encode()}, tmp_path)
    assert found.rule == "manifests/refused" and "metadata.namespace" in found.message


def test_what_the_kustomizations_name_is_what_is_applied(honest):
    paths = flux_reach.manifests(honest, FOLDER)
    inside = {path for path in honest if path.startswith((f"{FOLDER}/secrets/",))}
    generated = {f"{FOLDER}/generated/manifests/namespace.yaml"}
    release = {f"{FOLDER}/generated/release/release.yaml", f"{FOLDER}/manifests/config.yaml"}
    assert set(paths) == inside | generated | release


@pytest.mark.parametrize(
    "more",
    [
        "patches: []",
        "namePrefix: x-",
        "resources: 7",
        "components: [../x]",
        "resources: [https://example.com/x]",
    ],
)
def test_a_kustomization_that_does_more_cannot_be_read(honest, more):
    path = f"{FOLDER}/generated/release/kustomization.yaml"
    content = yaml.safe_load(honest[path]) | yaml.safe_load(more)
    with pytest.raises(UserError, match=r"cannot be read|not found|not a list"):
        flux_reach.manifests({**honest, path: yaml.safe_dump(content).encode()}, FOLDER)
