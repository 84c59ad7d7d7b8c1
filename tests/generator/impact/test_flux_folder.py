"""What people keep beside gen-env's part of a cluster's Flux folder is judged, or named unread."""

import dataclasses

import pytest
import yaml

from generator.core.files import Snapshot
from generator.core.problem import Severity
from generator.definition.definition import load_settings
from generator.pipeline import governing
from tests.repositories import SETTINGS

SYNC = "clusters/main/flux-system/gotk-sync.yaml"
ROOT = """\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: flux-system, namespace: flux-system}
spec: {interval: 1m0s, ref: {branch: main}, url: https://git.example.com/here.git}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: flux-system, namespace: flux-system}
spec:
  interval: 10m0s
  path: ./clusters/main
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
"""
OWN = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: airflow-dev, namespace: flux-system}
spec: {path: ./environments/dev/generated/release}
"""
BASE = {
    "gen-env.yaml": f"{SETTINGS}engine: flux\n",
    SYNC: ROOT,
    "clusters/main/gen-env/dev.yaml": OWN,
}
OTHER = "clusters/main/other.yaml"


def found(head, base=BASE):
    sides = [Snapshot({path: text.encode() for path, text in it.items()}) for it in (base, head)]
    changed = {path for path in {*base, *head} if base.get(path) != head.get(path)}
    return governing.beside(*sides, changed)


def kustomization(name="theirs", **spec):
    item = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"}
    source = {"kind": "GitRepository", "name": "flux-system"}
    metadata = {"name": name, "namespace": "flux-system"}
    return yaml.safe_dump({**item, "metadata": metadata, "spec": {"sourceRef": source, **spec}})


def listed(text):
    return yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(text)]})


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("branch: main", "branch: theirs", "every environment under Flux comes from it, and spec."),
        ("here.git", "there.git", "spec.url changes"),
        ("prune: true", "patches: [{patch: x}]", "patches and prune changes what Flux applies"),
        ("prune: true", "prune: true\n  postBuild: {}", "postBuild changes what Flux applies"),
        ("path: ./clusters/main", "path: ./clusters/x", "path changes what Flux applies of clust"),
        ("name: flux-system}\n", "name: other}\n", "sourceRef changes what Flux applies of clust"),
        ("interval: 10m0s", "interval: 1h", ""),
    ],
)
def test_another_root_asks_for_a_decision(old, new, words):
    (item,) = found({**BASE, SYNC: new.join(ROOT.rsplit(old, 1))})
    assert (item.severity is Severity.ERROR) is bool(words)
    assert item.message.startswith(SYNC) and words in item.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (kustomization(path="./environments/dev/generated/release"), "a second time"),
        (listed(kustomization(path="environments")), "a second time"),
        (kustomization(path="./"), "a second time"),
        (kustomization(path="./clusters/main/gen-env"), "a second time"),
        (kustomization("airflow-dev", path="./apps"), "the name of gen-env's own object"),
        (kustomization(path="./apps", patches=[]), "has not read"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "has not read"),
        ("{{", "has not read"),
        ("", "has not read"),
    ],
)
def test_a_new_file_beside_is_judged_or_named(text, words):
    (item,) = found({**BASE, OTHER: text})
    assert (item.severity is Severity.WARNING) is (words == "has not read")
    assert item.message.startswith(OTHER) and words in item.message
    assert not found({**BASE, "apps/other.yaml": text})


def test_what_goes_is_named():
    assert [item.severity for item in found(BASE, {**BASE, OTHER: "{}"})] == [Severity.WARNING]


def test_gen_envs_own_part_and_other_repositories_have_no_finding():
    assert not found({**BASE, "clusters/main/gen-env/other.yaml": OWN})
    own = {**BASE, "gen-env.yaml": BASE["gen-env.yaml"] + "flux: {root: own, source: x}\n"}
    assert not found({**own, OTHER: "{}"}, own)
    argocd = {"gen-env.yaml": SETTINGS}
    assert not found({**argocd, OTHER: "{}"}, argocd)


def test_paths_begin_at_the_top_of_the_git_repository():
    below = SETTINGS.replace("branch: main", "branch: main, path: deploy")
    base = {**BASE, "gen-env.yaml": f"{below}engine: flux\n"}
    assert load_settings(base["gen-env.yaml"].encode())[0].repository.repository.prefix
    (twice,) = found({**base, OTHER: kustomization(path="deploy/environments")}, base)
    (other,) = found({**base, OTHER: kustomization(path="environments")}, base)
    assert dataclasses.astuple(twice)[1] is Severity.ERROR
    assert other.severity is Severity.WARNING
