"""`gen-env verify` as steps: what a commit must show in its cluster, and the watch for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from generator.actions import diff
from generator.cluster import Cluster
from generator.core.errors import UserError
from generator.core.files import Files, WorkTree
from generator.core.process import CommandError
from generator.definition.definition import ROOT
from generator.diff.model import Side
from generator.engine.deployment import hub_rules, is_of_engine
from generator.git.worktree import History, Worktree
from generator.kube.fields import name_of, text
from generator.manifests import rbac
from generator.pipeline import side, toolchain
from generator.pipeline.generate import Charts
from generator.pipeline.side import Inputs
from generator.render.request import Renderer
from generator.tree import catalogue
from generator.verify.expectation import expectation
from generator.verify.result import Verdict
from generator.verify.target import Expected
from generator.verify.watch import watch


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for: environment, revision (None: the default branch), seconds."""

    environment: str
    revision: str | None
    timeout: float


@dataclasses.dataclass(frozen=True)
class Revision:
    """A commit with its files, and what renders them.

    `refresh` brings commits here that came later; without it they stay unknown.
    """

    tree: History
    prefix: str
    sha: str
    files: Files
    charts: Charts
    renderer: Renderer
    refresh: Callable[[], object] | None = None


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is to be verified, and where: names and kubeconfig contexts of the clusters."""

    expected: Expected
    cluster: str
    context: str
    hub_context: str
    rules: tuple[rbac.Rule, ...]


def subject(root: Path, options: Options) -> Subject:
    """Read the environment at its revision and render it: what the cluster must show.

    Raises UserError for an unknown environment or revision, or a chart that cannot be rendered.
    """
    tree = Worktree.find(root)
    prefix = root.resolve().relative_to(tree.root.resolve()).as_posix()
    prefix = "" if prefix == "." else f"{prefix}/"
    sha = tree.resolve(options.revision or tree.default_branch())
    files = diff.at_revision(tree, sha, prefix)
    charts, renderer = toolchain.charts(files, root), toolchain.lazy(WorkTree(root))
    return subject_at(Revision(tree, prefix, sha, files, charts, renderer), options.environment)


def subject_at(at: Revision, environment: str) -> Subject:
    """What the cluster must show of an environment at a revision; raises as `subject` does."""
    found = catalogue.load(at.files)
    if found.settings is None:
        raise UserError.of(found.problems[0])
    found.chosen([environment])
    inputs = side.inputs(at.files, environment, found.settings, charts=at.charts)
    if inputs is None or inputs.cluster is None:
        raise UserError(
            f"{environment} has no generated tree at {at.sha[:12]}",
            hint=f"gen-env generate {environment}, then commit and push",
        )
    repository = found.settings.repository
    rendered = side.render(at.sha, inputs, at.charts, at.renderer)
    expected = _expected(at, rendered, inputs, repository.repository.url)
    assert inputs.deployment is not None
    kinds = {text(item, "kind") for item in expected.manifests}
    rules = (
        *rbac.environment_rules(expected.namespace, wanted=kinds),
        *hub_rules(inputs.deployment, repository),
    )
    context = inputs.cluster.context or ""
    name = side.cluster_name(repository, inputs)
    hub = None if expected.engine == "flux" else repository.argocd.context
    return Subject(expected, name, context, hub or context, rules)


def _expected(at: Revision, rendered: Side, inputs: Inputs, url: str) -> Expected:
    if (failure := rendered.failure) is not None:
        raise UserError(failure.message, path=failure.path, hint=failure.hint)
    assert inputs.deployment is not None
    made = [item for item in inputs.governing if item.get("kind") == "Kustomization"]
    return expectation(
        environment=inputs.name,
        revision=at.sha,
        deployed=inputs.deployment,
        manifests=[item for item in rendered.manifests if not is_of_engine(item)],
        kustomizations=tuple(sorted(made, key=name_of)),
        basis=rendered.basis,
        is_ancestor=_ancestor(at),
        changes_environment=changes(at, inputs.name),
        repository=url,
    )


def _known(at: Revision, *commits: str) -> bool:
    missing = [commit for commit in commits if not _has(at.tree, commit)]
    if missing and at.refresh is not None:
        at.refresh()
        missing = [commit for commit in missing if not _has(at.tree, commit)]
    return not missing


def _has(tree: History, commit: str) -> bool:
    done = tree.git.run("cat-file", "-e", f"{commit}^{{commit}}", check=False)
    return done.status == 0


def _ancestor(at: Revision) -> Callable[[str, str], bool | None]:
    def is_ancestor(older: str, newer: str) -> bool | None:
        """None where a commit is not in this clone: a fetch would tell."""
        if not _known(at, older, newer):
            return None
        done = at.tree.git.run("merge-base", "--is-ancestor", older, newer, check=False)
        return done.status == 0

    return is_ancestor


def changes(at: Revision, environment: str) -> Callable[[str, str], bool | None]:
    """Whether two commits give the environment's folder different content; None: not known."""
    folder = f"{at.prefix}{ROOT}/{environment}"

    def differ(older: str, newer: str) -> bool | None:
        if not _known(at, older, newer):
            return None
        try:
            done = at.tree.git.run("diff", "--quiet", older, newer, "--", folder, check=False)
        except CommandError:
            return None
        return done.status != 0

    return differ


def verify(found: Subject, timeout: float, report: Callable[[Verdict], object] | None) -> Verdict:
    """Watch the clusters until the verdict is final or time is up; UserError for lacking rights."""
    cluster = Cluster.connect(found.context)
    hub = cluster if found.hub_context == found.context else Cluster.connect(found.hub_context)
    try:
        return verify_in(found, cluster, hub, timeout=timeout, report=report)
    finally:
        cluster.close()
        if hub is not cluster:
            hub.close()


def verify_in(
    found: Subject,
    cluster: Cluster,
    hub: Cluster,
    *,
    timeout: float,
    report: Callable[[Verdict], object] | None = None,
    tick: Callable[[], object] | None = None,
) -> Verdict:
    """As `verify`, in clusters that the caller has opened; see `watch` for `tick`."""
    _require_rights(cluster, hub, found)
    return watch(cluster, found.expected, hub=hub, timeout=timeout, report=report, tick=tick)


def _require_rights(cluster: Cluster, hub: Cluster, found: Subject) -> None:
    here = [rule for rule in found.rules if rule.namespace == found.expected.namespace]
    there = [rule for rule in found.rules if rule.namespace != found.expected.namespace]
    missing = [*rbac.self_check(cluster, here), *rbac.self_check(hub, there)]
    if missing:
        listed = "\n".join(f"  {item}" for item in missing)
        raise UserError(
            f"rights are missing in the cluster:\n{listed}",
            hint="gen-env verify ENV --print-role gives the roles that are needed",
        )
