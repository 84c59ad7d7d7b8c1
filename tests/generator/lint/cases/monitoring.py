"""What the checks of lint/values/monitoring.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import KUBERNETES, given

CASES = {
    "monitoring/statsd-host": (
        [{"statsd.enabled": False, "config.metrics.statsd_on": "True"}],
        [
            {
                "statsd.enabled": False,
                "config.metrics.statsd_on": "True",
                "config.metrics.statsd_host": "datadog",
            }
        ],
    ),
    "monitoring/no-metrics": (
        [{"@tier": "production", "statsd.enabled": False}],
        [{"@tier": "production"}, {"statsd.enabled": False}],
    ),
    "monitoring/two-kinds-of-metrics": (
        [
            {"config.metrics.statsd_on": "True", "config.metrics.otel_on": "True"},
            {"otelCollector.metricsEnabled": True},
        ],
        [{"otelCollector.metricsEnabled": True, "statsd.enabled": False}],
    ),
    "monitoring/collector-goes-nowhere": (
        [{"otelCollector.tracesEnabled": True}],
        [{"otelCollector.tracesEnabled": True, "otelCollector.config": "receivers: {}"}],
    ),
    "monitoring/collector-image": (
        [{"otelCollector.tracesEnabled": True, "images.otelCollector.tag": "0.130.0"}],
        [
            {
                "otelCollector.tracesEnabled": True,
                "images.otelCollector.tag": "0.130.0",
                "otelCollector.config": "receivers: {}",
            }
        ],
    ),
    "monitoring/mappings-without-restart": (
        [{"statsd.overrideMappings": [{"match": "a"}]}],
        [{"statsd.overrideMappings": [{"match": "a"}], "statsd.podAnnotations": {"v": "1"}}],
    ),
    "monitoring/two-log-stores": (
        [{"elasticsearch.enabled": True, "opensearch.enabled": True}],
        [{"elasticsearch.enabled": True}],
    ),
    "monitoring/log-store-connection": (
        [
            {"elasticsearch.enabled": True},
            {
                "elasticsearch.enabled": True,
                "elasticsearch.secretName": "e",
                "elasticsearch.connection": {"host": "h"},
            },
        ],
        [{"elasticsearch.enabled": True, "elasticsearch.secretName": "e"}],
    ),
    "monitoring/logs-lost": (
        [KUBERNETES, {"workers.celery.persistence.enabled": False}],
        [
            {},
            given(KUBERNETES, {"config.logging.remote_logging": "True"}),
            given(KUBERNETES, {"logs.persistence.enabled": True}),
        ],
    ),
    "monitoring/remote-log-folder": (
        [{"config.logging.remote_logging": "True"}],
        [
            {
                "config.logging.remote_logging": "True",
                "config.logging.remote_base_log_folder": "s3://b/p",
            }
        ],
    ),
}
