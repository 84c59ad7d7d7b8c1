"""The revision of the DAGs, when it is pinned in the manifests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from generator.impact.context import Context, View, listed, verb
from generator.impact.finding import INFO, WARNING, Finding, ImpactRule
from generator.kube import fields

# In this order: the older ones overrule the ref of git-sync v4 (kubernetes/git-sync, main.go).
_VARIABLES = ("GIT_SYNC_REV", "GIT_SYNC_BRANCH", "GITSYNC_REF")
_UNSET = ("", "HEAD")

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
    "A DAG bundle is removed",
    "Its DAGs are marked as stale.",
    "Airflow",
    also=((INFO, "it is added, or follows another revision"),),
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
        elif old != new:
            yield DAG_BUNDLE.finding(None, f"bundle {name} follows {new} instead of {old}", INFO)


def _revision(view: View) -> str | None:
    for variable in _VARIABLES:
        for work in view.workloads:
            for name, entry in work.environment():
                value = fields.text(entry, "value")
                if name == variable and value not in _UNSET:
                    return value
    return None


def _bundles(view: View) -> dict[str, str] | None:
    text = view.setting("dag_processor", "dag_bundle_config_list")
    if not text:
        return None
    try:
        given: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, list):
        return None
    return {
        fields.text(entry, "name"): fields.text(entry, "kwargs", "tracking_ref")
        or fields.text(entry, "classpath")
        for entry in given
        if isinstance(entry, dict)
    }


FINDERS = (dag_revision, bundle)
