"""Releases as teams have them, adopted into a repository, and rendered without gen-env."""

import base64
import gzip
import json

import yaml

from generator.chart.chart import open_chart
from generator.render.cache import CachedRenderer, RenderCache
from generator.render.engine import SdkEngine
from generator.render.request import RenderRequest, RenderResult
from tests.repositories import SETTINGS, repository
from tests.standin_chart import CHART

HERE = "https://git.example.com/here.git"
"""The repository itself, where sources of an Application name it."""
KUBERNETES = "1.34.2"
APIS = ("keda.sh/v1alpha1", "monitoring.coreos.com/v1")
# What the chart draws anew on every render, as its authors say; nothing else may differ.
RANDOM = ("fernet-key", "api-secret-key", "jwt-secret", "webserver-secret-key", "password")
CHECKSUMS = ("checksum/jwt-secret", "checksum/webserver-secret-key", "checksum/api-secret-key")


def case(name):
    """The text of one of the stand-in chart's example values."""
    return (CHART.parent / "values" / f"{name}.yaml").read_text("utf-8")


def application(helm, *, name="old-airflow", namespace="data", **spec):
    """An Argo CD Application with these Helm options, the official chart as its one source."""
    source = {"repoURL": "https://airflow.apache.org", "chart": "airflow"}
    return yaml.safe_dump(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "destination": {"server": "https://10.0.0.1:6443", "namespace": namespace},
                "source": {**source, "targetRevision": "1.22.0", "helm": helm},
                **spec,
            },
        }
    )


def computed(archive, values):
    """What `helm get values --all` prints: the user's values over all of the chart's."""
    from generator.helmvalues.values import merged

    both = merged(open_chart(archive, official=False).values(), yaml.safe_load(values))
    return "COMPUTED VALUES:\n" + yaml.safe_dump(both)


def record(values, *, chart="airflow", name="airflow"):
    """The Secret in which Helm keeps a release: JSON, packed, in base64 within base64."""
    content = {
        "name": name,
        "namespace": "airflow",
        "version": 3,
        "info": {"status": "deployed"},
        "chart": {"metadata": {"name": chart, "version": "1.22.0"}, "values": {"a": 1}},
        "config": values,
    }
    packed = base64.b64encode(gzip.compress(json.dumps(content).encode(), mtime=0))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": {"name": f"sh.helm.release.v1.{name}.v3", "namespace": "airflow"},
        "data": {"release": base64.b64encode(packed).decode()},
    }


class Adoption:
    """A repository with files to adopt, the command's result, and the renders."""

    def __init__(self, root, archive, files):
        self.repo = repository(root, settings=SETTINGS)
        self.archive = archive
        for path, text in files.items():
            self.repo.write(path, text)
        if any(HERE in str(text) for text in files.values()):
            self.repo.init().git("remote", "add", "origin", HERE)

    def run(self, *arguments):
        """With the chart version, which plain values do not name."""
        version = () if "--chart" in arguments else ("--chart", "1.22.0")
        return self.repo.run("adopt", *arguments, *version)

    @property
    def definition(self):
        return self.repo.yaml("environments/staging/environment.yaml")

    @property
    def tree_values(self):
        return self.repo.yaml("environments/staging/generated/values.yaml")

    @property
    def application(self):
        return self.repo.yaml("environments/staging/generated/application.yaml")

    def before(self, values, release="airflow", namespace="airflow"):
        return rendered(self.archive, values, release, namespace)

    def after(self):
        """What the cluster is given by the written tree: its Application and its values."""
        spec = self.application["spec"]
        helm = spec["sources"][0]["helm"]
        return rendered(
            self.archive, self.tree_values, helm["releaseName"], spec["destination"]["namespace"]
        )


def rendered(archive, values, release="airflow", namespace="airflow"):
    """(kind, name) → the object, what is random left out."""
    engine = CachedRenderer(SdkEngine(), RenderCache.from_environment())
    answer = engine.render(RenderRequest(archive, release, namespace, values, KUBERNETES, APIS))
    assert isinstance(answer, RenderResult), str(answer)
    return {
        (item["kind"], item["metadata"]["name"]): _settled(json.loads(json.dumps(item)))
        for item in answer.manifests
    }


def _settled(item):
    if item["kind"] == "Secret":
        name = item["metadata"]["name"]
        for key in item.get("data") or {}:
            if key in RANDOM or name.endswith("-broker-url"):
                item["data"][key] = "random"
    template = (item.get("spec") or {}).get("template") or {}
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    for name in CHECKSUMS:
        if name in annotations:
            annotations[name] = "random"
    return item
