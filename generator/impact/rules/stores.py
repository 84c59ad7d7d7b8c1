"""Where Airflow keeps what it needs again: task logs, queued tasks, connections and variables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from generator.impact import connection, volumes
from generator.impact.context import Context, View, listed, verb
from generator.impact.finding import ERROR, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.kube.resource import Key
from generator.kube.workload import ROLLED, Workload

LOG_STORE = ImpactRule(
    "impact/log-store",
    WARNING,
    "Task logs go to another place, or to none that outlives the pod",
    "The UI no longer shows the logs of earlier runs.",
    "Airflow, section logging of its options",
)
BROKER = ImpactRule(
    "impact/broker",
    WARNING,
    "The Celery broker becomes another one",
    "Tasks that are queued in the old one are not picked up.",
    "Airflow, section celery of its options",
    also=((ERROR, "there is none any more"),),
)
SECRETS_BACKEND = ImpactRule(
    "impact/secrets-backend",
    WARNING,
    "Connections and variables are looked up in another secrets backend, or in none",
    "Those that are only there are not found.",
    "Airflow, section secrets of its options",
)
VARIABLES_GONE = ImpactRule(
    "impact/variables-gone",
    WARNING,
    "Pods are no longer given connections, variables or whole Secrets by their environment",
    "Tasks that need them fail unless the database or a secrets backend has them.",
    "Airflow, connections and variables in the environment",
)

_GIVEN = ("AIRFLOW_CONN_", "AIRFLOW_VAR_")
_OWN = "AIRFLOW_CONN_AIRFLOW_DB"  # the chart's, of the metadata database
_LOG_PLACES = (
    ("logging", "remote_base_log_folder"),
    ("elasticsearch", "host"),
    ("opensearch", "host"),
)


def log_store(context: Context) -> Iterator[Finding]:
    """`impact/log-store`: remote logging is switched off, or writes to another place."""
    if not context.is_update or not _is_remote(context.base):
        return
    if not _is_remote(context.head):
        yield LOG_STORE.finding(
            None,
            "[logging] remote_logging is off: the UI no longer shows logs from the remote store, "
            "and new ones stay with the pods that write them",
        )
        return
    for section, key in _LOG_PLACES:
        old, new = (view.setting(section, key) for view in (context.base, context.head))
        if old and old != new:
            now = f"becomes {new}" if new else "is removed"
            yield LOG_STORE.finding(
                None,
                f"[{section}] {key} {now} (before: {old}): the UI no longer shows logs of earlier "
                "runs unless they are copied",
            )


def broker(context: Context) -> Iterator[Finding]:
    """`impact/broker`: the broker's URL comes from elsewhere, leads elsewhere, or is gone."""
    if not context.is_update or not _is_celery(context.base) or not _is_celery(context.head):
        return  # without Celery on one side, `impact/executor` reports it
    base, head = (connection.reference(view, connection.BROKER) for view in _sides(context))
    if (
        base is not None
        and head is None
        and not connection.is_given(context.head, connection.BROKER)
    ):
        yield BROKER.finding(
            base[0],
            f"pods no longer read the broker's URL (key {base[1]} of {base[0].name}), and nothing "
            "else gives one: no task is queued or picked up",
            ERROR,
        )
    elif base is not None and head is not None and _leads_elsewhere(context, base, head):
        yield BROKER.finding(
            head[0],
            f"the broker's URL in key {head[1]} of {head[0].name} leads to another broker than "
            "before, or may do so: tasks queued in the old one are not picked up; let the queue "
            "drain first",
        )
    old, new = (view.setting("celery", "broker_url") for view in _sides(context))
    if old and new and connection.address(old) != connection.address(new):
        yield BROKER.finding(
            None,
            f"the broker moves from {connection.address(old) or 'another place'} to "
            f"{connection.address(new) or 'another place'}: tasks queued in the old one are not "
            "picked up; let the queue drain first",
        )


def broker_volume(context: Context) -> Iterator[Finding]:
    """`impact/broker`: a broker that runs here keeps its queue in another volume, or in none."""
    for before, after in _stay(context):
        old, new = (volumes.of_store(work) for work in (before, after))
        if volumes.is_broker(before) and old and old != new:
            yield BROKER.finding(
                after.key,
                f"the broker keeps its queue in {new or 'no volume'} instead of {old}: tasks that "
                "are queued there are not picked up; let the queue drain first",
            )


def log_volume(context: Context) -> Iterator[Finding]:
    """`impact/log-store`: without a remote store, logs are where a folder of the pods is kept."""
    if not context.is_update or _is_remote(context.base):
        return
    moved: dict[tuple[str, str], list[Workload]] = {}
    for before, after in _stay(context):
        old = volumes.at(before, volumes.log_folder(context.base))
        new = volumes.at(after, volumes.log_folder(context.head)) or ""
        if old and old != new:
            moved.setdefault((old, new), []).append(after)
    for (old, new), works in moved.items():
        names = sorted({work.component for work in works})
        yield LOG_STORE.finding(
            works[0].key,
            f"{listed(names)} {verb(names, 'writes', 'write')} logs to {new or 'no volume'} "
            f"instead of {old}: the UI no longer shows those of earlier runs unless they are "
            "copied",
            also=[work.key for work in works[1:]],
        )


def _stay(context: Context) -> Iterator[tuple[Workload, Workload]]:
    """Workloads whose pods are replaced, before and after."""
    for work, stays in context.continued:
        if work.key.kind in ROLLED and stays.key.kind in ROLLED:
            yield work, stays


def secrets_backend(context: Context) -> Iterator[Finding]:
    """`impact/secrets-backend`: the class of the backend, or where it looks."""
    old, new = (view.setting("secrets", "backend") for view in _sides(context))
    if not context.is_update or not old:
        return
    if old != new:
        yield SECRETS_BACKEND.finding(
            None,
            f"[secrets] backend {f'becomes {new}' if new else 'is removed'} (before: {old}): "
            "connections and variables "
            "that are only in the old one are not found",
        )
    elif _arguments(context.base) != _arguments(context.head):
        yield SECRETS_BACKEND.finding(
            None,
            "[secrets] backend_kwargs changes: connections and variables may be looked up in "
            "another place",
        )


def variables_gone(context: Context) -> Iterator[Finding]:
    """`impact/variables-gone`: names that pods no longer have in their environment."""
    lost: dict[tuple[str, ...], list[Workload]] = {}
    for work, stays in context.continued:
        old, new = _environment(context.base, work), _environment(context.head, stays)
        unseen = {name for name in new - old if name.startswith(_WHOLE)}
        if old - new and not unseen:
            lost.setdefault(tuple(sorted(old - new)), []).append(stays)
    for names, works in lost.items():
        who = sorted({work.component for work in works})
        yield VARIABLES_GONE.finding(
            works[0].key,
            f"{listed(who)} {verb(who, 'is', 'are')} no longer given {listed(names)}: tasks that "
            "need what is there fail unless the database or a secrets backend has it",
            also=[work.key for work in works[1:]],
        )


_WHOLE = "all of "


def _environment(view: View, work: Workload) -> set[str]:
    """Names of connections and variables, and all that whole Secrets and ConfigMaps give."""
    names = {name for name, _ in work.environment() if name.startswith(_GIVEN)}
    keys = view.secrets
    for container in work.containers():
        for entry in fields.entries(container, "envFrom"):
            prefix = fields.text(entry, "prefix")
            secret = fields.text(entry, "secretRef", "name")
            config = fields.text(entry, "configMapRef", "name")
            found: Iterable[str] | None = keys.get((work.key.namespace, secret))
            if config:
                manifest = view.objects.get(Key("", "ConfigMap", work.key.namespace, config))
                found = fields.section(manifest, "data").keys() if manifest else None
            if found is None:
                names.add(f"{_WHOLE}{f'Secret {secret}' if secret else f'ConfigMap {config}'}")
            else:
                names |= {f"{prefix}{key}" for key in found}
    return names - {_OWN}


def _sides(context: Context) -> tuple[View, View]:
    return context.base, context.head


def _is_remote(view: View) -> bool:
    return view.is_on("logging", "remote_logging")


def _is_celery(view: View) -> bool:
    return any("Celery" in name for name in view.executors)


def _leads_elsewhere(
    context: Context, base: connection.Reference, head: connection.Reference
) -> bool:
    places = ((context.base, base), (context.head, head))
    marks = [connection.mark(view, place) for view, place in places]
    if all(marks):
        return marks[0] != marks[1]
    values = [connection.plain_value(view, place) for view, place in places]
    if None not in values:
        return connection.address(values[0] or "") != connection.address(values[1] or "")
    return base != head


def _arguments(view: View) -> str | None:
    return view.setting("secrets", "backend_kwargs")


FINDERS = (log_store, log_volume, broker, broker_volume, secrets_backend, variables_gone)
