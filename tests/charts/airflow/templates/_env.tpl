{{/* The environment of Airflow's containers. */}}

{{- define "env.ref" -}} {{- /* list variable secret key */ -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end -}}

{{/* root, jwt: what every Airflow container gets. */}}
{{- define "env.standard" -}}
{{- $root := .root -}}{{- $values := .root.Values -}}{{- $on := $values.enableBuiltInSecretEnvVars -}}
{{- $metadata := include "name.metadata" $root -}}
- name: AIRFLOW_HOME
  value: {{ $values.airflowHome }}
{{- if $on.AIRFLOW__CORE__FERNET_KEY }}
{{ include "env.ref" (list "AIRFLOW__CORE__FERNET_KEY" (include "name.secret" (dict "root" $root "given" $values.fernetKeySecretName "suffix" "fernet-key")) "fernet-key") }}
{{- end }}
{{- range list "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" "AIRFLOW_CONN_AIRFLOW_DB" }}
{{- if index $on . }}
{{ include "env.ref" (list . $metadata "connection") }}
{{- end }}
{{- end }}
{{- if or (include "is.kedaDirect" $root) (include "is.kedaMysql" $root) }}
{{ include "env.ref" (list "KEDA_DB_CONN" $metadata "kedaConnection") }}
{{- end }}
{{- if and (include "is.two" $root) $on.AIRFLOW__WEBSERVER__SECRET_KEY }}
{{ include "env.ref" (list "AIRFLOW__WEBSERVER__SECRET_KEY" (include "name.secret" (dict "root" $root "given" $values.webserverSecretKeySecretName "suffix" "webserver-secret-key")) "webserver-secret-key") }}
{{- end }}
{{- if and (include "is.three" $root) $on.AIRFLOW__API__SECRET_KEY }}
{{ include "env.ref" (list "AIRFLOW__API__SECRET_KEY" (include "name.secret" (dict "root" $root "given" $values.apiSecretKeySecretName "suffix" "api-secret-key")) "api-secret-key") }}
{{- end }}
{{- if and .jwt (include "is.three" $root) $on.AIRFLOW__API_AUTH__JWT_SECRET }}
{{ include "env.ref" (list "AIRFLOW__API_AUTH__JWT_SECRET" (include "name.secret" (dict "root" $root "given" $values.jwtSecretName "suffix" "jwt-secret")) "jwt-secret") }}
{{- end }}
{{- if include "is.celery" $root }}
{{- if and $on.AIRFLOW__CELERY__RESULT_BACKEND (or $values.data.resultBackendSecretName $values.data.resultBackendConnection) }}
{{ include "env.ref" (list "AIRFLOW__CELERY__RESULT_BACKEND" (include "name.secret" (dict "root" $root "given" $values.data.resultBackendSecretName "suffix" "result-backend")) "connection") }}
{{- end }}
{{- if $on.AIRFLOW__CELERY__BROKER_URL }}
{{ include "env.ref" (list "AIRFLOW__CELERY__BROKER_URL" (include "name.secret" (dict "root" $root "given" $values.data.brokerUrlSecretName "suffix" "broker-url")) "connection") }}
{{- end }}
{{- end }}
{{- range list "elasticsearch" "opensearch" }}
{{- $search := index $values . }}{{- $variable := printf "AIRFLOW__%s__HOST" (upper .) }}
{{- if and $search.enabled (index $on $variable) }}
{{ include "env.ref" (list $variable (include "name.secret" (dict "root" $root "given" $search.secretName "suffix" .)) "connection") }}
{{- end }}
{{- end }}
{{- include "env.otel" $root }}
{{- end -}}

{{- define "env.otel" -}}
{{- $endpoint := printf "http://%s-otel-collector:%v/v1" (include "airflow.fullname" .) .Values.ports.otelCollectorOtlpHttp }}
{{- if include "is.otel" . }}
- name: OTEL_SERVICE_NAME
  value: airflow
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: http/protobuf
{{- end }}
{{- if .Values.otelCollector.tracesEnabled }}
- name: OTEL_TRACES_EXPORTER
  value: otlp
- name: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
  value: {{ $endpoint }}/traces
{{- end }}
{{- if .Values.otelCollector.metricsEnabled }}
- name: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT
  value: {{ $endpoint }}/metrics
- name: OTEL_METRIC_EXPORT_INTERVAL
  value: {{ .Values.otelCollector.metricExportIntervalMs | quote }}
{{- end }}
{{- end -}}

{{/* What the values add for every Airflow container: env, secret, extraEnv. */}}
{{- define "env.custom" -}}
{{- range .Values.env }}
- name: {{ .name }}
  value: {{ .value | quote }}
{{- end }}
{{- range .Values.secret }}
{{ include "env.ref" (list .envName .secretName (.secretKey | default "value")) }}
{{- end }}
{{- with .Values.extraEnv }}
{{ tpl . $ }}
{{- end }}
{{- end -}}

{{- define "env.from" -}}
{{- with .Values.extraEnvFrom }}{{ tpl . $ }}{{ else }}[]{{ end -}}
{{- end -}}

{{/* A component's own env: a value, or one of two references; anything else in an item is dropped. */}}
{{- define "env.own" -}}
{{- range . }}
- name: {{ .name }}
  {{- if .value }}
  value: {{ .value | quote }}
  {{- else }}
  {{- range $kind, $ref := pick (.valueFrom | default dict) "secretKeyRef" "configMapKeyRef" }}
  valueFrom:
    {{ $kind }}: {{- pick $ref "name" "key" | toYaml | nindent 6 }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "env.kerberos" -}}
- name: KRB5_CONFIG
  value: {{ .Values.kerberos.configPath | quote }}
- name: KRB5CCNAME
  value: {{ printf "%s/%s" .Values.kerberos.ccacheMountPath .Values.kerberos.ccacheFileName | quote }}
{{- end -}}
