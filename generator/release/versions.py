"""The versions that gen-env proposes, and assumes where a file names none."""

AIRFLOW = "3.3.2"
CHART = "1.22.0"
KUBERNETES = "1.34.2"
