import configparser

import pytest

from generator.core.errors import UserError
from generator.redaction.secret import Secret
from generator.seal import pgbouncer

DATABASE = pgbouncer.Database(pgbouncer.METADATA_ALIAS, "pg.internal", "airflow", pool_size=40)


def parsed(text):
    reader = configparser.ConfigParser(interpolation=None)
    reader.read_string(text)
    return reader


def test_the_ini_names_databases_and_pooling():
    read = parsed(
        pgbouncer.ini(
            [
                DATABASE,
                pgbouncer.Database("airflow-result-backend", "pg.internal", "airflow"),
            ],
            stats_user="airflow",
            max_client_connections=400,
            server_tls_sslmode="require",
        )
    )
    assert dict(read["databases"]) == {
        "airflow-metadata": "host=pg.internal port=5432 dbname=airflow pool_size=40",
        "airflow-result-backend": "host=pg.internal port=5432 dbname=airflow pool_size=10",
    }
    section = read["pgbouncer"]
    assert section["listen_port"] == "6543"
    assert section["pool_mode"] == "transaction"
    assert section["auth_file"] == "/etc/pgbouncer/users.txt"
    assert section["max_client_conn"] == "400"
    assert section["server_tls_sslmode"] == "require"


def test_options_are_added_and_replace():
    read = parsed(
        pgbouncer.ini(
            [DATABASE],
            stats_user="a",
            options={"max_prepared_statements": "100", "pool_mode": "session"},
        )
    )
    assert read["pgbouncer"]["max_prepared_statements"] == "100"
    assert read["pgbouncer"]["pool_mode"] == "session"


def test_a_database_with_spaces_and_quotes_is_quoted():
    assert "dbname='air''s flow'" in pgbouncer.Database("a", "h", "air's flow").line()


def test_users_are_quoted_sorted_and_secret():
    made = pgbouncer.users({"b": Secret('p"w'), 'a"x': Secret("secret word")})
    assert made.text() == '"a""x" "secret word"\n"b" "p""w"\n'
    assert "secret word" not in repr(made)


@pytest.mark.parametrize("password", ["a\nb", "a\rb", "a\0b"])
def test_a_line_end_cannot_add_a_user(password):
    with pytest.raises(UserError, match="line end"):
        pgbouncer.users({"a": Secret(password)})


def test_a_line_end_cannot_add_a_setting():
    with pytest.raises(UserError):
        pgbouncer.ini([DATABASE], stats_user="a\nauth_type = trust")
    with pytest.raises(UserError):
        pgbouncer.Database("a", "h auth_user=postgres", "d").line()
    with pytest.raises(UserError):
        pgbouncer.Database("a", "h", "d\n[pgbouncer]").line()
