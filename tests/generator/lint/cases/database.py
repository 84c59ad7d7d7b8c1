"""What the checks of lint/values/database.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import BY_SECRET, EXTERNAL, given

CASES = {
    "database/embedded": (
        [{}],
        [{"@tier": "development"}, {"postgresql.enabled": False}],
    ),
    "database/embedded-left-on": (
        [{"data.metadataSecretName": "db"}, {"data.metadataConnection.host": "db.example.com"}],
        [{"data.metadataSecretName": "db", "postgresql.enabled": True}, BY_SECRET, {}],
    ),
    "database/no-host": (
        [{"postgresql.enabled": False}],
        [BY_SECRET, EXTERNAL],
    ),
    "database/sqlite": (
        [{"data.metadataConnection.protocol": "sqlite"}],
        [{"data.metadataConnection.protocol": "mysql"}],
    ),
    "database/protocol-driver": (
        [{"data.metadataConnection.protocol": "postgresql+psycopg2"}],
        [{"data.metadataConnection.protocol": "postgresql"}],
    ),
    "database/no-tls": (
        [given(EXTERNAL, {"data.metadataConnection.sslmode": "disable"})],
        [EXTERNAL, {}],
    ),
    "database/spaces": (
        [{"data.metadataConnection.pass": "two words"}],
        [{"data.metadataConnection.pass": "oneword"}],
    ),
    "database/default-password": (
        [{"data.metadataConnection.host": "db.example.com"}],
        [EXTERNAL],
    ),
    "database/connection-ignored": (
        [given(BY_SECRET, {"data.metadataConnection.host": "db.example.com"})],
        [BY_SECRET],
    ),
    "database/postgresql-keys": (
        [{"postgresql.postgresqlPassword": "x"}],
        [{"postgresql.auth.existingSecret": "x"}],
    ),
    "database/async-sslmode": (
        [EXTERNAL],
        [
            given(EXTERNAL, airflowVersion="3.0.6"),
            given(
                EXTERNAL,
                secret=[
                    {
                        "envName": "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
                        "secretName": "db",
                    }
                ],
            ),
        ],
    ),
}
