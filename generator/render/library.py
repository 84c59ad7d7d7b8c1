"""Helm's library: whether it is installed, and which."""

from __future__ import annotations

import importlib.metadata
import importlib.util

PACKAGE = "helm_python"


def is_installed() -> bool:
    """Whether it can be imported."""
    return importlib.util.find_spec(PACKAGE) is not None


def version() -> str:
    """Such as `helm-python-sdk 0.2.2`, whose wheel contains one exact Helm."""
    return f"helm-python-sdk {importlib.metadata.version('helm-python-sdk')}"
