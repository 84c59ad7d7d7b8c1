"""Nothing that Argo CD can reach goes unseen: a matrix of places, contents and names."""

import json
import time

import pytest
import yaml

from generator.actions import diff
from generator.chart.cache import ChartCache
from generator.chart.provider import Charts
from generator.core.files import Snapshot
from generator.core.problem import Severity
from generator.engine import argocd_reach
from generator.git.worktree import Worktree
from generator.pipeline import generate
from tests import hostile
from tests.repositories import DEV, SETTINGS, STAGING, Repo, changed, ciphertext, repository

pytestmark = pytest.mark.thorough

MANAGED = SETTINGS + "argocd: {project: {manage: true, name: airflow}}\n"
OLD = "{secrets/*.yaml,generated/manifests/*.yaml,generated/manifests/chart/*.yaml}"


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    repo = repository(tmp_path_factory.mktemp("honest") / "repo", settings=MANAGED, dev=DEV)
    done = repo.run("generate")
    assert done.code == 0, done.said
    return repo.tree()


@pytest.fixture(scope="module")
def charts(tmp_path_factory):
    return Charts(ChartCache(tmp_path_factory.mktemp("charts")))


def errors(contents, charts, **more):
    found = generate.generate(Snapshot(contents, **more), (), charts)
    drift = [outcome.plan.paths for outcome in found.outcomes]
    assert drift  # the plan itself says what differs
    return [item for item in found.problems if item.severity is Severity.ERROR], drift


@pytest.mark.always
def test_an_honest_tree_has_no_finding(honest, charts):
    found, drift = errors(honest, charts)
    assert not found and not any(drift)


@pytest.mark.always
@pytest.mark.thorough
def test_no_cell_of_the_matrix_is_green(honest, charts):
    green = []
    cells = {(path, text) for path, text in hostile.cells() if honest.get(path) != text}
    for path, text in sorted(cells):
        found, drift = errors({**honest, path: text}, charts)
        if not any(item.path == path for item in found) and not any(path in plan for plan in drift):
            green.append(path)
    assert not green
    assert len(cells) > 700


@pytest.mark.always
@pytest.mark.few(8)
@pytest.mark.parametrize("kind", sorted(hostile.TEXTS))
def test_every_generated_file_that_is_tampered_with_is_found(honest, charts, kind):
    """A hostile document behind the generated ones, in each file."""
    for path in honest:
        if path in ("gen-env.yaml", "environments/dev/environment.yaml") or "secrets/" in path:
            continue
        _, drift = errors({**honest, path: honest[path] + b"\n---\n" + hostile.TEXTS[kind]}, charts)
        assert any(path in plan for plan in drift), path


@pytest.mark.few(8)
@pytest.mark.parametrize("kind", sorted(hostile.TEXTS))
def test_a_hostile_object_in_place_of_a_secret_or_behind_it_is_found(honest, charts, kind):
    path = f"{hostile.FOLDER}/secrets/{hostile.NEEDED}.yaml"
    texts = [honest[path] + b"---\n" + hostile.TEXTS[kind]]
    if "sealed secret a second" not in kind:  # there it is the first
        texts.append(hostile.TEXTS[kind])
    for text in texts:
        found, drift = errors({**honest, path: text}, charts)
        one_document = kind == "nothing" and text is texts[0]
        assert found or any(path in plan for plan in drift) or one_document


@pytest.mark.parametrize("folder", [*hostile.CLOSED, "environments/evil/generated"])
def test_what_cannot_be_read_is_in_reach_all_the_same(honest, charts, folder):
    path = f"{folder}/{'application' if 'evil' in folder else 'x'}.yaml"
    found, _ = errors(honest, charts, unread={path: "its name is not UTF-8"})
    assert [(item.rule, item.path) for item in found] == [("tree/foreign", path)]
    found, _ = errors(honest, charts, symlinks=(path,))
    assert {item.rule for item in found} <= {"tree/symlink", "tree/foreign"} and found


def test_a_managed_project_is_not_judged_by_half_of_its_environments(tmp_path, charts):
    repo = repository(tmp_path / "repo", settings=MANAGED, dev=DEV, staging=STAGING)
    repo.run("generate")
    contents = {**repo.tree(), "environments/staging/environment.yaml": b"a: ["}
    rules = {item.rule for item in errors(contents, charts)[0]}
    assert rules == {"yaml/syntax", "tree/not-judged"}
    path = "bootstrap/projects/evil.yaml"
    found, _ = errors({**contents, path: hostile.TEXTS["project"]}, charts)
    assert path in [item.path for item in found if item.rule == "tree/not-judged"]


@pytest.mark.parametrize("name", ["README.md", ".gitkeep", "x.yaml~", ".x.yaml.swp"])
def test_what_argo_cd_never_reads_is_nobodys_business(honest, charts, name):
    path = f"{hostile.FOLDER}/secrets/{name}"
    application = yaml.safe_load(honest[f"{hostile.FOLDER}/generated/application.yaml"])
    assert not list(hostile.reads(application, [path]))
    assert errors({**honest, path: hostile.TEXTS["job"]}, charts)[0] == []


@pytest.mark.parametrize(
    "line", ["*.png filter=lfs", "* text=auto", "# *.yaml ident", "*.md -diff"]
)
def test_attributes_that_leave_objects_as_they_are_are_fine(honest, charts, line):
    assert errors({**honest, ".gitattributes": f"{line}\n".encode()}, charts)[0] == []


MODULE = '[submodule "x"]\n\tpath = {}\n\turl = https://git.example.com/x.git\n'


@pytest.mark.parametrize(
    "path",
    [
        *("bootstrap", "bootstrap/projects", "environments", "environments/evil"),
        *(f"{hostile.FOLDER}/secrets/x", f"{hostile.FOLDER}/manifests"),
        *("./environments/x", "a/../environments", '"environments/x"', "environ\\\nments/x"),
    ],
)
def test_a_submodule_in_reach_is_found_where_it_is_not_checked_out(honest, charts, path):
    text = MODULE.format(path).encode()
    found, _ = errors({**honest, ".gitmodules": text}, charts)
    assert {(item.rule, item.path) for item in found} == {("tree/foreign", ".gitmodules")}


@pytest.mark.parametrize("line", [" " * 200_000 + "!", "url =" + " " * 200_000 + '"'])
def test_a_long_line_of_modules_is_refused_at_once(honest, charts, line):
    started = time.process_time()
    found, _ = errors({**honest, ".gitmodules": line.encode()}, charts)
    assert [item.path for item in found] == [".gitmodules"]
    assert time.process_time() - started < 20


@pytest.mark.parametrize("path", ["dags", "environments-old", "bootstrap/service/x", "my dags/a"])
def test_a_submodule_elsewhere_is_fine(honest, charts, path):
    text = (f"# Modules\n{MODULE.format(path)}\tignore = dirty\n").encode()
    assert errors({**honest, ".gitmodules": text}, charts)[0] == []


BELOW = SETTINGS.replace("branch: main", "branch: main, path: deploy/airflow")
ABOVE = {
    "a submodule in reach": ("../../.gitmodules", MODULE.format("deploy/airflow/environments/x")),
    "a submodule around it": ("../../.gitmodules", MODULE.format("deploy")),
    "a submodule elsewhere": ("../../.gitmodules", MODULE.format("environments/x")),
    "modules that git does not read": ("../.gitmodules", MODULE.format("airflow/environments")),
    "attributes of all files": ("../.gitattributes", "*.yaml ident\n"),
    "attributes of its folder": ("../../.gitattributes", "/deploy/**/*.yaml filter=x\n"),
    "attributes of another folder": ("../../.gitattributes", "assets/** filter=lfs\n"),
}


@pytest.mark.parametrize("what", ABOVE)
def test_what_steers_a_checkout_from_above_the_repository_path_is_seen(tmp_path, charts, what):
    path, text = ABOVE[what]
    repo = repository(tmp_path / "repo/deploy/airflow", settings=BELOW, dev=DEV)
    top = Repo(tmp_path / "repo")
    top.git("init", "--quiet", "--initial-branch=main")
    assert repo.run("generate").code == 0
    top.commit("Start")
    assert repo.run("generate", "--check").code == 0
    repo.write(path, text)
    top.commit("above")
    red = "elsewhere" not in what and "another" not in what and "does not read" not in what
    checked = repo.run("generate", "--check")
    assert (checked.code, path in checked.said) == (int(red), red), checked.said
    compared = repo.run("diff", "HEAD~1", "HEAD", "-o", "json").json["problems"]
    assert [item["path"] for item in compared] == [path] * red
    at = diff.at_revision(Worktree.find(top.root), "HEAD", "deploy/airflow/")
    found, _ = errors({path: at.read(path) for path, _ in at.entries("")}, charts)
    assert [item.path for item in found] == [path] * red


def test_a_vendored_chart_is_not_steered(tmp_path, charts):
    settings = SETTINGS + "chart: {source: vendored, path: charts/airflow}\n"
    contents = repository(tmp_path / "repo", settings=settings).tree()
    path = "charts/airflow/.argocd-source-airflow-dev.yaml"
    found, _ = errors({**contents, path: hostile.TEXTS["steering"]}, charts)
    assert [(item.rule, item.path) for item in found] == [("tree/foreign", path)]


def test_the_services_own_deployment_may_be_beside_it(honest, charts):
    more = {"bootstrap/gen-env-service/deployment.yaml": hostile.TEXTS["job"]}
    assert errors({**honest, **more}, charts)[0] == []


def test_environments_below_an_environment_are_their_own(tmp_path, charts):
    text = changed(DEV, ("name: dev,", "name: x, team: dev,"))
    repo = repository(tmp_path / "repo", dev=DEV, dev__x=text)
    assert repo.run("generate").code == 0
    assert errors(repo.tree(), charts)[0] == []


def test_secrets_by_other_means_are_known_by_name(tmp_path, charts):
    """An ExternalSecret of a needed name where somebody else brings Secrets; a store of its own."""
    existing = DEV + "secrets: {provider: existing}\n"
    store = "{provider: external-secrets, store: {name: vault, kind: SecretStore}}"
    for text, manifest in (
        (existing, hostile.external(hostile.NEEDED)),
        (existing, hostile.sealed(hostile.NEEDED)),
        (
            DEV + f"secrets: {store}\n",
            {**hostile.KINDS["secret store"], "metadata": {"name": "vault"}},
        ),
    ):
        repo = repository(tmp_path / str(len(text)) / manifest["kind"], dev=text)
        repo.write("environments/dev/secrets/own.yaml", json.dumps(manifest))
        done = repo.run("generate")
        assert done.code == 0, done.said
        application = repo.yaml("environments/dev/generated/application.yaml")
        assert "environments/dev/secrets" in [s.get("path") for s in application["spec"]["sources"]]


def test_a_secret_is_brought_once(tmp_path, charts):
    repo = repository(tmp_path / "repo", dev=DEV)
    repo.run("generate")
    text = yaml.safe_dump(hostile.sealed(hostile.NEEDED))
    repo.write("environments/dev/secrets/zz.yaml", text.replace("AgA=", ciphertext()))
    found, _ = errors(repo.tree(), charts)
    assert [item.rule for item in found] == ["tree/foreign"] and "already" in found[0].message


# Reading as Argo CD does


def test_new_sources_read_what_the_old_one_read(tmp_path):
    """Nothing is pruned while Argo CD goes from the old Application to the new one, or back."""
    repo = repository(tmp_path / "repo", dev=DEV, staging=STAGING)
    repo.run("generate")
    for name in ("dev", "staging"):
        new = repo.yaml(f"environments/{name}/generated/application.yaml")
        directory = {"recurse": True, "include": OLD}
        old = {"spec": {"source": {"path": f"environments/{name}", "directory": directory}}}
        paths = sorted(repo.tree())
        by_new, by_old = list(hostile.reads(new, paths)), list(hostile.reads(old, paths))
        assert sorted(by_new) == sorted(by_old) and any("/secrets/" in path for path in by_new)
        assert argocd_reach.manifests(new, paths) == sorted(by_new)
        assert argocd_reach.manifests(old, paths) == sorted(by_old)


@pytest.mark.parametrize(
    ("directory", "read"),
    [
        ({}, ["a.json", "a.jsonnet", "a.yaml", "a.yml"]),
        ({"recurse": True}, ["a.json", "a.jsonnet", "a.yaml", "a.yml", "b/a.yaml"]),
        ({"recurse": True, "include": "*/a.yaml"}, ["b/a.yaml"]),
        ({"recurse": True, "exclude": "*.y*ml"}, ["a.json", "a.jsonnet"]),
        ({"include": "{a.yaml,a.[jx]son}"}, ["a.json", "a.yaml"]),
        ({"include": "a.ya?l", "exclude": "[!a]*"}, ["a.yaml"]),
        ({"include": "*.yaml"}, ["a.yaml"]),
    ],
)
def test_a_directory_source_reads_by_its_globs(directory, read):
    paths = [
        f"in/{name}" for name in ("a.json", "a.jsonnet", "a.txt", "a.yaml", "a.yml", "b/a.yaml")
    ]
    source = {"repoURL": "x", "path": "deploy/in", "directory": directory}
    found = argocd_reach.manifests({"spec": {"sources": [source]}}, paths, "deploy/")
    assert found == [f"in/{name}" for name in read]


def test_a_source_with_another_tool_gives_no_file_as_it_is():
    for tool in ({"helm": {}}, {"chart": "x"}, {"kustomize": {}}, {"plugin": {}}):
        application = {"spec": {"source": {"path": "in", **tool}}}
        assert argocd_reach.manifests(application, ["in/a.yaml"]) == []
