"""What the checks of lint/values/broker.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import KUBERNETES, given

CASES = {
    "broker/url-missing-for-password": (
        [{"redis.passwordSecretName": "r"}],
        [
            {"redis.passwordSecretName": "r", "data.brokerUrlSecretName": "b"},
            {
                "redis.passwordSecretName": "r",
                "env": [{"name": "AIRFLOW__CELERY__BROKER_URL_CMD", "value": "cat /b"}],
            },
        ],
    ),
    "broker/password-twice": (
        [{"redis.passwordSecretName": "r", "redis.password": "p"}],
        [{"redis.password": "p"}],
    ),
    "broker/missing": (
        [{"redis.enabled": False}],
        [{"redis.enabled": False, "data.brokerUrlSecretName": "b"}],
    ),
    "broker/url-twice": (
        [{"data.brokerUrl": "redis://h", "data.brokerUrlSecretName": "b"}],
        [{"data.brokerUrlSecretName": "b"}],
    ),
    "broker/random-password": (
        [{}],
        [{"redis.passwordSecretName": "r"}, KUBERNETES],
    ),
    "broker/unused": (
        [KUBERNETES, given(KUBERNETES, {"redis.enabled": False})],
        [given(KUBERNETES, {"redis.enabled": False, "data.brokerUrlSecretName": "not-used"})],
    ),
}
