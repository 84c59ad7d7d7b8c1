"""What a change lets an environment do beyond itself: on nodes, elsewhere in the cluster."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.context import Context, View, listed, named_images
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import CLUSTER_SCOPED
from generator.kube.workload import TASK_PODS, Workload

WORKLOAD_ADDED = ImpactRule(
    "impact/workload-added",
    WARNING,
    "A new workload runs",
    "It uses the rights, network and quota of the environment.",
)
IMAGE_REGISTRY = ImpactRule(
    "impact/image-registry",
    WARNING,
    "An image from a new registry",
    "Everyone who may push there decides what runs.",
)
NODE_ACCESS = ImpactRule(
    "impact/node-access",
    ERROR,
    "Pods with access to their node",
    "A privileged container, a path or a namespace of the node gives access to every pod on it.",
    "Pod Security Standards",
)
FOREIGN_NAMESPACE = ImpactRule(
    "impact/foreign-namespace",
    ERROR,
    "An object in a namespace that is not the environment's",
    "It belongs to another owner.",
)
ARGOCD_OBJECT = ImpactRule(
    "impact/argocd-object",
    ERROR,
    "Another Application, ApplicationSet or AppProject",
    "Argo CD applies whatever it names, and gen-env has not checked that.",
    "Argo CD",
)
APPLICATION_SOURCE = ImpactRule(
    "impact/application-source",
    ERROR,
    "The Application reads from another repository",
    "gen-env has not read that repository.",
    "Argo CD",
)
CLUSTER_WIDE = ImpactRule(
    "impact/cluster-wide",
    ERROR,
    "An object that concerns the whole cluster",
    "Rights, admission webhooks and definitions reach every namespace.",
    "Kubernetes",
    also=((WARNING, "with a new environment"),),
)
RBAC_OBJECT = ImpactRule(
    "impact/rbac-object",
    WARNING,
    "A Role or a RoleBinding is added",
    "Its subjects may do more than before.",
    "Kubernetes RBAC",
)

_ARGO_CD = ("Application", "ApplicationSet", "AppProject")
_FLUX = ".toolkit.fluxcd.io"
_RIGHTS = ("Role", "RoleBinding")


def workload_added(context: Context) -> Iterator[Finding]:
    """`impact/workload-added`: something runs that did not run before."""
    before = {(key.namespace, key.name) for key in context.base.by_key}
    for work in context.head.workloads if context.is_update else ():
        if work.key.kind != TASK_PODS and (work.key.namespace, work.key.name) not in before:
            images = sorted({fields.text(item, "image") for item in work.containers()})
            yield WORKLOAD_ADDED.finding(work.key, f"runs from now on: {listed(images)}")


def image_registry(context: Context) -> Iterator[Finding]:
    """`impact/image-registry`: an image comes from a registry that none came from before."""
    known = {_registry(image) for _, image in named_images(context.base)}
    for work, image in named_images(context.head) if context.is_update else ():
        if _registry(image) not in known:
            words = f"{image} comes from {_registry(image)}, a registry not used before"
            yield IMAGE_REGISTRY.finding(work.key, words)


def node_access(context: Context) -> Iterator[Finding]:
    """`impact/node-access`: pods that reach into the node they run on."""
    before = {(work.key, words) for work in context.base.workloads for words in _on_node(work)}
    for work in context.head.workloads:
        for words in _on_node(work):
            if (work.key, words) not in before:
                yield NODE_ACCESS.finding(work.key, f"{words}: it can take over the node")


def foreign_namespace(context: Context) -> Iterator[Finding]:
    """`impact/foreign-namespace`: an object in a namespace that is not the environment's."""
    own = {"", context.head.side.namespace}
    for key in context.added:
        if key.namespace not in own and not context.head.facts.deploys(key):
            yield FOREIGN_NAMESPACE.finding(key, "is added outside the environment's namespace")


def argocd_object(context: Context) -> Iterator[Finding]:
    """`impact/argocd-object`: the engine is given more to apply than this environment."""
    for key in context.added:
        engine = "Argo CD" if key.kind in _ARGO_CD else "Flux" if key.group.endswith(_FLUX) else ""
        if engine and not context.head.facts.deploys(key):
            yield ARGOCD_OBJECT.finding(key, f"{engine} would apply whatever this object names")


def application_source(context: Context) -> Iterator[Finding]:
    """`impact/application-source`: the engine reads from a place that it did not read from."""
    before, after = _addresses(context.base), _addresses(context.head)
    own = context.head.facts.application
    for address in sorted(after - before) if before else ():
        engine = "Flux" if context.head.by_flux else "Argo CD"
        words = f"{engine} applies what {address} holds from now on, and gen-env has not read it"
        yield APPLICATION_SOURCE.finding(own, words)


def cluster_wide(context: Context) -> Iterator[Finding]:
    """`impact/cluster-wide`: an object that concerns the whole cluster, webhooks and CRDs too."""
    for key in context.added:
        if key.kind in CLUSTER_SCOPED - {"Namespace"} or key.kind.startswith("Cluster"):
            level = ERROR if context.is_update else WARNING
            yield CLUSTER_WIDE.finding(key, "is added, and concerns the whole cluster", level)


def rbac_object(context: Context) -> Iterator[Finding]:
    """`impact/rbac-object`: a new Role or RoleBinding in the namespace."""
    for key in context.added if context.is_update else ():
        if key.kind in _RIGHTS:
            yield RBAC_OBJECT.finding(key, "is added: its subjects may do more than before")


def _registry(image: str) -> str:
    """The host before the first slash, as Docker reads it; without one it is Docker Hub."""
    host, slash, _ = image.partition("/")
    named = slash and ("." in host or ":" in host or host == "localhost")
    return host if named else "docker.io"


def _on_node(work: Workload) -> Iterator[str]:
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if work.spec.get(key):
            yield f"sets {key}"
    for volume in fields.entries(work.spec, "volumes"):
        if "hostPath" in volume:
            yield f"mounts {fields.text(volume, 'hostPath', 'path')} of the node"
    for container in (*work.containers(), *fields.entries(work.spec, "ephemeralContainers")):
        if fields.at(container, "securityContext", "privileged"):
            yield f"container {fields.text(container, 'name')} is privileged"


def _addresses(view: View) -> set[str]:
    application = view.objects.get(view.facts.application) if view.facts.application else None
    spec = fields.section(application, "spec")
    sources = [*fields.entries(spec, "sources"), fields.section(spec, "source")]
    made = (view.objects.get(key) for key in view.facts.deployers if key.group.startswith("source"))
    urls = {fields.text(source, "repoURL") for source in sources if source}
    return urls | {fields.text(source, "spec", "url") for source in made}


FINDERS = (
    workload_added,
    image_registry,
    node_access,
    foreign_namespace,
    argocd_object,
    application_source,
    cluster_wide,
    rbac_object,
)
