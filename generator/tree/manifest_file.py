"""Object files that people bring, read so that no engine reads anything else in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from generator.engine import flux_reach
from generator.engine.argocd_reach import SKIPPED
from generator.kube.resource import group_of
from generator.model.environment import Environment
from generator.yaml.errors import YamlError
from generator.yaml.limits import Limits
from generator.yaml.manifests import load_manifests

# Kubernetes splits a file at such lines before any YAML is parsed, between quotes too.
_ODD_LINE = re.compile(rb"^(---[^\r\n]*[^\s#][^\r\n]*|\.\.\..*|%.*)$", re.MULTILINE)
_COMMENT = re.compile(rb"^---\s+#")
# Line breaks to some YAML parsers and not to others; a byte order mark inside a file.
_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")


def read(content: bytes, path: str, limits: Limits) -> list[dict[str, Any]]:
    """The objects of a file; raises YamlError for what two parsers could read in two ways."""
    for match in _ODD_LINE.finditer(content):
        if not _COMMENT.match(match[0]):
            line = content.count(b"\n", 0, match.start()) + 1
            raise YamlError(
                "a line that parsers read differently", path=path, line=line, hint="write --- alone"
            )
    if SKIPPED in content:
        raise YamlError("Argo CD skips a file with these words", path=path, hint=_SKIP)
    found = load_manifests(content, path=path, limits=limits, unique=True)
    if odd := _BREAKS.search(content.decode("utf-8")):
        raise YamlError(f"holds U+{ord(odd[0]):04X}, which parsers read differently", path=path)
    return found


_SKIP = f"remove {SKIPPED.decode()}, or the file"


def identity(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """The kind as policy names it (`ConfigMap`, `Job.batch`) and the name of an object."""
    metadata = manifest.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    kind, group = manifest.get("kind"), group_of(str(manifest.get("apiVersion") or ""))
    return f"{kind}.{group}" if group else str(kind), name if isinstance(name, str) else ""


def fault(manifest: Mapping[str, Any], environment: Environment) -> str:
    """Why an object must not be given to an environment's cluster, or nothing."""
    namespace = environment.namespace
    metadata = manifest.get("metadata")
    if not isinstance(metadata, Mapping) or not identity(manifest)[1]:
        return "it has no metadata.name"
    if "items" in manifest:
        return "it holds items, which are applied in place of the object"
    if metadata.get("namespace") not in (None, "", namespace):
        return f"it is for namespace {metadata.get('namespace')}, not {namespace}"
    return flux_reach.fault(manifest) if environment.engine == "flux" else ""
