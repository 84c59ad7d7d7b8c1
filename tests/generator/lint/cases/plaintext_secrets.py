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
            {"config.api.auth_header": "Authorization: Bearer abc123def"},
            {"config.metrics.hook": "https://hooks.slack.com/services/T0/B0/" + "a1" * 12},
            {"config.smtp.smtp_host": "smtp://user:pw@mail.example.com"},
        ],
        [
            {"config.core.parallelism": "64"},
            {"config.celery.broker_url": "redis://host"},
            {"config.secrets.backend_kwargs": '{"role_id": "x"}'},
            {"config.api.ssl_key": "/etc/ssl/tls.key"},
            {"config.api.base_url": "https://airflow.example.com/data"},
        ],
    ),
    "secrets/in-environment": (
        [
            {"env": [{"name": "SNOWFLAKE_PASSWORD", "value": "x"}]},
            {"scheduler.env": [{"name": "AIRFLOW_CONN_PG", "value": "x"}]},
            {"env": [{"name": "VAULT_SECRET_ID", "value": "x"}]},
            {"env": [{"name": "OAUTH_CLIENT_SECRET", "value": "x"}]},
            {"env": [{"name": "DATADOG_APP_KEY", "value": "x"}]},
            {
                "env": [
                    {"name": "ALERT", "value": "https://hooks.slack.com/services/T/B/" + "a" * 24}
                ]
            },
            {"env": [{"name": "NOTIFY", "value": "https://a.example.com/x/aB3dE6gH9jK1mN4pQ7sT"}]},
            {
                "env": [
                    {"name": "AIRFLOW_CONN_AWS", "value": "aws://AKIA:x@/?region_name=eu-west-1"}
                ]
            },
            {"env": [{"name": "AIRFLOW_CONN_AWS", "value": "aws:///?aws_secret_access_key=x"}]},
            {"env": [{"name": "AIRFLOW_CONN_X", "value": "http://user@host"}]},
            {
                "env": [
                    {
                        "name": "AIRFLOW_CONN_X",
                        "value": """{"conn_type": "aws", "login": "x", "password": "y"}""",
                    }
                ]
            },
            {
                "env": [
                    {
                        "name": "AIRFLOW_CONN_X",
                        "value": """{"conn_type": "x", "extra": {"token": "y"}}""",
                    }
                ]
            },
            {
                "env": [
                    {
                        "name": "AIRFLOW_CONN_X",
                        "value": """{"conn_type": "x", "extra": "{\\"api_key\\": \\"y\\"}"}""",
                    }
                ]
            },
            {
                "env": [
                    {
                        "name": "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
                        "value": "postgresql://u:p@h/db",
                    }
                ]
            },
            {"env": [{"name": "PROXY", "value": "http://user:pw@proxy.example.com:3128"}]},
        ],
        [
            {"env": [{"name": "AIRFLOW__CORE__FERNET_KEY_CMD", "value": "x"}]},
            {"env": [{"name": "AIRFLOW_CONN_AWS", "value": "aws:///?region_name=eu-west-1"}]},
            {"env": [{"name": "AIRFLOW_CONN_AWS", "value": "aws://"}]},
            {
                "env": [
                    {
                        "name": "AIRFLOW_CONN_X",
                        "value": """{"conn_type": "aws", "extra": {"region_name": "x"}}""",
                    }
                ]
            },
            {
                "env": [
                    {
                        "name": "AIRFLOW_CONN_X",
                        "value": """{"conn_type": "x", "extra": "{\\"region_name\\": \\"y\\"}"}""",
                    }
                ]
            },
            {
                "env": [
                    {
                        "name": "AIRFLOW__CELERY__RESULT_BACKEND",
                        "value": "redis://redis.example.com:6379/0",
                    }
                ]
            },
            {"env": [{"name": "AWS_REGION", "value": "x"}]},
            {"env": [{"name": "PROXY", "value": "http://proxy.example.com:3128"}]},
            {"env": [{"name": "ROUTING_KEY", "value": "tasks.default"}]},
            {"env": [{"name": "API_TOKEN", "value": "$(OTHER)"}]},
            {"env": [{"name": "MAX_TOKENS", "value": "4096"}]},
        ],
    ),
}
