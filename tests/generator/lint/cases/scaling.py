"""What the checks of lint/values/scaling.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import KEDA, given

CASES = {
    "scaling/two-autoscalers": (
        [given(KEDA, {"workers.celery.hpa.enabled": True})],
        [KEDA],
    ),
    "scaling/replicas-ignored": (
        [given(KEDA, {"workers.celery.replicas": 3})],
        [KEDA, {"workers.celery.replicas": 3}],
    ),
    "scaling/cooldown": (
        [{"workers.celery.keda.enabled": True}],
        [KEDA],
    ),
    "scaling/hpa-from-zero": (
        [{"workers.celery.hpa.enabled": True}],
        [{"workers.celery.hpa.enabled": True, "workers.celery.hpa.minReplicaCount": 1}],
    ),
    "scaling/minimum-above-maximum": (
        [
            {"apiServer.hpa.enabled": True, "apiServer.hpa.minReplicaCount": 9},
            given(KEDA, {"workers.celery.keda.minReplicaCount": 11}),
        ],
        [{"apiServer.hpa.enabled": True}, KEDA],
    ),
    "scaling/worker-sets-and-default": (
        [
            {"workers.celery.sets": [{"name": "big"}]},
            {"workers.celery.sets": [{"name": "default"}], "workers.celery.enableDefault": False},
        ],
        [{"workers.celery.sets": [{"name": "big"}], "workers.celery.enableDefault": False}],
    ),
    "scaling/kubernetes-first-with-keda": (
        [given(KEDA, executor="KubernetesExecutor,CeleryExecutor")],
        [given(KEDA, executor="CeleryExecutor,KubernetesExecutor")],
    ),
    "scaling/keda-without-postgresql": (
        [given(KEDA, {"data.metadataConnection.protocol": "mysql"})],
        [KEDA],
    ),
    "scaling/keda-through-pgbouncer": (
        [given(KEDA, {"pgbouncer.enabled": True})],
        [given(KEDA, {"pgbouncer.enabled": True, "workers.celery.keda.usePgbouncer": False})],
    ),
    "scaling/groomer-left-out": (
        [{"workers.celery.persistence.enabled": False}],
        [
            {
                "workers.celery.persistence.enabled": False,
                "workers.celery.logGroomerSidecar.requirePersistence": False,
            },
            {
                "workers.celery.persistence.enabled": False,
                "config.logging.delete_local_logs": "True",
            },
        ],
    ),
    "scaling/immutable-claim": (
        [{}],
        [{"workers.celery.persistence.enabled": False, "triggerer.persistence.enabled": False}],
    ),
}
