"""What the checks of lint/values/network.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import INGRESS, KEDA, given

PEERS = [
    {"podSelector": {"matchLabels": {"tier": "airflow", "release": "airflow"}}},
    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}},
]

CASES = {
    "network/execution-api-blocked": (
        [
            {"networkPolicies.enabled": True},
            {
                "networkPolicies.enabled": True,
                "apiServer.networkPolicy.ingress.from": [
                    {"podSelector": {"matchLabels": {"release": "another"}}}
                ],
            },
        ],
        [
            {"networkPolicies.enabled": True, "apiServer.networkPolicy.ingress.from": PEERS},
            {},
        ],
    ),
    "network/ingress-blocked": (
        [
            given(
                INGRESS,
                {
                    "networkPolicies.enabled": True,
                    "apiServer.networkPolicy.ingress.from": PEERS[:1],
                },
            )
        ],
        [
            given(
                INGRESS,
                {"networkPolicies.enabled": True, "apiServer.networkPolicy.ingress.from": PEERS},
            )
        ],
    ),
    "network/keda-blocked": (
        [given(KEDA, {"networkPolicies.enabled": True, "pgbouncer.enabled": True})],
        [
            given(
                KEDA,
                {
                    "networkPolicies.enabled": True,
                    "pgbouncer.enabled": True,
                    "workers.celery.keda.namespaceLabels": {"a": "b"},
                },
            )
        ],
    ),
    "network/metrics-blocked": (
        [{"networkPolicies.enabled": True}],
        [{"networkPolicies.enabled": True, "statsd.extraNetworkPolicies": PEERS[1:]}],
    ),
    "network/service-port": (
        [{"apiServer.service.ports": [{"name": "api-server", "port": 80}]}],
        [{"apiServer.service.ports": [{"name": "api-server", "port": 8080}]}],
    ),
    "network/half-wired-ports": (
        [{"ports.statsdIngest": 8125}],
        [{"ports.statsdIngest": 9125}, {"ports.apiServer": 9090, "config.api.port": "9090"}],
    ),
}
