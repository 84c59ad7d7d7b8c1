import pytest

from generator.render.nondeterminism import Pin, compare
from generator.render.request import RenderResult
from tests.generator.chart.samples import write
from tests.generator.render.samples import official_chart, randomness, request


@pytest.fixture
def chart(tmp_path):
    return write(tmp_path)


def test_a_random_field_is_named_with_the_value_that_pins_it(chart):
    (found,) = randomness(request(chart, {"staticKey": ""}))
    assert str(found.resource) == "Secret team/airflow-api-secret-key"
    assert found.field == "data.api-secret-key"
    assert found.pinned_by == ("apiSecretKeySecretName",)
    assert str(found).endswith("differs on every render; set apiSecretKeySecretName")


def test_a_render_without_randomness_has_no_findings(chart):
    assert randomness(request(chart)) == ()


def rendered(*manifests):
    return RenderResult(manifests, "", (), "e")


def config(name, **data):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_differences_are_found_at_any_depth():
    one = rendered(config("a", x=1, y=[1, {"z": 2}], w=[1]), config("gone"))
    other = rendered(config("a", x=2, y=[1, {"z": 3}], w=[1, 2]), config("new"))
    found = [(item.resource.name, item.field) for item in compare(one, other, "ns", ())]
    assert found == [
        ("a", "data.w"),
        ("a", "data.x"),
        ("a", "data.y[1].z"),
        ("gone", "(the whole object)"),
        ("new", "(the whole object)"),
    ]


def test_a_pin_speaks_of_its_own_field_alone():
    pins = (Pin("ConfigMap", "a*", "data.x", ("pinX",)), Pin("*", "*", "data.[yz]", ("pinYZ",)))
    one, other = rendered(config("a", x=1, y=1, w=1)), rendered(config("a", x=2, y=2, w=2))
    found = {item.field: item.pinned_by for item in compare(one, other, "ns", pins)}
    assert found == {"data.w": (), "data.x": ("pinX",), "data.y": ("pinYZ",)}


def test_a_finding_never_holds_the_random_value():
    found = compare(rendered(config("a", x="s3cret1")), rendered(config("a", x="s3cret2")), "n", ())
    assert "s3cret" not in repr(found)


@pytest.mark.few(1)
@pytest.mark.real_chart
@pytest.mark.parametrize(
    ("values", "fields"),
    [
        (
            {},
            {
                "Secret/airflow-api-secret-key",
                "Secret/airflow-broker-url",
                "Secret/airflow-fernet-key",
                "Secret/airflow-jwt-secret",
                "Secret/airflow-redis-password",
                "Deployment/airflow-api-server",
                "Deployment/airflow-scheduler",
            },
        ),
        (
            {"airflowVersion": "2.11.0"},
            {
                "Secret/airflow-broker-url",
                "Secret/airflow-fernet-key",
                "Secret/airflow-redis-password",
                "Secret/airflow-webserver-secret-key",
                "Deployment/airflow-webserver",
                "StatefulSet/airflow-worker",
            },
        ),
    ],
)
def test_every_random_field_of_the_official_chart_is_known(values, fields):
    found = randomness(request(official_chart(), values))
    assert {f"{item.resource.kind}/{item.resource.name}" for item in found} == fields
    assert [item for item in found if not item.pinned_by] == []


@pytest.mark.real_chart
def test_the_values_that_we_name_do_pin_the_official_chart():
    values = {
        "fernetKeySecretName": "a",
        "apiSecretKeySecretName": "b",
        "jwtSecretName": "c",
        "redis": {"passwordSecretName": "d"},
        "data": {"brokerUrlSecretName": "e"},
    }
    assert randomness(request(official_chart(), values)) == ()
