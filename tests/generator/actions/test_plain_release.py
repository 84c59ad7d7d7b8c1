"""Two revisions of a file that belongs to no definition: the report before anything is adopted."""

import pytest

from tests.generator.chart.samples import write
from tests.repositories import Repo, run
from tests.standin_chart import stand_in_archive

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: airflow, namespace: argocd}
spec:
  project: default
  destination: {server: "https://kubernetes.default.svc", namespace: data}
  source:
    repoURL: https://airflow.apache.org
    chart: airflow
    targetRevision: 1.22.0
    helm:
      releaseName: flow
      values: |
        executor: CeleryExecutor
        scheduler: {replicas: 1}
"""
ELSEWHERE = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: airflow, namespace: argocd}
spec:
  destination: {server: "https://kubernetes.default.svc", namespace: data}
  sources:
    - repoURL: https://airflow.apache.org
      chart: airflow
      targetRevision: 1.22.0
      helm: {releaseName: flow, valueFiles: [$here/values.yaml, "https://example.com/more.yaml"]}
    - {repoURL: "https://git.example.com/flow.git", targetRevision: main, ref: here}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: flow, namespace: data}
spec:
  interval: 10m
  chart:
    spec: {chart: airflow, version: 1.22.0, sourceRef: {kind: HelmRepository, name: apache}}
  values:
    executor: CeleryExecutor
    scheduler: {replicas: 1}
"""
VALUES = "executor: CeleryExecutor\nscheduler: {replicas: 1}\n"
FILES = {"app.yaml": APPLICATION, "release.yaml": RELEASE, "values.yaml": VALUES}


@pytest.fixture(scope="module", params=["stand-in", "random"])
def caches(request, tmp_path_factory):
    """The stand-in chart, and one that makes a secret up on every render."""
    folder = tmp_path_factory.mktemp("caches")
    archive = stand_in_archive(folder) if request.param == "stand-in" else write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GEN_ENV_CHART_CACHE", str(folder / "charts"))
        added = run("chart", "add", archive)
        if added.code != 0:
            (folder / "charts").mkdir(parents=True)
            (folder / "charts/airflow-1.22.0.tgz").write_bytes(archive.read_bytes())
    return folder


@pytest.fixture
def repo(caches, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(caches / "charts"))
    monkeypatch.setenv("GEN_ENV_RENDER_CACHE", str(caches / "renders"))
    repo = Repo(tmp_path)
    for path, text in FILES.items():
        repo.write(path, text)
    return repo.init()


@pytest.mark.few(2)
@pytest.mark.parametrize("path", FILES)
def test_a_change_of_the_values_shows_what_it_does(repo, path):
    repo.edit(path, "replicas: 1", "replicas: 2")
    done = repo.run("diff", "HEAD", "--file", path, "-o", "json")
    assert done.code == 0, done.said
    (environment,) = done.json["environments"]
    (change,) = environment["changes"]
    assert (change["action"], change["kind"]) == ("modified", "Deployment")
    assert "replicas: 2" in change["diff"] and change["name"].endswith("-scheduler")
    release = "airflow" if path == "values.yaml" else "flow"
    assert environment["name"] == f"{path} ({release})"
    made_up = [item for item in environment["problems"] if item["rule"] == "render/random"]
    assert bool(made_up) == any("api-secret-key" in item["message"] for item in made_up)
    assert {item["state"] for item in made_up} <= {"old"}


@pytest.mark.few(1)
def test_values_files_beside_it_are_read_at_their_own_revision(repo):
    repo.git("remote", "add", "origin", "https://git.example.com/flow.git")
    repo.write("elsewhere.yaml", ELSEWHERE)
    repo.commit("an Application whose values are another file")
    repo.edit("values.yaml", "replicas: 1", "replicas: 2")
    done = repo.run("diff", "HEAD", "--file", "elsewhere.yaml", "-o", "json")
    (environment,) = done.json["environments"]
    assert [change["name"] for change in environment["changes"]] == ["flow-scheduler"]
    [unread] = environment["basis"]["notRead"]
    assert unread["what"] == "values file https://example.com/more.yaml"
    assert unread["where"].startswith("elsewhere.yaml:")


@pytest.mark.few(1)
def test_every_release_and_object_of_a_file_is_compared(repo):
    twin = APPLICATION.replace("name: airflow,", "name: second,")
    other = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\ndata: {a: '1'}\n"
    repo.write("app.yaml", f"{APPLICATION}---\n{twin}---\n{other}")
    repo.commit("two releases of one name, and an object")
    changed = f"{APPLICATION.replace('replicas: 1', 'replicas: 2')}---\n{twin}---\n{other}"
    repo.write("app.yaml", changed.replace("a: '1'", "a: '2'"))
    found = repo.run("diff", "HEAD", "--file", "app.yaml", "-o", "json").json["environments"]
    changes = {item["name"]: [change["name"] for change in item["changes"]] for item in found}
    assert changes == {
        "app.yaml (flow of airflow)": ["flow-scheduler"],
        "app.yaml (flow of second)": [],
        "app.yaml (other objects)": ["beside"],
    }


@pytest.mark.few(1)
def test_a_file_that_comes_or_goes_is_added_or_removed(repo):
    (repo.root / "values.yaml").unlink()
    gone = repo.run("diff", "HEAD", "--file", "values.yaml", "-o", "json").json["environments"]
    assert [item["reason"] for item in gone] == ["removed by this change"]
    repo.write("new.yaml", VALUES)
    new = repo.run("diff", "HEAD", "--file", "new.yaml", "-o", "json").json["environments"]
    assert [item["reason"] for item in new] == ["added by this change"]


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("just text", "must be a mapping"),
        ("kind: Deployment\napiVersion: apps/v1\n", "the file holds Deployment"),
        ("", "the file is empty"),
    ],
)
def test_a_file_without_values_is_told(repo, text, words):
    repo.write("values.yaml", text)
    done = repo.run("diff", "HEAD", "--file", "values.yaml", "-o", "json")
    (environment,) = done.json["environments"]
    assert done.code == 1 and not environment["rendered"]
    assert words in environment["problems"][0]["message"]


@pytest.mark.few(1)
def test_what_is_no_yaml_or_not_there_is_the_users_error(repo):
    repo.write("values.yaml", "a: [")
    broken = repo.run("diff", "HEAD", "--file", "values.yaml")
    assert broken.code == 1 and "values.yaml" in broken.stderr
    missing = repo.run("diff", "HEAD", "--file", "nowhere.yaml")
    assert missing.code == 1 and "not found in either revision" in missing.stderr


@pytest.mark.few(1)
def test_values_that_do_not_render_are_told_with_their_key(repo):
    repo.edit("values.yaml", "replicas: 1", "replicas: many")
    done = repo.run("diff", "HEAD", "--file", "values.yaml", "-o", "json")
    (environment,) = done.json["environments"]
    assert done.code == 1 and environment["reason"] == "the head does not render"
    assert "scheduler.replicas" in environment["problems"][0]["message"]


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("project: default", "project: other"),
        ("prune: false", "prune: true"),
        ("https://airflow.apache.org", "https://mirror.example.com"),
    ],
)
def test_a_change_of_the_application_itself_is_a_change(repo, old, new):
    text = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
        "metadata: {name: flow, namespace: argocd}\nspec:\n  project: default\n"
        "  destination: {namespace: flow, server: s}\n"
        "  syncPolicy: {automated: {prune: false}}\n"
        "  source:\n    repoURL: https://airflow.apache.org\n    chart: airflow\n"
        "    targetRevision: 1.22.0\n    helm: {releaseName: flow, valuesObject: {executor: a}}\n"
    )
    text = text.replace("executor: a", "executor: LocalExecutor")
    repo.write("app.yaml", text)
    repo.commit("an Application")
    repo.write("app.yaml", text.replace(old, new))
    done = repo.run("diff", "HEAD", "--file", "app.yaml", "-o", "json")
    (environment,) = done.json["environments"]
    assert [(item["kind"], item["name"]) for item in environment["changes"]] == [
        ("Application", "flow")
    ]
    unread = [item["what"] for item in done.json["basis"]["notRead"]]
    assert unread == (["chart of https://mirror.example.com"] if "mirror" in new else [])
    checked = repo.run("check", "app.yaml", "-o", "json").json
    assert [item["what"] for item in checked["basis"]["notRead"]] == unread


FLOW = "https://git.example.com/flow.git"
BORROWED = {
    "its own branch": ("main", FLOW, True),
    "another repository": ("main", "https://git.example.com/other.git", False),
    "a tag of the same text": ("v2", FLOW, True),
    "an older tag": ("v1", FLOW, False),
    "a repository that is filled in": ("main", "${REPOSITORY}", False),
}


def not_read(repo, *arguments):
    done = repo.run(*arguments, "-o", "json")
    [found] = done.json.get("environments") or done.json["releases"]
    return {item["what"] for item in found["basis"]["notRead"]}


@pytest.mark.few(1)
@pytest.mark.parametrize("what", BORROWED)
def test_values_of_another_repository_or_revision_are_no_ground_for_no_changes(repo, what):
    revision, address, same = BORROWED[what]
    text = ELSEWHERE.replace("targetRevision: main", f"targetRevision: {revision}")
    text = text.replace(FLOW, address).replace(', "https://example.com/more.yaml"', "")
    repo.git("remote", "add", "origin", FLOW)
    repo.git("tag", "v1")
    repo.write("values.yaml", f"{VALUES}uid: 1\n")
    repo.write("elsewhere.yaml", text)
    repo.commit("other values")
    repo.git("tag", "v2")
    expected = set() if same else {"values file $here/values.yaml"}
    assert not_read(repo, "diff", "HEAD", "--file", "elsewhere.yaml") == expected
    assert not_read(repo, "check", "elsewhere.yaml") == expected
    checked, compared = (
        repo.run(*words).said
        for words in (("check", "elsewhere.yaml"), ("diff", "HEAD", "--file", "elsewhere.yaml"))
    )
    assert ("No changes" in compared) is same, compared
    assert ("1 check not done" in checked) is not same, checked


CHARTS = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: apache, namespace: data}
spec: {url: https://airflow.apache.org}
"""


@pytest.mark.few(1)
def test_the_source_of_a_helm_release_is_found_in_another_file_and_compared(repo):
    unknown = {"address of HelmRepository apache"}
    assert not_read(repo, "diff", "HEAD", "--file", "release.yaml") == unknown
    repo.write("sources/charts.yaml", CHARTS)
    assert not_read(repo, "check", "release.yaml") == set()
    repo.commit("the repository of charts")
    assert not_read(repo, "diff", "HEAD", "--file", "release.yaml") == set()
    repo.edit("sources/charts.yaml", "airflow.apache.org", "charts.example.com")
    done = repo.run("diff", "HEAD", "--file", "release.yaml", "-o", "json")
    [environment] = done.json["environments"]
    assert [item["name"] for item in environment["changes"]] == ["apache"]
    repo.write("sources/second.yaml", CHARTS)
    assert not_read(repo, "check", "release.yaml") == unknown


@pytest.mark.few(1)
def test_the_items_of_a_list_are_compared_as_documents_are(repo):
    body = APPLICATION.replace("\n", "\n    ").rstrip()
    text = f"apiVersion: v1\nkind: List\nitems:\n  - {body}\n"
    repo.write("list.yaml", text)
    repo.commit("a List")
    repo.edit("list.yaml", "replicas: 1", "replicas: 2")
    done = repo.run("diff", "HEAD", "--file", "list.yaml", "-o", "json")
    [environment] = done.json["environments"]
    assert environment["name"] == "list.yaml (flow)"
    assert [item["name"] for item in environment["changes"]] == ["flow-scheduler"]


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("text", "version", "why"),
    [
        ("executor: LocalExecutor\n", "1.22.0", ""),
        ("airflowVersion: 2.9.3\n", "1.16.0", "newer charts refuse Airflow 2.9.3"),
    ],
)
def test_the_chart_that_is_assumed_is_bounded_by_airflow(repo, text, version, why):
    repo.write("v.yaml", text)
    basis = repo.run("check", "v.yaml", "-o", "json").json["basis"]
    assert (basis["chart"]["version"], basis["chart"]["source"]) == (version, "assumed")
    assert basis["chart"].get("why", "") == why
