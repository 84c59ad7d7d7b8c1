"""What the checks of lint/values/ingress.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import INGRESS, KUBERNETES, given

CASES = {
    "ingress/catches-all": (
        [{"ingress.apiServer.enabled": True}],
        [INGRESS],
    ),
    "ingress/without-tls": (
        [given(INGRESS, {"ingress.apiServer.hosts": [{"name": "a.example.com"}]})],
        [INGRESS],
    ),
    "ingress/metrics-exposed": (
        [{"ingress.statsd.enabled": True}],
        [{"ingress.statsd.enabled": True, "statsd.enabled": False}],
    ),
    "ingress/service-port-name": (
        [given(INGRESS, {"apiServer.service.ports": [{"name": "http", "port": 8080}]})],
        [given(INGRESS, {"apiServer.service.ports": [{"name": "api-server", "port": 8080}]})],
    ),
    "ingress/proxy-headers": (
        [INGRESS],
        [given(INGRESS, {"apiServer.args": ["bash", "-c", "airflow api-server --proxy-headers"]})],
    ),
    "ingress/base-url": (
        [INGRESS, given(INGRESS, {"config.api.base_url": "https://b.example.com"})],
        [given(INGRESS, {"config.api.base_url": "https://a.example.com"})],
    ),
    "ingress/flower-open": (
        [{"flower.enabled": True}],
        [
            {"flower.enabled": True, "flower.secretName": "f"},
            given(KUBERNETES, {"flower.enabled": True}),
        ],
    ),
}
