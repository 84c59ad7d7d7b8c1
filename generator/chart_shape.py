"""Which of the charts named `airflow` an archive holds, told by its values."""

from __future__ import annotations

from collections.abc import Collection

# Top-level keys of values.yaml. Three publishers call their chart `airflow`: the Airflow project
# itself (1.x), the user community (github.com/airflow-helm/charts, 8.x) and Bitnami (two digits).
_OFFICIAL = frozenset({"airflowVersion", "executor", "images", "data", "scheduler", "workers"})
_OTHERS = (
    (
        "the user community's chart (airflow-helm/charts)",
        frozenset({"airflow", "web", "externalDatabase"}),
    ),
    ("Bitnami's chart", frozenset({"global", "commonLabels", "web", "worker"})),
)


def difference(name: str, keys: Collection[str]) -> str:
    """Why this is not the official Airflow chart, in words; empty when it is.

    `keys` are the top-level keys of the chart's default values.
    """
    if _OFFICIAL.issubset(keys) and name == "airflow":
        return ""
    for owner, marks in _OTHERS:
        if marks.issubset(keys):
            return f"it looks like {owner}, whose values mean other things"
    if name != "airflow":
        return f"it is the chart `{name[:80]}`"
    missing = ", ".join(sorted(_OFFICIAL.difference(keys)))
    return f"its values lack the keys {missing}"
