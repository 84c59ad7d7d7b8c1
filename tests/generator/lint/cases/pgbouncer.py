"""What the checks of lint/values/pgbouncer.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import BY_SECRET, EXTERNAL, given

CASES = {
    "pgbouncer/secrets": (
        [given(BY_SECRET, {"pgbouncer.enabled": True})],
        [
            given(
                BY_SECRET,
                {
                    "pgbouncer.enabled": True,
                    "pgbouncer.configSecretName": "a",
                    "pgbouncer.metricsExporterSidecar.statsSecretName": "b",
                },
            )
        ],
    ),
    "pgbouncer/client-tls": (
        [given(EXTERNAL, {"pgbouncer.enabled": True})],
        [
            given(
                EXTERNAL, {"pgbouncer.enabled": True, "data.metadataConnection.sslmode": "disable"}
            )
        ],
    ),
    "pgbouncer/mysql": (
        [{"pgbouncer.enabled": True, "data.metadataConnection.protocol": "mysql"}],
        [{"pgbouncer.enabled": True}],
    ),
    "pgbouncer/pre-stop": (
        [{"pgbouncer.enabled": True}],
        [
            {
                "pgbouncer.enabled": True,
                "pgbouncer.containerLifecycleHooks.preStop.exec.command": ["sh", "-c", "sleep 25"],
            }
        ],
    ),
    "pgbouncer/result-backend-name": (
        [
            {
                "@release": "flow",
                "useStandardNaming": True,
                "pgbouncer.enabled": True,
                "data.resultBackendConnection": {"user": "u", "db": "d"},
            }
        ],
        [
            {
                "useStandardNaming": True,
                "pgbouncer.enabled": True,
                "data.resultBackendConnection": {"user": "u", "db": "d"},
            }
        ],
    ),
    "pgbouncer/connections": (
        [{"pgbouncer.enabled": True, "scheduler.replicas": 4, "apiServer.replicas": 4}],
        [{"pgbouncer.enabled": True}],
    ),
}
