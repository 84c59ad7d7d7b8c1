"""`restore`: the steps of a restore as a page and manifests; nothing is applied."""

import pytest
import yaml

from generator.actions.recovery import restore
from generator.core.errors import UserError
from generator.lint.objects import pod_security
from tests.generator.manifests.test_backups import with_backup
from tests.repositories import DEV, PRODUCTION, changed, release

MIGRATION = {
    "kind": "Job",
    "apiVersion": "batch/v1",
    "metadata": {
        "name": "airflow-run-airflow-migrations",
        "annotations": {"argocd.argoproj.io/hook": "Sync"},
    },
    "spec": {"template": {"metadata": {"labels": {"component": "run-airflow-migrations"}}}},
}
MYSQL = changed(PRODUCTION, ("database:\n", "database:\n  type: mysql\n"))
CLEANUP = {"kind": "CronJob", "metadata": {"name": "airflow-cleanup"}}


def made(text, at="", rendered=(MIGRATION, CLEANUP)):
    return restore.prepare(release(text), rendered, at).files


def test_what_opens_the_database_is_stopped_first_and_started_last():
    page = made(with_backup())["README.md"]
    stop, rest = page.split("## 2. Restore")
    _, migrate, one, all_ = rest.split("\n## ")
    for words in (
        "scale deployment/airflow-scheduler --replicas=0",
        "scale deployment/airflow-pgbouncer --replicas=0",
        "annotate scaledobject airflow-worker autoscaling.keda.sh/paused-replicas=0",
        "patch cronjob airflow-cleanup",
        "patch cronjob airflow-restore-drill",
    ):
        assert f"kubectl -n airflow {words}" in stop
    assert "statsd --replicas" not in page and "redis --replicas" not in page
    assert "airflow-pgbouncer --replicas=1" in migrate and "scheduler" not in migrate
    assert "airflow-api-server --replicas=1" in one
    assert "airflow-scheduler --replicas=1" in all_
    assert "wait` does not end where the Job fails" in rest
    assert "$" not in page


def test_the_job_restores_with_a_role_of_its_own_and_a_bound_in_time():
    config, job = yaml.safe_load_all(made(with_backup(), "20260601T020000Z")["1-restore.yaml"])
    assert "restore.sh" in config["data"] and "recipients.txt" not in config["data"]
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    values = {row["name"]: row.get("value", row.get("valueFrom")) for row in container["env"]}
    assert values["AT"] == "20260601T020000Z" and values["PGHOST"] == "pg.example.com"
    assert values["PGUSER"]["secretKeyRef"]["name"] == "airflow-restore"
    assert "1d6611b6ab7c" in values["ACCEPTED_HEADS"].split()
    assert job["spec"]["template"]["metadata"]["labels"]["component"] == "backup"
    assert not list(pod_security.problems([job], "restricted"))


def test_the_migration_is_the_charts_own_job_and_no_hook():
    (job,) = yaml.safe_load_all(made(with_backup())["2-migrate.yaml"])
    assert job["metadata"] == {"name": "airflow-restore-migrate", "namespace": "airflow"}
    assert job["spec"] == MIGRATION["spec"]
    assert "annotations" in MIGRATION["metadata"]


def test_an_embedded_server_stays_up():
    page = made(with_backup(DEV))["README.md"]
    assert "postgresql --replicas" not in page and "`postgres` stays as it is" in page


def test_what_gen_env_did_not_make_it_does_not_restore():
    for text, hint in (
        (PRODUCTION, "add backup"),
        (PRODUCTION + "backup: {external: snapshots of the provider}\n", "snapshots"),
        (with_backup(MYSQL), "PostgreSQL alone"),
    ):
        with pytest.raises(UserError) as error:
            made(text)
        assert hint in error.value.hint
    with pytest.raises(UserError, match="no migration Job"):
        made(with_backup(), rendered=())


def test_a_time_needs_its_zone():
    assert restore.moment(None) == ""
    assert restore.moment("2026-06-01T04:00:00+02:00") == "20260601T020000Z"
    assert restore.moment("0900-06-01T00:00:00Z") == "09000601T000000Z"
    for text in (
        "0001-01-01T00:00:00+02:00",
        "9999-12-31T23:00:00-02:00",
        "2026-06-01T04:00:00",
        "2026-06-01",
        "yesterday",
        "",
    ):
        with pytest.raises(UserError, match="not a time with its zone"):
            restore.moment(text)


def test_a_release_that_gen_env_does_not_know_is_not_bounded():
    text = with_backup(changed(PRODUCTION, ("version: 3.2.2", "version: 3.99.0")))
    _, job = yaml.safe_load_all(made(text)["1-restore.yaml"])
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert {"name": "ACCEPTED_HEADS", "value": ""} in container["env"]
