"""git-sync becomes a DAG bundle: the definition, the connection, and what is refused."""

import pytest
import yaml

from generator.chart.cache import ChartCache
from tests import chart_range
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, changed, repository
from tests.standin_chart import stand_in_archive

PATH = "environments/production/environment.yaml"
HTTPS = changed(
    STAGING,
    ("git@git.example.com:dags.git", "https://git.example.com/dags.git"),
    ("    secretName: airflow-git-ssh\n", "    period: 1m30s\n    depth: 5\n"),
)


@pytest.fixture(scope="module")
def caches(tmp_path_factory):
    folder = tmp_path_factory.mktemp("caches")
    ChartCache(folder / "charts").add(stand_in_archive(folder))
    return folder


@pytest.fixture
def made(caches, tmp_path, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(caches / "charts"))
    monkeypatch.setenv("GEN_ENV_RENDER_CACHE", str(caches / "renders"))

    def make(**definitions):
        repo = repository(tmp_path / "repo", **definitions)
        repo.run("generate")
        return repo.init()

    return make


def dags(repo, name="production"):
    return repo.yaml(f"environments/{name}/environment.yaml")["dags"]


def test_the_bundle_has_what_git_sync_had_and_the_rest_of_the_file_stays(made):
    repo = made(production=PRODUCTION)
    done = repo.run("upgrade", "production", "--dags", "bundles")
    assert done.code == 0, done.said
    assert dags(repo) == {
        "bundles": [
            {
                "name": "dags",
                "type": "git",
                "repository": "git@git.example.com:dags.git",
                "ref": "4610234",
                "refreshInterval": 30,
                "secretName": "airflow-git-connection",
            }
        ]
    }
    assert "# the primary" in repo.read(PATH)
    assert repo.run("generate", "--check", "production").code == 0


def test_nothing_is_written_where_a_side_cannot_be_rendered(made, tmp_path, monkeypatch):
    repo = made(production=PRODUCTION)
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "empty"))
    before = repo.tree()
    done = repo.run("upgrade", "production", "--dags", "bundles")
    assert (done.code, repo.tree()) == (1, before), done.said
    assert "is not in the cache" in done.stderr


def test_known_hosts_come_along_as_a_file_and_the_key_is_never_copied(made):
    repo = made(production=PRODUCTION)
    said = repo.run("upgrade", "production", "--dags", "bundles").stdout
    values = repo.yaml("environments/production/generated/values.yaml")
    (data,) = values["extraConfigMaps"].values()
    assert yaml.safe_load(data["data"]) == {"known_hosts": "git.example.com ssh-ed25519 AAAA\n"}
    assert values["volumeMounts"][0]["mountPath"] == "/opt/airflow-git"
    stub = repo.yaml("environments/production/secrets/airflow-git-connection.yaml")
    assert set(stub["spec"]["encryptedData"]) == {"connection"}
    assert "gen-env seal production airflow-git-connection --ssh-key FILE" in said
    assert "what is sealed in airflow-git-ssh cannot be copied" in said


def test_what_changes_and_what_was_not_read_is_listed_before_the_steps(made):
    said = made(staging=HTTPS).run("upgrade", "staging", "--dags", "bundles", "--dry-run").stdout
    for text in (
        "cold start: the DAG processor and each worker",
        "a run keeps the version",
        "no counterpart in a bundle: dags.gitSync.depth",
        "git submodules are not fetched",
        "not read: whether the image has the provider git",
        "the git server is reached by dag-processor, triggerer, worker (as before)",
        "gen-env seal staging airflow-git-connection --user NAME",
    ):
        assert text in said, said
    assert "known" not in said.split("In this order")[0]


def test_a_period_is_rounded_up_to_whole_seconds(made):
    repo = made(staging=HTTPS)
    assert repo.run("upgrade", "staging", "--dags", "bundles").code == 0
    assert dags(repo, "staging")["bundles"][0]["refreshInterval"] == 90


def test_a_public_repository_needs_no_secret(made):
    public = changed(HTTPS, ("    period: 1m30s\n    depth: 5\n", "    public: true\n"))
    repo = made(staging=public)
    done = repo.run("upgrade", "staging", "--dags", "bundles")
    assert done.code == 0 and "seal" not in done.stdout.split("In this order")[1].split("diff")[0]
    assert "secretName" not in dags(repo, "staging")["bundles"][0]


def test_a_default_of_the_repository_is_replaced_in_the_definition_alone(made):
    sync = "{gitSync: {repository: 'https://e.com/d.git', public: true}}"
    settings = SETTINGS + f"defaults: {{tiers: {{development: {{dags: {sync}}}}}}}\n"
    repo = made(dev=changed(DEV, ("dags: {image: {}}\n", "")), settings=settings)
    done = repo.run("upgrade", "dev", "--dags", "bundles")
    assert done.code == 0, done.said
    assert "comes from the defaults in gen-env.yaml" in done.stdout
    assert [item["repository"] for item in dags(repo, "dev")["bundles"]] == ["https://e.com/d.git"]


@pytest.mark.thorough
def test_volumes_that_are_there_stay(made):
    volumes = "volumes: [{name: own, emptyDir: {}}]"
    own = f"values:\n  {volumes}\n  volumeMounts: [{{name: own, mountPath: /own}}]\n"
    repo = made(production=PRODUCTION + own)
    assert repo.run("upgrade", "production", "--dags", "bundles").code == 0
    values = repo.yaml(PATH)["values"]
    assert [item["name"] for item in values["volumes"]] == ["own", "git-known-hosts"]
    assert [item["mountPath"] for item in values["volumeMounts"]] == ["/own", "/opt/airflow-git"]


REFUSED = {
    "Airflow 2": (
        changed(HTTPS, ("3.2.2, exec", "2.11.0, exec"), ("tag: 3.2.2-r1", "tag: 2.11.0-r1")),
        "Airflow 2.11.0 does not know DAG bundles",
    ),
    "an image without the provider": (
        changed(
            HTTPS,
            ("tag: 3.2.2-r1}", "tag: 3.2.2-r1, facts: {airflow: 3.2.2, providers: {fab: 3.6.4}}}"),
        ),
        "the image does not have the provider git",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_at_the_line_and_nothing_is_written(name, made):
    text, message = REFUSED[name]
    repo = made(staging=text)
    before = repo.tree()
    done = repo.run("upgrade", "staging", "--dags", "bundles")
    assert done.code == 1 and repo.tree() == before
    assert message in done.stderr and "[dags/cannot-convert]" in done.stderr
    assert "environments/staging/environment.yaml:" in done.stderr


def test_without_git_sync_and_with_another_upgrade_the_answer_is_an_error(made):
    repo = made(dev=DEV, staging=STAGING)
    done = repo.run("upgrade", "dev", "--dags", "bundles")
    assert done.code == 1 and "do not come from git-sync" in done.stderr
    both = repo.run("upgrade", "staging", "--dags", "bundles", "--airflow", "3.2.3")
    assert both.code == 1 and "cannot be combined" in both.stderr


@pytest.mark.thorough
def test_on_the_official_chart_the_containers_of_git_sync_are_gone(tmp_path, monkeypatch):
    ChartCache(tmp_path / "charts").add(chart_range.archive("1.22.0").path)
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(tmp_path / "charts"))
    repo = repository(tmp_path / "repo", production=PRODUCTION)
    repo.run("generate")
    done = repo.run("upgrade", "production", "--dags", "bundles")
    assert done.code == 0, done.said
    assert "container git-sync is removed" in done.stdout
    assert "name: AIRFLOW_CONN_GIT_DAGS" in done.stdout
    assert "    = StatefulSet airflow/airflow-redis" in done.stdout
