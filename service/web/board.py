"""The environments as the overview shows them: by promotion path, with what was verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from service.settings.resolve import Settings

Verified = Mapping[tuple[str, str, str], Mapping[str, Any]]


def groups(
    settings: Settings, branches: Mapping[str, Mapping[str, Any]], verified: Verified
) -> Iterator[dict[str, Any]]:
    """For each repository its promotion paths, then the environments that are in none."""
    for connection in settings.connections:
        for repository in connection.repositories:
            stands = branches.get(f"{connection.name}/{repository}")
            place = (connection.name, repository)
            runs = {name: row for (*at, name), row in verified.items() if tuple(at) == place}
            yield {
                "connection": connection.name,
                "repository": repository,
                "branch": connection.branch,
                "stands": stands,
                "paths": list(_paths(stands["content"] if stands else {}, runs)),
                "verifies": connection.verification is not None,
                "polls": settings.poll_seconds > 0,
            }


def _paths(
    content: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    known = {item["name"]: item for item in content.get("environments", [])}
    # Verified once, and not on the branch (any more), or the branch was not read yet.
    known |= {name: {"name": name, "unread": True} for name in runs if name and name not in known}
    left = dict(sorted(known.items()))
    for title, names in sorted(content.get("paths", {}).items()):
        rows = [known[name] for name in names if name in known]
        for name in names:
            left.pop(name, None)
        yield {"title": title, "rows": [_row(item, runs) for item in rows]}
    if left:
        yield {"title": "", "rows": [_row(item, runs) for item in left.values()]}


def _row(item: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    last = runs.get(item["name"])
    return {**item, "last": last, "verified": last["verified"] if last else None}
