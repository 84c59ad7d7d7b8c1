"""Check runs: what a GitHub App can show beside a status; text, and remarks at lines."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from generator.forge.port import LIMITS, Annotation, Check, CheckState, ForgeKind, shorten
from generator.forge.transport import Transport

_OURS = "gen-env:"
_PER_CALL = 50
_MESSAGE = 16_000
_CUT = "\n\n(cut: too long for the forge)"
_CONCLUSION = {
    CheckState.SUCCESS: "success",
    CheckState.FAILURE: "failure",
    CheckState.ERROR: "failure",
    CheckState.CANCELLED: "cancelled",
}


def report(transport: Transport, repository: str, sha: str, check: Check) -> None:
    """Show a check on a commit as a run of its name; `repository` is the path `/repos/o/r`.

    A run that is under way is brought up to date, an equal one left alone. A completed run, or
    one with annotations (GitHub only ever adds to them), is followed by a new one of the same
    name, which GitHub shows in its place.
    """
    identity = _OURS + _digest(check)
    existing = _latest(transport, repository, sha, check.name)
    if existing.get("external_id") == identity:
        return
    batches = _batches(check.annotations)
    body = {"external_id": identity, **_body(check), "output": _output(check, batches[0])}
    if _is_open(existing):
        run = existing["id"]
        transport.send("PATCH", f"{repository}/check-runs/{run}", body=body)
    else:
        created = {"name": check.name, "head_sha": sha, **body}
        run = transport.send("POST", f"{repository}/check-runs", body=created).data["id"]
    for batch in batches[1:]:
        more = {"output": _output(check, batch)}
        transport.send("PATCH", f"{repository}/check-runs/{run}", body=more)


def _latest(transport: Transport, repository: str, sha: str, name: str) -> dict[str, Any]:
    """The newest run of this name that is ours; empty if there is none."""
    params: dict[str, str | int] = {"check_name": name, "per_page": 100}
    data = transport.get(f"{repository}/commits/{sha}/check-runs", params) or {}
    runs: list[dict[str, Any]] = data.get("check_runs") or []
    ours = [run for run in runs if str(run.get("external_id") or "").startswith(_OURS)]
    return max(ours, key=lambda run: int(run["id"]), default={})


def _is_open(run: dict[str, Any]) -> bool:
    annotated = (run.get("output") or {}).get("annotations_count")
    return bool(run) and run.get("status") != "completed" and not annotated


def _body(check: Check) -> dict[str, Any]:
    body: dict[str, Any] = {"details_url": check.url} if check.url else {}
    match check.state:
        case CheckState.PENDING:
            return body | {"status": "queued"}
        case CheckState.RUNNING:
            return body | {"status": "in_progress"}
        case _:
            return body | {"status": "completed", "conclusion": _CONCLUSION[check.state]}


def _output(check: Check, annotations: Sequence[Annotation]) -> dict[str, Any]:
    limit = LIMITS[ForgeKind.GITHUB].check_text
    output: dict[str, Any] = {
        "title": shorten(check.title, LIMITS[ForgeKind.GITHUB].context),
        "summary": _cut(check.summary or check.title, limit),
        "annotations": [_annotation(item) for item in annotations],
    }
    return output | ({"text": _cut(check.text, limit)} if check.text else {})


def _annotation(item: Annotation) -> dict[str, Any]:
    annotation: dict[str, Any] = {
        "path": item.path,
        "start_line": item.line,
        "end_line": item.line,
        "annotation_level": item.level,
        "message": _cut(item.message, _MESSAGE),
    }
    return annotation | ({"title": shorten(item.title, 255)} if item.title else {})


def _batches(annotations: Sequence[Annotation]) -> list[Sequence[Annotation]]:
    """As many as GitHub takes in one call; one empty batch when there are none."""
    starts = range(0, max(1, len(annotations)), _PER_CALL)
    return [annotations[start : start + _PER_CALL] for start in starts]


def _digest(check: Check) -> str:
    text = json.dumps(dataclasses.asdict(check), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(_CUT)] + _CUT
