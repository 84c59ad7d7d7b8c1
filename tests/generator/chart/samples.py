"""A tiny chart that has every trait the chart and render modules care for, and ways to bend it."""

import io
import tarfile
from pathlib import Path

from generator.chart.archive import pack

CHART = """\
apiVersion: v2
name: airflow
version: 1.22.0
appVersion: 3.2.2
kubeVersion: ">=1.30.0-0"
type: application
dependencies:
  - name: postgresql
    version: 13.2.24
    repository: https://charts.example.com
    condition: postgresql.enabled
"""

VALUES = """\
airflowVersion: 3.2.2
executor: CeleryExecutor
images: {airflow: {repository: apache/airflow, tag: 3.2.2}}
data: {metadataConnection: {pass: postgres}}
scheduler: {replicas: 1}
workers: {replicas: null, celery: {replicas: 1}}
config: {}
extra: ""
enableServiceLinks: true
staticKey: ""
postgresql: {enabled: false}
"""

SCHEMA = """\
{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "properties": {
  "executor": {"type": "string", "pattern": "^[A-Z][A-Za-z]+Executor$"},
  "data": {"type": "object", "properties": {"metadataConnection": {"type": "object",
    "properties": {"pass": {"type": "string", "maxLength": 20, "pattern": "^[a-z]*$"}}}}},
  "scheduler": {"type": "object", "additionalProperties": false,
    "properties": {"replicas": {"type": "integer"}}}
}}
"""

SCHEDULER = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-scheduler
  namespace: {{ .Release.Namespace }}
  labels:
    release: {{ .Release.Name | quote }}
    kube: {{ .Capabilities.KubeVersion.Version | quote }}
spec:
  replicas: {{ .Values.scheduler.replicas }}
---
# an empty document
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: {{ .Release.Name }}-scheduler}
"""

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data:
  keda: {{ .Capabilities.APIVersions.Has "keda.sh/v1alpha1" | quote }}
  phase: {{ printf "%t/%t" .Release.IsInstall .Release.IsUpgrade | quote }}
  {{- range $key, $value := .Values.config }}
  {{ $key }}: {{ tpl ($value | toString) $ | quote }}
  {{- end }}
{{- .Values.extra | nindent 2 }}
"""

SECRETS = """\
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-api-secret-key
  annotations: {"helm.sh/hook": "pre-install,pre-upgrade"}
data:
  api-secret-key: {{ .Values.staticKey | default (randAlphaNum 32) | b64enc | quote }}
"""

HOOKS = """\
apiVersion: v1
kind: Pod
metadata: {name: smoke, annotations: {"helm.sh/hook": test}}
---
apiVersion: v1
kind: Pod
metadata: {name: nonsense, annotations: {"helm.sh/hook": crd-install}}
"""

CHECKS = """\
{{- if eq .Values.executor "DeadExecutor" }}
{{- $pass := .Values.data.metadataConnection.pass }}
{{- fail (printf "executor is dead, data.metadataConnection.pass is %s" $pass) }}
{{- end }}
"""

NOTES = """\
Thank you! The password is {{ .Values.data.metadataConnection.pass }}.
{{- if .Values.workers.replicas }}

 DEPRECATION WARNING:
    `workers.replicas` has been renamed to `workers.celery.replicas`/`workers.kubernetes.replicas`.
    Please change your values as support for the old name will be dropped in a future release.
{{- end }}
{{- if eq .Values.enableServiceLinks nil }}

  DEPRECATION WARNING:
    The default for `enableServiceLinks` will become False in Chart 2.0.
{{- end }}
{{- if not .Values.staticKey }}

#####################################################
#  WARNING: You should set a static API secret key  #
#####################################################
{{- end }}
{{- if eq .Values.executor "NotesExecutor" }}
{{ fail "the notes refuse this" }}
{{- end }}
"""

FILES = {
    "Chart.yaml": CHART,
    "values.yaml": VALUES,
    "values.schema.json": SCHEMA,
    "README.md": "# a chart\n",
    "crds/widgets.yaml": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: widgets.example.com}\n"
    ),
    "templates/_helpers.tpl": '{{ define "airflow.name" }}airflow{{ end }}\n',
    "templates/scheduler/deployment.yaml": SCHEDULER,
    "templates/config.yaml": CONFIG,
    "templates/secrets.yaml": SECRETS,
    "templates/hooks.yaml": HOOKS,
    "templates/check-values.yaml": CHECKS,
    "templates/NOTES.txt": NOTES,
    "charts/postgresql/Chart.yaml": "apiVersion: v2\nname: postgresql\nversion: 13.2.24\n",
    "charts/postgresql/values.yaml": "port: 5432\n",
    "charts/postgresql/crds/sub.yaml": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: subs.example.com}\n"
    ),
    "charts/postgresql/templates/service.yaml": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Release.Name }}-postgresql}\n"
        "spec: {ports: [{port: {{ .Values.port }}}]}\n"
    ),
}


def archive_of(files):
    return pack(
        "airflow", {path: text.encode() for path, text in files.items() if text is not None}
    )


def write(folder: Path, files=None, name="airflow-1.22.0.tgz"):
    """Write the tiny chart (or other files) as an archive and return its path."""
    path = folder / name
    path.write_bytes(archive_of({**FILES, **(files or {})}))
    return path


def tar_of(*members):
    """A gzipped tar of raw members: (name, content) or a TarInfo."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            info = tarfile.TarInfo(member[0])
            info.size = len(member[1])
            tar.addfile(info, io.BytesIO(member[1]))
    return buffer.getvalue()
