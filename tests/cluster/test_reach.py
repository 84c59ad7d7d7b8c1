"""What the real Argo CD makes of a tree is what gen-env shows of it, or gen-env's check is red."""

import pytest

from generator.core.files import WorkTree
from generator.kube.resource import key_of
from generator.pipeline import side, toolchain
from generator.tree import catalogue
from tests import hostile
from tests.cluster import gitops, process
from tests.cluster.test_loop import _cache, argo, loop  # noqa: F401

FOLDER = f"environments/{gitops.ENVIRONMENT}"
HOOK = "argocd.argoproj.io/hook"
TREES = {
    "an object beside the generated ones": (f"{FOLDER}/generated/manifests/x.yaml", "config map"),
    "an object beside the secrets": (f"{FOLDER}/secrets/x.yaml", "config map"),
    "an object a folder deeper": (f"{FOLDER}/secrets/deep/x.yaml", "config map"),
    "JSON": (f"{FOLDER}/secrets/x.json", "config map"),
    "an object in the folder of the environment": (f"{FOLDER}/x.yaml", "config map"),
    "a list": (f"{FOLDER}/secrets/x.yaml", "list"),
    "items in an object": (f"{FOLDER}/secrets/x.yaml", "sealed secret with items"),
    "a file that is skipped": (f"{FOLDER}/secrets/x.yaml", "skipped"),
    "another source": (f"{FOLDER}/secrets/.argocd-source.yaml", "steering"),
    "a kustomization": (f"{FOLDER}/generated/manifests/kustomization.yaml", "nothing"),
    "a chart": (f"{FOLDER}/generated/manifests/Chart.yaml", "nothing"),
}


def status(bed):
    return (bed.get(gitops.APPLICATION) or {}).get("status", {})


def applied(bed, commit):
    """The identities that Argo CD compares at that commit; None where it refuses the tree."""

    def compared():
        found = status(bed)
        refused = [item["type"] for item in found.get("conditions", ())]
        return "ComparisonError" in refused or commit in found["sync"].get("revisions", ())

    process.until(compared, f"the comparison with {commit[:12]}")
    found = status(bed)
    if "ComparisonError" in [item["type"] for item in found.get("conditions", ())]:
        return None
    keys = ("group", "kind", "namespace", "name")
    return {tuple(item.get(key, "") for key in keys) for item in found["resources"]}


def shown(root):
    """The identities of what gen-env renders of the tree as it stands, hooks apart."""
    files = WorkTree(root)
    inputs = side.inputs(files, gitops.ENVIRONMENT, catalogue.load(files).settings)
    rendered = side.render("here", inputs, toolchain.charts(files, root), toolchain.lazy(files))
    assert rendered.failure is None, rendered.failure
    found = set()
    for manifest in rendered.manifests:
        key = key_of(manifest, rendered.namespace)
        annotations = manifest["metadata"].get("annotations") or {}
        if HOOK not in annotations and key.kind != "Application":
            found.add((key.group, key.kind, key.namespace, key.name))
    return found


def test_an_honest_tree_is_read_object_for_object(loop, bed):  # noqa: F811
    commit = loop.merge(loop.base)
    assert applied(bed, commit) == shown(loop.repo.root)
    assert loop.repo.run("generate", "--check").code == 0


@pytest.mark.parametrize("name", sorted(TREES))
def test_a_hostile_tree_is_read_as_shown_or_its_check_is_red(loop, bed, name):  # noqa: F811
    loop.merge(loop.base)
    path, kind = TREES[name]
    text = hostile.TEXTS[kind].replace(b"airflow-dev", f"airflow-{gitops.ENVIRONMENT}".encode())
    loop.repo.write(path, text)
    loop.repo.commit(name)
    loop.repo.git("push", "--quiet", "origin", "main")
    try:
        found = applied(bed, loop.repo.git("rev-parse", "HEAD"))
        same = found == shown(loop.repo.root)
        red = loop.repo.run("generate", "--check").code == 1
        assert same or red
        if found is not None and kind in ("config map", "skipped"):
            assert same, "gen-env reads folders as Argo CD does"
    finally:
        (loop.repo.root / path).unlink()
        loop.repo.commit("Repair")
        loop.repo.git("push", "--quiet", "origin", "main")
