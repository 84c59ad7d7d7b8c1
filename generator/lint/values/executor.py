"""Checks of the executor and the pods that it starts."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, WARNING, Finding, check

KNOWN = (
    "LocalExecutor",
    "CeleryExecutor",
    "KubernetesExecutor",
    "EdgeExecutor",
    "AwsEcsExecutor",
    "AwsBatchExecutor",
    "AwsLambdaExecutor",
)
DEAD = {
    "CeleryKubernetesExecutor": "CeleryExecutor,KubernetesExecutor",
    "LocalKubernetesExecutor": "LocalExecutor,KubernetesExecutor",
    "SequentialExecutor": "LocalExecutor",
}


@check(
    "executor/dead",
    ERROR,
    "An executor that Airflow 3 no longer has",
    why="The chart still renders it; Airflow 3 cannot load the hybrid ones and runs Sequential as "
    "Local in a scheduler that was given no DAGs.",
)
def dead(values: ValuesInput) -> Iterator[Finding]:
    """A hybrid or the sequential executor on Airflow 3."""
    for name in values.executors:
        if values.airflow3 and name in DEAD:
            yield Finding(
                "executor",
                f"the scheduler cannot run tasks: Airflow 3 has no {name}",
                f"set executor: {DEAD[name]}",
            )


@check(
    "executor/unknown",
    ERROR,
    "An unknown executor",
    why="The chart's schema only checks that the name ends in Executor.",
)
def unknown(values: ValuesInput) -> Iterator[Finding]:
    """A plain name that is none of Airflow's; class paths are taken on trust."""
    for part in values.text("executor").split(","):
        name = part.strip().rpartition(":")[2]
        if not name or "." in name or name in KNOWN or name in DEAD:
            continue
        near = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.7)
        yield Finding(
            "executor",
            "the scheduler will not start: an executor of that name does not exist",
            f"did you mean {near[0]}?" if near else f"use one of {', '.join(KNOWN[:3])}",
        )


@check(
    "executor/characters",
    ERROR,
    "Characters in the executor that are not allowed in a label",
    why="The scheduler's pods carry the executor as a label; only commas and colons are replaced.",
    source="chart 1.22.0, templates/scheduler/scheduler-deployment.yaml",
)
def characters(values: ValuesInput) -> Iterator[Finding]:
    """`=`, `;` or a space in the list."""
    if re.search(r"[=;\s]", values.text("executor")):
        yield Finding(
            "executor",
            "the API server of Kubernetes refuses the scheduler: its executor label is not valid",
            "write executors as a comma list without spaces",
        )


@check(
    "executor/config-differs",
    ERROR,
    "config.core.executor beside executor",
    why="Charts from 1.10 on fail the render when both are set and differ.",
    source="chart 1.22.0, templates/NOTES.txt",
)
def config_differs(values: ValuesInput) -> Iterator[Finding]:
    """Another executor in `config.core`."""
    own = values.text("config.core.executor")
    refused = values.chart.marked("executor-differs")
    if refused and own and "{{" not in own and own != values.text("executor"):
        yield Finding(
            "config.core.executor",
            "the render fails: config.core.executor differs from executor",
            "set executor, and remove config.core.executor",
        )


@check(
    "executor/local-stateful",
    WARNING,
    "The LocalExecutor's scheduler is a StatefulSet by default",
    why="It takes its volume from workers.celery.persistence, on by default with 100Gi; the claim "
    "cannot be changed later, and switching it off changes the kind of the scheduler.",
)
def local_stateful(values: ValuesInput) -> Iterator[Finding]:
    """LocalExecutor with worker persistence on."""
    if values.local and not values.celery and values.worker("persistence.enabled"):
        yield Finding(
            values.worker_path("persistence.enabled"),
            "the scheduler becomes a StatefulSet with a volume claim that cannot be changed later",
            "set {key:workers.celery.persistence.enabled}: false and keep logs elsewhere",
        )


@check(
    "executor/edge-without-workers",
    WARNING,
    "EdgeExecutor without edge workers",
    why="The chart renders no edge worker.",
)
def edge(values: ValuesInput) -> Iterator[Finding]:
    """EdgeExecutor in the list."""
    if "EdgeExecutor" in values.executors:
        yield Finding(
            "executor",
            "tasks wait for ever unless you run edge workers yourself: the chart has none",
            "start `airflow edge worker` where your tasks run",
        )


@check(
    "executor/pod-template-base",
    ERROR,
    "A pod template without a container named base",
    why="Airflow puts the task into the container that is named base.",
)
def pod_template_base(values: ValuesInput) -> Iterator[Finding]:
    """A whole `podTemplate` that lacks it."""
    template = values.text("podTemplate")
    if values.kubernetes and template and not re.search(r"name:\s*[\"']?base\b", template):
        yield Finding(
            "podTemplate",
            "task pods fail: the pod template has no container named base",
            "name the first container of podTemplate base",
        )


@check(
    "executor/pod-template-variables",
    WARNING,
    "A pod template that does not get env and secret",
    why="Since chart 1.20 env and secret no longer reach task pods through the configuration; "
    "only the chart's own pod template carries them.",
)
def pod_template_variables(values: ValuesInput) -> Iterator[Finding]:
    """A custom `podTemplate` beside global variables."""
    names = sorted({name for _, name in values.environment() if name})
    template = values.text("podTemplate")
    if not values.kubernetes or not template or "custom_airflow_environment" in template:
        return
    if values.chart.marked("env-in-task-pods"):
        return
    missing = [
        name
        for name in names
        if name not in template
        and values.get(("config", "kubernetes_environment_variables", name)) is None
    ]
    if missing:
        yield Finding(
            "podTemplate",
            f"task pods run without {', '.join(missing)}: a custom podTemplate does not get env "
            "and secret",
            "add them to podTemplate, or under config.kubernetes_environment_variables",
        )
