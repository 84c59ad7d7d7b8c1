"""How far a ciphertext may travel: the three scopes of sealed-secrets.

Label and annotations as in pkg/apis/sealedsecrets/v1alpha1/sealedsecret_expansion.go.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

CLUSTER_WIDE = "sealedsecrets.bitnami.com/cluster-wide"
NAMESPACE_WIDE = "sealedsecrets.bitnami.com/namespace-wide"


class Scope(enum.StrEnum):
    """Where the controller will open a ciphertext."""

    STRICT = "strict"
    NAMESPACE_WIDE = "namespace-wide"
    CLUSTER_WIDE = "cluster-wide"


def label(scope: Scope, namespace: str, name: str) -> str:
    """The RSA-OAEP label that binds a ciphertext to its place; empty for cluster-wide."""
    match scope:
        case Scope.STRICT:
            return f"{namespace}/{name}"
        case Scope.NAMESPACE_WIDE:
            return namespace
        case Scope.CLUSTER_WIDE:
            return ""


def marks(scope: Scope) -> dict[str, str]:
    """The annotations by which the controller knows the scope; none for strict."""
    match scope:
        case Scope.STRICT:
            return {}
        case Scope.NAMESPACE_WIDE:
            return {NAMESPACE_WIDE: "true"}
        case Scope.CLUSTER_WIDE:
            return {CLUSTER_WIDE: "true"}


def scope_of(metadata: Mapping[str, Any]) -> Scope:
    """The scope an object's metadata asks for; cluster-wide wins, as in the controller."""
    given = metadata.get("annotations") or {}
    if given.get(CLUSTER_WIDE) == "true":
        return Scope.CLUSTER_WIDE
    if given.get(NAMESPACE_WIDE) == "true":
        return Scope.NAMESPACE_WIDE
    return Scope.STRICT
