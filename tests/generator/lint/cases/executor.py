"""What the checks of lint/values/executor.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import AIRFLOW2, KUBERNETES, given

CASES = {
    "executor/dead": (
        [{"executor": "CeleryKubernetesExecutor"}, {"executor": "SequentialExecutor"}],
        [given(AIRFLOW2, executor="CeleryKubernetesExecutor"), {"executor": "LocalExecutor"}],
    ),
    "executor/unknown": (
        [{"executor": "CelryExecutor"}, {"executor": "LocalExecutor,DaskExecutor"}],
        [{"executor": "a:CeleryExecutor"}, {"executor": "my.pkg.OwnExecutor"}],
    ),
    "executor/characters": (
        [{"executor": "team1=CeleryExecutor"}, {"executor": "LocalExecutor, CeleryExecutor"}],
        [{"executor": "LocalExecutor,CeleryExecutor"}],
    ),
    "executor/config-differs": (
        [{"config.core.executor": "LocalExecutor"}],
        [{"config.core.executor": "CeleryExecutor"}],
    ),
    "executor/local-stateful": (
        [{"executor": "LocalExecutor"}],
        [{"executor": "LocalExecutor", "workers.celery.persistence.enabled": False}],
    ),
    "executor/edge-without-workers": (
        [{"executor": "airflow.providers.edge3.executors.EdgeExecutor"}],
        [KUBERNETES],
    ),
    "executor/pod-template-base": (
        [given(KUBERNETES, podTemplate="spec: {containers: [{name: main}]}")],
        [given(KUBERNETES, podTemplate="spec: {containers: [{name: base}]}")],
    ),
    "executor/pod-template-variables": (
        [given(KUBERNETES, podTemplate="name: base", env=[{"name": "A", "value": "1"}])],
        [
            given(
                KUBERNETES,
                {"config.kubernetes_environment_variables": {"A": "1"}},
                podTemplate="name: base",
                env=[{"name": "A", "value": "1"}],
            )
        ],
    ),
}
