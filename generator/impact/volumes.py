"""What is kept in pods and their volumes: by databases, by brokers, of logs and DAGs."""

from __future__ import annotations

import json
import re

from generator.impact.context import View
from generator.kube import fields
from generator.kube.workload import Workload

# kubernetes.io/docs/concepts/storage/volumes
_LASTING = frozenset(
    {
        "awsElasticBlockStore",
        "azureDisk",
        "azureFile",
        "cephfs",
        "cinder",
        "csi",
        "fc",
        "flexVolume",
        "gcePersistentDisk",
        "hostPath",
        "iscsi",
        "nfs",
        "persistentVolumeClaim",
        "rbd",
        "vsphereVolume",
    }
)
# Drivers of `csi` volumes that live and die with the pod.
_PASSING = ("secrets-store.csi.k8s.io", "csi.cert-manager.io", "csi.spiffe.io")

# Where images of PostgreSQL, MySQL, Redis and RabbitMQ keep their data, Bitnami's among them.
_DATA = (
    "/bitnami/postgresql",
    "/var/lib/postgresql/data",
    "/bitnami/mariadb",
    "/bitnami/mysql",
    "/var/lib/mysql",
    "/bitnami/redis/data",
    "/bitnami/valkey/data",
    "/bitnami/rabbitmq",
    "/var/lib/rabbitmq",
    "/data",
)

_DATABASES = frozenset({"postgresql", "primary", "mysql"})
_DATABASE_IMAGE = re.compile(r"(postgres|postgresql|mysql|mariadb)(?!.*exporter)")
_POSTGRESQL = re.compile(r"(?:^|/)postgres(?:ql)?:v?([1-9]\d)(?=[.-]|$)")
_BROKER_IMAGE = re.compile(r"(redis|valkey|rabbitmq)(?!.*exporter)")


def is_database(work: Workload) -> bool:
    """Whether it runs PostgreSQL or MySQL, by its name or its image."""
    return work.component in _DATABASES or _runs(work, _DATABASE_IMAGE)


def postgresql_major(work: Workload) -> int | None:
    """The major version of PostgreSQL by the image's tag; None where that does not tell.

    Each needs its own files (postgresql.org/docs/current/upgrading.html).
    """
    for container in fields.entries(work.spec, "containers"):
        if match := _POSTGRESQL.search(fields.text(container, "image").partition("@")[0]):
            return int(match[1])
    return None


def is_broker(work: Workload) -> bool:
    """Whether it runs Redis or RabbitMQ, by its name or its image."""
    return work.component == "redis" or _runs(work, _BROKER_IMAGE)


def log_folder(view: View) -> str:
    """The folder into which task logs are written."""
    return _folder(view, "logging", "base_log_folder", "logs")


def dags_folder(view: View) -> str:
    """The folder from which DAGs are read."""
    return _folder(view, "core", "dags_folder", "dags")


def _folder(view: View, section: str, key: str, name: str) -> str:
    return (view.setting(section, key) or f"/opt/airflow/{name}").rstrip("/")


def _runs(work: Workload, image: re.Pattern[str]) -> bool:
    for container in fields.entries(work.spec, "containers"):
        name = fields.text(container, "image").partition("@")[0].rpartition("/")[2]
        if image.match(name):
            return True
    return False


def lasting(work: Workload) -> dict[str, str]:
    """By name of the volume where its content is, for those that outlive the pod."""
    found = {}
    for volume in fields.entries(work.spec, "volumes"):
        for kind in sorted(_LASTING & volume.keys()):
            source = fields.section(volume, kind)
            if fields.text(source, "driver") not in _PASSING:
                name = fields.text(source, "claimName")
                words = f"claim {name}" if name else f"{kind} {json.dumps(source, sort_keys=True)}"
                found[fields.text(volume, "name")] = words
    for template in fields.entries(work.manifest, "spec", "volumeClaimTemplates"):
        name = fields.text(template, "metadata", "name")
        found[name] = f"the claims {name}-{work.key.name}-N"
    return found


def at(work: Workload, path: str) -> str | None:
    """Where a folder of the pod is kept that outlives it: its volume, and the place in it.

    Empty where it goes with the pod, None where nothing is mounted there.
    """
    mounts = [
        mount
        for container in fields.entries(work.spec, "containers")
        for mount in fields.entries(container, "volumeMounts")
        if f"{path}/".startswith(f"{fields.text(mount, 'mountPath').rstrip('/')}/")
    ]
    if not mounts:
        return None
    deepest = max(mounts, key=lambda mount: len(fields.text(mount, "mountPath")))
    home = lasting(work).get(fields.text(deepest, "name"), "")
    below = fields.text(deepest, "subPath")
    return f"{home}, folder {below}" if home and below else home


def of_store(work: Workload) -> str:
    """Where a database or a broker keeps its data; empty where it goes with the pod.

    Of an image that keeps it in a folder unknown here, any volume that outlives the pod counts.
    """
    given = [fields.text(entry, "value") for name, entry in work.environment() if name == "PGDATA"]
    known = [found for path in (*given, *_DATA) if path and (found := at(work, path)) is not None]
    return known[0] if known else " and ".join(sorted(set(lasting(work).values())))
