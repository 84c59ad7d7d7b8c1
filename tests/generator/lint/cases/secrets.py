"""What the checks of lint/values/secrets.py must find, and what they must let pass."""

from tests.generator.lint.cases.common import AIRFLOW2, given

CASES = {
    "secrets/random-fernet-key": (
        [{}],
        [{"fernetKeySecretName": "f"}, {"fernetKey": "x"}],
    ),
    "secrets/random-api-key": (
        [{}],
        [{"apiSecretKeySecretName": "a"}, AIRFLOW2],
    ),
    "secrets/random-jwt-secret": (
        [{}],
        [{"jwtSecretName": "j"}, AIRFLOW2],
    ),
    "secrets/random-webserver-key": (
        [AIRFLOW2],
        [given(AIRFLOW2, webserverSecretKeySecretName="w"), {}],
    ),
    "secrets/webserver-key-on-airflow-3": (
        [{"webserverSecretKeySecretName": "w"}],
        [{"webserverSecretKeySecretName": "w", "apiSecretKeySecretName": "a"}],
    ),
    "secrets/random-postgresql-password": (
        [{"postgresql.auth.postgresPassword": ""}, {"postgresql.auth.username": "u"}],
        [{"postgresql.auth.postgresPassword": "", "postgresql.auth.existingSecret": "s"}],
    ),
    "secrets/hook-objects": (
        [{"extraSecrets": {"a": {"data": "k: v"}}}, {"extraConfigMaps": {"a": {"data": "k: v"}}}],
        [
            {"extraConfigMaps": {"a": {"data": "k: v", "useHelmHooks": False}}},
            {"@engine": "helm", "extraConfigMaps": {"a": {"data": "k: v"}}},
        ],
    ),
    "secrets/variable-switched-off": (
        [{"enableBuiltInSecretEnvVars.AIRFLOW__CORE__FERNET_KEY": False}],
        [
            {
                "enableBuiltInSecretEnvVars.AIRFLOW__CORE__FERNET_KEY": False,
                "env": [{"name": "AIRFLOW__CORE__FERNET_KEY_CMD", "value": "cat /f"}],
            }
        ],
    ),
}
