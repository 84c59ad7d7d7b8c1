"""What a throw-away environment tells about itself: run by its own Python, never imported here.

Prints one JSON document: components that cannot be imported, providers older than Airflow asks for,
and DAG files that cannot be imported. Takes the DAG folder as its only argument, or nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import json
import sys
from typing import Any

_SINCE_3 = (
    "airflow.jobs.scheduler_job_runner",
    "airflow.dag_processing.manager",
    "airflow.jobs.triggerer_job_runner",
    "airflow.api_fastapi.app",
    "airflow.api_fastapi.core_api.routes.public",
    "airflow.api_fastapi.execution_api.routes",
    "airflow.sdk.execution_time.supervisor",
)
_BEFORE_3 = (
    "airflow.jobs.scheduler_job_runner",
    "airflow.dag_processing.manager",
    "airflow.jobs.triggerer_job_runner",
    "airflow.www.app",
)


def main() -> None:
    """Look, with everything that imports print kept away, and print what was found."""
    with contextlib.redirect_stdout(io.StringIO()):
        airflow = importlib.metadata.version("apache-airflow")
        names = _SINCE_3 if int(airflow.split(".")[0]) >= 3 else _BEFORE_3
        found = {
            "components": list(names),
            "imports": {name: fault for name in names if (fault := _import(name))},
            "floors": _floors(),
            "dags": _dags(sys.argv[1]) if len(sys.argv) > 1 else None,
        }
    sys.__stdout__.write(json.dumps(found)) if sys.__stdout__ else None


def _import(name: str) -> str:
    try:
        importlib.import_module(name)
    except BaseException as error:  # whatever a broken package raises is the answer
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return ""


def _floors() -> dict[str, str]:
    """Installed providers that are older than the extras of `apache-airflow` ask for."""
    from packaging.requirements import InvalidRequirement, Requirement

    found: dict[str, str] = {}
    for line in importlib.metadata.requires("apache-airflow") or ():
        with contextlib.suppress(InvalidRequirement, importlib.metadata.PackageNotFoundError):
            wanted = Requirement(line)
            if not wanted.name.startswith("apache-airflow-providers-"):
                continue
            version = importlib.metadata.version(wanted.name)
            if not wanted.specifier.contains(version, prereleases=True):
                found[wanted.name] = f"{version}, and Airflow asks for {wanted.specifier}"
    return found


def _dags(folder: str) -> dict[str, Any]:
    try:
        bag = _dag_bag()(dag_folder=folder, include_examples=False)
    except BaseException as error:
        return {"fault": f"{type(error).__name__}: {error}", "count": 0, "errors": {}}
    errors = {
        name.removeprefix(f"{folder}/"): str(text).strip().splitlines()[-1]
        for name, text in bag.import_errors.items()
    }
    return {"fault": "", "count": len(bag.dags), "errors": errors}


def _dag_bag() -> Any:
    """Airflow's own reader of DAG files, which moved in 3.2."""
    try:
        return importlib.import_module("airflow.dag_processing.dagbag").DagBag
    except ImportError:
        return importlib.import_module("airflow.models.dagbag").DagBag


if __name__ == "__main__":
    main()
