"""What the checks of lint/values/config.py must find, and what they must let pass."""

CASES = {
    "config/number": (
        [{"config.scheduler.max_tis": 1000000}, {"pgbouncer.maxClientConn": 2000000}],
        [{"config.scheduler.max_tis": "1000000"}, {"config.scheduler.max_tis": 999999}],
    ),
    "config/template": (
        [
            {"config.logging.log_filename_template": "{{ ti.dag_id }}/x"},
            {"config.core.x": "{{ ds_nodash }}"},
        ],
        [
            {"config.core.x": "{{ .Values.executor }}"},
            {"config.core.x": "{{`{{ ti.dag_id }}`}}"},
            {"config.core.x": '{{ include "airflow.fullname" . }}'},
        ],
    ),
    "config/variable-style": (
        [
            {"config.AIRFLOW__CORE__LOAD_EXAMPLES": {"value": "False"}},
            {"config.AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
            {"config.core.AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
            {"config.AIRFLOW_CORE__LOAD_EXAMPLES": "False"},
        ],
        [{"config.core.load_examples": "False"}, {"config.airflow__core.x": "1"}],
    ),
    "config/variable-dropped": (
        [
            {"scheduler.env": [{"name": "A", "value": ""}]},
            {
                "workers.celery.env": [
                    {
                        "name": "A",
                        "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}},
                    }
                ]
            },
        ],
        [{"scheduler.env": [{"name": "A", "value": "1"}]}],
    ),
    "config/backend-arguments": (
        [{"config.secrets.backend_kwargs": "url=https://vault"}],
        [{"config.secrets.backend_kwargs": '{"url": "https://vault"}'}],
    ),
}
