"""The environments as the overview shows them: by promotion path, with what was verified."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from generator.promotion import standing
from service.settings.schema import Settings

Verified = Mapping[tuple[str, str, str], Mapping[str, Any]]


def groups(
    settings: Settings,
    branches: Mapping[str, Mapping[str, Any]],
    verified: Verified,
    compared: Verified,
    now: float,
) -> Iterator[dict[str, Any]]:
    """For each repository its promotion paths, then the environments that are in none."""
    for connection, repository in settings.places:
        stands = branches.get(f"{connection.name}/{repository}")
        place = (connection.name, repository)
        runs = {name: row for (*at, name), row in verified.items() if tuple(at) == place}
        drift = {name: row for (*at, name), row in compared.items() if tuple(at) == place}
        yield {
            "connection": connection.name,
            "repository": repository,
            "branch": connection.branch,
            "stands": stands,
            "paths": list(_paths(stands["content"] if stands else {}, runs, drift, now)),
            "verifies": connection.verification is not None,
            "polls": settings.poll_seconds > 0,
        }


def _paths(
    content: Mapping[str, Any],
    runs: Mapping[str, Mapping[str, Any]],
    drift: Mapping[str, Mapping[str, Any]],
    now: float,
) -> Iterator[dict[str, Any]]:
    known = {item["name"]: item for item in content.get("environments", [])}
    # Verified once, and not on the branch (any more), or the branch was not read yet.
    known |= {name: {"name": name, "unread": True} for name in runs if name and name not in known}
    shown = {
        name: {
            **item,
            "last": (last := runs.get(name)),
            "verified": last["verified"] if last else None,
            "frozen": _frozen(item, now),
            "drift": drift.get(name),
        }
        for name, item in known.items()
    }
    left = dict(sorted(shown.items()))
    for title, names in sorted(content.get("paths", {}).items()):
        for name in names:
            left.pop(name, None)
        # What stands before it in the path, also where that is not there any more.
        rows = [
            {**shown[name], "soaks": _soaks(before, shown, shown[name], now)}
            for before, name in itertools.pairwise(("", *names))
            if name in shown
        ]
        yield {"title": title, "rows": rows}
    if left:
        yield {"title": "", "rows": list(left.values())}


def _frozen(item: Mapping[str, Any], now: float) -> str:
    if item.get("unread") or item.get("paused"):
        return ""
    try:
        at = datetime.datetime.fromtimestamp(now, datetime.UTC)
        until = standing.frozen(item["windows"], at)
    except (KeyError, ValueError):
        return "freeze not known"
    if until is None:
        return ""
    return f"frozen until {_time(until)}" if until.year < datetime.MAXYEAR else "frozen, no end"


def _soaks(
    name: str, shown: Mapping[str, Mapping[str, Any]], target: Mapping[str, Any], now: float
) -> str:
    """What is left of the soak in `name` before a promotion to `target`, by our own record."""
    if not name or target.get("unread") or target.get("soak") == 0:
        return ""
    last = shown.get(name, {}).get("last")
    if "soak" not in target or last is None:
        return "soak not known"
    if last["state"] == "failure":
        return f"soak begins when {name} is verified"
    if last["state"] != "success":
        return "soak not known"
    until = last["ended"] + target["soak"]
    end = _time(datetime.datetime.fromtimestamp(until, datetime.UTC))
    return f"{name} soaks until {end}" if until > now else ""


def _time(moment: datetime.datetime) -> str:
    return f"{moment.astimezone(datetime.UTC):%Y-%m-%d %H:%M} UTC"
