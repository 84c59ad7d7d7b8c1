"""Looking into rendered objects: their pods, containers and the place where they stand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from generator.kube.resource import Object, key_of

Where = Callable[[Object], str]
"""The file that an object stands in, relative to the repository; '' when it is rendered only."""

POD_TEMPLATE_KEY = "pod_template_file.yaml"

_TEMPLATES: dict[str, tuple[str, ...]] = {
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
        return mapping(self.metadata.get("labels"))

    @property
    def namespace(self) -> str:
        """Where the pods run; '' for the release's own namespace."""
        return str(mapping(self.owner.get("metadata")).get("namespace") or "")


def pod_templates(manifests: Iterable[Object]) -> Iterator[PodTemplate]:
    """Every pod template, that of KubernetesExecutor's task pods included.

    The latter stands as text in the ConfigMap `<release>-config`; a text that is no YAML mapping
    is left out here and reported by the schema check of the template itself.
    """
    for manifest in manifests:
        kind = str(manifest.get("kind"))
        if kind in _TEMPLATES:
            yield _template(manifest, _TEMPLATES[kind])
        elif kind == "ConfigMap":
            text = mapping(manifest.get("data")).get(POD_TEMPLATE_KEY)
            pod = _parsed(text) if isinstance(text, str) else None
            if pod is not None:
                title = f"task pods ({title_of(manifest)}, {POD_TEMPLATE_KEY})"
                yield PodTemplate(
                    manifest, mapping(pod.get("metadata")), mapping(pod.get("spec")), title
                )


def task_pods(manifest: Object) -> Mapping[str, Any] | None:
    """The pod template of the KubernetesExecutor in a ConfigMap, if it holds one."""
    text = mapping(manifest.get("data")).get(POD_TEMPLATE_KEY)
    return _parsed(text) if manifest.get("kind") == "ConfigMap" and isinstance(text, str) else None


def _template(manifest: Object, path: tuple[str, ...]) -> PodTemplate:
    node: Mapping[str, Any] = manifest
    for key in path:
        node = mapping(node.get(key))
    return PodTemplate(
        manifest, mapping(node.get("metadata")), mapping(node.get("spec")), title_of(manifest)
    )


def _parsed(text: str) -> Mapping[str, Any] | None:
    from generator.yaml.errors import YamlError
    from generator.yaml.manifests import load_manifests

    try:
        documents = load_manifests(text)
    except YamlError:
        return None
    return documents[0] if len(documents) == 1 else None


def containers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every container of a pod with the list that it stands in."""
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for item in rows(spec.get(kind)):
            yield kind, item


def title_of(manifest: Object) -> str:
    """`Kind namespace/name`."""
    return str(key_of(manifest))


def mapping(value: Any) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def rows(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
