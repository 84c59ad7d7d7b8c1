"""Text that the chart passes through Go templates, and how to keep it literal."""

from __future__ import annotations


def literal(text: str) -> str:
    """`text` such that the chart's `tpl` gives it back unchanged: each `{{` is itself quoted."""
    return text.replace("{{", "{{`{{`}}")
