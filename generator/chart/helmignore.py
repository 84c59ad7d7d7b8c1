"""`.helmignore`: the files of an unpacked chart that do not belong to it."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

_FILE = ".helmignore"


def kept(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files (path → content) that the folder's own `.helmignore` leaves in.

    Rules as in helm.sh/helm/v4/pkg/ignore: one shell pattern a line, `/` anchors to the top, a
    trailing `/` means folders, `!` turns a rule round, the last rule that fits decides.
    """
    lines = files.get(_FILE, b"").decode("utf-8-sig", "replace").splitlines()
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return {path: content for path, content in files.items() if not _ignored(path, rules)}


def _ignored(path: str, rules: list[str]) -> bool:
    parts = path.split("/")
    folders = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    return any(_decided(folder, rules, folder=True) for folder in folders) or _decided(
        path, rules, folder=False
    )


def _decided(path: str, rules: list[str], *, folder: bool) -> bool:
    ignored = False
    for rule in rules:
        pattern = rule.removeprefix("!")
        if pattern.endswith("/") and not folder:
            continue
        if _fits(path, pattern.rstrip("/")):
            ignored = not rule.startswith("!")
    return ignored


def _fits(path: str, pattern: str) -> bool:
    if "/" not in pattern:
        return fnmatch.fnmatchcase(path.rpartition("/")[2], pattern)
    parts, patterns = path.split("/"), pattern.removeprefix("/").split("/")
    return len(parts) == len(patterns) and all(
        fnmatch.fnmatchcase(part, one) for part, one in zip(parts, patterns, strict=True)
    )
