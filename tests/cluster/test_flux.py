"""The whole way under Flux: a definition is merged, Flux applies it, `verify` says how that ended.

source-controller and kustomize-controller are the real ones; helm-controller is played.
"""

import contextlib
import re
import shutil
import sys
import tarfile
import time

import pytest

from generator.core.files import WorkTree
from generator.engine import flux_reach
from generator.verify.result import Outcome, State
from generator.yaml.manifests import load_manifests
from generator.yaml.writer import dump_all
from tests import hostile
from tests.cluster import flux_controllers, gitops, process, samples
from tests.cluster.conftest import require
from tests.cluster.flux_controllers import KUSTOMIZATIONS, NAMESPACE, SOURCE
from tests.cluster.plane import ADMIN
from tests.cluster.test_loop import states, surroundings, told
from tests.fakes import chart_server
from tests.standin_chart import stand_in_archive

pytestmark = pytest.mark.nightly

NAME = f"airflow-{gitops.FLUX_ENVIRONMENT}"
FIRST = f"{NAME}-prerequisites"
ROOT = "airflow-environments"
FOLDER = f"environments/{gitops.FLUX_ENVIRONMENT}"
SPACE = f"/api/v1/namespaces/{NAME}"
SCHEDULER = f"/apis/apps/v1/namespaces/{NAME}/deployments/airflow-scheduler"
RELEASE = f"/apis/helm.toolkit.fluxcd.io/v2/namespaces/{NAMESPACE}/helmreleases/{NAME}"
SEALED = f"/apis/bitnami.com/v1alpha1/namespaces/{NAME}/sealedsecrets"


@pytest.fixture(scope="module")
def helm(bed, tmp_path_factory):
    """Starts and stops the stand-in for helm-controller; it runs when a test begins."""
    folder = tmp_path_factory.mktemp("helm-controller")
    config = bed.kubeconfig(folder / "kubeconfig", token=ADMIN)
    command = [sys.executable, "-m", "tests.fakes.helm_controller", config]

    @contextlib.contextmanager
    def run():
        with process.running(command, folder / "log", folder=samples.ROOT):
            yield

    return run


@pytest.fixture(scope="module")
def loop(bed, helm, sealing_certificate, tmp_path_factory):
    """The environment, pushed; Flux finds it, and has deployed it when a test begins."""
    require(*flux_controllers.PROGRAMS)
    folder = tmp_path_factory.mktemp("flux")
    bed.kubeconfig(folder / "kubeconfig", token=ADMIN)
    archive = stand_in_archive(folder)
    with (
        flux_controllers.running(bed, folder),
        gitops.served(
            bed, folder, archive, sealing_certificate, surroundings(folder), "flux"
        ) as found,
        helm(),
    ):
        yield found


@pytest.fixture(autouse=True)
def _cache(loop, monkeypatch):
    monkeypatch.setenv("GEN_ENV_CHART_CACHE", str(loop.repo.root.parent / "charts"))


def arrives(bed, loop, text, message="Change"):
    """Merge that, and have Flux look as a webhook does; gives the commit."""
    commit = loop.merge(text, message)
    fetched(bed, commit)
    return commit


def fetched(bed, commit):
    flux_controllers.reconcile(bed, SOURCE)
    process.until(
        lambda: (
            (bed.get(SOURCE) or {})
            .get("status", {})
            .get("artifact", {})
            .get("revision", "")
            .endswith(commit)
        ),
        f"{commit[:12]} in source-controller",
    )


def applied(bed, commit, *names):
    for name in names or (ROOT, FIRST, NAME):
        process.until(
            lambda name=name: flux_controllers.applied(bed, name) == commit,
            f"{name} at {commit[:12]}",
        )


def settled(bed, loop, text=None):
    commit = arrives(bed, loop, text or loop.base)
    verdict = loop.verify(commit)
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)
    return commit


def test_what_is_merged_is_fetched_applied_and_verified(loop, bed):
    began = time.monotonic()
    commit = arrives(bed, loop, loop.base + "scheduler: {replicas: 2}\n")
    applied(bed, commit, ROOT, FIRST)
    prerequisites = time.monotonic() - began
    applied(bed, commit)
    print(f"fetched and applied {prerequisites:.1f} s, ready {time.monotonic() - began:.1f} s")
    verdict = loop.verify(commit)
    assert verdict.outcome is Outcome.VERIFIED, told(verdict)
    assert State.WAITING not in states(verdict).values()
    assert bed.get(SCHEDULER)["spec"]["replicas"] == 2


def test_drift_of_what_a_kustomization_applies_is_corrected(loop, bed):
    settled(bed, loop)
    path = f"/api/v1/namespaces/{NAME}"
    wanted = bed.get(path)["metadata"]["labels"]["gen-env.dev/environment"]
    bed.merge_patch(path, {"metadata": {"labels": {"gen-env.dev/environment": "other"}}})
    flux_controllers.reconcile(bed, f"{KUSTOMIZATIONS}/{FIRST}")
    process.until(
        lambda: bed.get(path)["metadata"]["labels"]["gen-env.dev/environment"] == wanted,
        "the label as git has it",
    )


def test_a_suspended_environment_says_so_and_stays_as_it_is(loop, bed):
    settled(bed, loop)
    commit = arrives(bed, loop, loop.base + "sync: {automated: false}\nscheduler: {replicas: 3}\n")
    applied(bed, commit, ROOT)
    verdict = loop.verify(commit, timeout=60.0)
    assert verdict.outcome is Outcome.NOT_SYNCED, told(verdict)
    assert f"flux resume kustomization {NAME}" in verdict.message
    assert bed.get(SCHEDULER)["spec"]["replicas"] == 1
    settled(bed, loop)


UNREAD = "secrets: {extra: {unread: {keys: [TOKEN]}}}\nscheduler: {replicas: 3}\n"


def test_the_release_waits_until_every_secret_is_there(loop, bed):
    """Ciphertext that nobody can read, so the controller makes no Secret of it."""
    settled(bed, loop)
    loop.merge(loop.base + UNREAD)
    loop.repo.seal(gitops.FLUX_ENVIRONMENT, "unread")
    try:
        commit = arrives(bed, loop, loop.base + UNREAD, "Unreadable")
        applied(bed, commit, ROOT)
        words = process.until(
            lambda: _reason(bed, NAME, "DependencyNotReady"), "the release waiting for secrets"
        )
        assert FIRST in words
        verdict = loop.verify(commit, timeout=10.0)
        assert verdict.outcome is not Outcome.VERIFIED, told(verdict)
        assert bed.get(SCHEDULER)["spec"]["replicas"] == 1
    finally:
        (loop.repo.root / FOLDER / "secrets/unread.yaml").unlink()
        settled(bed, loop)


def _reason(bed, name, reason):
    _, found, message = flux_controllers.condition(bed, f"{KUSTOMIZATIONS}/{name}")
    return message if found == reason else ""


MORE = """\
quota: {hard: {pods: "90"}}
secrets: {extra: {team-token: {keys: [TOKEN]}}}
logging: {persistence: {size: 1Gi}}
"""


def test_what_leaves_git_is_pruned_but_for_what_is_protected(loop, bed):
    """A quota goes; a SealedSecret and a claim of the chart stay."""
    loop.merge(loop.base + MORE)
    loop.seal()
    settled(bed, loop, loop.base + MORE)
    (quota,) = bed.get(f"{SPACE}/resourcequotas")["items"]
    (claim,) = (
        it for it in bed.get(f"{SPACE}/persistentvolumeclaims")["items"] if "logs" in str(it)
    )
    (loop.repo.root / FOLDER / "secrets/team-token.yaml").unlink()
    commit = settled(bed, loop)
    applied(bed, commit)
    assert bed.get(f"{SPACE}/resourcequotas")["items"] == [], quota
    assert bed.get(f"{SEALED}/team-token") is not None
    assert bed.get(f"{SPACE}/persistentvolumeclaims/{claim['metadata']['name']}") is not None


BOOTSTRAP = "flux-system"
"""What `flux bootstrap` calls its Kustomization, and the folder of its own files."""
ROOTS = "bootstrap/flux/main.yaml"


@contextlib.contextmanager
def bootstrapped(loop, bed):
    """The repository and the cluster as `flux bootstrap --path=clusters/main` leaves them."""
    settings, text = loop.repo.read("gen-env.yaml"), loop.repo.read(ROOTS)
    source, own = load_manifests(text.encode())
    metadata = {"name": BOOTSTRAP, "namespace": NAMESPACE}
    sync = {**own, "metadata": metadata, "spec": {**own["spec"], "path": "./clusters/main"}}
    sync["spec"]["prune"] = True
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    listed = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["gotk-components.yaml", "gotk-sync.yaml"],
    }
    files = {"gotk-components": [space], "gotk-sync": [source, sync], "kustomization": [listed]}
    for name, content in files.items():
        loop.repo.write(f"clusters/main/{BOOTSTRAP}/{name}.yaml", dump_all(content))
    loop.repo.write("gen-env.yaml", settings.replace("  root: own\n", ""))
    bed.call("DELETE", f"{KUSTOMIZATIONS}/{ROOT}")
    bed.apply(sync)
    try:
        yield
    finally:
        # A suspended one prunes nothing when it is deleted.
        bed.merge_patch(f"{KUSTOMIZATIONS}/{BOOTSTRAP}", {"spec": {"suspend": True}})
        bed.call("DELETE", f"{KUSTOMIZATIONS}/{BOOTSTRAP}")
        shutil.rmtree(loop.repo.root / f"clusters/main/{BOOTSTRAP}")
        loop.repo.write("gen-env.yaml", settings)
        assert loop.repo.run("generate").code == 0
        bed.apply(own)
        settled(bed, loop)


def test_beside_the_files_of_flux_bootstrap_an_environment_is_applied(loop, bed):
    settled(bed, loop)
    with bootstrapped(loop, bed):
        assert loop.repo.run("generate").code == 0
        assert not (loop.repo.root / ROOTS).exists()
        commit = settled(bed, loop, loop.base + "scheduler: {replicas: 4}\n")
        applied(bed, commit, BOOTSTRAP)
        assert bed.get(SCHEDULER)["spec"]["replicas"] == 4
        found = {item.split("_")[1] for item in inventory(bed, BOOTSTRAP)}
        assert found == {BOOTSTRAP, FIRST, NAME}
        assert loop.repo.run("generate", "--check").code == 0


OF_REGISTRY = "OCIRepository"
OF_GIT = "HelmChart"


@contextlib.contextmanager
def another_source(loop, archive):
    """Offer the chart in a registry and in the repository; gives the settings of each."""
    layer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
    with chart_server.serving() as server:
        server.answers |= chart_server.registry(
            "charts/airflow", "1.22.0", archive.read_bytes(), layer
        )
        with tarfile.open(archive) as packed:
            packed.extractall(loop.repo.root / "charts", filter="data")
        yield {
            OF_REGISTRY: f"source: oci\n  url: oci://{server.host}/charts",
            OF_GIT: "source: vendored",
        }


def test_a_chart_from_a_registry_or_from_git_is_installed(loop, bed, tmp_path):
    """One after the other in one environment, which goes back to its repository at last."""
    settled(bed, loop)
    before = loop.repo.read("gen-env.yaml")
    chart = re.search(r"  url: http\S+\n  source: repository", before)[0]
    try:
        with another_source(loop, stand_in_archive(tmp_path)) as sources:
            for replicas, (kind, settings) in enumerate(sources.items(), start=2):
                take(loop, before.replace(chart, f"  {settings}"))
                settled(bed, loop, loop.base + f"scheduler: {{replicas: {replicas}}}\n")
                assert bed.get(SCHEDULER)["spec"]["replicas"] == replicas
                assert _artifact(bed, kind), kind
    finally:
        take(loop, before)
        shutil.rmtree(loop.repo.root / "charts", ignore_errors=True)
        settled(bed, loop)
    assert _artifact(bed, OF_REGISTRY), "from staging up no object of Flux is pruned"
    assert _artifact(bed, OF_GIT) is None


def take(loop, settings):
    """Other settings, and an archive of other bytes: a chart from a folder is packed anew."""
    loop.repo.write("gen-env.yaml", settings)
    lock = f"{FOLDER}/gen-env.lock"
    loop.repo.write(lock, re.sub(r"\n  digest: \S+", "", loop.repo.read(lock)))


def _artifact(bed, kind):
    """The chart that source-controller has for the release, from a source of that kind."""
    name = NAME if kind == OF_REGISTRY else f"{NAMESPACE}-{NAME}"
    path = f"/apis/source.toolkit.fluxcd.io/v1/namespaces/{NAMESPACE}/{kind.lower()}s/{name}"
    path = path.replace("repositorys", "repositories")
    found = bed.get(path) or {}
    if kind == OF_GIT and found["spec"]["sourceRef"]["kind"] != "GitRepository":
        return None
    return found.get("status", {}).get("artifact")


TREES = {
    "an object beside the generated ones": (f"{FOLDER}/generated/manifests/x.yaml", "config map"),
    "an object beside the secrets": (f"{FOLDER}/secrets/x.yaml", "config map"),
    "an object a folder deeper": (f"{FOLDER}/secrets/deep/x.yaml", "config map"),
    "an object beside the release": (f"{FOLDER}/generated/release/x.yaml", "config map"),
    "an object in the folder of the environment": (f"{FOLDER}/x.yaml", "config map"),
    "an object in the cluster's folder": ("clusters/main/gen-env/x.yaml", "config map"),
    "a list in the cluster's folder": ("clusters/main/gen-env/x.yml", "list"),
    "JSON in the cluster's folder": ("clusters/main/gen-env/x.json", "config map"),
    "a folder in the cluster's folder": ("clusters/main/gen-env/deep/x.yaml", "config map"),
    "another kustomization": (f"{FOLDER}/generated/release/kustomization.yml", "nothing"),
    "a kustomization over the cluster's folder": ("clusters/main/gen-env/kustomization.yaml", "x"),
    "a kustomization of the folder above": ("clusters/main/kustomization.yaml", "x"),
    "files taken from Flux": (".sourceignore", "ignore"),
    "files taken from Flux in a folder": (f"{FOLDER}/.sourceignore", "ignore"),
}
TEXTS = {
    **hostile.TEXTS,
    "x": b"resources: [../../x.yaml]\n",
    "ignore": b"network-policies.yaml\nsecrets/\n",
}


def inventory(bed, name):
    found = bed.get(f"{KUSTOMIZATIONS}/{name}") or {}
    return {item["id"] for item in found.get("status", {}).get("inventory", {}).get("entries", ())}


def shown(root):
    """What gen-env takes to be applied of the tree, by the Kustomization that applies it."""
    files = WorkTree(root)
    content = {path: files.read(path) for path in files.below(FOLDER)}
    names = flux_reach.manifests(content, FOLDER)
    objects = [item for path in names for item in load_manifests(content[path])]
    cluster = load_manifests(files.read(f"clusters/main/gen-env/{gitops.FLUX_ENVIRONMENT}.yaml"))
    return {_identity(item) for item in (*objects, *cluster)}


def _identity(item):
    group = item["apiVersion"].rpartition("/")[0]
    metadata = item["metadata"]
    return f"{metadata.get('namespace', '')}_{metadata['name']}_{group}_{item['kind']}"


def reached(bed):
    found = set().union(*(inventory(bed, name) for name in (ROOT, FIRST, NAME)))
    return {item for item in found if not item.endswith("__ConfigMap") or "-values-" not in item}


def test_an_honest_tree_is_applied_object_by_object(loop, bed):
    applied(bed, settled(bed, loop))
    assert reached(bed) == shown(loop.repo.root)
    assert loop.repo.run("generate", "--check").code == 0


@pytest.mark.parametrize("name", sorted(TREES))
def test_a_hostile_tree_is_applied_as_shown_or_its_check_is_red(loop, bed, name):
    settled(bed, loop)
    path, kind = TREES[name]
    loop.repo.write(path, TEXTS[kind].replace(b"airflow-dev", NAME.encode()))
    try:
        commit = push(loop, name)
        fetched(bed, commit)
        process.until(lambda: _looked(bed, commit), f"Flux's look at {commit[:12]}")
        red = loop.repo.run("generate", "--check").code == 1
        assert reached(bed) == shown(loop.repo.root) or red
        if path.startswith(FOLDER) and kind == "config map":
            assert reached(bed) == shown(loop.repo.root), "only named files are applied"
    finally:
        (loop.repo.root / path).unlink()
        settled(bed, loop)


def _looked(bed, commit):
    """Whether Flux has done with that commit what it will: applied it, or said why it does not."""
    attempted = {
        name: (bed.get(f"{KUSTOMIZATIONS}/{name}") or {})
        .get("status", {})
        .get("lastAttemptedRevision", "")
        .endswith(commit)
        for name in (ROOT, FIRST, NAME)
    }
    status, *_ = flux_controllers.condition(bed, f"{KUSTOMIZATIONS}/{FIRST}")
    held = status == "False" and _reason(bed, NAME, "DependencyNotReady")
    return attempted[ROOT] and attempted[FIRST] and (attempted[NAME] or bool(held))


def test_an_environment_that_leaves_git_stays_in_the_cluster(loop, bed):
    """Even where what applies the cluster's folder prunes, as `flux bootstrap` sets it up."""
    settled(bed, loop)
    path = f"clusters/main/gen-env/{gitops.FLUX_ENVIRONMENT}.yaml"
    text = loop.repo.read(path)
    bed.merge_patch(f"{KUSTOMIZATIONS}/{ROOT}", {"spec": {"prune": True}})
    (loop.repo.root / path).unlink()
    loop.repo.write("clusters/main/gen-env/README.md", "Nothing here.\n")
    commit = push(loop, "Remove the environment")
    fetched(bed, commit)
    applied(bed, commit, ROOT)
    for name in (FIRST, NAME):
        assert bed.get(f"{KUSTOMIZATIONS}/{name}") is not None
        bed.call("DELETE", f"{KUSTOMIZATIONS}/{name}")
        process.until(
            lambda name=name: bed.get(f"{KUSTOMIZATIONS}/{name}") is None, f"{name} deleted"
        )
    assert bed.get(RELEASE) is not None
    assert bed.get(SCHEDULER) is not None
    assert bed.get(f"/api/v1/namespaces/{NAME}")["status"]["phase"] == "Active"
    assert bed.get(f"{SEALED}/airflow-fernet-key") is not None
    (loop.repo.root / "clusters/main/gen-env/README.md").unlink()
    loop.repo.write(path, text)
    push(loop, "Again")
    bed.merge_patch(f"{KUSTOMIZATIONS}/{ROOT}", {"spec": {"prune": False}})
    settled(bed, loop)


def push(loop, message):
    loop.repo.commit(message)
    loop.repo.git("push", "--quiet", "origin", "main")
    return loop.repo.git("rev-parse", "HEAD")
