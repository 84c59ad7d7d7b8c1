"""The defaults of the official chart that the rules depend on, as plain facts for tests."""

_BUDGET = {"enabled": False, "config": {"maxUnavailable": 1}}
_PROBE = {"failureThreshold": 6, "periodSeconds": 10}
_HPA = {"enabled": False, "minReplicaCount": 1, "maxReplicaCount": 5}
_KEDA = {
    "enabled": False,
    "minReplicaCount": 0,
    "maxReplicaCount": 10,
    "cooldownPeriod": 30,
    "namespaceLabels": {},
}


def ingress():
    return {"enabled": False, "path": "/", "host": "", "hosts": [], "tls": {"enabled": False}}


def component(**more):
    return {"replicas": 1, "resources": {}, "podDisruptionBudget": _BUDGET, "env": [], **more}


def job(**more):
    return {
        "enabled": True,
        "useHelmHooks": True,
        "applyCustomEnv": True,
        "ttlSecondsAfterFinished": 300,
        "jobAnnotations": {},
        **more,
    }


DEFAULTS = {
    "useStandardNaming": False,
    "fullnameOverride": "",
    "uid": 50000,
    "gid": 0,
    "airflowHome": "/opt/airflow",
    "airflowVersion": "3.2.2",
    "defaultAirflowRepository": "apache/airflow",
    "defaultAirflowTag": "3.2.2",
    "defaultAirflowDigest": None,
    "enableServiceLinks": None,
    "executor": "CeleryExecutor",
    "allowPodLaunching": True,
    "multiNamespaceMode": False,
    "rbac": {"create": True, "createSCCRoleBinding": False},
    "securityContexts": {"pod": {}, "containers": {}},
    "imagePullSecrets": [],
    "env": [],
    "secret": [],
    "extraEnv": None,
    "extraEnvFrom": None,
    "extraSecrets": {},
    "extraConfigMaps": {},
    "podTemplate": None,
    "priorityClasses": [],
    "enableBuiltInSecretEnvVars": {
        "AIRFLOW__CORE__FERNET_KEY": True,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": True,
    },
    "networkPolicies": {"enabled": False},
    "images": {
        "airflow": {"repository": None, "tag": None, "digest": None},
        "pod_template": {"repository": None, "tag": None},
        "flower": {"repository": None, "tag": None},
        "statsd": {"repository": "quay.io/prometheus/statsd-exporter", "tag": "v0.30.0"},
        "gitSync": {"repository": "registry.k8s.io/git-sync/git-sync", "tag": "v4.4.2"},
        "otelCollector": {
            "repository": "otel/opentelemetry-collector-contrib",
            "tag": "0.70.0",
        },
        "useDefaultImageForMigration": False,
        "migrationsWaitTimeout": 60,
    },
    "ingress": {
        "enabled": None,
        **{name: ingress() for name in ("apiServer", "web", "flower", "statsd", "pgbouncer")},
    },
    "data": {
        "metadataSecretName": None,
        "resultBackendSecretName": None,
        "brokerUrlSecretName": None,
        "brokerUrl": None,
        "resultBackendConnection": None,
        "metadataConnection": {
            "user": "postgres",
            "pass": "postgres",
            "protocol": "postgresql",
            "host": None,
            "port": 5432,
            "db": "postgres",
            "sslmode": "disable",
        },
    },
    "fernetKey": None,
    "fernetKeySecretName": None,
    "apiSecretKey": None,
    "apiSecretKeySecretName": None,
    "jwtSecret": None,
    "jwtSecretName": None,
    "webserverSecretKey": None,
    "webserverSecretKeySecretName": None,
    "workers": {
        "replicas": 1,
        "resources": {},
        "podDisruptionBudget": _BUDGET,
        "serviceAccount": {"name": None},
        "terminationGracePeriodSeconds": 600,
        "persistence": {"enabled": True, "size": "100Gi"},
        "logGroomerSidecar": {"enabled": True, "requirePersistence": True},
        "keda": {**_KEDA, "usePgbouncer": True},
        "hpa": {**_HPA, "minReplicaCount": 0},
        "celery": {
            "replicas": None,
            "enableDefault": True,
            "sets": [],
            "resources": {},
            "env": [],
            "podDisruptionBudget": {"enabled": None, "config": {"maxUnavailable": None}},
            "serviceAccount": {"name": None},
            "persistence": {"enabled": None},
            "logGroomerSidecar": {"enabled": None},
            "keda": {"enabled": None, "namespaceLabels": {}},
            "hpa": {"enabled": None},
        },
        "kubernetes": {"resources": {}, "serviceAccount": {"create": None, "annotations": {}}},
    },
    "scheduler": component(
        enabled=True,
        serviceAccount={"automountServiceAccountToken": True},
        waitForMigrations={"enabled": True},
    ),
    "apiServer": component(
        enabled=True,
        hpa=_HPA,
        startupProbe=_PROBE,
        allowPodLogReading=True,
        args=["bash", "-c", "exec airflow api-server"],
        networkPolicy={"ingress": {"from": []}},
        service={"ports": [{"name": "api-server", "port": "{{ .Values.ports.apiServer }}"}]},
    ),
    "webserver": component(
        enabled=True,
        hpa=_HPA,
        allowPodLogReading=True,
        webserverConfig=None,
        networkPolicy={"ingress": {"from": []}},
    ),
    "dagProcessor": component(
        enabled=None,
        dagBundleConfigList=[
            {
                "name": "dags-folder",
                "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
                "kwargs": {},
            }
        ],
    ),
    "triggerer": component(
        enabled=True, persistence={"enabled": True, "size": "100Gi"}, keda=_KEDA
    ),
    "createUserJob": job(
        defaultUser={"username": "admin", "password": "admin"},
        args=["bash", "-c", "{{ .Values.createUserJob.defaultUser.password }}"],
    ),
    "migrateDatabaseJob": job(),
    "flower": component(enabled=False, secretName=None, networkPolicy={"ingress": {"from": []}}),
    "statsd": {"enabled": True, "resources": {}, "cache": {"size": 1000}},
    "otelCollector": {"tracesEnabled": False, "metricsEnabled": False, "config": None},
    "pgbouncer": component(
        enabled=False,
        configSecretName=None,
        maxClientConn=100,
        sslmode="prefer",
        metricsExporterSidecar={"statsSecretName": None},
        containerLifecycleHooks={
            "preStop": {
                "exec": {"command": ["/bin/sh", "-c", "killall -INT pgbouncer && sleep 120"]}
            }
        },
    ),
    "redis": {"enabled": True, "password": None, "passwordSecretName": None, "resources": {}},
    "elasticsearch": {"enabled": False, "secretName": None, "connection": {}},
    "opensearch": {"enabled": False, "secretName": None, "connection": {}},
    "cleanup": {
        "enabled": False,
        "serviceAccount": {"serviceAccountTokenVolume": {"enabled": False}},
    },
    "databaseCleanup": {"enabled": False, "applyCustomEnv": True},
    "ports": {"apiServer": 8080, "statsdIngest": 9125, "statsdScrape": 9102, "redisDB": 6379},
    "postgresql": {
        "enabled": True,
        "auth": {
            "enablePostgresUser": True,
            "postgresPassword": "postgres",
            "username": "",
            "password": "",
        },
    },
    "config": {
        "core": {
            "executor": "{{ .Values.executor }}",
            "auth_manager": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        },
        "logging": {"remote_logging": '{{- ternary "True" "False" (or false false) }}'},
        "metrics": {"statsd_on": "{{ ternary }}", "statsd_port": 9125, "otel_on": "{{ ternary }}"},
        "celery": {"worker_concurrency": 16},
        "kubernetes_executor": {
            "worker_container_repository": "{{ .Values.images.airflow.repository }}",
            "worker_container_tag": "{{ .Values.images.airflow.tag }}",
        },
    },
    "dags": {
        "persistence": {"enabled": False, "accessMode": "ReadWriteOnce", "existingClaim": None},
        "gitSync": {
            "enabled": False,
            "repo": "https://github.com/apache/airflow.git",
            "branch": "v2-2-stable",
            "rev": "HEAD",
            "ref": "v2-2-stable",
            "subPath": "tests/dags",
            "recommendedProbeSetting": False,
            "livenessProbe": {},
        },
    },
    "logs": {"persistence": {"enabled": False}},
}
