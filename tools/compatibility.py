"""What the tests run gen-env with, and what the generated objects need."""

import re
from pathlib import Path

from generator import manifests
from tools.table import table

ROOT = Path(__file__).resolve().parent.parent
_TOOLS = ROOT / "tests" / "cluster" / "tools"

# What runs → (module of tests/cluster/tools, its Go package, what the tests do with it).
_PROGRAMS = {
    "Kubernetes": ("kubernetes", "k8s.io/kubernetes", "API server, controller manager, scheduler;"
                   " nodes are kwok's, so that no container runs"),
    "Argo CD": ("argo-cd", "github.com/argoproj/argo-cd/v3", "application controller and repository"
                " server: sync, hooks, pruning, health"),
    "sealed-secrets": ("sealed-secrets", "github.com/bitnami-labs/sealed-secrets", "the controller"
                       " opens what `gen-env seal` writes"),
    "Helm": ("helm", "helm.sh/helm/v3", "the binary beside the library: the same render"),
}  # fmt: skip

# Group of an API → (needed for, how far it is tested).
_SCHEMA = "by `validate` against its CustomResourceDefinition, where one is given; no controller"
_APIS = {
    "argoproj.io": ("engine: argocd", "applied and synced by the Argo CD above"),
    "bitnami.com": ("secrets.provider: sealed-secrets", "opened by the controller above"),
    "external-secrets.io": ("secrets.provider: external-secrets", _SCHEMA),
    "helm.toolkit.fluxcd.io": ("engine: flux", _SCHEMA),
    "kustomize.toolkit.fluxcd.io": ("engine: flux", _SCHEMA),
    "source.toolkit.fluxcd.io": ("engine: flux", _SCHEMA),
    "grafana.integreatly.org": ("metrics.dashboards: operator", _SCHEMA),
    "monitoring.coreos.com": ("metrics.serviceMonitor, metrics.alerts", _SCHEMA),
    "gateway.networking.k8s.io": ("gateway", _SCHEMA),
    "route.openshift.io": ("route", _SCHEMA),
    "keda.sh": ("workers.autoscaling, triggerer.autoscaling: keda (the chart's object)", _SCHEMA),
}
_API = re.compile(r"^apiVersion: ([a-z0-9.-]+\.[a-z0-9.-]+)/(v\w+)\n(?:#.*\n)*kind: (\w+)$", re.M)
# By the chart, and by gen-env in no tree of the repository.
_MORE = {
    ("keda.sh", "v1alpha1", "ScaledObject"),
    ("source.toolkit.fluxcd.io", "v1", "HelmRepository"),
}


def programs():
    """What runs in the tests on a cluster, with the versions of its Go modules."""
    rows = ((name, _version(*entry[:2]), entry[2]) for name, entry in _PROGRAMS.items())
    return table(("program", "version", "what the tests do with it"), rows)


def _version(module, package):
    text = _TOOLS.joinpath(module, "go.mod").read_text("utf-8")
    return re.search(rf"{re.escape(package)} v(\S+)", text)[1]


def apis():
    """The custom resources that are generated, with what needs them."""
    types = (kind.resource for kind in manifests.kinds())
    found = _MORE | {(item.group, item.version, item.kind) for item in types if "." in item.group}
    for path in (*ROOT.glob("environments/**/*.yaml"), *ROOT.glob("bootstrap/**/*.yaml"),
                 *ROOT.glob("tests/golden/**/*.yaml")):  # fmt: skip
        found |= set(_API.findall(path.read_text("utf-8")))
    found = {item for item in found if not item[0].endswith((".k8s.io", "gen-env.dev"))
             or item[0] in _APIS}  # fmt: skip
    groups = sorted({(group, version) for group, version, _ in found})
    rows = (
        (
            f"`{group}/{version}`",
            ", ".join(sorted(kind for g, v, kind in found if (g, v) == (group, version))),
            *_APIS[group],
        )
        for group, version in groups
    )
    return table(("API", "kinds", "needed by", "tested"), rows)
