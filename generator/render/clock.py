"""Renders that show the time: two of them differ only where they begin in different seconds."""

from __future__ import annotations

import functools
import re
import time

from generator.chart.chart import ChartArchive, ChartError, open_chart
from generator.render.request import RenderRequest, canonical

# Sprig's functions that read the clock; those that format take it in the place of any other value.
_CLOCK = re.compile(r"\b(?:now|ago|date\w*|htmlDate\w*|durationRound)\b")


def is_read(request: RenderRequest) -> bool:
    """Whether a template of the chart or of the values may read the clock."""
    try:
        chart = open_chart(request.chart, official=False)
    except ChartError:
        return False
    return _mentions(request.values_json()) or _chart_mentions(chart)


def wait() -> None:
    """Return when another second has begun."""
    second = int(time.time())
    while int(time.time()) == second:
        time.sleep(1 - time.time() % 1)


@functools.lru_cache(maxsize=8)
def _chart_mentions(chart: ChartArchive) -> bool:
    """Of values.yaml what is read alone: its comments have examples."""
    files = (data for path, data in chart.files.items() if path != "values.yaml")
    texts = (data.decode("utf-8", "replace") for data in files)
    return _mentions(canonical(chart.values())) or any(map(_mentions, texts))


def _mentions(text: str) -> bool:
    return any(_CLOCK.search(part.partition("}}")[0]) for part in text.split("{{")[1:])
