"""What the chart of an environment does: by its archive, else by a table of releases."""

from __future__ import annotations

from collections.abc import Iterator

from generator.chart import key_table, official, traits_cache
from generator.chart.chart import ChartError, ChartFault
from generator.chart.provider import Charts
from generator.chart.traits import ChartTraits
from generator.core.problem import Problem
from generator.definition.resolve import Resolved
from generator.release import expressed


def of(version: str, digest: str | None, charts: Charts | None) -> ChartTraits:
    """The traits of that version; `digest` is that of the archive that is meant, if one is.

    The table does not speak for an archive with another digest than the official one. Raises
    ChartError where nothing is known, and for an archive that cannot be used.
    """
    found = _at_hand(version, digest, charts)
    if found is not None:
        return found
    archive = charts.meant(version, digest) if charts else None
    if archive is None:
        why = charts.missing(version) if charts else f"chart {version} was not looked for"
        hint = f"gen-env chart pull {version}, or gen-env chart add FILE.tgz"
        message = f"{why}, and its keys are read off its archive"
        raise ChartError(ChartFault.MISSING, message, hint=hint)
    return traits_cache.traits(archive)


def refusals(resolved: Resolved, digest: str | None, charts: Charts | None) -> Iterator[Problem]:
    """Whether a chart of which something is known here refuses the Airflow of the environment."""
    version = resolved.environment.chart.version
    try:
        # The table says it of the official archive, which need not be opened.
        genuine = digest is not None and digest == official.digest(version)
        traits = _at_hand(version, digest, None if genuine else charts)
    except ChartError:
        return  # `generate` names the archive.
    if traits is not None:
        yield from expressed.airflow_problems(resolved, traits)


def known(version: str, charts: Charts) -> ChartTraits | None:
    """The traits of that version, or None where nothing is known of it."""
    try:
        return of(version, None, charts)
    except ChartError:
        return None


def _at_hand(version: str, digest: str | None, charts: Charts | None) -> ChartTraits | None:
    """As `of`, without a network: None where neither an archive nor the table tells.

    Raises ChartError for an archive that cannot be used.
    """
    archive = charts.at_hand(version, digest) if charts else None
    if archive is not None:
        return traits_cache.traits(archive)
    return key_table.traits(version) if digest in (None, official.digest(version)) else None
