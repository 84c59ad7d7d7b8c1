import pytest

from generator.impact.rules.migrations import KNOWN, SCHEMA_VERSIONS, Class, classify
from tests.generator.impact.builders import found, manifest, workload


@pytest.mark.parametrize(
    ("base", "head", "kind"),
    [
        ("3.2.2", "3.2.2", Class.NONE),
        ("3.2.0", "3.2.2", Class.REVERSIBLE),
        ("3.2.2", "3.2.0", Class.REVERSIBLE),
        ("3.1.0", "3.1.7", Class.REVERSIBLE),
        ("3.1.7", "3.1.8", Class.DOWNGRADE),
        ("3.0.2", "3.0.3", Class.DOWNGRADE),
        ("3.1.7", "3.2.0", Class.DOWNGRADE),
        ("2.10.2", "2.10.3", Class.DOWNGRADE),
        ("2.10.3", "2.11.0", Class.REVERSIBLE),
        ("2.11.0", "3.2.2", Class.ONE_WAY),
        ("3.0.0", "2.11.0", Class.ONE_WAY),
        ("3.2.0", "3.1.8", Class.BACKWARD),
        ("3.2.2", "3.9.0", Class.DOWNGRADE),
        ("3.2.2", "3.2.9", Class.DOWNGRADE),
        ("3.9.1", "3.9.0", Class.BACKWARD),
        ("3.2.2-r1", "3.2.2-r2", Class.NONE),
        ("3.2", "3.2.0", Class.NONE),
    ],
)
def test_classes_of_migrations(base, head, kind):
    assert classify(base, head).kind is kind


@pytest.mark.parametrize(
    "pair", [("latest", "3.2.2"), ("3.2.2", "main"), ("3.0.0rc1", "3.0.0"), ("", "3.2.2")]
)
def test_what_is_no_release_cannot_be_classed(pair):
    assert classify(*pair) is None


def test_every_class_but_none_says_what_to_do_or_why():
    assert "airflow db downgrade --to-version 3.1.7" in classify("3.1.7", "3.2.0").reason
    assert "backup" in classify("2.11.0", "3.2.2").reason
    assert "revert is enough" in classify("3.2.0", "3.2.2").reason
    assert "newer than the migrations known here" in classify("3.2.2", "3.9.0").reason


def test_the_table_is_in_order():
    assert list(SCHEMA_VERSIONS) == sorted(SCHEMA_VERSIONS)
    assert SCHEMA_VERSIONS[-1] <= KNOWN


def job(tag="3.1.7"):
    template = {
        "metadata": {"labels": {"component": "run-airflow-migrations"}},
        "spec": {"containers": [{"name": "run", "image": f"r/airflow:{tag}"}]},
    }
    return manifest("batch/v1", "Job", "migrations", spec={"template": template})


def moved(rule, base, head, old="3.1.7", new="3.2.0"):
    return found(base, head, rule, {"airflow_version": old}, {"airflow_version": new})


@pytest.mark.parametrize(
    ("old", "new", "severity"),
    [("3.1.7", "3.2.0", "warning"), ("3.2.0", "3.2.1", "info"), ("2.11.0", "3.2.0", "error")],
)
def test_the_severity_follows_the_way_back(old, new, severity):
    (item,) = moved("migration", [job()], [job()], old, new)
    assert item.severity == severity
    assert str(item.resource) == "Job airflow/migrations"


def test_the_version_is_read_from_the_image_where_it_is_not_declared():
    (item,) = found([job("3.1.7")], [job("3.2.0-r4")], "migration")
    assert "Airflow 3.1.7 → 3.2.0-r4" in item.message


def test_a_version_that_cannot_be_classed_is_a_warning():
    (item,) = moved("migration", [job()], [job()], "3.1.7", "nightly")
    assert "cannot classify the migration" in item.message


def test_an_unchanged_version_migrates_nothing():
    assert moved("migration", [job()], [job()], "3.2.0", "3.2.0") == []


def test_a_new_environment_migrates_nothing():
    assert moved("migration", [], [job()]) == []


def test_a_needed_migration_without_a_job_is_an_error():
    (item,) = moved("migration-job", [workload("scheduler")], [workload("scheduler")])
    assert item.severity == "error"
    assert moved("migration-job", [job()], [job()]) == []
    assert moved("migration-job", [workload("a")], [workload("a")], "3.2.0", "3.2.1") == []
