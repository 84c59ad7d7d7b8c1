"""Checks of the Celery broker and the bundled Redis."""

from __future__ import annotations

from collections.abc import Iterator

from generator.helmvalues.values import ValuesInput
from generator.lint.rule import ERROR, WARNING, Finding, check

_SOURCE = "chart 1.22.0, templates/check-values.yaml"
_COMMAND = "AIRFLOW__CELERY__BROKER_URL_CMD"


@check(
    "broker/url-missing-for-password",
    ERROR,
    "A Redis password by Secret without the broker's URL",
    why="The chart cannot write the URL without the password, and fails the render.",
    source=_SOURCE,
)
def url_missing_for_password(values: ValuesInput) -> Iterator[Finding]:
    """`redis.passwordSecretName` alone."""
    if not values.celery or not values.on("redis.enabled"):
        return
    command = any(row.get("name") == _COMMAND for row in values.rows("env"))
    command = command and values.chart.marked("broker-url-command")
    if (
        values.on("redis.passwordSecretName")
        and not values.on("data.brokerUrlSecretName")
        and not command
    ):
        yield Finding(
            "redis.passwordSecretName",
            "the render fails: the broker's URL must be given by Secret too",
            "set data.brokerUrlSecretName to a Secret with the key connection",
        )


@check(
    "broker/password-twice",
    ERROR,
    "Two Redis passwords",
    why="The chart fails the render.",
    source=_SOURCE,
)
def password_twice(values: ValuesInput) -> Iterator[Finding]:
    """Both `redis.password` and `redis.passwordSecretName`."""
    if (
        values.celery
        and values.on("redis.enabled")
        and values.on("redis.password")
        and values.on("redis.passwordSecretName")
    ):
        yield Finding(
            "redis.password",
            "the render fails: redis.password and redis.passwordSecretName exclude each other",
            "remove redis.password",
        )


@check(
    "broker/missing",
    ERROR,
    "Celery without a broker",
    why="With the bundled Redis off the chart needs the URL, and fails the render without it.",
    source=_SOURCE,
)
def missing(values: ValuesInput) -> Iterator[Finding]:
    """Redis off and no URL."""
    if (
        values.celery
        and not values.on("redis.enabled")
        and not values.on("data.brokerUrlSecretName")
        and not values.on("data.brokerUrl")
    ):
        yield Finding(
            "redis.enabled",
            "the render fails: Celery has no broker",
            "set data.brokerUrlSecretName to a Secret with the key connection",
        )


@check(
    "broker/url-twice",
    ERROR,
    "Two broker URLs",
    why="The chart fails the render.",
    source=_SOURCE,
)
def url_twice(values: ValuesInput) -> Iterator[Finding]:
    """Both `data.brokerUrl` and `data.brokerUrlSecretName`."""
    both = values.on("data.brokerUrl") and values.on("data.brokerUrlSecretName")
    if values.celery and both:
        yield Finding(
            "data.brokerUrl",
            "the render fails: data.brokerUrl and data.brokerUrlSecretName exclude each other",
            "remove data.brokerUrl",
        )


@check(
    "broker/random-password",
    ERROR,
    "A Redis password that changes",
    why="The chart generates one in a pre-install hook, which Argo CD runs at every sync: workers "
    "and scheduler then hold a password that Redis does not know.",
    source="chart 1.22.0, rendered; apache/airflow#20999",
    also=((WARNING, "Helm or Flux runs the hook at install only"),),
)
def random_password(values: ValuesInput) -> Iterator[Finding]:
    """Bundled Redis for Celery without a password of one's own."""
    if (
        values.celery
        and values.on("redis.enabled")
        and not values.on("redis.password")
        and not values.on("redis.passwordSecretName")
    ):
        yield Finding(
            "redis",
            "after the next sync Redis refuses every worker: its password is generated again"
            if values.engine == "argocd"
            else "the Redis password is generated at install and cannot be restored",
            "set redis.passwordSecretName and data.brokerUrlSecretName",
            None if values.engine == "argocd" else WARNING,
        )


@check(
    "broker/unused",
    WARNING,
    "Broker Secrets that nothing uses",
    why="The chart renders the Redis password and broker URL as hook Secrets for every executor; "
    "with only redis.enabled: false the URL is a formatting error.",
)
def unused(values: ValuesInput) -> Iterator[Finding]:
    """Redis left on, or no placeholder name, without Celery."""
    if values.celery or not values.executors:
        return
    if values.on("redis.enabled"):
        yield Finding(
            "redis.enabled" if values.given("redis.enabled") else "executor",
            "random Secrets for a Redis that does not run are written at every sync",
            "set redis.enabled: false and data.brokerUrlSecretName: not-used",
        )
    elif not values.on("data.brokerUrlSecretName"):
        yield Finding(
            "redis.enabled",
            "a broken broker Secret is written at every sync",
            "set data.brokerUrlSecretName: not-used; the name only stops the Secret",
        )
