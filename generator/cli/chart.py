"""`gen-env chart`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from generator.cli import common

if TYPE_CHECKING:
    from generator.chart.chart import ChartArchive


@click.group(name="chart")
def command() -> None:
    """Manage the chart archives of this machine (GEN_ENV_CHART_CACHE)."""


def _tell(chart: ChartArchive) -> None:
    from generator.chart import official

    click.echo(f"airflow {chart.version} {chart.digest}")
    click.echo(official.judged(chart))


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
def add(file: Path) -> int:
    """Add FILE.tgz to the cache, for machines without access to a chart repository."""
    from generator.pipeline import toolchain

    chart = toolchain.charts().cache.add(file)
    _tell(chart)
    return 0


@command.command()
@click.argument("version")
@click.option("--url", help="Chart repository or OCI registry (default: from gen-env.yaml).")
def pull(version: str, url: str | None) -> int:
    """Fetch chart VERSION from the configured repository into the cache."""
    from generator.pipeline import toolchain

    common.progress(f"fetching airflow {version}")
    chart = toolchain.pull(version, url, common.folder())
    _tell(chart)
    return 0


@command.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Releases that are not in the cache too.")
@common.output("table", "json", "yaml")
def list_(everything: bool, form: str) -> int:
    """List the archives in the cache: which Airflow each runs, and how far gen-env supports it.

    Tried: the tests render gen-env's samples on it. Derived: its keys are read off its archive.
    """
    from generator.chart import traits_cache
    from generator.chart.version import Version, parse_version
    from generator.pipeline import toolchain
    from generator.release import chart_matrix

    charts = toolchain.charts().cache.list()
    rows = [(*chart_matrix.row(traits_cache.traits(chart)), chart.digest) for chart in charts]
    if everything:
        known = {row[0] for row in rows}
        rows += [(*row, "") for row in chart_matrix.releases() if row.version not in known]
    rows.sort(key=lambda row: (parse_version(row[0]) or Version(0, 0, 0), row[-1]))
    if form == "table":
        common.columns(rows, ("CHART", "AIRFLOW", "RUNS", "LEVEL", "DIGEST"))
    else:
        names = ("version", "airflow", "runs", "level", "digest")
        common.emit([dict(zip(names, row, strict=True)) for row in rows], form)
    return 0
