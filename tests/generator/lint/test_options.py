"""What is said of Airflow's options in values, word by word."""

import dataclasses

import pytest

from generator.airflow import facts
from generator.chart.traits import ChartTraits, Templates
from generator.core.problem import Severity
from generator.helmvalues.values import ValuesInput, merged
from generator.lint.values import options
from tests.generator.lint.defaults import DEFAULTS

CHECKS = (options.moved, options.removed, options.unknown_option)


def values_of(user, **more):
    return ValuesInput(user, merged(DEFAULTS, user), "1.22.0", defaults=DEFAULTS, **more)


def problems(user, **more):
    values = values_of(user, **more)
    return [problem for check in CHECKS for problem in check.problems(values)]


def only(user, **more):
    [problem] = problems(user, **more)
    return problem


def variable(name, value="1"):
    return {"env": [{"name": name, "value": value}]}


def test_a_whole_list_of_older_options_is_told_one_by_one():
    older = [move.old for move in facts.moved("3.2.2")] + list(facts.removed("3.2.2"))
    config = {}
    for section, name in older:
        config.setdefault(section, {})[name] = "1"
    assert len(problems({"config": config})) == len(set(older)) > 150


def test_an_old_name_that_is_still_read_is_told_with_the_new_one():
    problem = only({"config": {"webserver": {"enable_swagger_ui": "False"}}})
    assert problem.message == (
        "[webserver] enable_swagger_ui is an old name, which Airflow 3.2.2 still reads, with a "
        "warning"
    )
    assert problem.hint == "move it to config.api.enable_swagger_ui"
    assert problem.severity is Severity.WARNING


def test_an_old_name_that_nothing_reads_has_no_effect():
    problem = only({"config": {"core": {"dag_concurrency": "4"}}})
    assert problem.message == (
        "[core] dag_concurrency has no effect: Airflow 3.2.2 reads [core] "
        "max_active_tasks_per_dag instead"
    )


def test_a_variable_is_told_as_a_variable():
    problem = only(variable("AIRFLOW__WEBSERVER__ENABLE_SWAGGER_UI"))
    assert problem.message.startswith("AIRFLOW__WEBSERVER__ENABLE_SWAGGER_UI is an old name")
    assert problem.hint == "move it to AIRFLOW__API__ENABLE_SWAGGER_UI"


@pytest.mark.parametrize(
    "newer",
    [
        {"config": {"api": {"enable_swagger_ui": "True"}}},
        variable("AIRFLOW__API__ENABLE_SWAGGER_UI"),
    ],
)
def test_an_old_name_beside_the_new_one_has_no_effect(newer):
    older = {"config": {"webserver": {"enable_swagger_ui": "False"}}}
    problem = only(merged(older, newer))
    assert "[api] enable_swagger_ui is set too, and read first" in problem.message


def test_a_file_does_not_outweigh_an_old_variable():
    older = variable("AIRFLOW__WEBSERVER__ENABLE_SWAGGER_UI")
    problem = only(older | {"config": {"api": {"enable_swagger_ui": "True"}}})
    assert "still reads" in problem.message


def test_the_connection_under_its_old_name_is_used_only_without_the_chart_s_own_variable():
    older = {"config": {"core": {"sql_alchemy_conn": "postgresql://db"}}}
    own = {"enableBuiltInSecretEnvVars": {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": False}}
    assert "is set too, and read first" in only(older).message
    assert "still reads" in only(older | own).message


def test_a_misspelt_option_gets_the_likely_one():
    problem = only({"config": {"core": {"paralelism": "4"}}})
    assert problem.hint == "did you mean config.core.parallelism?"
    assert only(variable("AIRFLOW__CORE__PARALELISM")).hint == (
        "did you mean AIRFLOW__CORE__PARALLELISM?"
    )


def test_a_section_that_nobody_known_has_is_named_once_as_not_judged():
    problem = only({"config": {"my_company": {"a": "1", "b": "2"}}})
    assert problem.severity is Severity.INFO
    assert problem.message.startswith("not judged: [my_company]")


def test_a_newer_airflow_is_judged_by_the_newest_known_and_the_finding_says_so():
    version = {"airflowVersion": "3.9.0", "defaultAirflowTag": "3.9.0"}
    problem = only(version | {"config": {"core": {"check_slas": "True"}}})
    assert "Airflow 3.9.0 (judged by 3.3.2, the newest known)" in problem.message


def test_without_a_version_only_what_holds_for_all_of_the_chart_is_said():
    config = {"core": {"paralelism": "4", "check_slas": "1"}, "webserver": {"base_url": "x"}}
    user = {"airflowVersion": "main", "config": config}
    assert {problem.rule for problem in problems(user)} == {"config/unknown-option"}
    told = problems(user, traits=ChartTraits("1.22.0", templates=Templates((3, 1, 0))))
    assert {problem.rule for problem in told} == {
        "config/unknown-option", "config/removed", "config/moved"
    }  # fmt: skip
    assert "Airflow 3.1.8 to 3.3.2" in told[0].message


def test_where_image_and_chart_disagree_only_what_holds_for_both_is_said():
    user = {"airflowVersion": "3.2.2", "config": {"core": {"check_slas": "True"}}}
    assert problems(user | {"images": {"airflow": {"tag": "2.11.2"}}}) == []
    assert "Airflow 3.1.8 and 3.2.2" in only(user | {"defaultAirflowTag": "3.1.8"}).message


def test_an_airflow_older_than_all_that_are_known_is_not_judged():
    assert problems({"airflowVersion": "2.4.3", "config": {"core": {"nonsense": "1"}}}) == []


def test_a_default_of_the_chart_that_a_copied_file_repeats_is_not_told():
    values = values_of({"config": {"scheduler": {"statsd_on": "True"}}})
    defaults = {**DEFAULTS, "config": {"scheduler": {"statsd_on": "True"}}}
    copied = dataclasses.replace(values, defaults=defaults)
    assert [*options.moved.problems(values)] and not [*options.moved.problems(copied)]


MISSPELT = {
    "AIRFLOW_CORE__PARALLELISM": "did you mean AIRFLOW__CORE__PARALLELISM?",
    "AIRFLOW_Core_Parallelism": "did you mean AIRFLOW__CORE__PARALLELISM?",
    "AIRFLOW_DATABASE__SQL_ALCHEMY_CONN_CMD": (
        "did you mean AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD?"
    ),
    "AIRFLOW_WEBSERVER__BASE_URL": "did you mean AIRFLOW__API__BASE_URL?",
    "AIRFLOW_COMMON_IO__XCOM_OBJECTSTORAGE_PATH": (
        "did you mean AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH?"
    ),
    "AIRFLOW_CORE__CHECK_SLAS": "remove it, or write a variable as AIRFLOW__SECTION__OPTION",
    "AIRFLOW_CORE__NO_SUCH": "remove it, or write a variable as AIRFLOW__SECTION__OPTION",
}


@pytest.mark.parametrize("name", MISSPELT)
def test_a_variable_under_another_name_is_led_to_one_that_airflow_reads(name):
    [problem] = options.variable_name.problems(values_of(variable(name)))
    assert problem.message == (
        f"{name} has no effect on Airflow, which does not read a variable of this name"
    )
    assert problem.hint == MISSPELT[name]
    asked = problem.hint.removeprefix("did you mean ").rstrip("?")
    assert not [
        after
        for check in (*CHECKS, options.variable_name)
        for after in check.problems(values_of(variable(asked)))
    ]


@pytest.mark.parametrize(
    ("user", "used"),
    [
        ({"extraEnv": "- name: AIRFLOW_CORE_X__Y\n  value: a\n"}, False),
        ({"extraEnv": "- name: AIRFLOW_CORE__X\n  value: a\n"}, False),
        ({"extraEnv": "- name: airflow_CORE__X\n  value: a\n"}, False),
        ({"extraEnv": "- name: AIRFLOW_CORE__X\n- name: A\n  value: $(AIRFLOW_CORE__X)\n"}, True),
        ({**variable("AIRFLOW_CORE__X"), "secret": [{"envName": "AIRFLOW_CORE__X"}]}, False),
        ({**variable("AIRFLOW_CORE__X"), "scheduler": {"args": ["run $AIRFLOW_CORE__X"]}}, True),
    ],
)
def test_a_variable_that_another_value_uses_is_ones_own(user, used):
    found = list(options.variable_name.problems(values_of(user)))
    assert bool(found) == (not used and "CORE__X" in str(user))
