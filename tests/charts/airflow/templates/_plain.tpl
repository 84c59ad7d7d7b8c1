{{/*
A Deployment or StatefulSet of something that is not Airflow. root, section, name, kind, replicas, strategy,
labels (of the object), annotations (of the pod, rendered), security (of the pod, rendered), account, pulls, spec (containers and volumes, rendered).
*/}}
{{- define "plain" -}}
{{- $root := .root -}}{{- $section := .section -}}
apiVersion: apps/v1
kind: {{ .kind | default "Deployment" }}
{{ include "metadata" (dict "root" $root "suffix" .name "component" .name "labels" .labels "annotations" $section.annotations) }}
spec:
  {{- with .replicas }}
  replicas: {{ . }}
  {{- end }}
  {{- with .service }}
  serviceName: {{ . }}
  {{- end }}
  {{- with .retention }}
  persistentVolumeClaimRetentionPolicy: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if hasKey $section "revisionHistoryLimit" | or (ne .name "redis") }}
  {{- include "pod.revisions" (list $root $section) | nindent 2 }}
  {{- end }}
  {{- with .strategy }}
  strategy: {{- toYaml . | nindent 4 }}
  {{- end }}
  selector:
    matchLabels: {{- include "metadata.selector" (dict "root" $root "component" .name) | nindent 6 }}
  template:
    metadata:
      labels: {{- include "metadata.podLabels" (dict "root" $root "component" .name "labels" $section.labels) | nindent 8 }}
      {{- with .annotations }}
      annotations: {{- . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "pod.placement" (dict "root" $root "section" $section "skip" (eq .name "otel-collector" | ternary "schedulerName" "") "account" (include "name.account" (dict "root" $root "account" $section.serviceAccount "suffix" .name))) | nindent 6 }}
      {{- if ne (.kind | default "") "StatefulSet" }}
      restartPolicy: Always
      {{- end }}
      {{- if hasKey $section "terminationGracePeriodSeconds" }}
      terminationGracePeriodSeconds: {{ $section.terminationGracePeriodSeconds }}
      {{- end }}
      securityContext: {{- .security | nindent 8 }}
      {{- if ne .name "otel-collector" }}
      imagePullSecrets: {{- include "pod.pullSecrets" $root | nindent 8 }}
      {{- end }}
      {{- .spec | nindent 6 }}
  {{- with .claim }}
  volumeClaimTemplates: {{- include "volume.claimTemplate" (dict "root" $root "name" "redis-db" "claim" .) | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* list root image section: the start of such a container, without a name. */}}
{{- define "container.plain" -}}
{{- $root := index . 0 -}}{{- $image := index . 1 -}}{{- $section := index . 2 -}}
image: {{ include "image.of" (list $root $image) }}
imagePullPolicy: {{ (index $root.Values.images $image).pullPolicy }}
{{- with include "values.templated" (list $root $section.containerLifecycleHooks) }}
lifecycle: {{- . | nindent 2 }}
{{- end }}
resources: {{- toYaml $section.resources | nindent 2 }}
{{- end -}}
