"""A small environment as rendered and as a healthy cluster shows it, for races to be played on.

`Scene` is plain data that a test changes between two looks; the times are seconds after START.
"""

import copy
import datetime

from generator.core.basis import Basis, Origin, Version
from generator.verify.snapshot import AirflowAnswer, SecretMeta, Snapshot
from generator.verify.target import Endpoint, Expected

START = datetime.datetime(2026, 1, 5, 10, 0, 0, tzinfo=datetime.UTC)
OLD, OURS, LATER = "0" * 40, "1" * 40, "2" * 40
CHAIN = (OLD, OURS, LATER)
REPOSITORY = "https://git.example.com/airflow.git"
IMAGE = "registry.example.com/airflow:2"
BASIS = Basis(
    Version("1.22.0", Origin.LOCK),
    Version("3.2.2", Origin.NAMED),
    Version("1.34.2", Origin.CLUSTER),
)
DIGEST = "sha256:" + "a" * 64
LABELS = {"tier": "airflow", "release": "airflow"}


def at(seconds):
    return (START + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_ancestor(older, newer):
    if older not in CHAIN or newer not in CHAIN:
        return None
    return CHAIN.index(older) <= CHAIN.index(newer)


def meta(name, **more):
    return {"name": name, "namespace": "data", **more}


def template(component, image=IMAGE, checksum="b"):
    container = {"name": component, "image": image}
    if component in ("scheduler", "worker"):
        container["envFrom"] = [{"secretRef": {"name": "airflow-connections"}}]
    return {
        "metadata": {
            "labels": {**LABELS, "component": component},
            "annotations": {"checksum/airflow-config": checksum},
        },
        "spec": {
            "initContainers": [{"name": "wait-for-airflow-migrations", "image": image}],
            "containers": [container],
        },
    }


def workload(kind, component, **more):
    spec = {"replicas": 1, "template": template(component, **more)}
    name = f"airflow-{component}"
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta(name), "spec": spec}


def migration_job(image=IMAGE):
    hook = {"argocd.argoproj.io/hook": "Sync"}
    pod = {"containers": [{"name": "run-airflow-migrations", "image": image}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": meta("airflow-run-airflow-migrations", annotations=hook),
        "spec": {"template": {"spec": pod}},
    }


def sealed_secret(ciphertext="AgB1"):
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": meta("airflow-connections"),
        "spec": {"encryptedData": {"AIRFLOW_CONN_X": ciphertext}},
    }


def claim(name="airflow-dags"):
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta(name), "spec": {}}


def scaled_object():
    return {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": meta("airflow-worker"),
        "spec": {},
    }


def rendered():
    return (
        workload("Deployment", "scheduler"),
        workload("StatefulSet", "triggerer"),
        workload("Deployment", "dag-processor"),
        migration_job(),
        sealed_secret(),
        claim(),
        scaled_object(),
    )


def sources(chart="1.22.0"):
    return [
        {
            "repoURL": "https://airflow.apache.org",
            "chart": "airflow",
            "targetRevision": chart,
            "helm": {"valueFiles": ["$values/environments/staging/generated/values.yaml"]},
        },
        {
            "repoURL": REPOSITORY,
            "targetRevision": "main",
            "ref": "values",
            "path": "environments/staging/generated/manifests",
        },
    ]


def application():
    """Synced to OURS by an operation that ran from second 10 to 40, reconciled at 45."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "staging", "namespace": "argocd"},
        "spec": {"sources": sources(), "syncPolicy": {"automated": {"prune": True}}},
        "status": {
            "sync": {
                "status": "Synced",
                "revisions": ["1.22.0", OURS],
                "comparedTo": {"sources": sources()},
            },
            "reconciledAt": at(45),
            "operationState": operation("Succeeded", OURS, started=10, finished=40),
        },
    }


def operation(phase, revision, *, started, finished=None, message="", results=()):
    state = {
        "phase": phase,
        "message": message,
        "startedAt": at(started),
        "operation": {"sync": {"revisions": ["1.22.0", revision]}},
        "syncResult": {
            "sources": sources(),
            "revisions": ["1.22.0", revision],
            "resources": list(results),
        },
    }
    if finished is not None:
        state["finishedAt"] = at(finished)
    return state


def rolled_out(manifest):
    live = copy.deepcopy(manifest)
    live["metadata"]["generation"] = 2
    replicas = live["spec"]["replicas"]
    live["status"] = {
        "observedGeneration": 2,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "readyReplicas": replicas,
        "availableReplicas": replicas,
        "currentRevision": "r2",
        "updateRevision": "r2",
    }
    return live


def pod(component, *, kind="Deployment", image=IMAGE, created=20, suffix="x"):
    """A ready pod of the workload of that component, its migration waiter passed."""
    name = f"airflow-{component}"
    labels = {**LABELS, "component": component}
    owner = {"kind": "StatefulSet", "name": name, "controller": True}
    if kind == "Deployment":
        labels["pod-template-hash"] = "abc"
        owner = {"kind": "ReplicaSet", "name": f"{name}-abc", "controller": True}
    own = template(component, image=image)
    passed = {"exitCode": 0, "finishedAt": at(created + 3)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(
            f"{name}-{suffix}",
            labels=labels,
            annotations=own["metadata"]["annotations"],
            ownerReferences=[owner],
            creationTimestamp=at(created),
        ),
        "spec": {**own["spec"], "restartPolicy": "Always"},
        "status": {
            "phase": "Running",
            "startTime": at(created),
            "conditions": [{"type": "Ready", "status": "True"}],
            "initContainerStatuses": [
                {"name": "wait-for-airflow-migrations", "state": {"terminated": passed}}
            ],
            "containerStatuses": [
                {
                    "name": component,
                    "imageID": f"registry.example.com/airflow@{DIGEST}",
                    "ready": True,
                    "restartCount": 0,
                    "state": {"running": {"startedAt": at(created + 4)}},
                }
            ],
        },
    }


def finished_job(*, created=12, done=20):
    job = migration_job()
    job["metadata"]["creationTimestamp"] = at(created)
    job["status"] = {
        "succeeded": 1,
        "completionTime": at(done),
        "conditions": [{"type": "Complete", "status": "True"}],
    }
    return job


def unsealed(manifest):
    live = copy.deepcopy(manifest)
    live["metadata"]["generation"] = 1
    live["status"] = {
        "observedGeneration": 1,
        "conditions": [{"type": "Synced", "status": "True"}],
    }
    return live


def bound(manifest):
    return {**copy.deepcopy(manifest), "status": {"phase": "Bound"}}


def ready(manifest):
    live = copy.deepcopy(manifest)
    live["status"] = {"conditions": [{"type": "Ready", "status": "True", "reason": "Ok"}]}
    return live


def airflow(beat, **statuses):
    document = {"metadatabase": {"status": statuses.get("metadatabase", "healthy")}}
    for key in ("scheduler", "triggerer", "dag_processor"):
        document[key] = {
            "status": statuses.get(key, "healthy"),
            f"latest_{key}_heartbeat": at(beat),
        }
    return document


class Scene:
    """The cluster that a test plays with; every attribute may be changed between two looks."""

    def __init__(self):
        self.application = application()
        scheduler, triggerer, processor = (rolled_out(item) for item in rendered()[:3])
        self.workloads = {"scheduler": scheduler, "triggerer": triggerer, "processor": processor}
        self.pods = {
            "scheduler": pod("scheduler"),
            "triggerer": pod("triggerer", kind="StatefulSet"),
            "processor": pod("dag-processor"),
        }
        self.jobs = {"migration": finished_job()}
        self.sealed = {"connections": unsealed(sealed_secret())}
        self.claims = {"dags": bound(claim())}
        self.autoscalers = {}
        self.scaled = {"worker": ready(scaled_object())}
        self.secrets = {"airflow-connections": 5}
        self.airflow = airflow  # called with the moment: the heart beats on
        self.airflow_problem = ""
        self.events = []
        self.unavailable = {}
        self.logs = {}

    @property
    def status(self):
        return self.application["status"]

    def before_the_commit(self):
        """The state that the merge found: everything healthy at OLD with another image."""
        self.status["sync"]["revisions"][1] = OLD
        self.status["operationState"] = operation("Succeeded", OLD, started=-600, finished=-500)
        self.status["reconciledAt"] = at(-60)
        old = "registry.example.com/airflow:1"
        for live in self.workloads.values():
            own = live["spec"]["template"]["spec"]
            for container in (*own["initContainers"], *own["containers"]):
                container["image"] = old
        for name in self.pods:
            for container in self.pods[name]["spec"]["containers"]:
                container["image"] = old
        self.jobs = {}
        return self

    def look(self, seconds):
        document = None
        if self.airflow is not None or self.airflow_problem:
            found = self.airflow(seconds) if callable(self.airflow) else self.airflow
            document = AirflowAnswer("ingress", found or {}, self.airflow_problem)
        return copy.deepcopy(
            Snapshot(
                taken_at=START + datetime.timedelta(seconds=seconds),
                application=self.application,
                workloads=tuple(self.workloads.values()),
                pods=tuple(self.pods.values()),
                jobs=tuple(self.jobs.values()),
                events=tuple(self.events),
                claims=tuple(self.claims.values()),
                manifests=tuple(self.sealed.values()),
                secrets=tuple(
                    SecretMeta(name, START + datetime.timedelta(seconds=age), "SealedSecret")
                    for name, age in self.secrets.items()
                ),
                autoscalers=tuple(self.autoscalers.values()),
                scaled_objects=tuple(self.scaled.values()),
                airflow=document,
                unavailable=dict(self.unavailable),
                logs=dict(self.logs),
            )
        )


def expected(**changes):
    fields = {
        "environment": "staging",
        "revision": OURS,
        "application": "staging",
        "application_namespace": "argocd",
        "namespace": "data",
        "release": "airflow",
        "manifests": rendered(),
        "basis": BASIS,
        "is_ancestor": is_ancestor,
        "changes_environment": lambda older, newer: older != newer,
        "repository": "https://git.example.com/airflow",
        "chart_version": "1.22.0",
        "application_manifest": {"spec": {"sources": sources()}},
        "migration_job": "airflow-run-airflow-migrations",
        "endpoint": Endpoint(url="https://airflow.example.com", service="airflow-api-server"),
    }
    return Expected(**{**fields, **changes})


def crash_loop(name="scheduler", *, restarts=4, code=1):
    return {
        "name": name,
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "lastState": {"terminated": {"exitCode": code, "reason": "Error"}},
    }


def restarted(name="scheduler", *, restarts=1, ended, ran=600, code=137, reason="OOMKilled"):
    """A container that runs again since second `ended`, after a run of `ran` seconds."""
    last = {"exitCode": code, "reason": reason, "finishedAt": at(ended)}
    return {
        "name": name,
        "ready": True,
        "restartCount": restarts,
        "state": {"running": {"startedAt": at(ended + 1)}},
        "lastState": {"terminated": {**last, "startedAt": at(ended - ran)}},
    }


def image_pull(name="scheduler"):
    words = "Back-off pulling image: not found"
    waiting = {"reason": "ImagePullBackOff", "message": words}
    return {"name": name, "ready": False, "image": IMAGE, "state": {"waiting": waiting}}
