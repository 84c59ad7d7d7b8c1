"""Which settings of an adopted environment reach the chart, and which hardening step each awaits.

An adopted environment emits the settings of the fields that its own definition writes, and those
of the steps that were taken. All else is as the chart and `values:` say.
"""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from generator.model.adoption import Adoption, Step
from generator.release.setting import PROMISE, Setting, copied, overlay

Written = Callable[[str], bool]
"""Whether the definition itself says something about a field in dotted form."""

CHART_SWITCHES: Mapping[str, Any] = {
    "createUserJob": {"enabled": True},
    "migrateDatabaseJob": {"enabled": True},
    "postgresql": {"enabled": True},
    "redis": {"enabled": True},
    "statsd": {"enabled": True},
}
"""What chart 1.22 runs unless told otherwise; gen-env's own releases write every switch."""

# The first pattern that fits a chart key names the step with which gen-env takes the key over.
_STEPS: tuple[tuple[Step, tuple[str, ...]], ...] = (
    ("naming", ("useStandardNaming",)),
    ("contexts", ("*securityContext*", "*SecurityContext*", "uid", "gid")),
    (
        "guards",
        (
            *("redis.annotations", "postgresql.primary.annotations"),
            *("dags.persistence.annotations", "logs.persistence.annotations"),
        ),
    ),
    ("storage", ("*.persistence", "*.persistence.*", "logs.persistence.*", "dags.persistence.*")),
    (
        "secrets",
        (
            *("*SecretName", "*.secretName", "*.sshKeySecret", "*.credentialsSecret"),
            *("postgresql.auth.existingSecret", "*.podAnnotations.gen-env.dev/*"),
        ),
    ),
    ("resources", ("*.resources", "*.logGroomerSidecar.*")),
    ("identity", ("*.serviceAccount.*", "rbac.*", "allowPodLaunching", "multiNamespaceMode")),
    ("hooks", ("migrateDatabaseJob.*", "createUserJob.*")),
    ("image", ("defaultAirflow*", "images.*", "imagePullSecrets")),
    (
        "availability",
        (
            *("*.podDisruptionBudget.*", "*.strategy.*", "*.topologySpreadConstraints"),
            *("*.startupProbe.*", "*.terminationGracePeriodSeconds", "*.priorityClassName"),
            *("*.safeToEvict", "*.nodeSelector", "*.tolerations", "nodeSelector", "tolerations"),
        ),
    ),
    (
        "scaling",
        (
            *("*.keda.*", "*.hpa.*", "*.replicas", "triggerer.enabled", "dagProcessor.enabled"),
            *("pgbouncer.*PoolSize", "pgbouncer.maxClientConn"),
        ),
    ),
    (
        "config",
        (
            *("config.*", "env", "*.env", "*.args", "extraEnvFrom", "secret", "airflowHome"),
            *("apiServer.apiServerConfig", "webserver.webserverConfig"),
        ),
    ),
    ("network", ("networkPolicies.*",)),
    (
        "housekeeping",
        (
            *("enableServiceLinks", "revisionHistoryLimit", "statsd.cache.*", "labels"),
            *("*.recommendedProbeSetting", "*.livenessProbe.*", "*.containerLifecycleHooks.*"),
            "*.podAnnotations",
        ),
    ),
)
# airflow.cfg options whose setting names a whole feature as its field: which part decides them.
_FINER: Mapping[str, str] = {
    "config.fab.enable_proxy_fix": "apiServer.proxyHeaders",
    "config.webserver.enable_proxy_fix": "apiServer.proxyHeaders",
    "config.api.workers": "apiServer.workers",
    "config.webserver.workers": "apiServer.workers",
    "config.api.server_type": "apiServer.workerRefresh",
    "config.api.worker_refresh_*": "apiServer.workerRefresh",
    "config.webserver.worker_refresh_*": "apiServer.workerRefresh",
    "config.logging.logging_level": "logging.level",
    "config.logging.remote_log_conn_id": "logging.remote.connectionId",
    "config.logging.delete_local_logs": "logging.remote.deleteLocal",
    "config.logging.*": "logging.remote",
    "config.elasticsearch.*": "logging.remote",
    "config.opensearch.*": "logging.remote",
    "config.metrics.*": "metrics.type",
    "config.traces.*": "tracing.enabled",
    # These follow from more than one field, so no single one of them asks for it.
    "dagProcessor.enabled": "",
    "*ecurityContext*": "",
}


@functools.cache
def step_of(key: tuple[str, ...]) -> Step:
    """The hardening step that takes a chart key over."""
    name = ".".join(key)
    for step, patterns in _STEPS:
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            return step
    return "rest"


def field_of(setting: Setting) -> str:
    """The field that must be written for this setting to be wanted, or '' for none."""
    if setting.field in ("", PROMISE):
        return ""
    if setting.field.startswith("airflow.config."):
        return setting.field
    name = ".".join(setting.key)
    for pattern, field in _FINER.items():
        if fnmatch.fnmatchcase(name, pattern) and not setting.field.startswith(f"{field}."):
            return field
    return setting.field


def kept(
    own: Iterable[Setting], full: Iterable[Setting], adoption: Adoption, written: Written
) -> list[Setting]:
    """The settings that reach the chart: of `own`, without defaults, what the definition asks for;
    of `full`, with all defaults, what the steps taken bring.
    """
    leave = set(adoption.leave)
    return [
        *(item for item in full if step_of(item.key) in adoption.steps),
        *(
            item
            for item in own
            if step_of(item.key) not in adoption.steps
            and ".".join(item.key) not in leave
            and asked_for(item, written)
        ),
    ]


def asked_for(setting: Setting, written: Written) -> bool:
    """Whether the definition's own words ask for this setting."""
    field = field_of(setting)
    return bool(field) and written(field)


def owner(key: tuple[str, ...], decided: Mapping[tuple[str, ...], str]) -> str | None:
    """As a chart line's `owner`, but a field that is not written owns nothing."""
    for length in range(len(key), 0, -1):
        if decided.get(key[:length]):
            return decided[key[:length]]
    return None


def with_switches(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values over what the chart runs by default: what will really run."""
    result: dict[str, Any] = copied(CHART_SWITCHES)
    overlay(result, values)
    return result
