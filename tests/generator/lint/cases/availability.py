"""What the checks of lint/values/availability.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import KUBERNETES, given

CASES = {
    "scaling/budget-with-both": (
        [
            {
                "scheduler.podDisruptionBudget.enabled": True,
                "scheduler.podDisruptionBudget.config": {"minAvailable": 1},
            }
        ],
        [
            {
                "scheduler.podDisruptionBudget.enabled": True,
                "scheduler.podDisruptionBudget.config": {
                    "minAvailable": 1,
                    "maxUnavailable": None,
                },
            },
            {
                "workers.celery.podDisruptionBudget.enabled": True,
                "workers.celery.podDisruptionBudget.config": {"minAvailable": 1},
            },
        ],
    ),
    "scaling/budget-blocks-drains": (
        [
            {
                "scheduler.podDisruptionBudget.enabled": True,
                "scheduler.podDisruptionBudget.config": {
                    "minAvailable": 1,
                    "maxUnavailable": None,
                },
            }
        ],
        [
            {
                "scheduler.replicas": 2,
                "scheduler.podDisruptionBudget.enabled": True,
                "scheduler.podDisruptionBudget.config": {
                    "minAvailable": 1,
                    "maxUnavailable": None,
                },
            },
            {"scheduler.podDisruptionBudget.enabled": True},
        ],
    ),
    "scaling/worker-budget-without-celery": (
        [given(KUBERNETES, {"workers.celery.podDisruptionBudget.enabled": True})],
        [{"workers.celery.podDisruptionBudget.enabled": True}],
    ),
    "scaling/priority-class-prefix": (
        [
            {
                "priorityClasses": [{"name": "high", "value": 1}],
                "scheduler.priorityClassName": "high",
            }
        ],
        [
            {
                "priorityClasses": [{"name": "high", "value": 1}],
                "scheduler.priorityClassName": "airflow-high",
            }
        ],
    ),
    "scaling/api-server-start": (
        [{}],
        [{"apiServer.startupProbe.failureThreshold": 30}, {"@tier": "development"}],
    ),
    "scaling/no-resources": (
        [{}],
        [
            {
                **{
                    f"{name}.resources": {"requests": {"cpu": "1"}}
                    for name in (
                        "apiServer",
                        "scheduler",
                        "dagProcessor",
                        "triggerer",
                        "workers.celery",
                        "redis",
                        "statsd",
                    )
                }
            },
            {"@tier": "development"},
        ],
    ),
    "scaling/single-replica": (
        [{"@tier": "production"}],
        [
            {
                "@tier": "production",
                "apiServer.replicas": 2,
                "scheduler.replicas": 2,
                "dagProcessor.replicas": 2,
                "triggerer.replicas": 2,
            },
            {},
        ],
    ),
    "scaling/no-disruption-budget": (
        [{"@tier": "production"}],
        [
            {
                "@tier": "production",
                **{
                    f"{name}.podDisruptionBudget.enabled": True
                    for name in (
                        "apiServer",
                        "scheduler",
                        "dagProcessor",
                        "triggerer",
                        "workers.celery",
                    )
                },
            }
        ],
    ),
}
