"""What rendered objects refer to, read without gen-env's own checks: a second opinion."""

import itertools
from typing import NamedTuple

import yaml

TASK_PODS = "pod_template_file.yaml"
_TEMPLATE = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


class Pod(NamedTuple):
    """A pod that some object makes: the object's kind and name, the pod's metadata and spec."""

    kind: str
    name: str
    metadata: dict
    spec: dict

    @property
    def labels(self):
        return self.metadata.get("labels") or {}

    @property
    def component(self):
        """The chart's word for it; its PostgreSQL follows another chart's rules."""
        named = self.labels.get("component")
        return named or self.labels.get("app.kubernetes.io/name", "")

    @property
    def containers(self):
        return [*(self.spec.get("initContainers") or []), *self.spec["containers"]]

    @property
    def stays(self):
        """Whether it runs until it is replaced, and so reads its environment once."""
        return self.kind in ("Deployment", "StatefulSet")


def pods(manifests):
    """Every pod, task pods of the Kubernetes executor included."""
    for manifest in manifests:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if kind in _TEMPLATE:
            node = manifest
            for key in _TEMPLATE[kind]:
                node = node[key]
            yield Pod(kind, name, node["metadata"], node["spec"])
        elif kind == "ConfigMap" and TASK_PODS in (manifest.get("data") or {}):
            task = yaml.safe_load(manifest["data"][TASK_PODS])
            yield Pod("Pod", "task", task["metadata"], task["spec"])


def secrets_of(pod):
    """(Secret, key) for all that a pod reads, with key None where it takes the Secret whole."""
    found = set()
    for container in pod.containers:
        for variable in container.get("env") or []:
            source = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if source:
                found.add((source["name"], source["key"]))
        for source in container.get("envFrom") or []:
            if "secretRef" in source:
                found.add((source["secretRef"]["name"], None))
        for mount, volume in itertools.product(
            container.get("volumeMounts") or [], pod.spec.get("volumes") or []
        ):
            secret = volume.get("secret")
            if secret and mount["name"] == volume["name"]:
                keys = [item["key"] for item in secret.get("items") or []]
                keys = keys or [mount.get("subPath")]
                found |= {(secret["secretName"], key) for key in keys}
    return found


def pull_secrets_of(pod):
    """(Secret, key) for what pulls the images."""
    return {(item["name"], ".dockerconfigjson") for item in pod.spec.get("imagePullSecrets") or []}


def certificates(manifests):
    """(Secret, key) of every ingress whose certificate nobody issues."""
    for manifest in manifests:
        annotations = manifest["metadata"].get("annotations") or {}
        issued = any(name.startswith("cert-manager.io/") for name in annotations)
        if manifest["kind"] == "Ingress" and not issued:
            for entry in manifest["spec"].get("tls") or []:
                yield entry["secretName"], "tls.crt"
                yield entry["secretName"], "tls.key"


def selected(selector, labels):
    """Whether a label selector of plain `matchLabels` matches; an empty one matches all."""
    assert set(selector) <= {"matchLabels"}, f"more than this test knows: {selector}"
    return (selector.get("matchLabels") or {}).items() <= labels.items()


def of_kind(manifests, kind):
    return [manifest for manifest in manifests if manifest["kind"] == kind]
