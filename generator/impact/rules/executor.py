"""A change of the executor, and what happens to tasks under way."""

from __future__ import annotations

from collections.abc import Iterator

from generator.impact.context import Context, listed
from generator.impact.finding import INFO, WARNING, Finding, ImpactRule

# What happens to the tasks of an executor that is taken away.
_AT_RISK = {
    "CeleryExecutor": "tasks queued in the Celery broker are not picked up any more, and running "
    "ones are cut off when the workers go: pause the DAGs and let the queue drain first",
    "KubernetesExecutor": "task pods that run now are not adopted by the new executor: their "
    "tasks are found dead and retried; pause the DAGs and let them finish first",
    "LocalExecutor": "tasks run inside the scheduler and end with its restart: pause the DAGs "
    "and let them finish first",
}
_OTHERS = "tasks that are queued in it now are lost: pause the DAGs and let them finish first"

EXECUTOR = ImpactRule(
    "impact/executor",
    WARNING,
    "Executors are replaced, or the default executor changes",
    "Tasks queued or running in a removed executor are lost or retried.",
    "Airflow",
    also=((INFO, "one is added and the default stays"),),
)


def executor(context: Context) -> Iterator[Finding]:
    """`impact/executor`: executors are exchanged, added, or another one becomes the default."""
    yield from _out_of_sight(context)
    old, new = context.base.executors, context.head.executors
    if not old or not new or old == new:
        return
    words = f"{listed(old)} → {listed(new)}"
    gone = [name for name in old if name not in new]
    if gone:
        risks = "; ".join(_AT_RISK.get(name, f"{name}: {_OTHERS}") for name in gone)
        yield EXECUTOR.finding(None, f"executor {words}: {risks}")
    elif old[0] != new[0]:
        yield EXECUTOR.finding(
            None,
            f"executor {words}: tasks that name no executor now run in {new[0]}",
        )
    elif added := [name for name in new if name not in old]:
        yield EXECUTOR.finding(
            None,
            f"executor {words}: tasks may now ask for {listed(added)}",
            INFO,
        )


def _out_of_sight(context: Context) -> Iterator[Finding]:
    old, new = context.base.executor_setting, context.head.executor_setting
    if new.unread and context.is_update and old != new:
        before = f" instead of {listed(old.names)}" if old.names else ""
        yield EXECUTOR.finding(
            None,
            f"the executor is read from {new.unread}{before}: which one it is cannot be seen; "
            "tasks queued or running in another one are lost or retried",
        )


FINDERS = (executor,)
