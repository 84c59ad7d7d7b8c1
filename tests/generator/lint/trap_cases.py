"""For each rule about values: what it must find, and the nearest thing that it must let pass.

A case is a tuple of mappings from dotted value paths to values. `@engine`, `@tier`, `@release`
and `@namespace` set the circumstances instead.
"""

HOOK = "argocd.argoproj.io/hook"
AIRFLOW2 = {"airflowVersion": "2.11.0"}
KUBERNETES = {"executor": "KubernetesExecutor"}
SYNC = {
    "dags.gitSync.enabled": True,
    "dags.gitSync.repo": "https://git.example.com/dags.git",
    "dags.gitSync.subPath": "dags",
    "dags.gitSync.ref": "main",
    "dags.gitSync.branch": "main",
}
SSH = {**SYNC, "dags.gitSync.repo": "git@git.example.com:dags.git"}
INGRESS = {
    "ingress.apiServer.enabled": True,
    "ingress.apiServer.hosts": [
        {"name": "a.example.com", "tls": {"enabled": True, "secretName": "t"}}
    ],
}
EXTERNAL = {
    "postgresql.enabled": False,
    "data.metadataConnection.host": "db.example.com",
    "data.metadataConnection.pass": "p",
    "data.metadataConnection.sslmode": "require",
}
BY_SECRET = {"postgresql.enabled": False, "data.metadataSecretName": "db"}
KEDA = {"workers.celery.keda.enabled": True, "workers.celery.keda.cooldownPeriod": 700}
PEERS = [
    {"podSelector": {"matchLabels": {"tier": "airflow", "release": "airflow"}}},
    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}},
]
SAFE = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
GIT_BUNDLE = {
    "name": "git",
    "classpath": "airflow.providers.git.bundles.git.GitDagBundle",
    "kwargs": {"git_conn_id": "dags"},
}


def given(*parts, **more):
    result = {}
    for part in parts:
        result.update(part)
    return {**result, **more}


BAD_AND_GOOD = {
    "airflow/version-invalid": (
        [{"airflowVersion": "main"}, {"airflowVersion": "3.0.0rc1"}],
        [{"airflowVersion": "3.2"}, {"airflowVersion": "3.2.2+b"}],
    ),
    "airflow/version-prerelease": (
        [{"airflowVersion": "3.2.2-python3.12"}],
        [{"airflowVersion": "3.2.2"}],
    ),
    "airflow/version-unsupported": (
        [{"airflowVersion": "2.10.5"}],
        [{"airflowVersion": "2.11.0"}],
    ),
    "airflow/version-differs-from-image": (
        [{"images.airflow.tag": "2.11.0"}, {"defaultAirflowTag": "3.1.0-r4"}],
        [{"images.airflow.tag": "3.2.2-r17"}, {"images.airflow.tag": "r17"}],
    ),
    "airflow/webserver-keys": (
        [{"webserver.replicas": 2}, {"ingress.web.enabled": True}],
        [given(AIRFLOW2, {"webserver.replicas": 2}), {"webserver.allowPodLogReading": False}],
    ),
    "airflow/webserver-config": (
        [{"webserver.webserverConfig": "x = 1"}],
        [given(AIRFLOW2, {"webserver.webserverConfig": "x = 1"})],
    ),
    "airflow/api-server-keys": (
        [given(AIRFLOW2, {"apiServer.replicas": 2})],
        [{"apiServer.replicas": 2}],
    ),
    "airflow/dag-processor-off": (
        [{"dagProcessor.enabled": False}],
        [given(AIRFLOW2, {"dagProcessor.enabled": False}), {"dagProcessor.enabled": True}],
    ),
    "airflow/api-server-off": (
        [{"apiServer.enabled": False}],
        [given(AIRFLOW2, {"apiServer.enabled": False})],
    ),
    "airflow/fullname-ignored": (
        [{"fullnameOverride": "flow"}],
        [{"fullnameOverride": "flow", "useStandardNaming": True}],
    ),
    "airflow/home-in-wait-containers": (
        [{"airflowHome": "/srv/airflow"}],
        [{"airflowHome": "/opt/airflow/"}],
    ),
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
    "images/floating-tag": (
        [{"images.airflow.tag": "latest"}, {"defaultAirflowTag": "main"}],
        [{"images.airflow.tag": "3.2.2"}],
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
    "database/embedded": (
        [{}],
        [{"@tier": "development"}, {"postgresql.enabled": False}],
    ),
    "database/embedded-left-on": (
        [{"data.metadataSecretName": "db"}, {"data.metadataConnection.host": "db.example.com"}],
        [{"data.metadataSecretName": "db", "postgresql.enabled": True}, BY_SECRET, {}],
    ),
    "database/no-host": (
        [{"postgresql.enabled": False}],
        [BY_SECRET, EXTERNAL],
    ),
    "database/sqlite": (
        [{"data.metadataConnection.protocol": "sqlite"}],
        [{"data.metadataConnection.protocol": "mysql"}],
    ),
    "database/protocol-driver": (
        [{"data.metadataConnection.protocol": "postgresql+psycopg2"}],
        [{"data.metadataConnection.protocol": "postgresql"}],
    ),
    "database/no-tls": (
        [given(EXTERNAL, {"data.metadataConnection.sslmode": "disable"})],
        [EXTERNAL, {}],
    ),
    "database/spaces": (
        [{"data.metadataConnection.pass": "two words"}],
        [{"data.metadataConnection.pass": "oneword"}],
    ),
    "database/default-password": (
        [{"data.metadataConnection.host": "db.example.com"}],
        [EXTERNAL],
    ),
    "database/connection-ignored": (
        [given(BY_SECRET, {"data.metadataConnection.host": "db.example.com"})],
        [BY_SECRET],
    ),
    "database/postgresql-keys": (
        [{"postgresql.postgresqlPassword": "x"}],
        [{"postgresql.auth.existingSecret": "x"}],
    ),
    "database/async-sslmode": (
        [EXTERNAL],
        [
            given(EXTERNAL, airflowVersion="3.0.6"),
            given(
                EXTERNAL,
                secret=[
                    {
                        "envName": "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
                        "secretName": "db",
                    }
                ],
            ),
        ],
    ),
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
    "secrets/inline": (
        [{"fernetKey": "k"}, {"extraSecrets": {"a": {"stringData": "k: v"}}}],
        [{"fernetKeySecretName": "k"}, {"@tier": "development", "fernetKey": "k"}],
    ),
    "secrets/in-config": (
        [
            {"config.core.fernet_key": "k"},
            {"config.celery.broker_url": "redis://:p@host"},
            {"config.secrets.backend_kwargs": '{"secret_id": "x"}'},
            {"config.api.auth_header": "Authorization: Bearer abc123def"},
            {"config.metrics.hook": "https://hooks.slack.com/services/T0/B0/" + "a1" * 12},
            {"config.smtp.smtp_host": "smtp://user:pw@mail.example.com"},
        ],
        [
            {"config.core.parallelism": "64"},
            {"config.celery.broker_url": "redis://host"},
            {"config.secrets.backend_kwargs": '{"role_id": "x"}'},
            {"config.api.ssl_key": "/etc/ssl/tls.key"},
            {"config.api.base_url": "https://airflow.example.com/data"},
        ],
    ),
    "secrets/in-environment": (
        [
            {"env": [{"name": "SNOWFLAKE_PASSWORD", "value": "x"}]},
            {"scheduler.env": [{"name": "AIRFLOW_CONN_PG", "value": "x"}]},
            {"env": [{"name": "VAULT_SECRET_ID", "value": "x"}]},
            {"env": [{"name": "OAUTH_CLIENT_SECRET", "value": "x"}]},
            {"env": [{"name": "DATADOG_APP_KEY", "value": "x"}]},
            {
                "env": [
                    {"name": "ALERT", "value": "https://hooks.slack.com/services/T/B/" + "a" * 24}
                ]
            },
            {"env": [{"name": "NOTIFY", "value": "https://a.example.com/x/aB3dE6gH9jK1mN4pQ7s"}]},
            {"env": [{"name": "PROXY", "value": "http://user:pw@proxy.example.com:3128"}]},
        ],
        [
            {"env": [{"name": "AIRFLOW__CORE__FERNET_KEY_CMD", "value": "x"}]},
            {"env": [{"name": "AWS_REGION", "value": "x"}]},
            {"env": [{"name": "PROXY", "value": "http://proxy.example.com:3128"}]},
            {"env": [{"name": "ROUTING_KEY", "value": "tasks.default"}]},
            {"env": [{"name": "API_TOKEN", "value": "$(OTHER)"}]},
            {"env": [{"name": "MAX_TOKENS", "value": "4096"}]},
        ],
    ),
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
            }
        ],
        [
            {"extraEnv": "- name: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD\n  value: cat /c"},
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
    "dags/sample-repository": (
        [
            {"dags.gitSync.enabled": True},
            {
                "dags.gitSync.enabled": True,
                "dags.gitSync.repo": "https://git.example.com/dags.git",
                "dags.gitSync.branch": "main",
            },
        ],
        [SYNC, given(SYNC, {"dags.gitSync.subPath": ""})],
    ),
    "dags/ref-overridden": (
        [
            given(SYNC, {"dags.gitSync.branch": "v2-2-stable"}),
            given(SYNC, {"dags.gitSync.branch": ""}),
            given(SYNC, {"dags.gitSync.rev": "abc"}),
            {
                "dags.gitSync.enabled": True,
                "dags.gitSync.repo": "https://git.example.com/dags.git",
            },
        ],
        [SYNC, given(SYNC, {"images.gitSync.tag": "v3.6.9", "dags.gitSync.branch": "x"})],
    ),
    "dags/two-credentials": (
        [given(SSH, {"dags.gitSync.sshKeySecret": "k", "dags.gitSync.credentialsSecret": "c"})],
        [given(SSH, {"dags.gitSync.sshKeySecret": "k"})],
    ),
    "dags/credentials-do-not-fit": (
        [SSH, given(SYNC, {"dags.gitSync.sshKeySecret": "k"})],
        [given(SSH, {"dags.gitSync.sshKeySecret": "k"}), SYNC],
    ),
    "dags/host-not-verified": (
        [given(SSH, {"dags.gitSync.sshKeySecret": "k"})],
        [given(SSH, {"dags.gitSync.sshKeySecret": "k", "dags.gitSync.knownHosts": "h k"})],
    ),
    "dags/no-liveness-probe": (
        [given(SYNC, {"dags.gitSync.recommendedProbeSetting": True})],
        [
            given(
                SYNC,
                {
                    "dags.gitSync.recommendedProbeSetting": True,
                    "dags.gitSync.livenessProbe.enabled": True,
                },
            )
        ],
    ),
    "dags/sync-and-volume": (
        [given(SYNC, {"dags.persistence.enabled": True})],
        [SYNC, {"dags.persistence.enabled": True}],
    ),
    "dags/volume-access-mode": (
        [{"dags.persistence.enabled": True}],
        [
            {"dags.persistence.enabled": True, "dags.persistence.accessMode": "ReadWriteMany"},
            {"dags.persistence.enabled": True, "dags.persistence.existingClaim": "c"},
        ],
    ),
    "dags/sync-feeds-no-bundle": (
        [given(SYNC, {"dagProcessor.dagBundleConfigList": [GIT_BUNDLE]})],
        [SYNC, {"dagProcessor.dagBundleConfigList": [GIT_BUNDLE]}],
    ),
    "dags/bundle-without-connection": (
        [{"dagProcessor.dagBundleConfigList": [GIT_BUNDLE]}],
        [
            {
                "dagProcessor.dagBundleConfigList": [GIT_BUNDLE],
                "secret": [{"envName": "AIRFLOW_CONN_DAGS", "secretName": "g"}],
            },
            {
                "dagProcessor.dagBundleConfigList": [GIT_BUNDLE],
                "extraEnvFrom": "- secretRef: {name: c}",
            },
        ],
    ),
    "dags/ssh-key-unreadable": (
        [given(SSH, {"dags.gitSync.sshKeySecret": "k", "securityContexts.pod": {"runAsUser": 1}})],
        [
            given(
                SSH,
                {
                    "dags.gitSync.sshKeySecret": "k",
                    "securityContexts.pod": {"runAsUser": 1, "fsGroup": 0},
                },
            )
        ],
    ),
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
    "ingress/catches-all": (
        [{"ingress.apiServer.enabled": True}],
        [INGRESS],
    ),
    "ingress/without-tls": (
        [given(INGRESS, {"ingress.apiServer.hosts": [{"name": "a.example.com"}]})],
        [INGRESS],
    ),
    "ingress/metrics-exposed": (
        [{"ingress.statsd.enabled": True}],
        [{"ingress.statsd.enabled": True, "statsd.enabled": False}],
    ),
    "ingress/service-port-name": (
        [given(INGRESS, {"apiServer.service.ports": [{"name": "http", "port": 8080}]})],
        [given(INGRESS, {"apiServer.service.ports": [{"name": "api-server", "port": 8080}]})],
    ),
    "ingress/proxy-headers": (
        [INGRESS],
        [given(INGRESS, {"apiServer.args": ["bash", "-c", "airflow api-server --proxy-headers"]})],
    ),
    "ingress/base-url": (
        [INGRESS, given(INGRESS, {"config.api.base_url": "https://b.example.com"})],
        [given(INGRESS, {"config.api.base_url": "https://a.example.com"})],
    ),
    "ingress/flower-open": (
        [{"flower.enabled": True}],
        [
            {"flower.enabled": True, "flower.secretName": "f"},
            given(KUBERNETES, {"flower.enabled": True}),
        ],
    ),
    "monitoring/statsd-host": (
        [{"statsd.enabled": False, "config.metrics.statsd_on": "True"}],
        [
            {
                "statsd.enabled": False,
                "config.metrics.statsd_on": "True",
                "config.metrics.statsd_host": "datadog",
            }
        ],
    ),
    "monitoring/no-metrics": (
        [{"@tier": "production", "statsd.enabled": False}],
        [{"@tier": "production"}, {"statsd.enabled": False}],
    ),
    "monitoring/two-kinds-of-metrics": (
        [
            {"config.metrics.statsd_on": "True", "config.metrics.otel_on": "True"},
            {"otelCollector.metricsEnabled": True},
        ],
        [{"otelCollector.metricsEnabled": True, "statsd.enabled": False}],
    ),
    "monitoring/collector-goes-nowhere": (
        [{"otelCollector.tracesEnabled": True}],
        [{"otelCollector.tracesEnabled": True, "otelCollector.config": "receivers: {}"}],
    ),
    "monitoring/collector-image": (
        [{"otelCollector.tracesEnabled": True, "images.otelCollector.tag": "0.130.0"}],
        [
            {
                "otelCollector.tracesEnabled": True,
                "images.otelCollector.tag": "0.130.0",
                "otelCollector.config": "receivers: {}",
            }
        ],
    ),
    "monitoring/mappings-without-restart": (
        [{"statsd.overrideMappings": [{"match": "a"}]}],
        [{"statsd.overrideMappings": [{"match": "a"}], "statsd.podAnnotations": {"v": "1"}}],
    ),
    "monitoring/two-log-stores": (
        [{"elasticsearch.enabled": True, "opensearch.enabled": True}],
        [{"elasticsearch.enabled": True}],
    ),
    "monitoring/log-store-connection": (
        [
            {"elasticsearch.enabled": True},
            {
                "elasticsearch.enabled": True,
                "elasticsearch.secretName": "e",
                "elasticsearch.connection": {"host": "h"},
            },
        ],
        [{"elasticsearch.enabled": True, "elasticsearch.secretName": "e"}],
    ),
    "monitoring/logs-lost": (
        [KUBERNETES, {"workers.celery.persistence.enabled": False}],
        [
            {},
            given(KUBERNETES, {"config.logging.remote_logging": "True"}),
            given(KUBERNETES, {"logs.persistence.enabled": True}),
        ],
    ),
    "monitoring/remote-log-folder": (
        [{"config.logging.remote_logging": "True"}],
        [
            {
                "config.logging.remote_logging": "True",
                "config.logging.remote_base_log_folder": "s3://b/p",
            }
        ],
    ),
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
    "config/number": (
        [{"config.scheduler.max_tis": 1000000}, {"pgbouncer.maxClientConn": 2000000}],
        [{"config.scheduler.max_tis": "1000000"}, {"config.scheduler.max_tis": 999999}],
    ),
    "config/template": (
        [
            {"config.logging.log_filename_template": "{{ ti.dag_id }}/x"},
            {"config.core.x": "{{ ds_nodash }}"},
        ],
        [
            {"config.core.x": "{{ .Values.executor }}"},
            {"config.core.x": "{{`{{ ti.dag_id }}`}}"},
            {"config.core.x": '{{ include "airflow.fullname" . }}'},
        ],
    ),
    "config/moved": (
        [
            {"config.webserver.base_url": "https://a.example.com"},
            {"config.scheduler.parsing_processes": "4"},
        ],
        [
            {"config.api.base_url": "https://a.example.com"},
            given(AIRFLOW2, {"config.webserver.base_url": "https://a.example.com"}),
        ],
    ),
    "config/variable-dropped": (
        [
            {"scheduler.env": [{"name": "A", "value": ""}]},
            {
                "workers.celery.env": [
                    {
                        "name": "A",
                        "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}},
                    }
                ]
            },
        ],
        [{"scheduler.env": [{"name": "A", "value": "1"}]}],
    ),
    "config/backend-arguments": (
        [{"config.secrets.backend_kwargs": "url=https://vault"}],
        [{"config.secrets.backend_kwargs": '{"url": "https://vault"}'}],
    ),
}
