"""What the checks of lint/values/security.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import KUBERNETES, given

SAFE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}

CASES = {
    "security/context-replaced": (
        [
            {"securityContexts.containers": {"readOnlyRootFilesystem": True}},
            {"scheduler.securityContexts.container": {"runAsUser": 1}},
        ],
        [{"securityContexts.containers": SAFE}],
    ),
    "security/context-ignored": (
        [{"scheduler.securityContexts.containers": SAFE}],
        [{"scheduler.securityContexts.container": SAFE}, {"securityContexts.containers": SAFE}],
    ),
    "security/context-out-of-reach": (
        [{"securityContexts.pod": {"runAsNonRoot": True}, "statsd.enabled": False}],
        [
            {
                "securityContexts.pod": {"runAsNonRoot": True},
                "statsd.securityContexts.pod": {"runAsNonRoot": True},
                "redis.securityContexts.pod": {"runAsNonRoot": True},
            },
            {"securityContexts.pod": {"runAsUser": 1000}},
        ],
    ),
    "security/group-not-zero": (
        [{"securityContexts.pod": {"runAsUser": 1000, "runAsGroup": 1000}}],
        [
            {"securityContexts.pod": {"runAsUser": 1000, "runAsGroup": 0}},
            {"securityContexts.pod": {"runAsUser": 50000, "runAsGroup": 1000}},
        ],
    ),
    "security/log-reader-halves": (
        [{"webserver.allowPodLogReading": False}, {"apiServer.allowPodLogReading": False}],
        [{"webserver.allowPodLogReading": False, "apiServer.allowPodLogReading": False}],
    ),
    "security/scc-without-dag-processor": (
        [{"rbac.createSCCRoleBinding": True}],
        [{"rbac.createSCCRoleBinding": True, "dagProcessor.enabled": True}],
    ),
    "security/worker-account-name": (
        [{"workers.celery.serviceAccount.name": "w"}],
        [{"workers.celery.serviceAccount.name": "w", "workers.serviceAccount.name": "w"}],
    ),
    "security/task-pod-account": (
        [given(KUBERNETES, {"workers.kubernetes.serviceAccount.annotations": {"a": "b"}})],
        [
            given(
                KUBERNETES,
                {
                    "workers.kubernetes.serviceAccount.annotations": {"a": "b"},
                    "workers.kubernetes.serviceAccount.create": True,
                },
            )
        ],
    ),
    "security/worker-set-account": (
        [{"workers.celery.sets": [{"name": "big"}]}],
        [
            {"workers.celery.sets": [{"name": "big"}], "allowPodLaunching": False},
            {"workers.celery.sets": [{"name": "big", "serviceAccount": {"name": "x"}}]},
        ],
    ),
    "security/token-volume": (
        [{"scheduler.serviceAccount.serviceAccountTokenVolume.enabled": True}],
        [
            {
                "scheduler.serviceAccount.serviceAccountTokenVolume.enabled": True,
                "scheduler.serviceAccount.automountServiceAccountToken": False,
            }
        ],
    ),
    "security/cluster-wide-rights": (
        [{"multiNamespaceMode": True}],
        [{}],
    ),
    "security/account-names": (
        [{"@release": "flow", "scheduler.serviceAccount.annotations": {"a": "b"}}],
        [
            {"scheduler.serviceAccount.annotations": {"a": "b"}},
            {
                "@release": "flow",
                "useStandardNaming": True,
                "scheduler.serviceAccount.annotations": {"a": "b"},
            },
        ],
    ),
}
