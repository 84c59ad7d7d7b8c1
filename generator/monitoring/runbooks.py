"""The pages that alerts lead to, one per alert: what it means, what to look at, commands."""

from __future__ import annotations

from generator.core.counted import counted
from generator.core.errors import UserError
from generator.forge import location
from generator.forge.kind import ForgeKind
from generator.monitoring.alert import Alert
from generator.monitoring.alerts import alerts
from generator.monitoring.commands import kubectl
from generator.release.release import Release

FOLDER = "generated/runbooks"
_JOBS = ("run-airflow-migrations",)
_BLOB = {
    ForgeKind.GITHUB: "blob/{branch}",
    ForgeKind.GITLAB: "-/blob/{branch}",
    ForgeKind.GITEA: "src/branch/{branch}",
}


def pages(release: Release) -> dict[str, str]:
    """The pages by file name."""
    return {f"{alert.name}.md": _page(release, alert) for alert in alerts(release)}


def url(release: Release, alert: Alert) -> str:
    """Where the page is: below `metrics.alerts.runbooks`, else in the repository as its forge
    shows it, else, where the forge is not known, its path."""
    wanted = release.environment.metrics.alerts
    if wanted is not None and wanted.runbooks is not None:
        return f"{wanted.runbooks}{alert.name}.md"
    git = release.resolved.settings.repository.repository
    path = f"{git.prefix}{release.resolved.definition.folder}/{FOLDER}/{alert.name}.md"
    named = "gitea" if git.forge == "forgejo" else git.forge
    try:
        place = location.locate(git.url, kind=ForgeKind(named) if named else None)
    except UserError:
        return path
    return f"{place.page}/{_BLOB[place.kind].format(branch=git.branch)}/{path}"


def _page(release: Release, alert: Alert) -> str:
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(alert.steps, 1))
    commands = "\n".join(_commands(release, alert))
    after = f"for {counted(alert.minutes, 'minute')}" if alert.minutes else "at once"
    return f"""\
# {alert.name}

{alert.meaning}

Environment `{release.resolved.name}`, severity {alert.severity}, fires when this holds {after}:

```promql
{alert.expression}
```

## What to look at

{steps}

## Commands

```sh
{commands}
```
"""


def _commands(release: Release, alert: Alert) -> list[str]:
    """kubectl and gen-env, with the names of this environment."""
    names, own = release.topology.names, kubectl(release)
    selector = ",".join(f"{key}={value}" for key, value in names.labels(alert.component).items())
    found = [
        f"gen-env verify {release.resolved.name} --timeout 60",
        f"{own} get pods --selector {selector}",
        f"{own} describe pods --selector {selector}",
        f"{own} logs --selector {selector} --all-containers --tail 100",
    ]
    if alert.component in _JOBS:
        found.append(f"{own} get jobs --selector {selector}")
    elif alert.component in ("scheduler", "triggerer", "dag-processor", "api-server"):
        found.append(f"{own} get deployments,statefulsets --selector {selector}")
    return [*found, f"{own} get events --sort-by .lastTimestamp"]
