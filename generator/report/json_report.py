"""The report as JSON: the documented shape, stable for machines."""

from __future__ import annotations

import json
from typing import Any

from generator.diff.model import Change, Folded
from generator.impact.flow_change import FlowChanges
from generator.report import story
from generator.report.model import EnvironmentDiff, FileChange, Report


def render(report: Report) -> str:
    """One indented document with a line end; every character that is not ASCII is escaped."""
    return json.dumps(as_json(report), indent=2) + "\n"


def as_json(report: Report) -> dict[str, Any]:
    """The documented shape; `reason` is the headline, where there is one.

    `verdict` and `story` are the first words of the other formats.
    """
    return {
        "base": report.base,
        "head": report.head,
        "environments": [_environment(item) for item in report.environments],
        "files": [_file(item) for item in report.files],
        "impact": [finding.as_json() for finding in report.impact],
        "problems": [problem.as_json() for problem in report.problems],
        "reason": report.headline,
        "basis": report.basis.as_json(),
        "verdict": story.verdict(report),
        "story": [
            {"environments": list(names), "text": text} for names, text in story.sentences(report)
        ],
        "fields": [item.as_json() for item in report.fields],
    }


def _file(item: FileChange) -> dict[str, str]:
    return {"path": item.path, "action": item.action.value, "environment": item.environment}


def _environment(item: EnvironmentDiff) -> dict[str, Any]:
    return {
        "name": item.name,
        "oldName": item.old_name,
        "rendered": item.rendered,
        "reason": item.reason,
        "changes": [_change(change) for change in item.changes],
        "folded": [_folded(folded) for folded in item.folded],
        "impact": [finding.as_json() for finding in item.impact],
        "problems": [problem.as_json() for problem in item.problems],
        "drift": [_change(change) for change in item.drift],
        "basis": item.basis.as_json(),
        "baseBasis": item.base_basis.as_json(),
        "fields": [field.as_json() for field in item.fields],
        "flows": _flows(item),
    }


def _flows(item: EnvironmentDiff) -> dict[str, Any] | None:
    if not item.rendered:
        return FlowChanges((), ("the policies: nothing was compared",)).as_json()
    return item.flows.as_json() if item.flows else None


def _change(change: Change) -> dict[str, Any]:
    """An object that was paired under another name carries that name as well."""
    shape: dict[str, Any] = {
        "action": change.action.value,
        "apiVersion": change.api_version,
        "kind": change.key.kind,
        "namespace": change.key.namespace,
        "name": change.key.name,
        "diff": change.diff,
    }
    if change.old_key is not None:
        shape["oldName"] = change.old_key.name
        shape["oldNamespace"] = change.old_key.namespace
    return shape


def _folded(folded: Folded) -> dict[str, Any]:
    return {
        "field": folded.field,
        "count": folded.count,
        "resources": [str(key) for key in folded.resources],
    }
