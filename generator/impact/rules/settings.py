"""Helm values that were edited without effect, and chart keys on their way out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from generator.chart import key_table
from generator.chart.traits import ChartTraits
from generator.diff.equality import same
from generator.impact.context import Context, View, listed
from generator.impact.finding import BEFORE, INFO, WARNING, Finding, ImpactRule
from generator.kube import fields
from generator.render.helm_notes import DEPRECATED, is_unwritten
from generator.render.normalise import MADE_UP

_AIRFLOW = re.compile(r"v?(\d+)\.")
_MAX_NAMED = 10

NO_EFFECT = ImpactRule(
    "impact/no-effect",
    WARNING,
    "An edited value that another setting overrides",
    "The change has no effect.",
    "chart 1.22.0, rendered",
)
_READ_BUT_UNUSED = (
    "the chart reads it, and no object depends on this change of it; assumed: a cluster without"
    " objects (`lookup`), and with the named API versions alone"
)
_PERHAPS_UNKNOWN = "check the spelling; the chart accepts unknown keys in many places"
NOTHING_RENDERED = ImpactRule(
    "impact/nothing-rendered",
    WARNING,
    "Values were edited, and no object differs",
    "The chart accepts unknown keys in many places: the spelling may be wrong.",
    "chart 1.22.0, rendered",
)
DEPRECATED_KEY = ImpactRule(
    "impact/deprecated-key",
    WARNING,
    "A deprecated chart key",
    "A later chart version removes it.",
    "the chart",
    also=(BEFORE,),
)


def no_effect(context: Context) -> Iterator[Finding]:
    """`impact/no-effect`: an edited value that another setting overrides."""
    edited = edited_values(context)
    for path, holds, why in _OVERRULED:
        touched = [
            key
            for key in edited
            if _is_below(key, path)
            and context.head.value(key) is not None
            and not any(_is_below(key, other) for other in READ_ELSEWHERE)
        ]
        if touched and holds(context.head):
            verb = "has" if len(touched) == 1 else "have"
            yield NO_EFFECT.finding(None, f"{listed(touched, _MAX_NAMED)} {verb} no effect: {why}")


def _is_below(key: str, path: str) -> bool:
    return key == path or key.startswith(f"{path}.")


def nothing_rendered(context: Context) -> Iterator[Finding]:
    """`impact/nothing-rendered`: values were edited, and not one object differs."""
    edited = edited_values(context)
    if edited and context.is_update and not (context.kept or context.added or context.removed):
        chart = _chart(context.head)
        known = chart is not None and all(map(chart.has, edited))
        why = _READ_BUT_UNUSED if known else _PERHAPS_UNKNOWN
        apart = [str(key) for key, item in context.head.objects.items() if MADE_UP in repr(item)]
        if apart:
            but = f"what every render generates again was not compared, in {listed(apart, 3)}"
            why = f"the chart reads it, and {but}" if known else f"{why}; {but}"
        verb = "was" if len(edited) == 1 else "were"
        yield NOTHING_RENDERED.finding(
            None, f"{listed(edited, _MAX_NAMED)} {verb} edited, but no object differs: {why}"
        )


def replicas_overruled(context: Context) -> Iterator[Finding]:
    """`impact/no-effect`: `spec.replicas` is written although an autoscaler decides."""
    for work in context.head.workloads:
        before = context.base.by_key.get(work.key)
        count = fields.at(work.manifest, "spec", "replicas")
        if work.scale.autoscaler is None or count is None or before is None:
            continue
        if fields.at(before.manifest, "spec", "replicas") != count:
            yield NO_EFFECT.finding(
                work.key,
                f"replicas {count} has no lasting effect: {work.scale.autoscaler.kind} "
                f"{work.scale.autoscaler.name} decides, and every sync resets it for a moment",
            )


def deprecated_key(context: Context) -> Iterator[Finding]:
    """`impact/deprecated-key`: keys that the chart still takes, but announces to drop."""
    before = set(_deprecations(context.base))
    now = list(dict.fromkeys(_deprecations(context.head)))
    if new := [message for message in now if message not in before]:
        brief = f"{len(new)} deprecated chart keys" if new[1:] else ""
        yield DEPRECATED_KEY.finding(None, "; ".join(new), brief=brief)
    standing = sum(message in before for message in now)
    if standing:
        yield DEPRECATED_KEY.finding(
            None,
            f"{standing} deprecated chart key{'s are' if standing > 1 else ' is'} used, as before "
            "this change",
            INFO,
        )


def edited_values(context: Context) -> list[str]:
    """Dotted paths of Helm values that differ; none when one side's values are not known."""
    before, after = context.base.facts.values, context.head.facts.values
    if before is None or after is None:
        return []
    return sorted(_differing(before, after, ""))


def _differing(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in before.keys() | after.keys():
            inner = f"{path}.{key}" if path else str(key)
            yield from _differing(before.get(key), after.get(key), inner)
    elif isinstance(after, Mapping) and before is None and after:
        for key in after:
            yield from _differing(None, after[key], f"{path}.{key}")
    elif not same(before, after):
        yield path


def _on(*paths: str) -> Callable[[View], bool]:
    return lambda view: any(view.value(path) is True for path in paths)


def _given(path: str) -> Callable[[View], bool]:
    return lambda view: bool(view.value(path))


def _airflow_from(major: int) -> Callable[[View], bool]:
    def holds(view: View) -> bool:
        match = _AIRFLOW.match(view.facts.airflow_version or "")
        return match is not None and int(match[1]) >= major

    return holds


def _chart(view: View) -> ChartTraits | None:
    return key_table.traits(view.facts.chart_version or "")


def _has(view: View, key: str) -> bool:
    """Whether the chart reads a key; one that no table knows has those of the newest."""
    chart = _chart(view)
    return chart is None or chart.has(key)


def _api_server_instead(view: View) -> bool:
    """Whether the chart leaves the webserver out, as those do that know Airflow 3."""
    chart = _chart(view)
    return (chart is None or chart.tells_majors) and _airflow_from(3)(view)


def _cleans_no_pods(view: View) -> bool:
    """Charts before 1.19 render the CronJob for every executor."""
    chart = _chart(view)
    return (chart is None or chart.release >= (1, 19, 0)) and _without_executor("Kubernetes")(view)


def _before_airflow(major: int) -> Callable[[View], bool]:
    known, reached = _AIRFLOW.match, _airflow_from(major)
    return lambda view: bool(known(view.facts.airflow_version or "")) and not reached(view)


def _without_executor(name: str) -> Callable[[View], bool]:
    return lambda view: (
        bool(view.executors) and not any(name in executor for executor in view.executors)
    )


def _no_standard_naming(view: View) -> bool:
    return view.value("useStandardNaming") is not True and _has(view, "useStandardNaming")


# What the templates of apache-airflow 1.22.0 ignore, tried by rendering: the values' path, when it
# is ignored (older charts that do not: read off their templates), and why.
_OVERRULED: tuple[tuple[str, Callable[[View], bool], str], ...] = (
    (
        "workers.celery.replicas",
        _on("workers.celery.keda.enabled", "workers.celery.hpa.enabled", "workers.keda.enabled"),
        "an autoscaler decides how many workers run; set its minimum and maximum",
    ),
    (
        "workers.replicas",
        _on("workers.celery.keda.enabled", "workers.celery.hpa.enabled", "workers.keda.enabled"),
        "an autoscaler decides how many workers run; set its minimum and maximum",
    ),
    (
        "triggerer.replicas",
        _on("triggerer.keda.enabled"),
        "KEDA decides how many triggerers run; set its minimum and maximum",
    ),
    (
        "apiServer.replicas",
        _on("apiServer.hpa.enabled"),
        "the autoscaler decides how many API servers run; set its minimum and maximum",
    ),
    (
        "workers.celery.hpa",
        _on("workers.celery.keda.enabled", "workers.keda.enabled"),
        "the chart renders no HorizontalPodAutoscaler beside KEDA",
    ),
    (
        "dags.gitSync.credentialsSecret",
        _given("dags.gitSync.sshKeySecret"),
        "dags.gitSync.sshKeySecret is set and wins",
    ),
    ("images.airflow.tag", _given("images.airflow.digest"), "the digest beside it wins"),
    ("defaultAirflowTag", _given("defaultAirflowDigest"), "the digest beside it wins"),
    ("webserver", _api_server_instead, "Airflow 3 has an API server instead (apiServer)"),
    ("ingress.web", _api_server_instead, "Airflow 3 is reached through ingress.apiServer"),
    ("apiServer", _before_airflow(3), "Airflow 2 has a webserver instead"),
    ("ingress.apiServer", _before_airflow(3), "Airflow 2 is reached through ingress.web"),
    ("workers.celery", _without_executor("Celery"), "no Celery executor is used"),
    ("redis", _without_executor("Celery"), "no Celery executor is used"),
    ("flower", _without_executor("Celery"), "no Celery executor is used"),
    ("cleanup", _cleans_no_pods, "only the KubernetesExecutor leaves pods behind"),
    ("fullnameOverride", _no_standard_naming, "it needs useStandardNaming: true"),
    ("nameOverride", _no_standard_naming, "it needs useStandardNaming: true"),
    *(
        (
            f"{component}.securityContexts.containers",
            lambda view: True,
            "of a component the key is `container`, without s",
        )
        for component in ("apiServer", "scheduler", "dagProcessor", "triggerer", "webserver")
    ),
)

READ_ELSEWHERE = (
    *(
        f"webserver.{name}"
        for name in (
            "allowPodLogReading",
            "configMapAnnotations",
            "defaultUser",
            "webserverConfig",
            "webserverConfigConfigMapName",
        )
    ),
    *(f"redis.{name}" for name in ("enabled", "password", "passwordSecretName")),
    "redis.passwordSecretAnnotations",
    *(f"flower.{name}" for name in ("enabled", "password", "secretName", "username")),
    "flower.secretAnnotations",
    *(f"workers.celery.{name}" for name in ("keda", "kerberosInitContainer", "persistence")),
    "cleanup.enabled",
)
"""Keys below those that other templates of apache-airflow 1.22.0 read: the configuration of FAB in
every pod, the Job that creates a user, Secrets that wait for another executor, the scheduler's
volume with the LocalExecutor."""

# Deprecated by the chart without a word in its notes (section "deprecated" of its values.yaml).
_SILENT = {
    "registry.secretName": "imagePullSecrets",
    "registry.connection": "imagePullSecrets",
    "webserverSecretKey": "apiSecretKey",
    "webserverSecretKeySecretName": "apiSecretKeySecretName",
    "createUserJob.securityContext": "createUserJob.securityContexts",
    "migrateDatabaseJob.securityContext": "migrateDatabaseJob.securityContexts",
    "triggerer.securityContext": "triggerer.securityContexts",
    "dagProcessor.securityContext": "dagProcessor.securityContexts",
    "flower.securityContext": "flower.securityContexts",
    "redis.securityContext": "redis.securityContexts",
    "cleanup.securityContext": "cleanup.securityContexts",
    "dags.gitSync.securityContext": "dags.gitSync.securityContexts",
}


def _deprecations(view: View) -> Iterator[str]:
    values = view.facts.values
    for item in view.facts.warnings:
        if item.rule == DEPRECATED.id and (values is None or not is_unwritten(item, values)):
            yield f"{item.message}: {item.hint}"
    three = (view.facts.airflow_version or "").startswith("3.")
    for path, instead in _SILENT.items():
        if instead.startswith("api") and not three:
            continue
        if view.value(path) and _has(view, instead):
            yield f"`{path}` is deprecated: use `{instead}`"


FINDERS = (no_effect, nothing_rendered, replicas_overruled, deprecated_key)
