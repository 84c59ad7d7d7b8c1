"""The API's own description, in OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from generator.verify.result import Outcome
from generator.verify.result import State as Condition
from service.model.job import Kind, State

_Schema = dict[str, Any]


def _object(optional: dict[str, _Schema] | None = None, **properties: _Schema) -> _Schema:
    return {
        "type": "object",
        "properties": properties | (optional or {}),
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _list(name: str, schema: str) -> _Schema:
    return _object(**{name: _items(_reference(schema))})


def _reference(schema: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{schema}"}


_TEXT: _Schema = {"type": "string"}
_MOMENT: _Schema = {"type": "number", "description": "seconds since 1970"}
_LATER: _Schema = {"type": ["number", "null"]}
_STATES: _Schema = {"type": "string", "enum": [state.value for state in State]}


def _texts(*names: str) -> dict[str, _Schema]:
    return dict.fromkeys(names, _TEXT)


def _items(item: _Schema) -> _Schema:
    return {"type": "array", "items": item}


_BASIS: _Schema = _object(
    chart=_object({"table": _TEXT}, **_texts("version", "source", "digest")),
    airflow=_object(**_texts("version", "source")),
    kubernetes=_object(**_texts("version", "source")),
    notRead=_items(_object(**_texts("what", "where", "reason"))),
)

_RUN: dict[str, _Schema] = {
    **_texts("id", "connection", "repository", "summary", "report"),
    "state": _STATES,
    "attempts": {"type": "integer"},
    "queued": _MOMENT,
    "started": _LATER,
    "ended": _LATER,
}

_VERIFICATION: dict[str, _Schema] = {
    **_RUN,
    **_texts("environment", "sha"),
    "number": {"type": "integer", "description": "the merged pull request, 0 for none"},
    "verdict": {
        "type": "string",
        "description": "empty until it exists",
        "enum": ["", *(item.value for item in Outcome if item is not Outcome.PENDING)],
    },
}

_SCHEMAS: dict[str, _Schema] = {
    "Error": _object(error=_TEXT),
    "Delivery": _object(
        **_texts("connection", "id", "event", "repository"),
        received=_MOMENT,
        outcome={"type": "string", "enum": ["accepted", "queued", "duplicate", "ignored"]},
        run={"type": ["string", "null"]},
    ),
    "Check": _object(
        **_RUN,
        **_texts("reason", "head_sha"),
        kind={"type": "string", "enum": [kind.value for kind in Kind]},
        number={"type": "integer"},
        environments={"type": "object", "additionalProperties": _TEXT},
    ),
    "Verification": _object(**_VERIFICATION),
    "VerificationInFull": _object(
        **_VERIFICATION,
        basis={"anyOf": [_BASIS, {"type": "null"}]},
        conditions=_items(
            _object(
                **_texts("name", "message", "evidence", "time"),
                status={"type": "string", "enum": [item.value for item in Condition]},
            )
        ),
        resources=_items(
            _object(**_texts("apiVersion", "kind", "namespace", "name", "status", "message"))
        ),
        diagnosis=_items(_object(**_texts("reason", "resource", "message"), log=_items(_TEXT))),
    ),
    "ReportName": _object(id=_TEXT, kept=_MOMENT, size={"type": "integer"}),
    "Report": _object(id=_TEXT, report={}),
    "Deliveries": _list("deliveries", "Delivery"),
    "Checks": _list("checks", "Check"),
    "Verifications": _list("verifications", "Verification"),
    "Reports": _list("reports", "ReportName"),
    "Retried": _object(id=_TEXT),
}

_PAGE = [
    {"name": name, "in": "query", "schema": {"type": "integer", "minimum": least}}
    for name, least in (("limit", 1), ("offset", 0))
]
_ID = [{"name": "identity", "in": "path", "required": True, "schema": _TEXT}]
_STATE = [
    {"name": "state", "in": "query", "explode": True, "schema": {"type": "array", "items": _STATES}}
]

_CHOICE = [
    {"name": name, "in": "query", "schema": _TEXT} for name in ("repository", "environment", "sha")
]


def _answer(schema: str, description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": _reference(schema)}}
    return {"description": description, "content": content}


def _operation(
    summary: str,
    schema: str,
    parameters: list[dict[str, Any]],
    refusals: dict[str, str],
    success: str = "200",
) -> dict[str, Any]:
    refused = {
        "401": "the token is missing, wrong, expired or revoked",
        "403": "no token was made, or its role may not do this",
        **refusals,
    }
    answers = {status: _answer("Error", words) for status, words in refused.items()}
    return {
        "summary": summary,
        "parameters": parameters,
        "responses": {success: _answer(schema, summary), **answers},
    }


def _all(summary: str, schema: str, chosen: list[dict[str, Any]]) -> dict[str, Any]:
    words = {"400": "invalid parameter"}
    found = _operation(f"{summary}, newest first", schema, [*_PAGE, *chosen], words)
    return {"get": {"operationId": schema.lower(), **found}}


def _one(summary: str, schema: str, name: str) -> dict[str, Any]:
    return {"get": {"operationId": name, **_operation(summary, schema, _ID, {"404": "not found"})}}


_NOT_DEAD = {"409": "the run was not given up, nor is it a verification that did not succeed"}
_RETRY = {
    "operationId": "retry",
    **_operation("Queue a given-up run again", "Retried", _ID, _NOT_DEAD, success="202"),
}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "gen-env-service", "version": "1"},
    "security": [{"token": []}],
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "schemas": _SCHEMAS,
    },
    "paths": {
        "/api/v1/deliveries": _all("Deliveries", "Deliveries", []),
        "/api/v1/checks": _all("Runs", "Checks", _STATE),
        "/api/v1/checks/{identity}": _one("One run", "Check", "check"),
        "/api/v1/checks/{identity}/retry": {"post": _RETRY},
        "/api/v1/verifications": _all(
            "Verifications of merged commits in each environment", "Verifications", _CHOICE
        ),
        "/api/v1/verifications/{identity}": _one(
            "One verification in full", "VerificationInFull", "verification"
        ),
        "/api/v1/reports": _all("Kept reports", "Reports", []),
        "/api/v1/reports/{identity}": _one("One report", "Report", "report"),
    },
}
