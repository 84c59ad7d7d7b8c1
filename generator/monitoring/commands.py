"""Commands of kubectl with the names of an environment, and Markdown that holds them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from generator.release.release import Release

_WIDTH = 118
_PAUSED = "autoscaling.keda.sh/paused-replicas"


def kubectl(release: Release) -> str:
    """Kubectl in the namespace of the environment."""
    return f"kubectl --namespace {release.environment.namespace}"


def workload(release: Release, part: str) -> str:
    """A component as kubectl names it, such as `deployment/airflow-scheduler`."""
    name = release.topology.names.of_part(part)
    kinds = {named: kind.lower() for kind, named in release.line.workloads(release.topology)}
    return f"{kinds.get(name, 'deployment')}/{name}"


def scaled(release: Release) -> Iterator[str]:
    """ScaledObjects of the environment: KEDA starts again what is scaled to nothing beside it."""
    environment = release.environment
    for part, item in (("worker", environment.workers), ("triggerer", environment.triggerer)):
        if item.autoscaling is not None and item.autoscaling.type == "keda":
            yield release.topology.names.of_part(part)


def hold(own: str, name: str) -> str:
    """Have KEDA keep a component at nothing."""
    return f"{own} annotate scaledobject {name} {_PAUSED}=0"


def let_go(own: str, name: str) -> str:
    """Have KEDA scale a component again; no sync removes the annotation."""
    return f"{own} annotate scaledobject {name} {_PAUSED}-"


def delete_job(release: Release, job: str) -> str:
    """Remove the Job of an earlier time: it has ended, and would be taken for the new one."""
    return f"{kubectl(release)} delete job {job} --ignore-not-found"


def run_now(release: Release, part: str, job: str) -> tuple[str, ...]:
    """Run a CronJob of the environment now, as a Job of that name."""
    own = kubectl(release)
    return (
        delete_job(release, job),
        f"{own} create job {job} --from=cronjob/{release.topology.names.of_part(part)}",
        f"{own} wait --for=condition=complete --timeout=6h job/{job}",
        f"{own} logs job/{job}",
    )


def block(*lines: str) -> str:
    """Lines for a shell."""
    return "\n".join(("```sh", *lines, "```"))


def text(*parts: str) -> str:
    """Paragraphs, lists and blocks with an empty line between them; paragraphs are wrapped."""
    return "\n\n".join(
        part
        if part.startswith(("```", "- "))
        else textwrap.fill(part, _WIDTH, break_long_words=False, break_on_hyphens=False)
        for part in parts
    )
