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


def rendered(archive, folder):
    """By name of the sample: its namespace, and everything that it gives the cluster."""
    charts = Charts(ChartCache(folder / "cache"))
    charts.cache.add(archive)
    files = WorkTree(ROOT)
    found = catalogue.load(files)
    engine = SdkEngine()
    result = {}
    for name in NAMES:
        built = generate.build(files, found.settings, found.definitions[name])
        chart = charts.cache.find("airflow", built.release.environment.chart.version)
        rendered = engine.render(generate.request(built, chart))
        manifests = [*generate.own_manifests(built), *rendered.manifests]
        complete = objects.complete(built.release, built.secrets)
        manifests.append(argocd.application(built.release, complete=complete))
        result[name] = built.release.environment.namespace, resource.ordered(manifests)
    return result


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
