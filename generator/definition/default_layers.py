"""gen-env's own defaults: for every environment, then by tier. `gen-env explain` names them."""

from __future__ import annotations

from typing import Any

from generator.core.layered import Layer

_SMALL = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "256Mi"},
}
_JOB = {
    "requests": {"cpu": "250m", "memory": "512Mi"},
    "limits": {"memory": "1Gi"},
}


def _amounts(cpu: str, memory: str, limit: str) -> dict[str, Any]:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}


_EVERYWHERE: dict[str, Any] = {
    "apiServer": {"resources": _amounts("250m", "1Gi", "2Gi")},
    "scheduler": {"resources": _amounts("250m", "1Gi", "2Gi")},
    "dagProcessor": {"resources": _amounts("250m", "1Gi", "2Gi")},
    "triggerer": {"resources": _amounts("250m", "512Mi", "1Gi")},
    "workers": {"resources": _amounts("500m", "2Gi", "4Gi")},
    "broker": {"resources": _SMALL},
    "metrics": {"resources": _SMALL},
    "jobs": {"resources": _JOB},
    "cleanup": {"resources": _JOB},
}
_LOG_GROOMER = {"logGroomer": {"retentionDays": 7, "resources": _SMALL}}
_ONE_AT_A_TIME = {"disruptionBudget": {"maxUnavailable": "1"}}

_TIERS: dict[str, dict[str, Any]] = {
    "development": {
        "airflow": {"executor": "LocalExecutor"},
        "apiServer": {"resources": _amounts("100m", "1Gi", "2Gi")},
        "scheduler": {"resources": _amounts("100m", "512Mi", "2Gi")},
        "dagProcessor": {"resources": _amounts("100m", "512Mi", "1Gi")},
        "triggerer": {"resources": _amounts("50m", "512Mi", "1Gi")},
        "workers": {"resources": _amounts("100m", "512Mi", "2Gi")},
        "sync": {"automated": True},
    },
    "staging": {
        "airflow": {"executor": "CeleryExecutor"},
        "sync": {"automated": True},
    },
    "production": {
        "airflow": {"executor": "CeleryExecutor"},
        "apiServer": _ONE_AT_A_TIME,
        "scheduler": _ONE_AT_A_TIME,
        "dagProcessor": _ONE_AT_A_TIME,
        "triggerer": _ONE_AT_A_TIME,
        "workers": _ONE_AT_A_TIME,
        "sync": {"automated": False},
    },
}


def layers(tier: str) -> list[Layer]:
    """What holds before anybody wrote anything: everywhere, then for the tier."""
    everywhere = dict(_EVERYWHERE)
    for component in ("scheduler", "dagProcessor", "triggerer", "workers"):
        everywhere[component] = {**everywhere[component], **_LOG_GROOMER}
    return [
        Layer("built-in", everywhere),
        Layer(f"built-in for {tier}", _TIERS.get(tier, {})),
    ]


SIDECAR_RESOURCES = _SMALL
"""Requests and limits of git-sync, exporters and other small sidecars that nobody sized."""
