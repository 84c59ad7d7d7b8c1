"""What the real Argo CD makes of a tree is what gen-env shows of it, or gen-env's check is red."""

import pytest

from generator.core.files import WorkTree
from generator.pipeline import side, toolchain
from generator.tree import catalogue
from tests import hostile
from tests.cluster import gitops, process
from tests.cluster.test_loop import _cache, argo, loop  # noqa: F401

pytestmark = pytest.mark.nightly

FOLDER = f"environments/{gitops.ENVIRONMENT}"
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


_NAMES = ("namespace", "name")
TRACKED = "argocd.argoproj.io/tracking-id"


def condition(bed, commit):
    """ "refused" or "compared" once Argo CD has looked at that commit."""
    found = (bed.get(gitops.APPLICATION) or {}).get("status", {})
    if "ComparisonError" in [item["type"] for item in found.get("conditions", ())]:
        return "refused"
    return "compared" if commit in found.get("sync", {}).get("revisions", ()) else ""


def rendered(bed, argo, commit):  # noqa: F811
    """What Argo CD's repository server makes of that commit; None where it refuses the tree."""
    if process.until(lambda: condition(bed, commit), f"the comparison with {commit[:12]}") != (
        "compared"
    ):
        return None
    found = bed.get(gitops.APPLICATION)
    revisions = found["status"]["sync"]["revisions"]
    objects = argo.manifests(f"airflow-{gitops.ENVIRONMENT}", revisions)
    return by_identity(objects, found["spec"]["destination"]["namespace"])


def by_identity(objects, namespace):
    """The objects by what they are, without what the reader itself adds."""
    found = {}
    for item in objects:
        metadata = dict(item.get("metadata") or {})
        annotations = {**(metadata.get("annotations") or {}), TRACKED: None}
        metadata["annotations"] = {k: v for k, v in annotations.items() if k != TRACKED}
        if metadata.get("namespace") == namespace:
            del metadata["namespace"]
        filled = {name: value for name, value in metadata.items() if value not in (None, {})}
        identity = (item.get("apiVersion"), item.get("kind"), *map(metadata.get, _NAMES))
        found[identity] = {**item, "metadata": filled}
    return found


def shown(root):
    """What gen-env renders of the tree as it stands."""
    files = WorkTree(root)
    inputs = side.inputs(files, gitops.ENVIRONMENT, catalogue.load(files).settings)
    result = side.render("here", inputs, toolchain.charts(files, root), toolchain.lazy(files))
    assert result.failure is None, result.failure
    objects = [item for item in result.manifests if item.get("kind") != "Application"]
    return by_identity(objects, result.namespace)


def differences(one, two):
    return {
        key: (one.get(key), two.get(key)) for key in {*one, *two} if one.get(key) != two.get(key)
    }


def push(loop, message):  # noqa: F811
    loop.repo.commit(message)
    loop.repo.git("push", "--quiet", "origin", "main")
    return loop.repo.git("rev-parse", "HEAD")


def test_an_honest_tree_is_read_field_for_field(loop, argo, bed):  # noqa: F811
    found = rendered(bed, argo, loop.merge(loop.base))
    here = shown(loop.repo.root)
    assert differences(found, here) == {}
    assert loop.repo.run("generate", "--check").code == 0


@pytest.mark.parametrize("name", sorted(TREES))
def test_a_hostile_tree_is_read_as_shown_or_its_check_is_red(loop, argo, bed, name):  # noqa: F811
    loop.merge(loop.base)
    path, kind = TREES[name]
    text = hostile.TEXTS[kind].replace(b"airflow-dev", f"airflow-{gitops.ENVIRONMENT}".encode())
    loop.repo.write(path, text)
    commit = push(loop, name)
    try:
        found = rendered(bed, argo, commit)
        here = shown(loop.repo.root)
        same = found == here
        red = loop.repo.run("generate", "--check").code == 1
        assert same or red
        if found is not None and kind in ("config map", "skipped"):
            assert differences(found, here) == {}, "gen-env reads folders as Argo CD does"
    finally:
        (loop.repo.root / path).unlink()
        repaired = push(loop, "Repair")
        process.until(lambda: condition(bed, repaired) == "compared", "the repaired tree")
