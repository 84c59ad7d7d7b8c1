"""Values that several case files share.

A case file maps the id of a rule to what it must find and the nearest things that it must let pass.
A case is a mapping from dotted value paths to values. `@engine`, `@tier`, `@release` and
`@namespace` set the circumstances instead.
"""

AIRFLOW2 = {"airflowVersion": "2.11.0"}
KUBERNETES = {"executor": "KubernetesExecutor"}
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


def given(*parts, **more):
    result = {}
    for part in parts:
        result.update(part)
    return {**result, **more}
