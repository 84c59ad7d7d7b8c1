{{/* root, section, name, set, kind: a KEDA ScaledObject. */}}
{{- define "scaling.keda" -}}
{{- $root := .root -}}{{- $keda := .section.keda -}}
{{- $suffix := printf "%s-%s" .name (.set | default "") | trimSuffix "-" -}}
{{- $query := tpl $keda.query $root -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
{{ include "metadata" (dict "root" $root "suffix" $suffix "component" (printf "%s-horizontalpodautoscaler" .name) "labels" (merge (dict "deploymentName" (printf "%s-%s" $root.Release.Name $suffix)) .section.labels)) }}
spec:
  scaleTargetRef:
    kind: {{ .kind }}
    name: {{ include "airflow.fullname" $root }}-{{ $suffix }}
    envSourceContainerName: {{ .name }}
  {{- toYaml (pick $keda "pollingInterval" "cooldownPeriod" "minReplicaCount" "maxReplicaCount") | nindent 2 }}
  {{- with $keda.advanced }}
  advanced: {{- toYaml . | nindent 4 }}
  {{- end }}
  triggers:
    {{- if eq $root.Values.data.metadataConnection.protocol "mysql" }}
    - type: mysql
      metadata: {queryValue: "1", connectionStringFromEnv: KEDA_DB_CONN, query: {{ $query | quote }}}
    {{- else }}
    - type: postgresql
      metadata:
        targetQueryValue: "1"
        connectionFromEnv: {{ and $root.Values.pgbouncer.enabled (not $keda.usePgbouncer) | ternary "KEDA_DB_CONN" "AIRFLOW_CONN_AIRFLOW_DB" }}
        query: {{ $query | quote }}
    {{- end }}
{{- end -}}

{{/* As scaling.keda: a HorizontalPodAutoscaler. */}}
{{- define "scaling.hpa" -}}
{{- $root := .root -}}{{- $hpa := .section.hpa -}}
{{- $suffix := printf "%s-%s" .name (.set | default "") | trimSuffix "-" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{{ include "metadata" (dict "root" $root "suffix" $suffix "component" (printf "%s-horizontalpodautoscaler" .name) "labels" (merge (dict "deploymentName" (printf "%s-%s" $root.Release.Name $suffix)) .section.labels)) }}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: {{ .kind }}, name: {{ include "airflow.fullname" $root }}-{{ $suffix }}}
  minReplicas: {{ $hpa.minReplicaCount }}
  maxReplicas: {{ $hpa.maxReplicaCount }}
  metrics: {{- toYaml $hpa.metrics | nindent 4 }}
  {{- with $hpa.behavior }}
  behavior: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* root, section, name, set: a PodDisruptionBudget. */}}
{{- define "scaling.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
{{ include "metadata" (dict "root" .root "suffix" (printf "%s-pdb-%s" .name (.set | default "") | trimSuffix "-") "component" .name "labels" .section.labels) }}
spec:
  selector:
    matchLabels: {{- include "metadata.selector" (dict "root" .root "component" .name "set" .set) | nindent 6 }}
  {{- toYaml .section.podDisruptionBudget.config | nindent 2 }}
{{- end -}}
