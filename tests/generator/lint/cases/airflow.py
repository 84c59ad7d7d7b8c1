"""What the checks of lint/values/airflow.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import AIRFLOW2, given

CASES = {
    "airflow/version-invalid": (
        [{"airflowVersion": "main"}, {"airflowVersion": "3.0.0rc1"}],
        [{"airflowVersion": "3.2"}, {"airflowVersion": "3.2.2+b"}],
    ),
    "airflow/version-prerelease": (
        [{"airflowVersion": "3.2.2-python3.12"}],
        [{"airflowVersion": "3.2.2"}],
    ),
    "airflow/version-unsupported": (
        [{"airflowVersion": "2.10.5"}],
        [
            {"airflowVersion": "2.11.0"},
            {"airflowVersion": "2.9.3", "@chart_version": "1.19.0"},
        ],
    ),
    "airflow/chart-too-old": (
        [{"airflowVersion": "3.0.2", "@chart_version": "1.15.0"}],
        [
            {"airflowVersion": "3.0.2", "@chart_version": "1.16.0"},
            {"airflowVersion": "2.11.0", "@chart_version": "1.15.0"},
        ],
    ),
    "airflow/version-differs-from-image": (
        [{"images.airflow.tag": "2.11.0"}, {"defaultAirflowTag": "3.1.0-r4"}],
        [{"images.airflow.tag": "3.2.2-r17"}, {"images.airflow.tag": "r17"}],
    ),
    "airflow/webserver-keys": (
        [{"webserver.replicas": 2}, {"ingress.web.enabled": True}],
        [given(AIRFLOW2, {"webserver.replicas": 2}), {"webserver.allowPodLogReading": False}],
    ),
    "airflow/webserver-config": (
        [{"webserver.webserverConfig": "x = 1"}],
        [given(AIRFLOW2, {"webserver.webserverConfig": "x = 1"})],
    ),
    "airflow/api-server-keys": (
        [given(AIRFLOW2, {"apiServer.replicas": 2})],
        [{"apiServer.replicas": 2}],
    ),
    "airflow/dag-processor-off": (
        [{"dagProcessor.enabled": False}],
        [given(AIRFLOW2, {"dagProcessor.enabled": False}), {"dagProcessor.enabled": True}],
    ),
    "airflow/api-server-off": (
        [{"apiServer.enabled": False}],
        [given(AIRFLOW2, {"apiServer.enabled": False})],
    ),
    "airflow/fullname-ignored": (
        [{"fullnameOverride": "flow"}],
        [{"fullnameOverride": "flow", "useStandardNaming": True}],
    ),
    "airflow/home-in-wait-containers": (
        [{"airflowHome": "/srv/airflow"}],
        [{"airflowHome": "/opt/airflow/"}],
    ),
}
