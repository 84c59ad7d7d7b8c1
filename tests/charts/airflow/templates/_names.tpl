{{/* Names of objects, Secrets, images; templates that values may call keep the official chart's names. */}}

{{- define "airflow.serviceAccountName" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $long := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $long | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "airflow.fullname" -}}
{{- if .Values.useStandardNaming }}{{ include "airflow.serviceAccountName" . }}{{ else }}{{ .Release.Name }}{{ end -}}
{{- end -}}

{{- define "name.secret" -}} {{- /* root, given, suffix */ -}}
{{- .given | default (printf "%s-%s" (include "airflow.fullname" .root) .suffix) -}}
{{- end -}}

{{- define "name.metadata" -}}
{{- include "name.secret" (dict "root" . "given" .Values.data.metadataSecretName "suffix" "metadata") -}}
{{- end -}}

{{- define "name.account" -}} {{- /* root, account, suffix */ -}}
{{- if .account.create -}}
{{- .account.name | default (printf "%s-%s" (include "airflow.serviceAccountName" .root) .suffix) | quote -}}
{{- else -}}
{{- .account.name | default "default" | quote -}}
{{- end -}}
{{- end -}}

{{- define "name.worker.kubernetes" -}}
{{- include "name.account" (dict "root" . "account" .Values.workers.kubernetes.serviceAccount "suffix" "worker-kubernetes") -}}
{{- end -}}

{{- define "name.webserverConfig" -}}
{{- with .Values.webserver.webserverConfigConfigMapName }}{{ tpl . $ }}{{ else }}{{ include "airflow.fullname" . }}-webserver-config{{ end -}}
{{- end -}}

{{- define "name.apiServerConfig" -}}
{{- with .Values.apiServer.apiServerConfigConfigMapName }}{{ tpl . $ }}{{ else }}{{ include "airflow.fullname" . }}-api-server-config{{ end -}}
{{- end -}}

{{- define "image.default" -}}
{{- with .Values.defaultAirflowDigest }}{{ $.Values.defaultAirflowRepository }}@{{ . }}
{{- else }}{{ .Values.defaultAirflowRepository }}:{{ .Values.defaultAirflowTag }}{{ end -}}
{{- end -}}

{{- define "image.airflow" -}}
{{- $image := .Values.images.airflow -}}
{{- $repository := $image.repository | default .Values.defaultAirflowRepository -}}
{{- with $image.digest | default .Values.defaultAirflowDigest }}{{ $repository }}@{{ . }}
{{- else }}{{ $repository }}:{{ $image.tag | default .Values.defaultAirflowTag }}{{ end -}}
{{- end -}}

{{- define "image.migrations" -}}
{{- include (.Values.images.useDefaultImageForMigration | ternary "image.default" "image.airflow") . -}}
{{- end -}}

{{- define "image.of" -}} {{- /* list root name: never a digest, Airflow's own image when nothing is set */ -}}
{{- $root := index . 0 -}}{{- $image := index $root.Values.images (index . 1) -}}
{{- $image.repository | default $root.Values.defaultAirflowRepository }}:{{ $image.tag | default $root.Values.defaultAirflowTag -}}
{{- end -}}

{{- define "airflow_dags" -}}
{{- $mount := .Values.dags.mountPath | default (printf "%s/dags" .Values.airflowHome) -}}
{{- if .Values.dags.gitSync.enabled }}{{ $mount }}/repo/{{ .Values.dags.gitSync.subPath }}{{ else }}{{ $mount }}{{ end -}}
{{- end -}}

{{- define "airflow_pod_template_file" -}}{{ .Values.airflowHome }}/pod_templates{{- end -}}

{{- define "airflow_logs_no_quote" -}}{{ .Values.airflowHome }}/logs{{- end -}}

{{- define "triggerer.capacity" -}}
{{- $section := .Values.config.triggerer | default dict -}}
{{- coalesce $section.capacity $section.default_capacity 1000 | int -}}
{{- end -}}

{{- define "cpu_count" -}}
{{- $cores := toString . -}}
{{- if hasSuffix "m" $cores }}{{ divf (trimSuffix "m" $cores | float64) 1000 | ceil | int }}{{ else }}{{ $cores | float64 | ceil | int }}{{ end -}}
{{- end -}}

{{- define "dag_bundle_config_list" -}}
{{- $bundles := list -}}
{{- range .Values.dagProcessor.dagBundleConfigList -}}
{{- $bundles = append $bundles (dict "name" .name "classpath" .classpath "kwargs" (.kwargs | default dict)) -}}
{{- end -}}
{{- toJson $bundles -}}
{{- end -}}
