"""The fields that every definition has, from the values and from who deployed them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from generator.actions import new
from generator.adoption import simplify, values_to_fields
from generator.adoption.request import Subject
from generator.core.problem import Problem, Severity
from generator.core.rule import Rule
from generator.helmvalues.values import ValuesInput
from generator.model.environment import API_VERSION

VERSION = Rule(
    "adopt/version",
    Severity.ERROR,
    "airflowVersion is not a release",
    "The chart compares it with versions, and a definition names a release.",
    command="adopt",
)
UNKNOWN_HOST = Rule(
    "adopt/unknown-host",
    Severity.ERROR,
    "The host of the database or broker is only in a Secret",
    "Checks and network policies need it.",
    command="adopt",
)


def fields(subject: Subject, values: ValuesInput, dags: Mapping[str, Any]) -> dict[str, Any]:
    """The data that is written in any case; `--set` comes last."""
    options, source = subject.options, subject.original.source
    team, _, last = options.name.rpartition("/")
    metadata = {"name": last, **({"team": team} if team else {})}
    metadata["tier"] = options.tier or new.guessed_tier(options.name)
    broker = values_to_fields.broker(values, _host(subject, "broker"))
    required: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "Environment",
        "metadata": metadata,
        "destination": {
            "cluster": subject.cluster_name,
            "namespace": source.namespace,
            "releaseName": source.release,
            **subject.kept_names,
        },
        "airflow": {
            "version": ".".join(str(part) for part in values.airflow or ()),
            "executor": values.text("executor"),
        },
        "chart": {"version": subject.archive.version},
        "database": values_to_fields.database(values, _host(subject, "database")),
        "dags": dags,
        "adoption": {},
        **({"broker": broker} if broker else {}),
    }
    for field, value in options.fields.items():
        simplify.put(required, tuple(field.split(".")), value)
    return required


def unknown(subject: Subject, values: ValuesInput) -> Iterator[Problem]:
    """What a definition must say and the values do not."""
    if values.airflow is None:
        file, line = values.locate(("airflowVersion",))
        yield VERSION.problem(
            "airflowVersion is not a release such as 3.2.2",
            environment=subject.options.name,
            path=file,
            line=line,
            hint="the chart compares it with versions: write the plain release",
        )
    database = values_to_fields.database(values, _host(subject, "database"))
    broker = values_to_fields.broker(values, _host(subject, "broker"))
    for part, what, named, missing in (
        (
            "database",
            "the database",
            "data.metadataSecretName",
            not {"host", "embedded"} & set(database),
        ),
        (
            "broker",
            "Celery's broker",
            "data.brokerUrlSecretName",
            bool(broker) and "host" not in broker,
        ),
    ):
        if missing:
            only = "name only a Secret" if values.given(named) else "switch the chart's own off"
            only += "" if values.given(named) else " and name no server"
            yield UNKNOWN_HOST.problem(
                f"the values {only} for {what}, so {part}.host is not known",
                environment=subject.options.name,
                path=subject.original.source.path,
                hint=f"give --set {part}.host=HOST: checks and policies need it, the chart does"
                " not read it",
            )


def _host(subject: Subject, part: str) -> str | None:
    value = subject.options.fields.get(f"{part}.host")
    return str(value) if value is not None else None
