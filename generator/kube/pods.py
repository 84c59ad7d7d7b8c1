"""Looking into rendered objects: their pods, containers and the place where they stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from generator.kube.fields import entries, section
from generator.kube.resource import Object, key_of
from generator.yaml.errors import YamlError
from generator.yaml.limits import Limits
from generator.yaml.manifests import load_manifests

Where = Callable[[Object], str]
"""The file that an object stands in, relative to the repository; '' when it is rendered only."""

_POD_TEMPLATE_KEY = "pod_template_file.yaml"
_LIMITS = Limits(size=1 << 18, nodes=20_000, expanded=50_000)

_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def rendered_only(_: Object) -> str:
    """No file: the object exists in the render alone."""
    return ""


@dataclasses.dataclass(frozen=True, slots=True)
class PodTemplate:
    """Pods of one workload: the object that makes them, their metadata and their specification."""

    owner: Object
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    title: str

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that selectors see."""
        return section(self.metadata, "labels")

    @property
    def namespace(self) -> str:
        """Where the pods run; '' for the release's own namespace."""
        return str(section(self.owner, "metadata").get("namespace") or "")


def pod_templates(manifests: Iterable[Object]) -> Iterator[PodTemplate]:
    """Every pod template, that of KubernetesExecutor's task pods included."""
    for manifest in manifests:
        title, template = title_of(manifest), template_of(manifest)
        if template is None and (template := task_pods(manifest)) is not None:
            title = f"task pods ({title}, {_POD_TEMPLATE_KEY})"
        if template is not None:
            metadata, spec = section(template, "metadata"), section(template, "spec")
            yield PodTemplate(manifest, metadata, spec, title)


def template_of(manifest: Object) -> Mapping[str, Any] | None:
    """The pod template of an object that makes pods (a Pod is its own), None of any other."""
    path = _TEMPLATES.get(str(manifest.get("kind")))
    return None if path is None else section(manifest, *path)


def task_pods(manifest: Object) -> Mapping[str, Any] | None:
    """The pod template of the KubernetesExecutor, which stands as text in a ConfigMap.

    None for any other object, and for a text that is not one YAML mapping of a pod's size.
    """
    text = section(manifest, "data").get(_POD_TEMPLATE_KEY)
    if manifest.get("kind") != "ConfigMap" or not isinstance(text, str):
        return None
    try:
        documents = load_manifests(text, limits=_LIMITS)
    except YamlError:
        return None
    return documents[0] if len(documents) == 1 else None


def containers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every container of a pod with the list that it stands in."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for item in entries(spec, kind):
            yield kind, item


def title_of(manifest: Object) -> str:
    """`Kind namespace/name`."""
    return str(key_of(manifest))
