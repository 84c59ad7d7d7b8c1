"""What the checks of lint/values/plaintext_secrets.py must find, and what they must let pass."""

CASES = {
    "secrets/inline": (
        [{"fernetKey": "k"}, {"extraSecrets": {"a": {"stringData": "k: v"}}}],
        [{"fernetKeySecretName": "k"}, {"@tier": "development", "fernetKey": "k"}],
    ),
    "secrets/in-config": (
        [
            {"config.core.fernet_key": "k"},
            {"config.celery.broker_url": "redis://:p@host"},
            {"config.secrets.backend_kwargs": '{"secret_id": "x"}'},
        ],
        [
            {"config.core.parallelism": "64"},
            {"config.celery.broker_url": "redis://host"},
            {"config.secrets.backend_kwargs": '{"role_id": "x"}'},
        ],
    ),
    "secrets/in-environment": (
        [
            {"env": [{"name": "SNOWFLAKE_PASSWORD", "value": "x"}]},
            {"scheduler.env": [{"name": "AIRFLOW_CONN_PG", "value": "x"}]},
        ],
        [
            {"env": [{"name": "AIRFLOW__CORE__FERNET_KEY_CMD", "value": "x"}]},
            {"env": [{"name": "AWS_REGION", "value": "x"}]},
        ],
    ),
}
