"""Where DAGs come from, and their revision when it is pinned in the manifests."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from generator.git.url import same_repository
from generator.impact import volumes
from generator.impact.context import Context, View, listed, verb
from generator.impact.finding import INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.workload import ROLLED

# In this order: the older ones overrule the ref of git-sync v4 (kubernetes/git-sync, main.go).
_VARIABLES = ("GIT_SYNC_REV", "GIT_SYNC_BRANCH", "GITSYNC_REF")
_UNSET = ("", "HEAD")
_REPOSITORIES = ("GITSYNC_REPO", "GIT_SYNC_REPO")
# Where DAGs are read from files: the scheduler of Airflow 2 does it as well.
_READERS = frozenset({"dag-processor", "scheduler", "triggerer", "worker"})
_LOCAL = "LocalDagBundle"
# Arguments of bundles that say where DAGs are: GitDagBundle, LocalDagBundle, S3DagBundle, GCS.
_PLACES = ("repo_url", "git_conn_id", "subdir", "path", "bucket_name", "prefix", "aws_conn_id",
           "gcp_conn_id")  # fmt: skip

DAG_REVISION = ImpactRule(
    "impact/dag-revision",
    WARNING,
    "The pinned revision of the DAGs moves",
    "The revision is an environment variable of git-sync: pods restart for it.",
    "git-sync",
    also=((INFO, "no pod restarts for it"),),
)
DAG_BUNDLE = ImpactRule(
    "impact/dag-bundle",
    WARNING,
    "A DAG bundle is removed, or reads from elsewhere",
    "DAGs that are no longer found are marked as stale.",
    "Airflow",
    also=((INFO, "it is added, or follows another revision"),),
)
DAG_SOURCE = ImpactRule(
    "impact/dag-source",
    WARNING,
    "DAGs come from another place, or from the image alone",
    "Those that are only in the old one are marked as stale, and their tasks cannot run.",
    "Airflow, git-sync",
)


def dag_revision(context: Context) -> Iterator[Finding]:
    """`impact/dag-revision`: the pinned revision moves, and with it pods restart."""
    before, after = _revision(context.base), _revision(context.head)
    if before is None or after is None or before == after:
        return
    names = sorted(
        {
            new.component
            for _, new in context.restarted
            if any(name in _VARIABLES for name, _ in new.environment())
        }
    )
    words = f"DAG revision {before} → {after}"
    if names:
        yield DAG_REVISION.finding(
            None,
            f"{words}: it is an environment variable of git-sync, so {listed(names)} "
            f"{verb(names, 'restarts', 'restart')} for it; a branch name would move DAGs without "
            "restarts",
            brief=words,
        )
    else:
        applied = f"{words}: git-sync applies it without restarts"
        yield DAG_REVISION.finding(None, applied, INFO, brief=applied)


def dag_source(context: Context) -> Iterator[Finding]:
    """`impact/dag-source`: another git repository, volume or folder, or none of these."""
    if not context.is_update or not all(map(_reads_folder, (context.base, context.head))):
        return  # `impact/dag-bundle` reports it
    before, after = _sources(context.base), _sources(context.head)
    moves: dict[tuple[str, str], list[str]] = {}
    for component in before.keys() & after.keys():
        was, reads = before[component], after[component]
        if was.words and not was.is_same(reads):
            moves.setdefault((was.words, reads.words), []).append(reads.reader)
    for (old, new), readers in sorted(moves.items()):
        names = sorted(readers)
        yield DAG_SOURCE.finding(
            None,
            f"{listed(names)} {verb(names, 'reads', 'read')} DAGs from {new or 'the image alone'} "
            f"instead of {old}: those that are only there are marked as stale, and their tasks "
            "cannot run",
            brief=f"DAGs come from {new or 'the image alone'}",
        )


def bundle(context: Context) -> Iterator[Finding]:
    """`impact/dag-bundle`: a DAG bundle follows another revision, comes or goes."""
    before, after = _bundles(context.base), _bundles(context.head)
    if before is None or after is None:
        return
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None:
            yield DAG_BUNDLE.finding(None, f"bundle {name} is new", INFO)
        elif new is None:
            yield DAG_BUNDLE.finding(
                None, f"bundle {name} is removed: its DAGs are marked as stale"
            )
        elif old.place != new.place:
            yield DAG_BUNDLE.finding(
                None,
                f"bundle {name} reads from {new.place} instead of {old.place}: DAGs that are only "
                "there are marked as stale",
            )
        elif old.revision != new.revision:
            yield DAG_BUNDLE.finding(
                None, f"bundle {name} follows {new.revision} instead of {old.revision}", INFO
            )


def _revision(view: View) -> str | None:
    for variable in _VARIABLES:
        for work in view.workloads:
            for name, entry in work.environment():
                value = fields.text(entry, "value")
                if name == variable and value not in _UNSET:
                    return value
    return None


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """Where a component reads DAGs; without words from the image alone."""

    reader: str
    repository: str
    folder: str
    words: str

    def is_same(self, other: _Source) -> bool:
        """Whether the DAGs are the same ones: credentials and protocol of git do not matter."""
        if not (self.repository and other.repository):
            return self.words == other.words
        same = same_repository(self.repository, other.repository)
        return same and self.folder == other.folder


def _sources(view: View) -> dict[str, _Source]:
    """By component that reads DAGs where they are.

    The scheduler stands for the DAG processor where none runs; beside one it reads no DAGs unless
    it runs the tasks (chart, scheduler-deployment.yaml).
    """
    folder, found = volumes.dags_folder(view), {}
    for work in view.workloads:
        if work.key.kind not in ROLLED or work.component not in _READERS:
            continue
        given = {name: fields.text(entry, "value") for name, entry in work.environment()}
        cloned = next((given[name] for name in _REPOSITORIES if given.get(name)), "")
        kept = f"git repository {cloned}" if cloned else volumes.at(work, folder)
        words = f"{kept} ({folder})" if kept else ""
        found[work.component] = _Source(work.component, cloned, folder, words)
    scheduler = found.get("scheduler")
    if scheduler and not any("Local" in name for name in view.executors):
        del found["scheduler"]
    if scheduler:
        found.setdefault("dag-processor", scheduler)
    return found


def _reads_folder(view: View) -> bool:
    """Whether DAGs are read from the folder: by Airflow 2, or by a bundle of that folder."""
    bundles = _bundles(view)
    return bundles is None or any(item.place == _LOCAL for item in bundles.values())


@dataclasses.dataclass(frozen=True, slots=True)
class _Bundle:
    """A bundle: its class with what this one reads, and the revision of that."""

    place: str
    revision: str


def _bundles(view: View) -> dict[str, _Bundle] | None:
    text = view.setting("dag_processor", "dag_bundle_config_list")
    if not text:
        return None
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, list):
        return None
    entries = [entry for entry in given if isinstance(entry, dict)]
    return {fields.text(entry, "name"): _bundle(entry) for entry in entries}


def _bundle(entry: dict[str, Any]) -> _Bundle:
    """airflow.providers.git.bundles.git, GitDagBundle; the others name a bucket or a path."""
    given = fields.section(entry, "kwargs")
    parts = [f"{name} {given[name]}" for name in _PLACES if given.get(name)]
    place = ", ".join((fields.text(entry, "classpath").rpartition(".")[2], *parts))
    return _Bundle(place, fields.text(given, "tracking_ref") or "its default branch")


FINDERS = (dag_revision, dag_source, bundle)
