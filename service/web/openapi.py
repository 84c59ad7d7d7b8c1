"""The API's own description, in OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from generator.verify.result import Outcome
from generator.verify.result import State as Condition
from service.model.job import Kind, State

_Schema = dict[str, Any]


def _object(**properties: _Schema) -> _Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _list(name: str, schema: str) -> _Schema:
    return _object(**{name: {"type": "array", "items": _reference(schema)}})


def _reference(schema: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{schema}"}


_TEXT: _Schema = {"type": "string"}
_MOMENT: _Schema = {"type": "number", "description": "seconds since 1970"}
_LATER: _Schema = {"type": ["number", "null"]}
_STATES: _Schema = {"type": "string", "enum": [state.value for state in State]}


def _or_more(schema: _Schema, **properties: _Schema) -> _Schema:
    """The same object, which may have these properties too."""
    return {**schema, "properties": {**schema["properties"], **properties}}


_BASIS: _Schema = _object(
    chart=_or_more(_object(version=_TEXT, source=_TEXT, digest=_TEXT), table=_TEXT),
    airflow=_object(version=_TEXT, source=_TEXT),
    kubernetes=_object(version=_TEXT, source=_TEXT),
    notRead={"type": "array", "items": _object(what=_TEXT, where=_TEXT, reason=_TEXT)},
)

_VERIFICATION: dict[str, _Schema] = {
    "id": _TEXT,
    "connection": _TEXT,
    "repository": _TEXT,
    "number": {"type": "integer", "description": "the merged pull request, 0 for none"},
    "environment": _TEXT,
    "sha": _TEXT,
    "verdict": {
        "type": "string",
        "description": "empty until it exists",
        "enum": ["", *(item.value for item in Outcome if item is not Outcome.PENDING)],
    },
    "state": _STATES,
    "summary": _TEXT,
    "attempts": {"type": "integer"},
    "queued": _MOMENT,
    "started": _LATER,
    "ended": _LATER,
    "report": _TEXT,
}

_SCHEMAS: dict[str, _Schema] = {
    "Error": _object(error=_TEXT),
    "Delivery": _object(
        connection=_TEXT,
        id=_TEXT,
        received=_MOMENT,
        event=_TEXT,
        repository=_TEXT,
        outcome={"type": "string", "enum": ["accepted", "queued", "duplicate", "ignored"]},
        run={"type": ["string", "null"]},
    ),
    "Check": _object(
        id=_TEXT,
        kind={"type": "string", "enum": [kind.value for kind in Kind]},
        connection=_TEXT,
        repository=_TEXT,
        number={"type": "integer"},
        reason=_TEXT,
        state=_STATES,
        summary=_TEXT,
        head_sha=_TEXT,
        environments={"type": "object", "additionalProperties": _TEXT},
        attempts={"type": "integer"},
        queued=_MOMENT,
        started=_LATER,
        ended=_LATER,
        report=_TEXT,
    ),
    "Verification": _object(**_VERIFICATION),
    "VerificationInFull": _object(
        **_VERIFICATION,
        basis={"anyOf": [_BASIS, {"type": "null"}]},
        conditions={
            "type": "array",
            "items": _object(
                name=_TEXT,
                status={"type": "string", "enum": [item.value for item in Condition]},
                message=_TEXT,
                evidence=_TEXT,
                time=_TEXT,
            ),
        },
        resources={
            "type": "array",
            "items": _object(
                apiVersion=_TEXT,
                kind=_TEXT,
                namespace=_TEXT,
                name=_TEXT,
                status=_TEXT,
                message=_TEXT,
            ),
        },
        diagnosis={
            "type": "array",
            "items": _object(
                reason=_TEXT, resource=_TEXT, message=_TEXT, log={"type": "array", "items": _TEXT}
            ),
        },
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
    name: str,
    summary: str,
    schema: str,
    parameters: list[dict[str, Any]],
    refusals: dict[str, str],
    success: str = "200",
) -> dict[str, Any]:
    refused = {"401": "the token is missing or wrong", "403": "no token is set", **refusals}
    answers = {status: _answer("Error", words) for status, words in refused.items()}
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {success: _answer(schema, summary), **answers},
    }


_BAD = {"400": "invalid parameter"}
_GONE = {"404": "not found"}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "gen-env-service", "version": "1"},
    "security": [{"token": []}],
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "schemas": _SCHEMAS,
    },
    "paths": {
        "/api/v1/deliveries": {
            "get": _operation("deliveries", "Deliveries, newest first", "Deliveries", _PAGE, _BAD)
        },
        "/api/v1/checks": {
            "get": _operation("checks", "Runs, newest first", "Checks", [*_PAGE, *_STATE], _BAD)
        },
        "/api/v1/checks/{identity}": {"get": _operation("check", "One run", "Check", _ID, _GONE)},
        "/api/v1/checks/{identity}/retry": {
            "post": _operation(
                "retry",
                "Queue a given-up run again",
                "Retried",
                _ID,
                {"409": "the run was not given up, nor is it a verification that did not succeed"},
                success="202",
            )
        },
        "/api/v1/verifications": {
            "get": _operation(
                "verifications",
                "Verifications of merged commits in each environment, newest first",
                "Verifications",
                [*_PAGE, *_CHOICE],
                _BAD,
            )
        },
        "/api/v1/verifications/{identity}": {
            "get": _operation(
                "verification", "One verification in full", "VerificationInFull", _ID, _GONE
            )
        },
        "/api/v1/reports": {
            "get": _operation("reports", "Kept reports, newest first", "Reports", _PAGE, _BAD)
        },
        "/api/v1/reports/{identity}": {
            "get": _operation("report", "One report", "Report", _ID, _GONE)
        },
    },
}
