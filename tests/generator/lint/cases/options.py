"""What the checks of lint/values/options.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import AIRFLOW2, given

URL = "https://a.example.com"

CASES = {
    "config/moved": (
        [
            {"config.webserver.base_url": URL},
            {"config.scheduler.parsing_processes": "4"},
            {"config.Webserver.Base_Url": URL},
            {"env": [{"name": "AIRFLOW__WEBSERVER__BASE_URL", "value": URL}]},
            {"scheduler.env": [{"name": "AIRFLOW__SCHEDULER__MAX_THREADS", "value": "2"}]},
            {"workers.celery.env": [{"name": "AIRFLOW__CORE__MAX_DB_RETRIES", "value": "2"}]},
            {"extraEnv": "- name: AIRFLOW__WEBSERVER__WORKERS\n  value: '1'\n"},
            {"secret": [{"envName": "AIRFLOW__CORE__SQL_ALCHEMY_CONN", "secretName": "s"}]},
            given(AIRFLOW2, {"config.core.sql_alchemy_conn": "postgresql://db"}),
            given(AIRFLOW2, {"config.kubernetes.namespace": "x"}),
            {"airflowVersion": "9.1.0", "config.webserver.base_url": URL},
        ],
        [
            {"config.api.base_url": URL},
            given(AIRFLOW2, {"config.webserver.base_url": URL}),
            {"env": [{"name": "AIRFLOW__API__BASE_URL", "value": URL}]},
            {"env": [{"name": "AIRFLOW_VAR_WEBSERVER__BASE_URL", "value": URL}]},
            {"airflowVersion": "main", "config.webserver.base_url": URL},
        ],
    ),
    "config/removed": (
        [
            {"config.core.check_slas": "True"},
            {"config.core.task_runner": "StandardTaskRunner"},
            {"extraEnv": "- name: AIRFLOW__SMTP__SMTP_USER\n  value: x\n"},
            {"triggerer.env": [{"name": "AIRFLOW__CORE__DAG_ORIENTATION", "value": "LR"}]},
        ],
        [
            given(AIRFLOW2, {"config.core.check_slas": "True"}),
            {"config.core.parallelism": "32"},
            {"config.celery.worker_concurrency": "8"},
        ],
    ),
    "config/variable-name": (
        [
            {"env": [{"name": "AIRFLOW_CORE__PARALLELISM", "value": "32"}]},
            {"env": [{"name": "AIRFLOW__CORE_PARALLELISM", "value": "32"}]},
            {"env": [{"name": "AIRFLOW_CORE_PARALLELISM", "value": "32"}]},
            {"env": [{"name": "AIRFLOW__CORE___PARALLELISM", "value": "32"}]},
            {"env": [{"name": "airflow__core__parallelism", "value": "32"}]},
            {"scheduler.env": [{"name": "AIRFLOW_CORE__NO_SUCH", "value": "2"}]},
            {"extraEnv": "- name: AIRFLOW_DATABASE__SQL_ALCHEMY_CONN_CMD\n  value: x\n"},
            {"secret": [{"envName": "AIRFLOW_WEBSERVER__BASE_URL", "secretName": "s"}]},
            {"airflowVersion": "9.1.0", "env": [{"name": "AIRFLOW_API__BASE_URL", "value": URL}]},
        ],
        [
            {"env": [{"name": "AIRFLOW__CORE__PARALLELISM", "value": "32"}]},
            {"env": [{"name": "AIRFLOW__TEAM_A___CELERY__BROKER_URL", "value": "redis://x"}]},
            {"env": [{"name": "AIRFLOW_VAR_CORE__PARALLELISM", "value": "32"}]},
            {"env": [{"name": "AIRFLOW_CONN_CORE__PARALLELISM", "value": "32"}]},
            {"env": [{"name": "AIRFLOW_HOME", "value": "/opt/airflow"}]},
            {"env": [{"name": "AIRFLOW_OWN__THING", "value": "1"}]},
            {"env": [{"name": "_AIRFLOW_WWW_USER_CREATE", "value": "true"}]},
            {
                "env": [
                    {"name": "AIRFLOW_CORE_FERNET_KEY", "value": "x"},
                    {"name": "OWN", "value": "$(AIRFLOW_CORE_FERNET_KEY)"},
                ]
            },
        ],
    ),
    "config/unknown-option": (
        [
            {"config.core.paralelism": "32"},
            {"config.celery.worker_concurency": "8"},
            {"config.nosuchsection.x": "1"},
            {"config.schedular.max_tis_per_query": "16"},
            {"env": [{"name": "AIRFLOW__CORE__PARALELISM", "value": "32"}]},
            given(AIRFLOW2, {"config.dag_processor.refresh_interval": "30"}),
        ],
        [
            {"config.core.parallelism": "32"},
            {"config.sentry.max_breadcrumbs": "10"},
            {"config.celery_broker_transport_options.visibility_timeout": "100"},
            {"config.celery_broker_transport_options.own": "100"},
            {"env": [{"name": "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH", "value": "s3://a"}]},
            {"env": [{"name": "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", "value": "cat x"}]},
            {"env": [{"name": "AIRFLOW__TEAM_A___CELERY__BROKER_URL", "value": "redis://x"}]},
            {"env": [{"name": "PARALELISM", "value": "1"}]},
        ],
    ),
}
