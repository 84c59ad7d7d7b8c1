"""Short manifests and sides for tests of what a change does."""

from __future__ import annotations

from generator.diff.model import Facts, Side
from generator.impact import registry

NAMESPACE = "airflow"


def found(base, head, rule=None, base_facts=None, head_facts=None):
    """Findings of one rule (all without) on the way from base to head."""
    findings = registry.find(side(base, base_facts), side(head, head_facts))
    return [item for item in findings if rule is None or item.rule == f"impact/{rule}"]


def side(manifests, facts=None):
    return Side("r", tuple(manifests), Facts(**(facts or {})), namespace=NAMESPACE)


def manifest(api, kind, name, **rest):
    metadata = {"name": name, **rest.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **rest}


def workload(component, kind="Deployment", *, replicas=1, image="r/airflow:3.2.1", **pod):
    """A Deployment (or another kind) with one container; `container_` fields go into it."""
    container = {"name": component, "image": image}
    annotations = pod.pop("annotations", {})
    spec = pod.pop("spec", {})
    for field in [name for name in pod if name.startswith("container_")]:
        container[field.removeprefix("container_")] = pod.pop(field)
    template = {
        "metadata": {"labels": {"component": component}, "annotations": annotations},
        "spec": {"containers": [container], **pod},
    }
    return manifest(
        "apps/v1",
        kind,
        f"airflow-{component}",
        spec={
            "replicas": replicas,
            "selector": {"matchLabels": {"component": component}},
            "template": template,
            **spec,
        },
    )


def config(data, name="airflow-config", **rest):
    return manifest("v1", "ConfigMap", name, data=data, **rest)


def airflow_cfg(text):
    return config({"airflow.cfg": text})


def secret(name, **data):
    return manifest("v1", "Secret", name, stringData=data)


def sealed(name, **data):
    return manifest("bitnami.com/v1alpha1", "SealedSecret", name, spec={"encryptedData": data})


def from_secret(variable, name, key):
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}


def service(component, labels=None, port="http"):
    return manifest(
        "v1",
        "Service",
        f"airflow-{component}",
        metadata={"labels": labels or {}},
        spec={"selector": {"component": component}, "ports": [{"name": port, "port": 80}]},
    )


def policy(component, ingress=None, egress=None, name="policy"):
    spec = {"podSelector": {"matchLabels": {"component": component}}, "policyTypes": []}
    for direction, rules in (("ingress", ingress), ("egress", egress)):
        if rules is not None:
            spec["policyTypes"].append(direction.capitalize())
            spec[direction] = rules
    return manifest("networking.k8s.io/v1", "NetworkPolicy", name, spec=spec)


def scaler(target, low, high, kind="Deployment"):
    return manifest(
        "keda.sh/v1alpha1",
        "ScaledObject",
        f"scale-{target}",
        spec={
            "scaleTargetRef": {"name": f"airflow-{target}", "kind": kind},
            "minReplicaCount": low,
            "maxReplicaCount": high,
        },
    )


def claim(size="10Gi", storage_class="fast", annotations=None):
    return manifest(
        "v1",
        "PersistentVolumeClaim",
        "logs",
        metadata={"annotations": annotations or {}},
        spec={
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": size}},
        },
    )
