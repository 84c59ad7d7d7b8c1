import pytest

from generator.diff.model import Side
from generator.diff.randomness import random_fields


def secret(name, **data):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data}


def found(first, second):
    return random_fields(Side("1", (first,)), Side("2", (second,)), environment="staging")


@pytest.mark.parametrize(
    ("name", "field", "pin"),
    [
        ("airflow-fernet-key", "fernet-key", "fernetKeySecretName"),
        ("airflow-api-secret-key", "api-secret-key", "apiSecretKeySecretName"),
        ("airflow-jwt-secret", "jwt-secret", "jwtSecretName"),
        ("airflow-redis-password", "password", "redis.passwordSecretName"),
        ("airflow-broker-url", "connection", "data.brokerUrlSecretName"),
        ("airflow-postgresql", "postgres-password", "postgresql.auth.existingSecret"),
    ],
)
def test_a_random_field_is_named_with_the_setting_that_pins_it(name, field, pin):
    (problem,) = found(secret(name, **{field: "c4n4ry1"}), secret(name, **{field: "c4n4ry2"}))
    assert (problem.rule, problem.environment) == ("render/random", "staging")
    assert f"the field data.{field} of Secret {name}" in problem.message
    assert pin in problem.hint
    assert "c4n4ry" not in problem.message + problem.hint


def test_a_random_annotation_is_pinned_by_the_secret_it_hashes():
    def pod(value):
        annotations = {"checksum/jwt-secret": value}
        template = {"metadata": {"annotations": annotations}}
        return {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"template": template}}

    (problem,) = found(pod("1"), pod("2"))
    assert "jwtSecretName" in problem.hint


def test_an_unknown_random_field_points_to_the_template():
    (problem,) = found(secret("x", a="1"), secret("x", a="2"))
    assert "random or date function" in problem.hint


def test_a_random_name_is_named():
    problems = found(secret("x-1"), secret("x-2"))
    assert {problem.message.split(" comes")[0] for problem in problems} == {
        "Secret x-1",
        "Secret x-2",
    }


def test_a_steady_render_has_no_problem():
    assert found(secret("x", a="1"), secret("x", a="1")) == ()
