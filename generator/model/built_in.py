"""gen-env's own defaults: what components ask for, and what follows from the tier."""

from typing import Any

from generator.model.marks import BuiltIn

SIDECAR = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "256Mi"},
}
"""Requests and limits of git-sync, exporters and other small containers that nobody sized."""


def _amounts(cpu: str, memory: str, limit: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}}


_GROOMED = {"logGroomer": {"retentionDays": 7, "resources": SIDECAR}}
_ONE_AT_A_TIME = {"disruptionBudget": {"maxUnavailable": "1"}}

API_SERVER = BuiltIn(
    everywhere=_amounts("250m", "1Gi", "2Gi"),
    development=_amounts("100m", "1Gi", "2Gi"),
    production=_ONE_AT_A_TIME,
)
SCHEDULER = BuiltIn(
    everywhere={**_amounts("250m", "1Gi", "2Gi"), **_GROOMED},
    development=_amounts("100m", "512Mi", "2Gi"),
    production=_ONE_AT_A_TIME,
)
DAG_PROCESSOR = BuiltIn(
    everywhere={**_amounts("250m", "1Gi", "2Gi"), **_GROOMED},
    development=_amounts("100m", "512Mi", "1Gi"),
    production=_ONE_AT_A_TIME,
)
TRIGGERER = BuiltIn(
    everywhere={**_amounts("250m", "512Mi", "1Gi"), **_GROOMED},
    development=_amounts("50m", "512Mi", "1Gi"),
    production=_ONE_AT_A_TIME,
)
WORKERS = BuiltIn(
    everywhere={**_amounts("500m", "2Gi", "4Gi"), **_GROOMED},
    development=_amounts("100m", "512Mi", "2Gi"),
    production=_ONE_AT_A_TIME,
)
SMALL = BuiltIn(everywhere=SIDECAR)
JOB = BuiltIn(everywhere=_amounts("250m", "512Mi", "1Gi")["resources"])
