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
@common.output("table", "json", "yaml")
def list_(form: str) -> int:
    """List the archives in the cache."""
    from generator.pipeline import toolchain

    charts = toolchain.charts().cache.list()
    rows = [(chart.version, chart.app_version, chart.digest) for chart in charts]
    if form == "table":
        common.columns(rows, ("CHART", "AIRFLOW", "DIGEST"))
    else:
        common.emit(
            [dict(zip(("version", "airflow", "digest"), row, strict=True)) for row in rows], form
        )
    return 0
