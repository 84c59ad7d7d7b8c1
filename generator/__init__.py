"""gen-env: GitOps trees for Apache Airflow on Kubernetes."""
