"""`gen-env verify` as steps: what a commit promises, and the watch that proves it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from generator import access, catalogue, compare, engines, release, sides
from generator.cluster import Cluster
from generator.command import CommandError
from generator.definition import ROOT
from generator.diff.model import Side
from generator.errors import UserError
from generator.files import WorkTree
from generator.git import Worktree
from generator.verify.expected import Expected
from generator.verify.promise import promise
from generator.verify.result import Verdict
from generator.verify.watch import watch


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What the user asked for: environment, revision (None: the default branch), seconds."""

    environment: str
    revision: str | None
    timeout: float


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is to be proved, and where: contexts of the clusters in the kubeconfig."""

    expected: Expected
    context: str
    hub_context: str
    rules: tuple[access.Rule, ...]


def subject(root: Path, wish: Wish) -> Subject:
    """Read the environment at its revision and render it: what the cluster must show.

    Raises UserError for an unknown environment or revision, or a chart that cannot be rendered.
    """
    tree = Worktree.find(root)
    prefix = root.resolve().relative_to(tree.root.resolve()).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    sha = tree.resolve(wish.revision or tree.default_branch())
    files = compare.at_revision(tree, sha, prefix)
    found = catalogue.load(files)
    if found.settings is None:
        raise UserError(found.problems[0].message, path=found.problems[0].path)
    found.chosen([wish.environment])
    inputs = sides.inputs(files, wish.environment, found.settings)
    if inputs is None or inputs.cluster is None:
        raise UserError(
            f"{wish.environment} has no generated tree at {sha[:12]}",
            hint=f"gen-env generate {wish.environment}, then commit and push",
        )
    work = WorkTree(root)
    side = sides.side(sha, inputs, engines.charts(work, root), engines.lazy(work))
    expected = _expected(
        tree,
        side,
        sha,
        wish,
        f"{prefix}{ROOT}/{wish.environment}",
        found.settings.repository.repository.url,
    )
    argocd = found.settings.repository.argocd
    rules = (
        *access.environment_rules(expected.namespace),
        *access.hub_rules(argocd.namespace, [expected.application]),
    )
    context = inputs.cluster.context or ""
    return Subject(expected, context, argocd.context or context, rules)


def _expected(tree: Worktree, side: Side, sha: str, wish: Wish, folder: str, url: str) -> Expected:
    if side.failure is not None:
        raise UserError(side.failure.message, path=side.failure.path, hint=side.failure.hint)
    application = next(item for item in side.manifests if item.get("kind") == "Application")
    return promise(
        environment=wish.environment,
        revision=sha,
        application=application,
        manifests=[item for item in side.manifests if item is not application],
        is_ancestor=_ancestor(tree),
        changes_environment=_changes(tree, folder),
        repository=url,
        hash_annotation=release.annotation,
    )


def _known(tree: Worktree, *commits: str) -> bool:
    for commit in commits:
        done = tree.git.run("cat-file", "-e", f"{commit}^{{commit}}", check=False)
        if done.status != 0:
            return False
    return True


def _ancestor(tree: Worktree) -> Callable[[str, str], bool | None]:
    def is_ancestor(older: str, newer: str) -> bool | None:
        """None where a commit is not in this clone: a fetch would tell."""
        if not _known(tree, older, newer):
            return None
        done = tree.git.run("merge-base", "--is-ancestor", older, newer, check=False)
        return done.status == 0

    return is_ancestor


def _changes(tree: Worktree, folder: str) -> Callable[[str, str], bool | None]:
    def changes(older: str, newer: str) -> bool | None:
        if not _known(tree, older, newer):
            return None
        try:
            done = tree.git.run("diff", "--quiet", older, newer, "--", folder, check=False)
        except CommandError:
            return None
        return done.status != 0

    return changes


def prove(found: Subject, timeout: float, report: Callable[[Verdict], object] | None) -> Verdict:
    """Watch the clusters until the verdict is final or time is up; UserError for lacking rights."""
    cluster = Cluster.connect(found.context)
    hub = cluster if found.hub_context == found.context else Cluster.connect(found.hub_context)
    try:
        _require_rights(cluster, hub, found)
        return watch(cluster, found.expected, hub=hub, timeout=timeout, report=report)
    finally:
        cluster.close()
        if hub is not cluster:
            hub.close()


def _require_rights(cluster: Cluster, hub: Cluster, found: Subject) -> None:
    here = [rule for rule in found.rules if rule.namespace == found.expected.namespace]
    there = [rule for rule in found.rules if rule.namespace != found.expected.namespace]
    missing = [*access.self_check(cluster, here), *access.self_check(hub, there)]
    if missing:
        listed = "\n".join(f"  {item}" for item in missing)
        raise UserError(
            f"rights are missing in the cluster:\n{listed}",
            hint="gen-env verify ENV --print-role gives the roles that are needed",
        )
