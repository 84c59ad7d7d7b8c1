from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal import uri as uris

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def metadata(**changes):
    parts = {"host": "pg.internal", "name": "airflow", "user": "airflow", "password": Secret("pw")}
    return uris.database("postgresql", **(parts | changes))


def test_the_metadata_uri_of_postgresql():
    assert metadata(sslmode="require").uri().text() == (
        "postgresql://airflow:pw@pg.internal:5432/airflow?sslmode=require"
    )


def test_the_result_backend_differs_by_its_prefix_alone():
    found = metadata()
    assert uris.result_backend(found).uri().text() == "db+" + found.uri().text()


def test_the_brokers_uri_has_no_user():
    made = uris.redis(host="redis", password=Secret("pass"))
    assert made.uri().text() == "redis://:pass@redis:6379/0"
    assert (
        uris.redis(host="r", password=None, tls=True, database=3).uri().text()
        == "rediss://r:6379/3"
    )


def test_mysql_has_its_own_port():
    made = uris.database("mysql", host="db", name="a", user="u", password=Secret("p"))
    assert made.uri().text() == "mysql://u:p@db:3306/a"


def test_an_ipv6_address_stands_in_brackets():
    assert (
        metadata(host="2001:db8::1").uri().text()
        == "postgresql://airflow:pw@[2001:db8::1]:5432/airflow"
    )


def test_a_space_is_percent_encoded_and_never_a_plus():
    assert metadata(password=Secret("a b+c$HOME/@:?#%")).uri().text() == (
        "postgresql://airflow:a%20b%2Bc%24HOME%2F%40%3A%3F%23%25@pg.internal:5432/airflow"
    )


@given(user=TEXT, password=TEXT, name=TEXT)
def test_whatever_the_parts_hold_they_are_read_back_unchanged(user, password, name):
    parts = urlsplit(metadata(user=user, password=Secret(password), name=name).uri().text())
    assert (unquote(parts.username), unquote(parts.password)) == (user, password)
    assert unquote(parts.path[1:]) == name
    assert (parts.hostname, parts.port, parts.query, parts.fragment) == (
        "pg.internal",
        5432,
        "",
        "",
    )


@pytest.mark.parametrize("host", ["", "a b", "a/b", "u@h", "h:5432x", "-h", "h?x", "h#x", "h\n"])
def test_hosts_that_would_change_the_uri_are_refused(host):
    with pytest.raises(UserError, match="not a host"):
        metadata(host=host).uri()


def test_other_parts_that_cannot_be_right_are_refused():
    with pytest.raises(UserError, match="port 70000"):
        metadata(port=70000).uri()
    with pytest.raises(UserError, match="name of its database"):
        metadata(name="").uri()
    with pytest.raises(UserError, match="not a scheme"):
        uris.Connection("http", "h", "d").uri()
    with pytest.raises(UserError, match="not a valid sslmode"):
        metadata(sslmode="on")
    with pytest.raises(UserError, match="option of PostgreSQL"):
        uris.database(
            "mysql", host="h", name="n", user="u", password=Secret("p"), sslmode="require"
        )


def test_the_connection_does_not_show_its_password():
    assert "canary" not in repr(metadata(password=Secret("canary")))


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://u:p@pg.internal:5432/airflow?sslmode=require",
        "postgresql+psycopg2://other:x@PG.internal/airflow",
        "db+postgresql://pg.internal/airflow",
    ],
)
def test_the_fingerprint_is_of_the_place_and_not_of_the_credentials(uri):
    assert uris.fingerprint_of(Secret(uri)) == metadata().fingerprint()


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://u:p@pg2.internal:5432/airflow",
        "postgresql://u:p@pg.internal:5433/airflow",
        "postgresql://u:p@pg.internal:5432/other",
        "mysql://u:p@pg.internal:5432/airflow",
    ],
)
def test_another_place_has_another_fingerprint(uri):
    assert uris.fingerprint_of(Secret(uri)) != metadata().fingerprint()


@pytest.mark.parametrize(
    "value",
    [b"\xff\xfe", "plain", "user:password", "https://h/x", "postgresql://h:port/x", "redis://[x/0"],
)
def test_values_that_are_no_connection_have_no_fingerprint(value):
    assert uris.fingerprint_of(Secret(value)) is None


def test_built_uris_and_their_parts_agree():
    made = metadata(name="air flow", host="2001:db8::1", port=6543)
    assert uris.fingerprint_of(made.uri()) == made.fingerprint()


def test_fingerprints_survive_the_annotation():
    found = {"kedaConnection": "b2", "connection": "a1"}
    text = uris.format_fingerprints(found)
    assert text == "connection=a1,kedaConnection=b2"
    assert uris.parse_fingerprints(text) == found
    assert uris.parse_fingerprints("") == {}
