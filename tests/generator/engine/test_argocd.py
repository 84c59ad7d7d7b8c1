# ruff: noqa: E501 (a table of one line each)
import pytest

from generator.engine import argocd
from generator.manifests import metadata, namespace, sealed_secrets, service_monitors
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, changed, release

GUARD = {"argocd.argoproj.io/sync-options": "Prune=confirm,Delete=confirm"}


FOLDERS = ("generated/manifests", "secrets")


def made(text, *, complete=True, settings=SETTINGS, folders=FOLDERS, **options):
    item = release(text, settings=settings, **options)
    return argocd.application(item, complete=complete, folders=folders)


def sources(chart):
    return made(DEV, settings=SETTINGS + f"chart: {chart}\n")["spec"]["sources"]


def test_each_folder_of_objects_is_a_source_and_one_has_the_values_too():
    chart, git, secrets = made(DEV)["spec"]["sources"]
    assert chart["chart"] == "airflow" and chart["targetRevision"] == "1.22.0"
    assert chart["helm"] == {
        "releaseName": "airflow",
        "valueFiles": ["$git/environments/dev/generated/values.yaml"],
    }
    place = {"repoURL": "https://git.example.com/airflow.git", "targetRevision": "main"}
    objects = {**place, "directory": {"include": "*.yaml"}}
    assert git == {**objects, "path": "environments/dev/generated/manifests", "ref": "git"}
    assert secrets == {**objects, "path": "environments/dev/secrets"}


def test_values_are_read_where_there_is_no_object_beside_the_chart():
    chart, git = made(DEV, folders=())["spec"]["sources"]
    assert chart["helm"]["valueFiles"] and git["ref"] == "git" and "path" not in git


def test_a_chart_of_a_registry_has_no_scheme():
    chart, *_ = sources("{source: oci, url: oci://registry.example.com/charts}")
    assert chart["repoURL"] == "registry.example.com/charts" and chart["chart"] == "airflow"


def test_a_vendored_chart_is_a_folder_of_this_repository():
    chart, git, _ = sources("{source: vendored, path: charts/airflow}")
    assert chart["path"] == "charts/airflow" and "chart" not in chart
    assert chart["helm"]["valueFiles"] == ["/environments/dev/generated/values.yaml"]
    assert "ref" not in git


def test_a_rendered_chart_leaves_the_git_source_alone():
    found = sources("{source: rendered}")
    assert [item["path"].removeprefix("environments/dev/") for item in found] == list(FOLDERS)
    assert not any("ref" in item or "chart" in item for item in found)


@pytest.mark.parametrize(("text", "cleaned"), [(DEV, True), (STAGING, False), (PRODUCTION, False)])
def test_deleting_an_application_cleans_up_in_development_alone(text, cleaned):
    assert ("finalizers" in made(text)["metadata"]) == cleaned


@pytest.mark.parametrize(
    ("text", "complete", "automated"),
    [
        (DEV, True, {"prune": True, "selfHeal": True}),
        (DEV, False, None),
        (PRODUCTION, True, None),
        (
            PRODUCTION + "sync: {automated: true, selfHeal: false}\n",
            True,
            {"prune": True, "selfHeal": False},
        ),
        (PRODUCTION + "sync: {automated: true}\n", False, None),
        (DEV + "sync: {automated: false}\n", True, None),
    ],
)
def test_automated_sync_only_when_asked_for_and_nothing_is_a_stub(text, complete, automated):
    assert made(text, complete=complete)["spec"]["syncPolicy"].get("automated") == automated


def test_a_sync_owns_its_objects_and_prunes_last():
    options = made(DEV)["spec"]["syncPolicy"]["syncOptions"]
    assert {"CreateNamespace=false", "FailOnSharedResource=true", "PruneLast=true"} <= set(options)
    assert made(DEV + "sync: {retryLimit: 9}\n")["spec"]["syncPolicy"]["retry"]["limit"] == 9


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [("airflow", "dev", "airflow"), ('"a-{team}"', "dev", "a-dev"), ('"a-{team}"', "payments/dev", "a-payments"),
     ('"a-{environment}"', "payments/dev", "a-payments-dev")],
)  # fmt: skip
def test_the_projects_name_has_team_and_environment(pattern, name, expected):
    team = name.rpartition("/")[0]
    text = changed(DEV, ("name: dev,", f"name: dev, team: {team},")) if team else DEV
    item = release(
        text, settings=SETTINGS + f"argocd: {{project: {{name: {pattern}}}}}\n", name=name
    )
    assert argocd.project_name(item) == expected


def test_a_project_allows_every_kind_that_is_generated():
    from generator.pipeline import generate
    from tests.repositories import built

    settings = SETTINGS + "argocd: {project: {manage: true}}\n"
    text = PRODUCTION + "quota: {hard: {pods: '9'}}\nlimits: {max: {cpu: '4'}}\n"
    result = built(text, settings=settings)
    found = argocd.project(result.release.resolved.settings.repository, "p", [result.release])
    allowed = {
        (item["group"], item["kind"])
        for key in ("clusterResourceWhitelist", "namespaceResourceWhitelist")
        for item in found["spec"][key]
    }
    for manifest in generate.own_manifests(result):
        group = manifest["apiVersion"].rpartition("/")[0]
        assert (group, manifest["kind"]) in allowed


def test_roles_across_namespaces_need_more_of_the_project():
    settings = SETTINGS + "argocd: {project: {manage: true}}\n"
    item = release(DEV + "rbac: {multiNamespace: true}\n", settings=settings)
    found = argocd.project(item.resolved.settings.repository, "p", [item])
    kinds = [entry["kind"] for entry in found["spec"]["clusterResourceWhitelist"]]
    assert kinds == ["Namespace", "ClusterRole", "ClusterRoleBinding"]


# Namespace, bounds, secrets, monitors


def test_the_namespace_is_guarded_first_and_enforces_its_level():
    found = namespace.namespace(
        release(DEV + "namespaceLabels: {team: data}\nlabels: {cost: low}\n")
    )
    assert GUARD.items() <= found["metadata"]["annotations"].items()
    assert found["metadata"]["annotations"][metadata.WAVE] == "-10"
    labels = found["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["team"] == "data" and labels["cost"] == "low"
    assert "namespace" not in found["metadata"]


def test_bounds_are_only_there_when_asked_for():
    assert namespace.bounds(release(DEV)) == []
    quota, limits = namespace.bounds(
        release(
            DEV
            + "quota: {hard: {pods: '9', limits.cpu: '4'}}\nlimits: {defaultRequest: {cpu: 100m}}\n"
        )
    )
    assert quota["spec"]["hard"] == {"limits.cpu": "4", "pods": "9"}
    assert limits["spec"]["limits"] == [{"type": "Container", "defaultRequest": {"cpu": "100m"}}]


def test_waves_bring_secrets_before_what_reads_them():
    waves = [metadata.NAMESPACE_WAVE, metadata.SECRET_WAVE, metadata.POLICY_WAVE, 0]
    assert waves == sorted(waves) and len(set(waves)) == 4


@pytest.mark.parametrize("scope", ["strict", "namespace-wide", "cluster-wide"])
def test_stubs_are_guarded_empty_and_scoped(scope):
    item = release(DEV + f"secrets: {{scope: {scope}}}\n")
    for need in item.needs:
        found = sealed_secrets.stub(item, need)
        assert GUARD.items() <= found["metadata"]["annotations"].items()
        assert set(found["spec"]["encryptedData"].values()) == {""}
        assert found["metadata"]["namespace"] == "airflow-dev"
        marks = [
            key for key in found["metadata"]["annotations"] if "sealedsecrets.bitnami.com" in key
        ]
        assert len(marks) == (scope != "strict")


def test_monitors_scrape_what_runs_by_labels_that_prometheus_looks_for():
    settings = changed(
        SETTINGS, ("{namespace: monitoring}", "{namespace: monitoring, labels: {release: prom}}")
    )
    names = {
        item["metadata"]["name"]: item
        for item in service_monitors.monitors(release(PRODUCTION, settings=settings))
    }
    assert set(names) == {"airflow-statsd", "airflow-pgbouncer"}
    for item in names.values():
        assert item["metadata"]["labels"]["release"] == "prom"
        assert item["spec"]["namespaceSelector"] == {"matchNames": ["airflow"]}
        assert item["spec"]["selector"]["matchLabels"]["release"] == "airflow"
    assert service_monitors.monitors(release(DEV)) == []
