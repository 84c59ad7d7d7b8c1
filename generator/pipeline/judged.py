"""By what an answer about definitions is judged: versions, and whose policy."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable
from pathlib import Path

from generator.core.basis import NOTHING, Basis, NotRead, Origin, Version
from generator.core.errors import UserError
from generator.core.problem import Problem
from generator.definition.definition import SETTINGS, Settings, load_settings
from generator.git.worktree import Worktree
from generator.pipeline import settings_trust
from generator.pipeline.generate import Built
from generator.release import chart_lines
from generator.tree import foreign
from generator.tree.catalogue import Catalogue
from generator.tree.foreign import UNUSED_SECRET
from generator.yaml.errors import YamlError

WORK_TREE = f"{SETTINGS} of the work tree"


def basis(built: Built, policy: str = "", not_read: Iterable[NotRead] = ()) -> Basis:
    """By which versions an environment is judged; without a release it was not read to the end."""
    from generator.diff import what_runs

    if built.release is None or built.resolved is None:
        reason = "the definition has errors"
        return NOTHING.without([NotRead("generated tree", built.definition.path, reason)])
    environment, lock = built.release.environment, built.lock
    locked = lock if lock and lock.chart_version == environment.chart.version else None
    digest = environment.chart.digest or (locked.chart_digest if locked else None)
    origin = Origin.LOCK if locked else Origin.NAMED
    found = Basis(
        chart_lines.judged(Version(environment.chart.version, origin, digest or "")),
        what_runs.by_values(built.release.values, environment.image.facts).version,
        Version(built.resolved.cluster.kubernetes_version, Origin.CLUSTER),
        policy=policy,
    )
    return found.without(not_read)


def by_base(after: Catalogue, base: Settings | None) -> Catalogue:
    """The head with its base's policy and its base's list of ejected environments.

    The head's own settings count for all else: this is how a change of them is shown.
    """
    if after.settings is None or base is None:
        return after
    head, trusted = after.settings.repository, base.repository.argocd.root.ejected
    if (head.policy, head.argocd.root.ejected) == (base.repository.policy, trusted):
        return after
    root = head.argocd.root.model_copy(update={"ejected": trusted})
    argocd = head.argocd.model_copy(update={"root": root})
    repository = head.model_copy(update={"policy": base.repository.policy, "argocd": argocd})
    settings = dataclasses.replace(after.settings, repository=repository)
    later = settings_trust.after_merge(("policy, argocd.root.ejected",))
    return dataclasses.replace(after, settings=settings, problems=(*after.problems, later))


def trusted(root: Path | None, found: Catalogue) -> tuple[Catalogue, str]:
    """The work tree's catalogue under the policy of the base branch, and whose policy that is.

    The base branch is known where git has it from a remote; elsewhere the work tree's own policy
    counts, and is named. Which branch it is comes from the settings of the remote's default
    branch, if it has any: a change must not choose the base that judges it.
    """
    if root is None or found.settings is None:
        return found, ""
    try:
        tree = Worktree.find(root)
        path = (root.resolve().relative_to(tree.root.resolve()) / SETTINGS).as_posix()
        theirs = _default_branch(tree)
        default = _at(tree, theirs, path)
        named = default[0] if default else found.settings
        branch = tree.default_branch(named.repository.repository.branch)
        base = default if branch == theirs else _at(tree, branch, path)
    except (UserError, YamlError):
        return found, WORK_TREE
    return (by_base(found, base[0]), base[1]) if base else (found, WORK_TREE)


def of_this_change(
    root: Path | None, settings: Settings | None, problems: Iterable[Problem]
) -> list[Problem]:
    """The problems of a work tree, see `foreign.of_this_change`; as they are without a base."""
    found = list(problems)
    if root is None or settings is None or all(p.rule != UNUSED_SECRET.id for p in found):
        return found
    try:
        tree = Worktree.find(root)
        name = tree.default_branch(settings.repository.repository.branch)
        sha = tree.git.line_or_none("rev-parse", "--quiet", "--verify", _remote(name))
        base = tree.at(sha) if sha else None
    except UserError:
        return found
    inside = root.resolve().relative_to(tree.root.resolve())
    return list(
        foreign.of_this_change(
            found, lambda path: not base or bool(base.list_names((inside / path).as_posix()))
        )
    )


def _remote(name: str) -> str:
    return f"refs/remotes/origin/{name}^{{commit}}"


def _default_branch(tree: Worktree) -> str:
    """The default branch as git knows it, '' where it does not."""
    with contextlib.suppress(UserError):
        return tree.default_branch()
    return ""


def _at(tree: Worktree, name: str, path: str) -> tuple[Settings, str] | None:
    """The settings of a branch of the remote and where they are from; None without them."""
    sha = tree.git.line_or_none("rev-parse", "--quiet", "--verify", _remote(name))
    text = tree.at(sha).read_file(path) if sha else None
    settings = load_settings(text)[0] if text is not None else None
    return (settings, f"{SETTINGS} of origin/{name} at {str(sha)[:12]}") if settings else None
