import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.chart.chart import open_chart
from generator.render.failure import from_message, plain, suspects
from generator.render.request import Fault
from tests.effort import examples
from tests.generator.chart.samples import write
from tests.generator.render.samples import request


@pytest.fixture(scope="module")
def chart(tmp_path_factory):
    return open_chart(write(tmp_path_factory.mktemp("chart")))


def failure(chart, message, values=None):
    return from_message(message, request(chart.path, values or {}), chart)


def test_the_innermost_template_of_a_chain_is_the_place(chart):
    found = failure(
        chart,
        "template: airflow/templates/workers/worker.yaml:124:36: executing "
        '"airflow/templates/workers/worker.yaml" at <include (print $.Template.BasePath '
        '"/configmaps/configmap.yaml") .>: error calling include: template: '
        'airflow/templates/configmaps/configmap.yaml:57:20: executing "airflow/templates/'
        'configmaps/configmap.yaml" at <.Values.scheduler.x.y>: nil pointer evaluating '
        "interface {}.y\n\nUse --debug flag to render out invalid YAML",
    )
    assert (found.template, found.line) == ("airflow/templates/configmaps/configmap.yaml", 57)
    assert found.values_key == "scheduler.x.y"
    assert found.message == "at <.Values.scheduler.x.y>: nil pointer evaluating interface {}.y"


def test_a_message_that_fits_no_pattern_is_passed_on(chart):
    found = failure(chart, "Error: something new")
    assert (found.kind, found.message, found.template) == ("template", "something new", "")


def test_a_schema_error_of_a_subchart_carries_its_name(chart):
    found = failure(
        chart,
        "values don't meet the specifications of the schema(s) in the following chart(s):\n"
        "airflow:\n- at '/executor': got number, want string\n"
        "postgresql:\n- at '/auth': validation failed\n  - at '/auth/users/0/a~1b': got null\n",
    )
    assert found.faults == (
        Fault("executor", "got number, want string"),
        Fault("postgresql.auth.users[0].a/b", "got null"),
    )


def test_the_wording_of_an_older_helm_is_understood(chart):
    found = failure(
        chart,
        "values don't meet the specifications of the schema(s) in the following chart(s):\n"
        "airflow:\n- scheduler.replicas: Invalid type. Expected: integer, given: string\n"
        "- (root): Additional property zzz is not allowed\n",
    )
    assert found.faults == (
        Fault("scheduler.replicas", "Invalid type. Expected: integer, given: string"),
        Fault("values", "Additional property zzz is not allowed"),
    )


def test_templates_among_the_values_are_named_as_suspects():
    values = {"a": "{{ x }}", "b": "plain", "env": [{"value": "{{ y }}"}]}
    assert suspects(values) == "values that hold templates: a, env[0].value"
    assert suspects({f"k{n}": "{{" for n in range(7)}).endswith("and 2 more")
    assert "extreme size" in suspects({"b": "plain"})


@examples(200)
@given(st.text())
def test_no_message_whatever_breaks_the_reading(chart, message):
    found = failure(chart, message)
    assert found.kind in ("template", "schema", "yaml")
    for prefix in (
        "values don't meet the specifications of the schema(s)\n",
        "YAML parse error on ",
        "execution error at (",
        "template: airflow/templates/x.yaml:1:2: ",
    ):
        assert str(failure(chart, prefix + message))


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        ("request", "render/request"),
        ("chart", "render/chart"),
        ("schema", "chart/schema"),
        ("template", "render/template"),
        ("yaml", "render/yaml"),
        ("limit", "render/limit"),
        ("engine", "render/engine"),
    ],
)
def test_each_kind_of_failure_has_its_rule(kind, rule):
    (problem,) = plain(kind, "no").problems(environment="dev", path="a.yaml")
    assert (problem.rule, problem.severity, problem.place) == (rule, "error", "a.yaml")
