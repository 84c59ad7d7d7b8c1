"""Run by the Python of real Airflow: what the configured DAG bundle holds, as a last line of JSON.

Argument: a version to pin, or nothing for the newest.
"""

import json
import sys

from airflow.dag_processing.bundles.manager import DagBundlesManager

bundle = DagBundlesManager().get_bundle("dags", version=sys.argv[1] if sys.argv[1:] else None)
bundle.initialize()
if not sys.argv[1:]:
    bundle.refresh()
version = bundle.get_current_version()
print()
# Airflow 3.3 wraps the commit.
print(
    json.dumps(
        [sorted(path.name for path in bundle.path.iterdir()), getattr(version, "version", version)]
    )
)
