"""Environments on charts of other versions: what is renamed, left out, refused, and said."""

import re

import pytest
import yaml

from generator.actions import explain
from generator.chart.cache import ChartCache
from generator.core.files import Snapshot
from generator.core.problem import Severity
from generator.manifests import routes
from generator.pipeline import generate
from generator.release import chart_lines
from generator.release.chart_lines import Level
from generator.tree import catalogue
from tests.made_up_chart import HTTP_ROUTE, made_up
from tests.repositories import DEV, PRODUCTION, SETTINGS, STAGING, changed

BUDGETS = [f"{part}.podDisruptionBudget" for part in ("triggerer", "dagProcessor", "workers")]
OLD = ["workers.celery", "workers.kubernetes", "imagePullSecrets", "useStandardNaming", *BUDGETS]
OFFICIAL = "sha256:1f7d1dfe3d58e2c54899950aba907a43625a18c8b6fb3c54760c21592129a5b6"
OLD_AIRFLOW = ("version: 3.2.2", "version: 2.10.5")
DIRECT = [*OLD, "createUserJob.enabled", "createUserJob.defaultUser", "databaseCleanup"]


@pytest.fixture
def cache(tmp_path):
    return ChartCache(tmp_path / "cache")


@pytest.fixture
def add(cache, tmp_path):
    """Make up a chart and put it into the cache."""
    return lambda version, **options: cache.add(
        made_up(tmp_path, version, **options), official=False
    )


def on(version, text, *pairs):
    """The definition on that chart, with more changes."""
    return changed(text, ("version: 1.22.0", f"version: {version}"), *pairs)


def built(cache, text):
    name = yaml.safe_load(text)["metadata"]["name"]
    files = {"gen-env.yaml": SETTINGS, f"environments/{name}/environment.yaml": text}
    files = Snapshot({path: content.encode() for path, content in files.items()})
    found = catalogue.load(files)
    charts = generate.Charts(cache) if cache is not None else None
    return generate.build(files, found.settings, found.definitions[name], charts)


def about_the_chart(result):
    return [item for item in result.problems if item.rule.startswith("chart/")]


def only(result, rule):
    (problem,) = about_the_chart(result)
    assert problem.rule == rule, problem
    return problem


GATEWAY = (
    "gateway: {parentRefs: [{name: public, namespace: gateways, sectionName: https}], "
    "hostnames: [a.example.com]}\n"
)


def test_a_gateway_goes_through_the_chart_where_the_chart_makes_an_http_route(cache, add):
    add("1.23.0", added=HTTP_ROUTE)
    found = built(cache, on("1.23.0", DEV) + GATEWAY).release
    route = found.values["httpRoute"]["apiServer"]
    assert route["enabled"] is True and route["hostnames"] == ["a.example.com"]
    assert route["parentRefs"] == [
        {"name": "public", "namespace": "gateways", "sectionName": "https"}
    ]
    assert routes.objects(found) == []


@pytest.mark.parametrize("missing", ["httpRoute.apiServer.path", "httpRoute.apiServer.parentRefs"])
def test_a_chart_that_cannot_express_a_gateway_leaves_it_to_an_object_of_gen_envs(
    cache, add, missing
):
    add("1.23.0", added={key: value for key, value in HTTP_ROUTE.items() if key != missing})
    found = built(cache, on("1.23.0", DEV) + GATEWAY).release
    assert "httpRoute" not in found.values
    assert [item["kind"] for item in routes.objects(found)] == ["HTTPRoute"]


LEVELS = {
    **{"1.6.0": Level.DERIVED, "1.16.0": Level.TRIED, "1.21.0": Level.DERIVED},
    **{"1.22.1": Level.TRIED, "1.23.0": Level.DERIVED, "2.0.0": Level.DERIVED},
    **{"8.9.0": Level.REFUSED, "new": Level.REFUSED},
}


@pytest.mark.parametrize(("version", "level"), LEVELS.items())
def test_how_far_gen_env_stands_for_a_version_is_said_in_one_place(version, level):
    assert chart_lines.level(version) is level


def test_a_setting_is_written_under_the_name_that_the_chart_reads(cache, add):
    add("1.18.0", without=DIRECT)
    text = on("1.18.0", STAGING, ("tag: 3.2.2-r1", "tag: 3.2.2-r1, pullSecrets: [registry]"))
    values = built(cache, text).release.values
    assert values["workers"]["replicas"] == 2
    assert values["registry"] == {"secretName": "registry"}
    assert "celery" not in values["workers"]
    assert not {"imagePullSecrets", "useStandardNaming", "databaseCleanup"} & values.keys()


def test_what_runs_is_read_from_values_under_older_names(cache, add):
    add("1.18.0", without=DIRECT)
    release = built(cache, on("1.18.0", DEV)).release
    assert release.values["webserver"]["defaultUser"] == {"enabled": True}
    assert release.topology.has("create-user-job")
    assert release.topology.names.full == "airflow", "without standard names: the release's"


def test_the_secret_of_an_older_key_holds_what_that_chart_looks_for(cache, add):
    add("1.17.0", without=["apiSecretKey", "apiSecretKeySecretName", "apiSecretAnnotations"])
    release = built(cache, on("1.17.0", DEV)).release
    assert release.values["webserverSecretKeySecretName"] == "airflow-api-secret-key"
    need = next(item for item in release.needs if item.name == "airflow-api-secret-key")
    assert need.key_names == ("webserver-secret-key",)


def test_a_field_that_the_chart_cannot_express_is_an_error_at_its_line(cache, add):
    add("1.18.0", without=BUDGETS)
    text = on("1.18.0", DEV) + "triggerer: {disruptionBudget: {maxUnavailable: 1}}\n"
    problem = only(built(cache, text), "chart/lacks-feature")
    assert problem.severity is Severity.ERROR
    assert (problem.path, problem.line) == ("environments/dev/environment.yaml", 10)
    assert problem.message == (
        "chart 1.18.0 cannot express triggerer.disruptionBudget: it has no key"
        " triggerer.podDisruptionBudget; it needs chart 1.19.0 or later"
    )
    assert "gen-env upgrade dev --chart 1.19.0" in problem.hint


def test_an_old_autoscaler_that_goes_through_pgbouncer_is_an_error_only_with_pgbouncer(cache):
    pool = changed(PRODUCTION, ("version: 1.22.0", "version: 1.9.0"), OLD_AIRFLOW)
    problem = next(item for item in about_the_chart(built(cache, pool)) if "scaling" in str(item))
    assert problem.message == (
        "chart 1.9.0 cannot express workers.autoscaling: it has no key"
        " workers.keda.usePgbouncer; it needs chart 1.11.0 or later"
    )
    oidc = re.search("(?m)^auth: .*$", pool)[0]
    direct = changed(pool, ("pgbouncer: {replicas: 2, poolSize: 20}\n", ""), (oidc, "auth: {}"))
    result = built(cache, direct)
    assert not [item for item in result.problems if item.severity is Severity.ERROR]
    assert result.release.values["workers"]["keda"]["maxReplicaCount"] == 10


def test_a_part_that_the_chart_lacks_is_one_error(cache, add):
    add("1.18.0", without=["databaseCleanup"])
    cleanup = "cleanup: {database: {retentionDays: 30}}\nserviceAccount: {annotations: {a: b}}\n"
    problem = only(built(cache, on("1.18.0", DEV) + cleanup), "chart/lacks-feature")
    assert "cleanup.database" in problem.message


def test_what_belongs_to_a_part_that_is_off_may_be_missing(cache, add):
    add("1.18.0", without=["databaseCleanup"])
    text = on("1.18.0", DEV) + "serviceAccount: {annotations: {a: b}}\n"
    assert about_the_chart(built(cache, text)) == []


def test_defaults_of_gen_env_that_the_chart_has_no_key_for_are_left_out_with_a_warning(cache, add):
    add("1.18.0", without=BUDGETS)
    result = built(cache, on("1.18.0", PRODUCTION))
    problem = only(result, "chart/left-out")
    assert problem.severity is Severity.WARNING
    assert "triggerer.podDisruptionBudget.enabled" in problem.message
    assert "podDisruptionBudget" not in result.release.values["triggerer"]
    assert "podDisruptionBudget" in result.release.values["scheduler"]


def test_two_settings_that_an_older_chart_reads_under_one_name_must_agree(cache, add):
    add("1.18.0", without=OLD)
    both = ("executor: CeleryExecutor", 'executor: "CeleryExecutor,KubernetesExecutor"')
    size = "requests: {cpu: '1', memory: 1Gi}"
    tasks = ("replicas: 2\n", f"replicas: 2\n  taskResources: {{{size}}}\n")
    problem = only(built(cache, on("1.18.0", STAGING, both, tasks)), "chart/lacks-feature")
    assert "workers.taskResources" in problem.message


def test_a_newer_chart_works_with_one_note(cache, add):
    add(
        "1.23.0",
        added={"triggerer.gateway": {}, "workers.celery.shape": "", "lanes": {"enabled": False}},
        without=["enableServiceLinks"],
    )
    result = built(cache, on("1.23.0", PRODUCTION))
    problem = only(result, "chart/not-tried")
    assert problem.severity is Severity.INFO
    assert "0 renamed and 1 left out" in problem.message
    same = dict(built(None, PRODUCTION).release.values)
    del same["enableServiceLinks"]
    assert result.release.values == same


def test_a_chart_of_the_next_major_refuses_only_what_it_removed(cache, add):
    gone = ["webserver.defaultUser", "workers.replicas", "workers.keda", "postgresql"]
    add("2.0.0", without=gone, oldest_airflow="3.1.0")
    assert only(built(cache, on("2.0.0", PRODUCTION)), "chart/not-tried")
    problem = only(built(cache, on("2.0.0", DEV)), "chart/lacks-feature")
    assert "cannot express database.embedded" in problem.message
    assert "charts 1.6.0 to 1.22.0 have it" in problem.message
    assert "gen-env upgrade" not in problem.hint


def test_a_chart_that_refuses_the_airflow_is_named_with_the_order(cache, add):
    add("1.20.0", oldest_airflow="2.11.0")
    text = on("1.20.0", DEV, ("version: 3.2.2", "version: 2.10.5"))
    problem = only(built(cache, text), "chart/airflow")
    assert problem.message == "chart 1.20.0 refuses Airflow 2.10.5: it renders 2.11.0 and later"
    assert problem.line == 5
    assert problem.hint == "first Airflow, then the chart: gen-env upgrade dev --airflow 2.11.0"


@pytest.mark.parametrize("digest", ["", OFFICIAL])
def test_the_chart_that_gen_env_writes_for_refuses_airflow_too(digest):
    text = on(f"1.22.0, digest: '{digest}'" if digest else "1.22.0", DEV, OLD_AIRFLOW)
    problem = only(built(None, text), "chart/airflow")
    assert problem.message == "chart 1.22.0 refuses Airflow 2.10.5: it renders 2.11.0 and later"


def test_another_archive_of_that_version_speaks_for_itself(cache, add):
    added = {"apiServer.replicas": 1, "jwtSecretName": ""}
    text = on("1.22.0", DEV, OLD_AIRFLOW)
    add("1.22.0", added=added)
    assert about_the_chart(built(cache, text)) == []
    other = text.replace("1.22.0", f"1.22.0, digest: 'sha256:{'12' * 32}'")
    assert about_the_chart(built(None, other)) == [], "nothing is known of it"


def test_a_newer_floor_does_not_advise_airflow_2(cache, add):
    add("1.23.0", oldest_airflow="3.3.0")
    problem = only(built(cache, on("1.23.0", DEV)), "chart/airflow")
    assert problem.hint == "first Airflow, then the chart: gen-env upgrade dev --airflow 3.3.0"


@pytest.mark.parametrize(
    ("version", "missing"), [("1.15.0", "apiServer"), ("1.16.0", "jwtSecretName")]
)
def test_a_chart_without_the_parts_of_airflow_3_cannot_run_it(cache, add, version, missing):
    add(version, without=[missing, "jwtSecret"])
    problem = only(built(cache, on(version, DEV)), "chart/airflow")
    assert f"cannot run Airflow 3.2.2: it has no {missing}" in problem.message
    text = on(version, DEV, ("version: 3.2.2", "version: 2.10.5"))
    assert built(cache, text).release is not None


@pytest.mark.parametrize("version", ["1.18.0", "1.19.0"])
def test_without_an_archive_the_table_of_releases_tells(version):
    result = built(None, on(version, DEV))
    assert about_the_chart(result) == []
    assert (version == "1.19.0") == ("celery" in result.release.values["workers"])


def test_a_chart_of_which_nothing_is_known_stops_the_environment(cache):
    result = built(cache, on("1.24.0", DEV))
    problem = only(result, "chart/archive")
    assert result.release is None
    assert "chart airflow 1.24.0 is not in the cache" in problem.message
    assert problem.line == 6


def test_the_table_does_not_speak_for_a_locked_archive_that_is_not_the_official_one(cache):
    digest = "sha256:" + "12" * 32
    text = on("1.19.0", DEV, ("version: 1.19.0", f"version: 1.19.0, digest: {digest!r}"))
    assert only(built(cache, text), "chart/archive")
    official = "sha256:3d5735278047856c7698752a9cdb8abc0f9c164a915903f1c1f05cb75734ea7c"
    assert about_the_chart(built(cache, text.replace(digest, official))) == []


def test_a_version_that_the_official_chart_does_not_have_is_refused(cache):
    problem = only(built(cache, on("8.9.0", DEV)), "chart/unknown-line")
    assert problem.severity is Severity.ERROR


def test_the_chart_that_gen_env_writes_for_needs_no_archive():
    assert about_the_chart(built(None, DEV)) == []


def test_explain_lists_what_is_renamed_and_left_out(cache, add):
    add("1.18.0", without=OLD)
    lines = explain.notes(built(cache, on("1.18.0", PRODUCTION)), None)
    assert "chart 1.18.0 reads:" in lines
    assert "  workers.celery.keda.enabled as workers.keda.enabled" in lines
    assert "  triggerer.podDisruptionBudget.enabled" in lines[lines.index("chart 1.18.0 has no:") :]
    known = "\n".join(explain.notes(built(None, PRODUCTION), None))
    assert "reads:" not in known and "has no:" not in known
