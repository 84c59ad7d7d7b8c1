"""What the checks of lint/values/images.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import KUBERNETES, given

CASES = {
    "images/floating-tag": (
        [
            {"images.airflow.tag": "latest"},
            {"defaultAirflowTag": "main"},
            {"postgresql.enabled": True, "postgresql.image.tag": "latest"},
        ],
        [{"images.airflow.tag": "3.2.2"}],
    ),
    "images/frozen-registry": (
        [
            {
                "dags.gitSync.enabled": True,
                "images.gitSync.repository": "k8s.gcr.io/git-sync/git-sync",
            },
            {"images.statsd.repository": "k8s.gcr.io/prom/statsd-exporter"},
        ],
        [
            {
                "dags.gitSync.enabled": False,
                "images.gitSync.repository": "k8s.gcr.io/git-sync/git-sync",
            },
            {"images.statsd.repository": "registry.example.com/k8s.gcr.io/statsd-exporter"},
        ],
    ),
    "images/gone": (
        [
            {"postgresql.enabled": True, "postgresql.image.repository": "bitnami/postgresql"},
            {"images.redis.repository": "docker.io/bitnami/redis", "images.redis.tag": "7.2"},
        ],
        [
            {"postgresql.enabled": False, "postgresql.image.repository": "bitnami/postgresql"},
            {"postgresql.image.repository": "bitnamilegacy/postgresql"},
            {
                "postgresql.image.registry": "registry.example.com",
                "postgresql.image.repository": "bitnami/postgresql",
            },
            {
                "postgresql.enabled": False,
                "images.redis.repository": "registry.example.com/bitnami/redis",
            },
        ],
    ),
    "images/not-by-digest": (
        [{"@tier": "production"}],
        [
            {"@tier": "production", "defaultAirflowTag": "3.2.2@sha256:0000"},
            {"@tier": "production", "images.airflow.digest": "sha256:0000"},
            {},
        ],
    ),
    "images/digest-not-in-task-pods": (
        [given(KUBERNETES, {"images.airflow.digest": "sha256:0000"})],
        [
            {"images.airflow.digest": "sha256:0000"},
            given(KUBERNETES, defaultAirflowTag="3.2.2@sha256:0000"),
        ],
    ),
    "images/pod-template-differs": (
        [given(KUBERNETES, {"images.airflow.tag": "3.2.2-r1"})],
        [given(KUBERNETES, {"images.airflow.tag": "3.2.2-r1"}, defaultAirflowTag="3.2.2-r1")],
    ),
    "images/flower-differs": (
        [{"flower.enabled": True, "images.airflow.tag": "3.2.2-r1"}],
        [{"flower.enabled": True, "defaultAirflowTag": "3.2.2-r1"}],
    ),
    "images/migration-image-differs": (
        [{"images.useDefaultImageForMigration": True, "images.airflow.tag": "3.1.0"}],
        [{"images.useDefaultImageForMigration": True}],
    ),
    "images/pull-secret-missing": (
        [
            {
                "otelCollector.tracesEnabled": True,
                "images.otelCollector.repository": "registry.example.com/otel",
                "imagePullSecrets": ["registry"],
            }
        ],
        [{"otelCollector.tracesEnabled": True, "imagePullSecrets": ["registry"]}],
    ),
}
