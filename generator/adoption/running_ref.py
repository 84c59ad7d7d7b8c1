"""Which branch, tag or commit a rendered git-sync follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_REPOSITORY = ("GITSYNC_REPO", "GIT_SYNC_REPO")


def running_ref(manifests: Sequence[Mapping[str, Any]]) -> str:
    """What the first git-sync container among the objects follows; '' where none says it.

    The older `branch` and `rev` overrule `ref` (kubernetes/git-sync v4, main.go).
    """
    for variables in _variables(manifests):
        branch, rev = (variables.get(f"GIT_SYNC_{name}", "") for name in ("BRANCH", "REV"))
        if branch and rev in ("", "HEAD"):
            return branch
        return rev or variables.get("GITSYNC_REF", "")
    return ""


def _variables(node: Any) -> Iterator[dict[str, str]]:
    """The literal variables of every git-sync container below a node."""
    if isinstance(node, Mapping):
        env = node.get("env")
        rows = [row for row in env if isinstance(row, Mapping)] if isinstance(env, list) else []
        found = {str(row.get("name")): str(row.get("value") or "") for row in rows}
        if any(name in found for name in _REPOSITORY):
            yield found
        for item in node.values():
            yield from _variables(item)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _variables(item)
