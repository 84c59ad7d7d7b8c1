{{/* What every object starts with. */}}

{{/* root, component, labels, chart: labels of an object; a component's own win over the root's. */}}
{{- define "metadata.labels" -}}
{{- $labels := merge (dict) (.labels | default dict) (.root.Values.labels | default dict) -}}
{{- with .component }}{{ $_ := set $labels "component" . }}{{ end -}}
{{- $chart := .chart | default (printf "%s-%s" .root.Chart.Name .root.Chart.Version) -}}
{{- toYaml (merge (dict "tier" (.tier | default "airflow") "release" .root.Release.Name "chart" $chart "heritage" .root.Release.Service) $labels) -}}
{{- end -}}

{{/* root, component, set, labels: labels of a pod. */}}
{{- define "metadata.podLabels" -}}
{{- $labels := merge (dict) (.labels | default dict) (.root.Values.labels | default dict) -}}
{{- toYaml (merge (include "metadata.selector" . | fromYaml) $labels) -}}
{{- end -}}

{{- define "metadata.selector" -}}
tier: airflow
component: {{ .component }}
release: {{ .root.Release.Name }}
{{- with .set }}
worker-set: {{ . }}
{{- end }}
{{- end -}}

{{/* As metadata.labels, with name, or suffix to the full name, and annotations. */}}
{{- define "metadata" -}}
metadata:
  name: {{ .name | default (printf "%s-%s" (include "airflow.fullname" .root) .suffix) | quote }}
  {{- with .namespace }}
  namespace: {{ . | quote }}
  {{- end }}
  labels: {{- include "metadata.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* hook, weight, policy: a Helm hook's annotations. */}}
{{- define "metadata.hook" -}}
helm.sh/hook: {{ .hook }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: {{ .policy | default "before-hook-creation" }}
{{- end -}}
