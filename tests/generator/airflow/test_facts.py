"""Facts about Airflow's options, for each version, with what is said where nothing is known."""

import json

import pytest

from generator.airflow import facts, releases
from generator.airflow.facts import Answer, Fate
from generator.core.basis import Version

NEWEST = "3.3.2"


def fate(section, option, version):
    answer = facts.unknown(section, option, version)
    return answer and answer.fate


def test_a_version_is_answered_by_its_line():
    assert facts.line_of("3.2.0") == facts.Line("3.2", "3.2.2", False)
    assert facts.line_of("v2.11.0-python3.12") == facts.Line("2.11", "2.11.2", False)


@pytest.mark.parametrize("version", ["3.4.0", "4.0.0", "3.10.1"])
def test_a_newer_airflow_is_answered_by_the_newest_line_and_says_so(version):
    assert facts.line_of(version) == facts.Line("3.3", NEWEST, True)
    assert facts.unknown("core", "parallelism", version) is None
    assert fate("core", "paralelism", version) is Fate.UNKNOWN


@pytest.mark.parametrize("version", ["2.4.3", "1.10.15", "main", "", "3.0.0rc1"])
def test_nothing_is_said_of_what_is_older_or_no_release(version):
    assert facts.line_of(version) is None
    assert facts.unknown("core", "nonsense", version) is None
    assert facts.options(version) == facts.moved(version) == facts.removed(version) == ()


def test_an_option_is_listed_with_when_it_came():
    listed = {(item.section, item.name): item for item in facts.options("2.11.0")}
    assert len(listed) > 300
    assert listed["database", "load_default_connections"].deprecated == "2.7.0"
    assert listed["core", "might_contain_dag_callable"].added == "2.6.0"
    assert ("core", "might_contain_dag_callable") not in {
        (item.section, item.name) for item in facts.options("2.5.3")
    }


@pytest.mark.parametrize("version", releases.data("options")["lines"].values())
def test_every_documented_option_passes_in_its_own_version(version):
    wrong = {
        (item.section, item.name): answer
        for item in facts.options(version)
        if (answer := facts.unknown(item.section, item.name, version))
        and answer.fate is not Fate.MOVED
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("option", "version", "new", "read"),
    [
        ("core sql_alchemy_conn", "3.2.2", "database sql_alchemy_conn", True),
        ("core sql_alchemy_conn", "3.1.8", "database sql_alchemy_conn", False),
        ("core sql_alchemy_conn", "2.11.0", "database sql_alchemy_conn", True),
        ("webserver base_url", "3.2.2", "api base_url", True),
        ("webserver base_url", "3.0.6", "api base_url", False),
        ("webserver navbar_color", "3.2.2", "fab navbar_color", True),
        ("scheduler max_threads", "3.2.2", "dag_processor parsing_processes", False),
        ("scheduler max_threads", "2.9.3", "scheduler parsing_processes", True),
        ("api auth_backends", "3.1.8", "fab auth_backends", False),
        ("celery task_adoption_timeout", "3.3.2", "scheduler task_queued_timeout", False),
        ("kubernetes namespace", "2.11.0", "kubernetes_executor namespace", True),
        ("kubernetes namespace", "3.2.2", "kubernetes_executor namespace", False),
    ],
)
def test_a_moved_option_has_its_new_name_and_whether_the_old_one_is_read(
    option, version, new, read
):
    expected = Fate.MOVED if read else Fate.RENAMED
    assert facts.unknown(*option.split(), version) == Answer(expected, tuple(new.split()))


def test_an_option_of_a_later_line_is_not_unknown():
    answer = facts.unknown("dag_processor", "refresh_interval", "2.11.0")
    assert (answer.fate, answer.lines[0]) == (Fate.LATER, "3.0")


def test_a_removed_option_names_the_last_line_that_had_it():
    answer = facts.unknown("core", "check_slas", "3.2.2")
    assert (answer.fate, answer.lines[-1]) == (Fate.REMOVED, "2.11")


@pytest.mark.parametrize(
    ("section", "option", "suggestion"),
    [
        ("core", "paralelism", ("core", "parallelism")),
        ("core", "remote_logging", ("logging", "remote_logging")),
        ("celery", "worker_concurency", ("celery", "worker_concurrency")),
        ("schedular", "max_tis_per_query", ("scheduler", "max_tis_per_query")),
    ],
)
def test_a_misspelt_option_gets_the_likely_one(section, option, suggestion):
    answer = facts.unknown(section, option, "3.2.2")
    assert answer.fate is Fate.UNKNOWN
    assert suggestion in answer.suggestions


@pytest.mark.parametrize(
    ("section", "option"),
    [
        ("sentry", "anything"),
        ("celery_broker_transport_options", "own"),
        ("logging", "google_key_path"),
        ("CORE", "Parallelism"),
        ("database", "sql_alchemy_conn_secret"),
        ("celery", "broker_url_cmd"),
        ("common.io", "xcom_objectstorage_path"),
    ],
)
def test_nothing_is_wrong_with_open_sections_other_forms_and_options_of_providers(section, option):
    assert facts.unknown(section, option, "3.2.2") is None


def test_a_section_that_nobody_has_is_not_judged():
    assert facts.unknown("my_company", "flag", "3.2.2") == Answer(Fate.FOREIGN)


def test_a_variable_names_a_section_with_a_dot_by_an_underscore():
    assert facts.section_of_variable("COMMON_IO") == "common.io"
    assert facts.section_of_variable("DAG_PROCESSOR") == "dag_processor"


def test_lines_since_a_version_are_the_newest_of_each():
    assert facts.lines_since((3, 1, 0)) == ("3.1.8", "3.2.2", "3.3.2")
    assert len(facts.lines_since(())) == len(releases.data("options")["lines"])


@pytest.mark.parametrize("name", ["options", "migrations"])
def test_the_data_is_small(name):
    assert len(json.dumps(releases.data(name))) < 100_000


JUDGED = {
    "3.9.0": "3.9.0 (judged by the table of 3.3.2)",
    "3.3.9": "3.3.9 (judged by the table of 3.3.2)",
    "2.10.9": "2.10.9 (judged by the table of 2.10.5)",
    "3.3.2": "3.3.2",
    "2.7.1": "2.7.1",
    "2.3.0": "2.3.0 (unknown to gen-env)",
    "main": "main",
}


@pytest.mark.parametrize("version", JUDGED)
def test_a_version_that_no_table_has_names_the_one_that_it_is_judged_by(version):
    assert str(facts.judged(Version(version))) == JUDGED[version]
