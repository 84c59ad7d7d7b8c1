"""The proof of an adoption: the second reading of both sides, and what it was judged by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from generator.adoption import second_reading, tree_reading
from generator.adoption.request import Subject
from generator.adoption.verdict import Cluster, Verdict, judged
from generator.core.basis import Basis, NotRead, Origin, Version
from generator.definition.definition import ROOT
from generator.helmvalues.values import running_airflow
from generator.render.request import Renderer
from generator.tree.plan import Plan


def verdict(
    found: Subject, paths: Sequence[Path], plan: Plan, gone: frozenset[str], judge: Renderer
) -> Verdict:
    """The verdict of the second reading on the files that were given and those to be written.

    `gone` are Secrets that people said exist elsewhere, `judge` renders both sides.
    """
    basis = _basis(found)
    folder = f"{ROOT}/{found.options.name}"
    try:
        before = second_reading.original(paths, found.options.release, found.options.namespace)
        after = tree_reading.tree(plan.writes, folder)
    except (ValueError, LookupError, OSError) as error:
        reason = f"the second reading failed: {error}" if isinstance(error, ValueError) else ""
        missing = NotRead("the release or its tree", "", reason or "a part of it is missing")
        return Verdict(judge.engine_version(), basis.without([missing]))
    cluster = Cluster(found.cluster.kubernetes_version, tuple(sorted(found.cluster.api_versions)))
    return judged(before, after, found.archive, cluster, judge, basis, gone)


def _basis(found: Subject) -> Basis:
    stated = found.original.source.chart
    airflow = found.input(found.original.source.values)
    return Basis(
        Version(
            found.archive.version,
            stated.origin if stated.version else Origin.OPTION,
            found.archive.digest,
        ),
        running_airflow(airflow.user, airflow.merged),
        Version(found.cluster.kubernetes_version, Origin.CLUSTER),
    )
