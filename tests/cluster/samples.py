"""The sample environments of this repository as objects, and their way into a cluster."""

from pathlib import Path

from generator.chart.cache import ChartCache
from generator.core.files import WorkTree
from generator.engine import argocd
from generator.kube import resource
from generator.pipeline import generate
from generator.pipeline.generate import Charts
from generator.render.engine import SdkEngine
from generator.tree import catalogue, objects

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("dev", "staging", "production")
COMPANIES = ("company-eks", "company-openshift", "company-air-gapped")


def rendered(archive, folder):
    """By name of the sample: its namespace, and everything that it gives the cluster."""
    charts = Charts(ChartCache(folder / "cache"))
    charts.cache.add(archive)
    result = {name: _rendered(WorkTree(ROOT), name, charts) for name in NAMES}
    for name in COMPANIES:
        namespace, manifests = _rendered(
            WorkTree(ROOT / "tests" / "golden" / name), "production", charts
        )
        result[name] = name, [_renamed(moved(item, namespace, name), name) for item in manifests]
    return result


def _renamed(manifest, namespace):
    """The namespace itself by its new name, everything else as it is."""
    if manifest["kind"] != "Namespace":
        return manifest
    return {**manifest, "metadata": {**manifest["metadata"], "name": namespace}}


def _rendered(files, name, charts):
    found = catalogue.load(files)
    built = generate.build(files, found.settings, found.definitions[name])
    chart = charts.cache.find("airflow", built.release.environment.chart.version)
    rendered = SdkEngine().render(generate.request(built, chart))
    manifests = [*generate.own_manifests(built), *rendered.manifests]
    complete = objects.complete(built.release, built.secrets)
    manifests.append(argocd.application(built.release, complete=complete))
    return built.release.environment.namespace, resource.ordered(manifests)


def placed(manifest, namespace):
    """With the namespace that Argo CD would give it; a stub's empty ciphertext stays as it is."""
    if resource.key_of(manifest, namespace).namespace and "namespace" not in manifest["metadata"]:
        metadata = {**manifest["metadata"], "namespace": namespace}
        return {**manifest, "metadata": metadata}
    return manifest


def ensure_namespace(plane, name):
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def moved(value, old, new):
    """The objects in another namespace, wherever they name their own."""
    if isinstance(value, dict):
        return {
            key: new if key == "namespace" and item == old else moved(item, old, new)
            for key, item in value.items()
        }
    return [moved(item, old, new) for item in value] if isinstance(value, list) else value
