"""Keys of chart 1.x that were renamed, will go, or never did anything: facts, not code.

Read off the warnings of chart 1.22.0's NOTES.txt, the comments of its values.yaml and renders of
keys that warn of nothing. A chart line of its own gets a table of its own.
"""

from __future__ import annotations

from generator.release.chart_line import OldKeys, Renamed

# workers.<key> → workers.celery.<key>
_CELERY = (
    *("replicas", "revisionHistoryLimit", "args", "updateStrategy", "strategy"),
    *("podManagementPolicy", "extraPorts", "annotations", "volumeClaimTemplates"),
    *(
        f"livenessProbe.{key}"
        for key in (
            *("enabled", "initialDelaySeconds", "timeoutSeconds", "failureThreshold"),
            *("periodSeconds", "command"),
        )
    ),
    "podDisruptionBudget.enabled",
    "podDisruptionBudget.config.maxUnavailable",
    "podDisruptionBudget.config.minAvailable",
    *(
        f"keda.{key}"
        for key in (
            *("enabled", "namespaceLabels", "pollingInterval", "cooldownPeriod"),
            *("minReplicaCount", "maxReplicaCount", "advanced", "query", "usePgbouncer"),
        )
    ),
    *(
        f"hpa.{key}"
        for key in ("enabled", "minReplicaCount", "maxReplicaCount", "metrics", "behavior")
    ),
    *(
        f"persistence.{key}"
        for key in (
            *("enabled", "persistentVolumeClaimRetentionPolicy", "size", "storageClassName"),
            *("fixPermissions", "annotations", "securityContexts"),
        )
    ),
    *(
        f"logGroomerSidecar.{key}"
        for key in (
            *("enabled", "command", "args", "retentionDays", "retentionMinutes"),
            *("frequencyMinutes", "maxSizeBytes", "maxSizePercent", "resources"),
            *("securityContexts.container", "env", "containerLifecycleHooks"),
        )
    ),
    *(f"waitForMigrations.{key}" for key in ("enabled", "env", "securityContexts.container")),
)

_KERBEROS = ("enabled", "resources", "securityContexts.container", "containerLifecycleHooks")

# workers.<key> → workers.celery.<key> and workers.kubernetes.<key>
_BOTH = (
    *("command", "securityContexts.pod", "securityContexts.container"),
    *("containerLifecycleHooks", "resources", "terminationGracePeriodSeconds", "safeToEvict"),
    *("extraContainers", "extraInitContainers", "extraVolumes", "extraVolumeMounts"),
    *("runtimeClassName", "priorityClassName", "affinity", "tolerations"),
    *("topologySpreadConstraints", "nodeSelector", "hostAliases", "podAnnotations", "labels"),
    *("schedulerName", "env"),
    *(
        f"serviceAccount.{key}"
        for key in ("automountServiceAccountToken", "create", "name", "annotations")
    ),
    *(f"kerberosSidecar.{key}" for key in _KERBEROS),
    *(f"kerberosInitContainer.{key}" for key in _KERBEROS),
)

_SILENT_CONTEXTS = (
    *("createUserJob", "migrateDatabaseJob", "triggerer", "dagProcessor", "flower", "redis"),
    "cleanup",
)

RENAMED: tuple[Renamed, ...] = (
    Renamed(
        "ingress.enabled", ("ingress.apiServer.enabled", "ingress.flower.enabled"), reversible=False
    ),
    *(
        Renamed(
            f"ingress.{name}.host", (f"ingress.{name}.hosts",), reshaped=True, form="[{name: HOST}]"
        )
        for name in ("web", "flower", "apiServer", "statsd", "pgbouncer")
    ),
    *(
        Renamed(f"ingress.{name}.tls", (f"ingress.{name}.hosts[*].tls",), reversible=False)
        for name in ("web", "flower", "apiServer")
    ),
    # The chart's own warning says networkPolicy.peers, which its schema refuses.
    *(
        Renamed(f"{name}.extraNetworkPolicies", (f"{name}.networkPolicy.ingress.from",))
        for name in ("flower", "webserver")
    ),
    # The older context is that of pods; git-sync's, that of its container (_helpers.yaml).
    Renamed("securityContext", ("securityContexts.pod",)),
    *(
        Renamed(f"{name}.securityContext", (f"{name}.securityContexts.pod",))
        for name in ("scheduler", "webserver", "statsd")
    ),
    *(
        Renamed(f"{name}.securityContext", (f"{name}.securityContexts.pod",), warned=False)
        for name in _SILENT_CONTEXTS
    ),
    Renamed(
        "dags.gitSync.securityContext", ("dags.gitSync.securityContexts.container",), warned=False
    ),
    Renamed(
        "workers.securityContext",
        ("workers.celery.securityContexts.pod", "workers.kubernetes.securityContexts.pod"),
    ),
    *(Renamed(f"workers.{key}", (f"workers.celery.{key}",)) for key in _CELERY),
    *(
        Renamed(f"workers.{key}", (f"workers.celery.{key}", f"workers.kubernetes.{key}"))
        for key in _BOTH
    ),
    Renamed(
        "workers.logGroomerSidecar.requirePersistence",
        ("workers.celery.logGroomerSidecar.requirePersistence",),
        warned=False,
    ),
    Renamed("webserver.defaultUser", ("createUserJob.defaultUser",)),
    Renamed("dags.gitSync.readinessProbe", ("dags.gitSync.livenessProbe",), reversible=False),
    Renamed(
        "registry.secretName",
        ("imagePullSecrets",),
        warned=False,
        reshaped=True,
        form="[{name: SECRET}]",
    ),
    Renamed(
        "registry.connection",
        ("imagePullSecrets",),
        warned=False,
        reversible=False,
        form="[{name: SECRET}], with a Secret of type kubernetes.io/dockerconfigjson",
    ),
    Renamed("webserverSecretKey", ("apiSecretKey",), warned=False, airflow3_only=True),
    Renamed(
        "webserverSecretKeySecretName",
        ("apiSecretKeySecretName",),
        warned=False,
        airflow3_only=True,
    ),
    Renamed(
        "webserverSecretAnnotations", ("apiSecretAnnotations",), warned=False, airflow3_only=True
    ),
)

OLDER: tuple[Renamed, ...] = (
    Renamed("workers", ("workers.celery",)),
    Renamed("webserver.defaultUser.enabled", ("createUserJob.enabled",)),
    Renamed("workers.securityContext", ("workers.securityContexts.pod",)),
    Renamed("dags.gitSync.wait", ("dags.gitSync.period",), reshaped=True),
    Renamed("dags.gitSync.branch", ("dags.gitSync.ref",), reshaped=True),
    Renamed("postgresql.existingSecret", ("postgresql.auth.existingSecret",)),
    Renamed("postgresql.postgresqlUsername", ("postgresql.auth.username",)),
    Renamed("postgresql.postgresqlPassword", ("postgresql.auth.password",)),
    Renamed("postgresql.postgresqlDatabase", ("postgresql.auth.database",)),
    Renamed("postgresql.persistence", ("postgresql.primary.persistence",)),
    Renamed("postgresql.resources", ("postgresql.primary.resources",)),
)
"""Names before those of `RENAMED`, read off the charts 1.6.0 to 1.19.0 and their subcharts."""

DEFAULTS: tuple[tuple[str, str, str], ...] = (
    (
        "enableServiceLinks",
        "pods get a variable for every Service of the namespace; chart 2.0 stops that",
        "set {key:enableServiceLinks}: false, or true to keep it",
    ),
    (
        "dags.gitSync.recommendedProbeSetting",
        "git-sync's probes follow settings that the chart will drop",
        "set {key:dags.gitSync.recommendedProbeSetting}: true and "
        "{key:dags.gitSync.livenessProbe.enabled}: true",
    ),
)
"""Defaults that will change: key, what they mean today, and what to write."""

NO_EFFECT: dict[str, str] = {
    "defaultUser": "{key:createUserJob.defaultUser}",
    "web": "webserver, or from Airflow 3 on apiServer",
    "worker": "{key:workers.celery}",
    "externalDatabase": "{key:data.metadataSecretName}",
    "externalRedis": "{key:data.brokerUrlSecretName}",
    "fernetKeySecret": "{key:fernetKeySecretName}",
    "podDisruptionBudget": "<component>.podDisruptionBudget",
    "dags.git": "dags.gitSync",
    "serviceMonitor": "a ServiceMonitor of your own: the chart has none",
    "extraObjects": "manifests beside the chart: it has no such key",
}
"""Keys of public values files and guides that the chart does not read, and what does it."""

REFUSED: dict[str, str] = {
    "webserver.safeToEvict": "set the annotation through podAnnotations: of webserver, or from "
    "Airflow 3 on of apiServer",
    "apiServer.safeToEvict": "set the annotation through {key:apiServer.podAnnotations}",
    "apiServer.defaultUser": "it is {key:createUserJob.defaultUser}",
    "apiServer.terminationGracePeriodSeconds": "the chart has no key for it; the pod gets 30 s",
    "pgbouncer.terminationGracePeriodSeconds": "the chart has no key for it; the pod gets 30 s",
    "images.flower.digest": "write the digest behind the tag: <tag>@sha256:<digest>",
    "images.pod_template.digest": "write the digest behind the tag: <tag>@sha256:<digest>",
    "extraEnv": "extraEnv takes YAML as one text: write `extraEnv: |` and a list below it",
    "extraEnvFrom": "extraEnvFrom takes YAML as one text: write `extraEnvFrom: |` and a list below",
    "flower.podDisruptionBudget": "the chart has no disruption budget for flower",
    "statsd.podDisruptionBudget": "the chart has no disruption budget for statsd",
    "redis.podDisruptionBudget": "the chart has no disruption budget for redis",
    "statsd.serviceMonitor": "the chart has no ServiceMonitor; add one beside it",
    "redis.replicas": "the bundled Redis has one replica; use an external broker for more",
}
"""Hints for keys and shapes that the schema refuses."""

OLD_KEYS = OldKeys(RENAMED, DEFAULTS, NO_EFFECT, REFUSED, OLDER)
