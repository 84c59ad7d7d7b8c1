{{/* Questions that several objects ask: the answer is "true" or nothing. */}}

{{- define "is.celery" -}}
{{- if or (contains "CeleryExecutor" .Values.executor) (contains "CeleryKubernetesExecutor" .Values.executor) }}true{{ end -}}
{{- end -}}

{{- define "is.kubernetes" -}}
{{- if contains "KubernetesExecutor" .Values.executor }}true{{ end -}}
{{- end -}}

{{- define "is.launching" -}}
{{- if or (include "is.celery" .) (include "is.kubernetes" .) }}true{{ end -}}
{{- end -}}

{{/* A pre-release is neither, as in the official chart: both comparisons fail. */}}
{{- define "is.three" -}}
{{- if semverCompare ">=3.0.0" .Values.airflowVersion }}true{{ end -}}
{{- end -}}

{{- define "is.two" -}}
{{- if semverCompare "<3.0.0" .Values.airflowVersion }}true{{ end -}}
{{- end -}}

{{- define "is.dagProcessor" -}}
{{- if kindIs "bool" .Values.dagProcessor.enabled }}{{ if .Values.dagProcessor.enabled }}true{{ end }}{{ else }}{{ include "is.three" . }}{{ end -}}
{{- end -}}

{{- define "is.apiServer" -}}
{{- if .Values.apiServer.enabled }}{{ include "is.three" . }}{{ end -}}
{{- end -}}

{{- define "is.webserver" -}}
{{- if .Values.webserver.enabled }}{{ include "is.two" . }}{{ end -}}
{{- end -}}

{{- define "is.otel" -}}
{{- if or .Values.otelCollector.tracesEnabled .Values.otelCollector.metricsEnabled }}true{{ end -}}
{{- end -}}

{{- define "is.redis" -}}
{{- if .Values.redis.enabled }}{{ include "is.celery" . }}{{ end -}}
{{- end -}}

{{- define "is.flower" -}}
{{- if .Values.flower.enabled }}{{ include "is.celery" . }}{{ end -}}
{{- end -}}

{{- define "is.createUser" -}}
{{- if (.Values.webserver.defaultUser | default .Values.createUserJob).enabled }}true{{ end -}}
{{- end -}}

{{- define "is.schedulerStateful" -}}
{{- if and (contains "Local" .Values.executor) (include "workers.section" (list . "persistence") | fromYaml).enabled }}true{{ end -}}
{{- end -}}

{{/* The scheduler reads DAG files itself when it runs tasks, or when nobody else parses. */}}
{{- define "is.schedulerWithDags" -}}
{{- if or (contains "Local" .Values.executor) (not (include "is.dagProcessor" .)) }}true{{ end -}}
{{- end -}}

{{- define "is.webserverConfigured" -}}
{{- if or .Values.webserver.webserverConfig .Values.webserver.webserverConfigConfigMapName }}true{{ end -}}
{{- end -}}

{{- define "is.apiServerConfigured" -}}
{{- if or .Values.apiServer.apiServerConfig .Values.apiServer.apiServerConfigConfigMapName }}true{{ end -}}
{{- end -}}

{{- define "is.sshKey" -}}
{{- if or .Values.dags.gitSync.sshKeySecret .Values.dags.gitSync.sshKey }}true{{ end -}}
{{- end -}}

{{/* Does KEDA reach the database past PgBouncer? Prints which scaler wants it. */}}
{{- define "is.kedaDirect" -}}
{{- if .Values.pgbouncer.enabled -}}
{{- $keda := include "workers.section" (list . "keda") | fromYaml -}}
{{- if and $keda.enabled (not $keda.usePgbouncer) }}worker{{ end -}}
{{- if and .Values.triggerer.enabled .Values.triggerer.keda.enabled (not .Values.triggerer.keda.usePgbouncer) }}triggerer{{ end -}}
{{- end -}}
{{- end -}}

{{- define "is.kedaMysql" -}}
{{- if eq .Values.data.metadataConnection.protocol "mysql" -}}
{{- if or (include "workers.section" (list . "keda") | fromYaml).enabled (and .Values.triggerer.enabled .Values.triggerer.keda.enabled) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- define "component.ui" -}}{{ if include "is.three" . }}api-server{{ else }}webserver{{ end }}{{- end -}}
