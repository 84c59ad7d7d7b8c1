"""The service's own chart, rendered with Helm's library."""

import tarfile
from pathlib import Path

from generator.render.engine import SdkEngine
from generator.render.request import RenderRequest

FOLDER = Path(__file__).parents[2] / "deploy" / "chart"
KUBERNETES = "1.34.2"
PLAIN = {
    "image": {"repository": "registry.example.com/gen-env-service"},
    "secretName": "gen-env-forge",
    "settings": {
        "publicUrl": "https://gen-env.example.com",
        "connections": [
            {
                "name": "gitea",
                "forge": "gitea",
                "url": "http://gitea.gitea:3000",
                "plainHttp": ["gitea.gitea:3000"],
                "repositories": ["team/airflow"],
                "webhookSecrets": [{"file": "secrets/webhook"}],
                "token": {"file": "secrets/token"},
                "verification": {"clusters": {"here": {"inCluster": True}}},
            }
        ],
    },
}
_EDGE = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}}]
_MORE = {
    "serviceAccount": {"name": "checks"},
    "verification": {
        "enabled": True,
        "bindings": [{"namespace": "airflow-dev", "role": "gen-env-verify"}],
    },
    "networkPolicy": {"from": _EDGE},
    "ingress": {"enabled": True, "host": "gen-env.example.com", "tlsSecretName": "tls"},
    "route": {
        "enabled": True,
        "hostname": "gen-env.example.com",
        "parentRefs": [{"name": "edge", "namespace": "edge"}],
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
}
_GROWING = {"autoscaling": {"enabled": True}}
VALUES = {
    "SQLite": {**PLAIN, **_MORE},
    "PostgreSQL": {
        **PLAIN, **_MORE, "database": {"secretName": "gen-env-database"},
        "web": _GROWING, "worker": _GROWING,
    },
}  # fmt: skip


def answer(folder, values):
    """What Helm answers for these values: a RenderResult or a RenderFailure."""
    archive = folder / "gen-env-service.tgz"
    if not archive.exists():
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(FOLDER, "gen-env-service")
    return SdkEngine().render(RenderRequest(archive, "checks", "gen-env", values, KUBERNETES))


def objects(folder, values):
    """The objects, in Helm's order."""
    found = answer(folder, values)
    assert hasattr(found, "manifests"), found
    return list(found.manifests)
