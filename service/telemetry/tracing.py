"""OpenTelemetry traces, where the standard variables ask for them; else none of it is imported.

Spans hold names, ids and states of ours, never texts of exceptions or bodies: those may quote
secrets. What forges send along as trace context is not followed: anybody may send that.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from generator.core.errors import UserError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN = "http/protobuf"
_NAME = "gen-env-service"

Facts = Mapping[str, Any]

_provider: TracerProvider | None = None


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces: an endpoint is named, and nothing switches them off."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter not in ("", "otlp"):
        return False
    return exporter == "otlp" or any(environment.get(name) for name in _ENDPOINTS)


def require(environment: Mapping[str, str]) -> None:
    """Raises UserError where traces are wanted and cannot be made; imports nothing."""
    if not is_wanted(environment):
        return
    protocol = next((found for name in _PROTOCOLS if (found := environment.get(name))), _SPOKEN)
    if protocol != _SPOKEN:
        raise UserError(
            f"traces are sent as {_SPOKEN}, not as {protocol}",
            hint=f"unset OTEL_EXPORTER_OTLP_PROTOCOL, or set it to {_SPOKEN}",
        )
    if importlib.util.find_spec("opentelemetry") is None:
        raise UserError(
            "OTEL_* variables ask for traces, and OpenTelemetry is not installed",
            hint="pip install 'gen-env[otel]', or set OTEL_SDK_DISABLED=true",
        )


def configure(role: str, environment: Mapping[str, str] = os.environ) -> None:
    """Begin to trace this process, if that is wanted; call it after any fork, and `require` before.

    The exporter reads the standard variables by itself.
    """
    global _provider
    if not is_wanted(environment):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    facts: dict[str, str | int] = {"gen_env.role": role, "process.pid": os.getpid()}
    named = environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    # Given here it would win over the variables.
    resource = Resource.create({**facts} if named else {**facts, "service.name": _NAME})
    _provider = TracerProvider(resource=resource)
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def stop() -> None:
    """Send what is left, and trace no more."""
    global _provider
    ending, _provider = _provider, None
    if ending:
        ending.shutdown()


@contextlib.contextmanager
def span(
    name: str, facts: Facts | None = None, *, kind: str = "internal", parent: str | None = None
) -> Iterator[dict[str, Any]]:
    """A span around the block, below the current one or below `parent` (a traceparent).

    What the block puts into the mapping that it gets becomes attributes. An exception marks the
    span as failed, by its type alone.
    """
    found: dict[str, Any] = {}
    if _provider is None:
        yield found
        return
    from opentelemetry.context import Context
    from opentelemetry.trace import StatusCode, use_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    above = None  # the current one; an empty parent stands for none at all
    if parent is not None:
        above = TraceContextTextMapPropagator().extract({"traceparent": parent}, Context())
    made = _start(name, kind, facts or {}, context=above)
    try:
        with use_span(made, record_exception=False, set_status_on_exception=False):
            yield found
    except BaseException as error:
        made.set_status(StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        made.set_attributes({f"gen_env.{key}": value for key, value in found.items()})
        made.end()


def completed(
    name: str, facts: Facts, began: float, seconds: float, *, failed: bool, within: Any = None
) -> None:
    """A span of something that is over; `within` is what `here` gave, else the current context."""
    if _provider is None:
        return
    from opentelemetry.trace import StatusCode

    made = _start(name, "client", facts, context=within, start_time=int(began * 1e9))
    if failed:
        made.set_status(StatusCode.ERROR)
    made.end(int((began + seconds) * 1e9))


def here() -> Any:
    """The current context, for `completed` in another thread; None when nothing is traced."""
    if _provider is None:
        return None
    from opentelemetry import context

    return context.get_current()


def traceparent() -> str:
    """The current span as a text that a queue can carry; empty when nothing is traced."""
    if _provider is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


def _start(name: str, kind: str, facts: Facts, **options: Any) -> Any:
    from opentelemetry.trace import SpanKind

    assert _provider is not None
    attributes = {key if "." in key else f"gen_env.{key}": value for key, value in facts.items()}
    tracer = _provider.get_tracer(_NAME)
    return tracer.start_span(name, kind=SpanKind[kind.upper()], attributes=attributes, **options)
