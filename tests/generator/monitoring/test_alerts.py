"""Alerts, their pages and dashboards: on names that Airflow sends, valid, each with a page."""

import json
import re
import shlex
import shutil
import subprocess
import tarfile

import promql_parser
import pytest
import yaml

from generator.airflow import statsd_mapping
from generator.lint.definition import all as definition_rules
from generator.manifests import dashboards, optional, prometheus_rules
from generator.monitoring import alerts, dashboard, runbooks
from tests import chart_range
from tests.generator.manifests.test_backups import with_backup
from tests.repositories import DEV, PRODUCTION, changed, release, run

WITH_ALERTS = changed(
    with_backup(),
    (
        "metrics: {type: statsd, serviceMonitor: true}",
        "metrics: {type: statsd, serviceMonitor: true, dashboards: sidecar,\n"
        "  alerts: {labels: {team: data}}}",
    ),
)
NAME = re.compile(r"\b(?:airflow|pgbouncer_exporter|kube)_\w+")
PODS = {
    "kube_pod_info",
    "kube_pod_init_container_status_running",
    "kube_pod_init_container_status_restarts_total",
    "kube_pod_container_status_last_terminated_reason",
    "kube_pod_container_status_restarts_total",
    "kube_cronjob_status_last_successful_time",
    "kube_cronjob_created",
}
POOLS = {f"pgbouncer_exporter_pools_{state}_clients" for state in ("active", "waiting")}


@pytest.fixture(scope="module")
def production():
    return release(WITH_ALERTS)


def mapped(name):
    """What the exporter makes of a name: its family, None where it is dropped."""
    for item in statsd_mapping.mappings():
        exact = item.get("match_type") is None
        if exact and name == item["match"]:
            return None
        if not exact and re.match(item["match"], name):
            return item["name"]
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def sent(version):
    kinds = statsd_mapping.names()["sent"][version]
    return {name: kind for kind, names in kinds.items() for name in names}


def families(version):
    """Families in Prometheus after the mapping; timers have three."""
    found = set()
    for name, kind in sent(version).items():
        plain = re.sub(r"\{(\w+)\}", r"my_\1", name)
        family = mapped(f"airflow.{plain}")
        found.add(family)
        if kind == "timer" and family:
            found |= {f"{family}_sum", f"{family}_count"}
    return found


@pytest.mark.parametrize("version", ["3.1.8", "3.2.2", "3.3.2"])
def test_no_name_of_a_metric_holds_the_name_of_something(version):
    named = [name for name in families(version) if name and "my_" in name]
    # The name of a job is a word of Airflow's own, not of a user.
    assert sorted(named) == ["airflow_my_job_name_end", "airflow_my_job_name_start"]


@pytest.mark.parametrize("version", ["3.1.8", "3.2.2", "3.3.2"])
def test_over_otlp_the_name_without_variables_has_them_as_attributes(version):
    data = statsd_mapping.names()
    found = data["otel"][version]
    assert found["scheduler_heartbeat"] == {
        "attributes": [],
        "kind": "sum",
        "senders": ["scheduler"],
    }
    both = [new for old, new in data["labelled"].items() if {old, new} <= set(found)]
    assert len(both) > 15
    for name in both:
        assert found[name]["attributes"], name


@pytest.mark.parametrize("version", ["3.1.8", "3.2.2", "3.3.2"])
def test_each_measurement_is_kept_once(version):
    labelled = statsd_mapping.names()["labelled"]
    for old, new in labelled.items():
        if {old, new} <= set(sent(version)):
            assert mapped(f"airflow.{new}") is None
            assert mapped("airflow." + re.sub(r"\{\w+\}", "x", old)) is not None


def test_executor_metrics_without_label_are_kept_as_one_executor_sends_no_other():
    assert mapped("airflow.executor.queued_tasks") == "airflow_executor_queued_tasks"
    assert mapped("airflow.executor.queued_tasks.X") == "airflow_executor_queued_tasks"


def test_a_task_in_a_group_keeps_its_whole_name():
    for item in statsd_mapping.mappings():
        if item["name"] == "airflow_ti_finish":
            assert re.match(item["match"], "airflow.ti.finish.etl.load.rows.success").groups() == (
                "etl",
                "load.rows",
                "success",
            )
            return
    pytest.fail("no mapping of ti.finish")


@pytest.mark.parametrize("version", ["3.1.8", "3.2.2", "3.3.2"])
def test_alerts_and_panels_read_only_metrics_that_are_sent(version):
    changes = [(f"{key}: 3.2.2", f"{key}: {version}") for key in ("version", "tag")]
    made = release(changed(WITH_ALERTS, *changes))
    texts = [item.expression for item in alerts.alerts(made)]
    texts += [expression for _, _, expression, _ in dashboard.panels(made)]
    names = {name for text in texts for name in NAME.findall(text)}
    assert names - PODS - POOLS <= families(version)
    assert names >= POOLS
    assert ("airflow_dag_processing_last_duration" in names) == (version != "3.1.8")


def test_an_environment_without_a_component_has_no_alert_about_it():
    names = {item.name for item in alerts.alerts(release(WITH_ALERTS))}
    assert {"AirflowSchedulerNoHeartbeat", "AirflowTriggererLost"} <= names
    small = DEV + "metrics: {serviceMonitor: true, alerts: {}}\ntriggerer: {replicas: 0}\n"
    fewer = {item.name for item in alerts.alerts(release(small))}
    assert names - fewer == {
        "AirflowTriggererLost",
        "AirflowPgBouncerSaturated",
        "AirflowDatabaseConnectionsGrow",
        "AirflowBackupTooOld",
        "AirflowRestoreDrillTooOld",
        "AirflowCertificateExpires",
    }


def test_a_backup_is_too_old_when_one_run_was_missed_and_none_is_said_where_none_runs():
    hours = {item.name: item.summary for item in alerts.alerts(release(WITH_ALERTS))}
    assert hours["AirflowBackupTooOld"] == "no backup of the database for 31 hours"
    weekly = changed(WITH_ALERTS, ("storage: {vol", "schedule: 0 2 * * 0, storage: {vol"))
    found = {item.name: item.summary for item in alerts.alerts(release(weekly))}
    assert "175 hours" in found["AirflowBackupTooOld"]
    suspended = changed(WITH_ALERTS, ("storage: {vol", "suspend: true, storage: {vol"))
    assert not any("Backup" in item.name for item in alerts.alerts(release(suspended)))


ANNOTATED = changed(WITH_ALERTS, ("serviceMonitor: true", "discovery: annotations"))


def test_found_by_annotations_the_same_alerts_are_a_config_map_and_nothing_needs_the_operator():
    made = release(ANNOTATED)
    (item,) = prometheus_rules.rules(made)
    assert item["kind"] == "ConfigMap"
    assert item["metadata"]["labels"]["prometheus_rule"] == "1"
    (text,) = item["data"].values()
    (usual,) = prometheus_rules.rules(release(WITH_ALERTS))
    assert yaml.safe_load(text) == usual["spec"]
    groups = {each["apiVersion"] for each in optional(made)}
    assert not any(group.startswith("monitoring.coreos.com/") for group in groups)
    found = {each.rule for each in definition_rules.problems(made)}
    assert not found & {"monitoring/alerts-without-series", "monitoring/operator-not-in-cluster"}
    unseen = release(changed(ANNOTATED, ("discovery: annotations, ", "")))
    assert "monitoring/alerts-without-series" in {
        each.rule for each in definition_rules.problems(unseen)
    }


def test_annotations_and_a_service_monitor_would_count_twice():
    both = changed(
        WITH_ALERTS, ("serviceMonitor: true", "serviceMonitor: true, discovery: annotations")
    )
    with pytest.raises(AssertionError, match="would scrape all twice"):
        release(both)


@chart_range.each_version
def test_every_chart_announces_both_exporters_by_annotations(version):
    archive = chart_range.archive(version)
    with tarfile.open(archive.path) as files:
        for component, port in (("statsd", "statsdScrape"), ("pgbouncer", "pgbouncerScrape")):
            name = f"airflow/templates/{component}/{component}-service.yaml"
            text = files.extractfile(name).read().decode()
            assert 'prometheus.io/scrape: "true"' in text
            assert f"prometheus.io/port: {{{{ .Values.ports.{port} | quote }}}}" in text


def test_nothing_is_made_without_the_fields():
    plain = release(PRODUCTION)
    assert optional(plain) == []
    assert "overrideMappings" not in plain.values["statsd"]
    assert runbooks.pages(plain) == {}


def test_every_alert_leads_to_its_page(production):
    pages = runbooks.pages(production)
    (item,) = prometheus_rules.rules(production)
    for rule in item["spec"]["groups"][0]["rules"]:
        address = rule["annotations"]["runbook_url"]
        assert address.endswith(f"/generated/runbooks/{rule['alert']}.md")
        assert rule["expr"] in pages[f"{rule['alert']}.md"]
        assert rule["labels"]["team"] == "data"


def test_commands_of_the_pages_exist(production):
    lines = {
        line
        for page in runbooks.pages(production).values()
        for line in page.partition("```sh\n")[2].partition("```")[0].splitlines()
    }
    ours = {line for line in lines if line.startswith("gen-env ")}
    assert ours
    for line in ours:
        words = shlex.split(line)[1:]
        shown = run(words[0], "--help").stdout
        assert all(word in shown for word in words if word.startswith("--"))
    verbs = {shlex.split(line)[3] for line in lines - ours}
    assert verbs == {"get", "describe", "logs"}


def test_the_dashboard_is_one_object_for_the_sidecar_or_the_operator(production):
    (item,) = dashboards.dashboards(production)
    assert item["metadata"]["labels"]["grafana_dashboard"] == "1"
    (text,) = item["data"].values()
    assert len({panel["title"] for panel in json.loads(text)["panels"]}) == len(
        list(dashboard.panels(production))
    )
    operator = release(WITH_ALERTS.replace("dashboards: sidecar", "dashboards: operator"))
    (other,) = dashboards.dashboards(operator)
    assert other["kind"] == "GrafanaDashboard"
    assert json.loads(other["spec"]["json"]) == json.loads(text)


def test_every_expression_is_promql_and_reads_something_by_namespace(production):
    rules = prometheus_rules.rules(production)[0]["spec"]["groups"][0]["rules"]
    texts = [rule["expr"] for rule in rules] + [item[2] for item in dashboard.panels(production)]
    for text in texts:
        assert str(promql_parser.parse(text))
        for selector in re.findall(r"\{([^}]*)\}", text):
            assert 'namespace="airflow"' in selector, text
    with pytest.raises(ValueError):
        promql_parser.parse("sum(")


# With promtool


@pytest.fixture
def promtool(tmp_path):
    """Runs promtool on a text."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("needs promtool (Debian: prometheus)")

    def tool(*command, **texts):
        for name, content in texts.items():
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(content), "utf-8")
        done = subprocess.run(
            [program, *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return tool


def test_promtool_accepts_rules_and_panels(promtool, production):
    (item,) = prometheus_rules.rules(production)
    panels = [
        {"record": f"panel_{place}", "expr": expression}
        for place, (_, _, expression, _) in enumerate(dashboard.panels(production))
    ]
    group = {"groups": [*item["spec"]["groups"], {"name": "panels", "rules": panels}]}
    promtool("check", "rules", "rules.yaml", rules=group)


OWN = '{namespace="airflow",service="airflow-statsd"'
POOL = '{namespace="airflow",service="airflow-pgbouncer",database="airflow"}'
POD = '{namespace="airflow",pod="airflow-scheduler-0",container="%s"%s}'
CRON = 'kube_cronjob_status_last_successful_time{namespace="airflow",cronjob="%s"}'
HEALTHY = {
    "up" + OWN + "}": "1x60",
    "airflow_scheduler_heartbeat" + OWN + "}": "0+12x60",
    "airflow_triggerer_heartbeat" + OWN + "}": "0+12x60",
    "airflow_dag_processor_heartbeat" + OWN + "}": "0+12x60",
    "airflow_dag_processing_import_errors" + OWN + "}": "0x60",
    "airflow_dag_processing_last_duration" + OWN + ',dag_file="a",quantile="0.5"}': "19x60",
    "airflow_dag_processing_last_duration" + OWN + ',dag_file="b",quantile="0.9"}': "99x60",
    "airflow_executor_queued_tasks" + OWN + "}": "3x60",
    "airflow_ti_start" + OWN + ',dag_id="a",task_id="b"}': "0+1x60",
    "airflow_pool_open_slots" + OWN + ',pool="p"}': "0x60",
    "airflow_pool_scheduled_slots" + OWN + ',pool="p"}': "0x60",
    "airflow_scheduler_tasks_killed_externally" + OWN + "}": "5x60",
    "pgbouncer_exporter_pools_waiting_clients" + POOL: "0x60",
    "pgbouncer_exporter_pools_active_clients" + POOL: "20x600",
    "kube_pod_info" + POD % ("", ',host_network="false"'): "1x60",
    "kube_pod_container_status_last_terminated_reason"
    + POD % ("scheduler", ',reason="OOMKilled"'): "1x60",
    "kube_pod_container_status_restarts_total" + POD % ("scheduler", ""): "1x60",
    "kube_pod_init_container_status_running" + POD % ("wait-for-airflow-migrations", ""): "0x60",
    CRON % "airflow-backup": "0x60",
    CRON % "airflow-restore-drill": "0x60",
    'certmanager_certificate_expiration_timestamp_seconds{exported_namespace="airflow",'
    'namespace="cert-manager",name="airflow-tls"}': "9999999x60",
}
CASES = {
    "AirflowMetricsLost": ({"up": "0x60"}, {}),
    "AirflowSchedulerNoHeartbeat": ({"airflow_scheduler_heartbeat": "0+12x20 240x40"}, {}),
    "AirflowTriggererLost": ({"airflow_triggerer_heartbeat": None}, {}),
    "AirflowDagProcessorLost": ({"airflow_dag_processor_heartbeat": "7x60"}, {}),
    "AirflowDagImportErrors": ({"airflow_dag_processing_import_errors": "2x60"}, {}),
    "AirflowDagParsingSlow": (
        {"airflow_dag_processing_last_duration": "21x60"},
        {"dag_file": "a"},
    ),
    "AirflowTasksNotStarting": ({"airflow_ti_start": "9x60"}, {}),
    "AirflowPoolExhausted": ({"airflow_pool_scheduled_slots": "4x60"}, {"pool": "p"}),
    "AirflowTasksKilled": ({"airflow_scheduler_tasks_killed_externally": "_x55 1x5"}, {}),
    "AirflowPgBouncerSaturated": ({"pgbouncer_exporter_pools_waiting_clients": "3x60"}, {}),
    "AirflowMigrationStuck": ({"kube_pod_init_container_status_running": "1x60"}, {}),
    "AirflowOutOfMemory": (
        {"kube_pod_container_status_restarts_total": "1x50 2x10"},
        {"pod": "airflow-scheduler-0", "container": "scheduler"},
    ),
    "AirflowCertificateExpires": (
        {"certmanager_certificate_expiration_timestamp_seconds": "9000x60"},
        {},
    ),
    "AirflowPodMetricsMissing": ({"kube_pod_info": None}, {}),
}


@pytest.mark.parametrize("name", [None, *CASES])
def test_an_alert_fires_on_its_fault_and_no_other_does(name, promtool, production):
    change, labels = CASES[name] if name else ({}, {})
    series = {key: change.get(key.partition("{")[0], values) for key, values in HEALTHY.items()}
    given = [{"series": key, "values": values} for key, values in series.items() if values]
    (item,) = prometheus_rules.rules(production)
    expected = [
        {"eval_time": "59m", "alertname": rule["alert"],
         "exp_alerts": [_alert(rule, labels)] if rule["alert"] == name else []}
        for rule in item["spec"]["groups"][0]["rules"]
    ]  # fmt: skip
    test = {"interval": "1m", "input_series": given, "alert_rule_test": expected}
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [test]}
    promtool("test", "rules", "test.yaml", rules={"groups": item["spec"]["groups"]}, test=whole)


@pytest.mark.parametrize(
    ("backup", "fires"),
    [
        ("0x200", ["AirflowBackupTooOld"]),
        ("0x60 100000x200", []),
        (None, ["AirflowBackupTooOld"]),
    ],
)
def test_a_backup_that_is_old_or_never_was_pages_and_a_new_cron_job_does_not(
    backup, fires, promtool, production
):
    created = 'kube_cronjob_created{namespace="airflow",cronjob="airflow-backup"}'
    series = {CRON % "airflow-backup": backup, CRON % "airflow-restore-drill": "100000x200",
              created: "0x200"}  # fmt: skip
    given = [{"series": key, "values": values} for key, values in series.items() if values]
    (item,) = prometheus_rules.rules(production)
    rules = [rule for rule in item["spec"]["groups"][0]["rules"] if "Backup" in rule["alert"] or
             "Drill" in rule["alert"]]  # fmt: skip
    expected = [
        {"eval_time": time, "alertname": rule["alert"],
         "exp_alerts": [_alert(rule, {})] if late and rule["alert"] in fires else []}
        for rule in rules for time, late in (("30h", False), ("32h", True))
    ]  # fmt: skip
    test = {"interval": "10m", "input_series": given, "alert_rule_test": expected}
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "10m", "tests": [test]}
    groups = {"groups": [{"name": "kept", "rules": rules}]}
    promtool("test", "rules", "test.yaml", rules=groups, test=whole)


def _alert(rule, labels):
    notes = rule["annotations"].items()
    for label, value in labels.items():
        notes = [(key, text.replace(f"{{{{ $labels.{label} }}}}", value)) for key, text in notes]
    return {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": dict(notes)}
