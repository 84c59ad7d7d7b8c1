"""How counters are named in the database: labels as text, histograms as counters per bucket."""

from __future__ import annotations

import bisect
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

Key = tuple[str, str]
"""A counter's name and its labels, as `text_of` writes them."""

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0)
"""Upper bounds, in seconds, of every histogram's buckets but the last."""


def histogram(name: str, seconds: float, labels: Mapping[str, str]) -> dict[Key, float]:
    """What one observation adds to the counters that make up a histogram."""
    place = bisect.bisect_left(BOUNDS, seconds)
    bound = str(BOUNDS[place]) if place < len(BOUNDS) else "+Inf"
    return {
        (f"{name}_bucket", text_of({**labels, "le": bound})): 1.0,
        (f"{name}_sum", text_of(labels)): max(0.0, seconds),
    }


def text_of(labels: Mapping[str, str]) -> str:
    """Labels as Prometheus writes them, in the order of their names."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def labels_of(text: str) -> dict[str, str]:
    """The labels that `text_of` wrote."""
    sample = f"x{{{text}}} 0\n" if text else "x 0\n"
    return dict(next(iter(text_string_to_metric_families(sample))).samples[0].labels)
