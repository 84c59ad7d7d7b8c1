"""The Grafana dashboard of an environment, made with Grafana's own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from generator.monitoring.series import Series
from generator.release.release import Release

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries

_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2
Panel = tuple[str, str, str, str]
"""Title, unit, expression, legend."""


def panels(release: Release) -> Iterator[Panel]:
    """What is shown: only what the components of this environment send."""
    series, has = Series.of(release), release.topology.has
    metric = series.airflow
    yield (
        "Heartbeats of the scheduler",
        "cps",
        f"sum(rate({metric('scheduler_heartbeat')}[5m]))",
        "",
    )
    if has("dag-processor"):
        beat = metric("dag_processor_heartbeat")
        yield "Heartbeats of the DAG processor", "cps", f"sum(rate({beat}[5m]))", ""
        yield "DAG import errors", "short", f"max({metric('dag_processing.import_errors')})", ""
        if series.sends("dag_processing.last_duration"):
            last = metric("dag_processing.last_duration", 'quantile="0.5"')
            yield "Time to parse a file", "s", f"max by (dag_file) ({last})", "{{dag_file}}"
    if has("triggerer"):
        beat, running = metric("triggerer_heartbeat"), metric("triggers.running")
        yield "Heartbeats of the triggerer", "cps", f"sum(rate({beat}[5m]))", ""
        yield "Triggers", "short", f"sum by (host) ({running})", "{{host}}"
    for state in ("queued", "running"):
        tasks = metric(f"executor.{state}_tasks")
        yield f"Tasks {state}", "short", f"sum by (executor) ({tasks})", "{{executor}}"
    for state in ("open", "running", "scheduled", "deferred"):
        slots = metric(f"pool.{state}_slots")
        yield f"Pool slots {state}", "short", f"max by (pool) ({slots})", "{{pool}}"
    finished = metric("ti.finish")
    yield "Tasks finished", "cps", f"sum by (state) (rate({finished}[5m]))", "{{state}}"
    total, count = (
        metric("task.duration").replace("{", f"_{part}{{", 1) for part in ("sum", "count")
    )
    mean = f"sum by (dag_id) (rate({total}[15m])) / sum by (dag_id) (rate({count}[15m]))"
    yield "Mean time of a task", "s", mean, "{{dag_id}}"
    runs = metric("dagrun.duration").replace("{", "_count{", 1)
    yield (
        "DAG runs ended",
        "cps",
        f"sum by (dag_id, state) (rate({runs}[15m]))",
        "{{dag_id}} {{state}}",
    )
    loop = metric("scheduler.scheduler_loop_duration", 'quantile="0.9"')
    yield "Loop of the scheduler", "s", f"max({loop})", ""
    if has("pgbouncer"):
        for state in ("active", "waiting"):
            clients = series.pgbouncer(f"pools_{state}_clients")
            yield (
                f"PgBouncer clients {state}",
                "short",
                f"sum by (database) ({clients})",
                "{{database}}",
            )


def document(release: Release) -> str:
    """The dashboard as JSON; its uid stays for as long as the environment's name does."""
    from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable
    from grafana_foundation_sdk.cog.encoder import JSONEncoder

    name = release.resolved.name
    found = (
        Dashboard(f"Airflow {name}")
        .uid(f"gen-env-{name}".replace("/", "-")[:40])
        .tags(["airflow", "gen-env"])
        .readonly()
        .refresh("1m")
        .time("now-6h", "now")
        .with_variable(DatasourceVariable("source").label("Data source").type("prometheus"))
    )
    for place, item in enumerate(panels(release)):
        found = found.with_panel(_panel(place, item))
    return JSONEncoder(indent=2, sort_keys=True).encode(found.build()) + "\n"


def _panel(place: int, panel: Panel) -> TimeSeries:
    from grafana_foundation_sdk.builders import prometheus, timeseries
    from grafana_foundation_sdk.models.dashboard import DataSourceRef, GridPos

    title, unit, expression, legend = panel
    row, column = divmod(place, _COLUMNS)
    source = DataSourceRef(type_val="prometheus", uid="${source}")
    query = prometheus.Dataquery().ref_id("A").datasource(source).expr(expression)
    return (
        timeseries.Panel()
        .id(place + 1)
        .title(title)
        .datasource(source)
        .grid_pos(GridPos(h=_HEIGHT, w=_WIDTH, x=column * _WIDTH, y=row * _HEIGHT))
        .unit(unit)
        .min(0)
        .with_target(query.legend_format(legend or title))
    )
