"""After a merge: which environments it touches, and a verification of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from generator.core.files import Snapshot
from generator.forge.errors import Unavailable
from generator.forge.port import CheckState, PullState
from generator.git import diff
from generator.pipeline import repository, scope, side
from generator.pipeline.repository import Catalogue
from generator.promotion import evidence
from service.follow_up.branch import Branch, branch
from service.follow_up.task import Done, Task, neutral
from service.model.job import Kind, State
from service.store.runs import Outcome

NOT_CONFIGURED = "verification not configured"
_LAG = 60.0
"""Seconds by which a forge's git may be behind its events."""
_EMPTY_TREE = ("hash-object", "-t", "tree", "/dev/null")


def merge(task: Task) -> Done:
    """Find what the merged commit touches; a verification follows for each environment."""
    if (known := task.connection.verification) is None:
        return neutral(NOT_CONFIGURED, task.detail("sha"))
    sha, number = _commit(task)
    if not sha:
        return neutral("the forge does not report the merge commit")
    with branch(task) as here:
        if not here.holds(sha, here.head):
            if task.clock() - task.started < _LAG:
                raise Unavailable(f"{sha[:12]} cannot be fetched yet", hint="gen-env tries again")
            return neutral(f"{sha[:12]} is not on {task.connection.branch}", sha)
        clusters = touched_by(here, _before(task, here, sha), sha)
    if not clusters:
        return neutral("affects no environment", sha)
    names = [name for name, cluster in clusters.items() if cluster in known.clusters]
    said = f"{NOT_CONFIGURED}: {', '.join(name for name in clusters if name not in names)}"
    forge = task.context.forge
    if len(names) < len(clusters):
        # Not success: a gate may take that for proof. Not failure either: nothing failed.
        forge.set_status(sha, evidence.CONTEXT, CheckState.PENDING, said)
    jobs = [
        task.then(Kind.VERIFY, number, environment=name, sha=sha, cluster=clusters[name])
        for name in names
    ]
    for job in jobs:
        if not task.history.of_key(job.key):
            context = evidence.context_of(job.environment)
            forge.set_status(sha, context, CheckState.PENDING, "waits for its turn")
    if not names:
        return neutral(said, sha)
    if number:
        jobs.append(task.then(Kind.VERDICTS, number))
    return Done(Outcome(State.DONE, f"verifies {', '.join(names)}", sha), tuple(jobs))


def _commit(task: Task) -> tuple[str, int]:
    """The commit, and the pull request that it merged (0: none)."""
    sha, number = task.detail("sha"), task.job.number
    forge = task.context.forge
    if not sha:
        return forge.get_pr(number).merge_sha or "", number
    if not number:
        merged = (item for item in forge.prs_of_commit(sha) if item.state is PullState.MERGED)
        number = next((item.number for item in merged if item.merge_sha == sha), 0)
    return sha, number


def _before(task: Task, here: Branch, sha: str) -> str:
    """Where the branch stood before: as the forge tells, else the first parent."""
    told = task.detail("before")
    if told and told != sha and here.holds(told, sha):
        return told
    git = here.mirror.git
    return git.line_or_none("rev-parse", "--quiet", "--verify", f"{sha}^1") or git.line(
        *_EMPTY_TREE
    )


def touched_by(here: Branch, before: str, sha: str) -> Mapping[str, str]:
    """Environments that differ between two commits and are there afterwards, with their clusters'
    names.
    """
    changes = diff.changed_paths(here.mirror.git, before, sha)
    paths = {path for change in changes for path in (change.path, change.old_path) if path}
    files = here.files(sha)
    old, new = repository.load(here.files(before)), repository.load(files)
    if new.settings is None:
        return {}
    settings = new.settings.repository
    more = repository.more_paths(settings)
    everywhere = [path for path in more if path == settings.chart.path]
    return clusters_of(files, new, scope.find(paths, old, new, everywhere).environments)


def clusters_of(files: Snapshot, known: Catalogue, names: Iterable[str]) -> Mapping[str, str]:
    """The clusters' names of these environments, as far as they have a definition and a tree."""
    assert known.settings is not None
    found = {}
    for name in names:
        inputs = side.inputs(files, name, known.settings) if name in known.definitions else None
        if inputs is not None:
            found[name] = side.cluster_name(known.settings.repository, inputs)
    return found
