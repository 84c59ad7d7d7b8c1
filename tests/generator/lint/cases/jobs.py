"""What the checks of lint/values/jobs.py must find, and what they must let pass."""

HOOK = "argocd.argoproj.io/hook"

CASES = {
    "jobs/helm-hooks": (
        [{}, {"@engine": "flux"}],
        [
            {"@engine": "helm"},
            {
                "migrateDatabaseJob.useHelmHooks": False,
                "createUserJob.enabled": False,
            },
        ],
    ),
    "jobs/two-hooks": (
        [{"migrateDatabaseJob.jobAnnotations": {HOOK: "Sync"}}],
        [
            {
                "migrateDatabaseJob.jobAnnotations": {HOOK: "Sync"},
                "migrateDatabaseJob.useHelmHooks": False,
            }
        ],
    ),
    "jobs/user-switch-not-read": (
        [{"webserver.defaultUser.enabled": False, "@chart_version": "1.19.0"}],
        [
            {"webserver.defaultUser.enabled": False},
            {"webserver.defaultUser.enabled": False, "@chart_version": "1.18.0"},
            {
                "webserver.defaultUser.enabled": False,
                "createUserJob.enabled": False,
                "@chart_version": "1.19.0",
            },
        ],
    ),
    "jobs/immutable": (
        [{"migrateDatabaseJob.useHelmHooks": False}],
        [
            {
                "migrateDatabaseJob.useHelmHooks": False,
                "migrateDatabaseJob.jobAnnotations": {HOOK: "Sync"},
            },
            {"@engine": "flux", "migrateDatabaseJob.useHelmHooks": False},
        ],
    ),
    "jobs/pre-sync-migration": (
        [{"migrateDatabaseJob.jobAnnotations": {HOOK: "PreSync"}}],
        [{"migrateDatabaseJob.jobAnnotations": {HOOK: "Sync"}}],
    ),
    "jobs/create-user-early": (
        [{"createUserJob.jobAnnotations": {HOOK: "Sync"}}],
        [{"createUserJob.jobAnnotations": {HOOK: "PostSync"}}],
    ),
    "jobs/ttl": (
        [{"migrateDatabaseJob.jobAnnotations": {HOOK: "Sync"}}],
        [
            {
                "migrateDatabaseJob.jobAnnotations": {HOOK: "Sync"},
                "migrateDatabaseJob.ttlSecondsAfterFinished": None,
            }
        ],
    ),
    "jobs/flux-needs-ttl": (
        [
            {
                "@engine": "flux",
                "migrateDatabaseJob.useHelmHooks": False,
                "migrateDatabaseJob.ttlSecondsAfterFinished": None,
            }
        ],
        [{"@engine": "flux", "migrateDatabaseJob.useHelmHooks": False}],
    ),
    "jobs/default-user": (
        [{}],
        [
            {"createUserJob.enabled": False},
            {"createUserJob.args": ["bash", "-c", "airflow users create"]},
            {"@tier": "development"},
        ],
    ),
    "jobs/create-user-without-fab": (
        [{"config.core.auth_manager": "airflow.providers.keycloak.KeycloakAuthManager"}],
        [
            {
                "config.core.auth_manager": "airflow.providers.keycloak.KeycloakAuthManager",
                "createUserJob.enabled": False,
            }
        ],
    ),
    "jobs/custom-environment": (
        [
            {
                "migrateDatabaseJob.applyCustomEnv": False,
                "extraEnv": "- name: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD\n  value: cat /c",
            },
            {
                "migrateDatabaseJob.applyCustomEnv": False,
                "fernetKeySecretName": "f",
                "enableBuiltInSecretEnvVars.AIRFLOW__CORE__FERNET_KEY": False,
                "secret": [{"envName": "AIRFLOW__CORE__FERNET_KEY"}],
            },
        ],
        [
            {"extraEnv": "- name: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD\n  value: cat /c"},
            {
                "migrateDatabaseJob.applyCustomEnv": False,
                "migrateDatabaseJob.env": [{"name": "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"}],
                "extraEnv": "- name: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD\n  value: cat /c",
            },
            {
                "migrateDatabaseJob.applyCustomEnv": False,
                "fernetKeySecretName": "f",
                "secret": [{"envName": "AIRFLOW__CORE__FERNET_KEY"}],
            },
            {"migrateDatabaseJob.applyCustomEnv": False},
        ],
    ),
    "jobs/migrations-wait": (
        [{}],
        [{"images.migrationsWaitTimeout": 600}],
    ),
    "jobs/nobody-migrates": (
        [{"migrateDatabaseJob.enabled": False}],
        [{"migrateDatabaseJob.enabled": False, "scheduler.waitForMigrations.enabled": False}],
    ),
}
