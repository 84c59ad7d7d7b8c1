"""gen-env: GitOps trees for Apache Airflow on Kubernetes."""

import time

BEGAN = time.time_ns()
"""Before any other module of gen-env is read; see `core.program`."""
