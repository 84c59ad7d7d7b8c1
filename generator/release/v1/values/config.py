"""airflow.cfg options that features decide, each with the field that decides it."""

from __future__ import annotations

from collections.abc import Iterator

from generator.model.environment import Environment
from generator.release import broker
from generator.release.v1 import airflow_config

Option = tuple[str, str, str, str]
"""Section, option, value, field."""


def options(env: Environment) -> Iterator[Option]:
    """Every option that some feature of this environment sets."""
    sources = (
        ("apiServer", airflow_config.api_server(env)),
        ("metrics", airflow_config.metrics(env)),
        ("tracing", airflow_config.tracing(env)),
        ("logging", airflow_config.logging(env)),
        ("secretsBackend", airflow_config.secrets_backend(env)),
        ("triggerer.capacity", airflow_config.triggerer(env)),
    )
    for field, sections in sources:
        for section, wanted in sections.items():
            for option, value in wanted.items():
                yield section, option, value, field
    yield from broker.options(env)
    yield from _own(env)


def _own(env: Environment) -> Iterator[Option]:
    if env.auth.manager is not None:
        yield "core", "auth_manager", env.auth.manager, "auth.manager"
    for way in env.entrances[:1]:
        section = "api" if env.airflow_3 else "webserver"
        yield section, "base_url", way.url, f"{way.field}.{way.named_by}"
    if env.runs("CeleryExecutor"):
        count = str(env.workers.concurrency)
        yield "celery", "worker_concurrency", count, "workers.concurrency"
