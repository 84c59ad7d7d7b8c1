{{/*
A long-running Airflow component: Deployment or StatefulSet.
root, section, name (component), set (of workers), kind, account, scaled, strategy (when the values give none),
labels (of the object), checksums, safeToEvict, claim and retention (of a StatefulSet's logs),
logs, flaskConfig, dags, gitInit, gitSync, jwt, podTemplate: which parts it has.
main: the main container's probes and ports; env: its first variables; init, sidecars: further containers.
*/}}
{{- define "workload" -}}
{{- $root := .root -}}{{- $section := .section -}}
{{- $object := printf "%s-%s%s" (include "airflow.fullname" $root) .name (.set | default "" | printf "-%s" | trimSuffix "-") -}}
{{- $stateful := eq .kind "StatefulSet" -}}
{{- $tasks := has .name (list "scheduler" "triggerer" "worker") -}}
apiVersion: apps/v1
kind: {{ .kind }}
{{ include "metadata" (dict "root" $root "name" $object "component" .name "labels" .labels "annotations" $section.annotations) }}
spec:
  {{- if not .scaled }}
  replicas: {{ $section.replicas }}
  {{- end }}
  {{- include "pod.revisions" (list $root $section) | nindent 2 }}
  {{- if $stateful }}
  serviceName: {{ $object }}
  {{- with $section.updateStrategy }}
  updateStrategy: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $section.podManagementPolicy }}
  podManagementPolicy: {{ . }}
  {{- end }}
  {{- with .retention }}
  persistentVolumeClaimRetentionPolicy: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- else }}
  {{- with $section.strategy | default .strategy }}
  strategy: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  selector:
    matchLabels: {{- include "metadata.selector" (dict "root" $root "component" .name "set" .set) | nindent 6 }}
  template:
    metadata:
      labels: {{- include "metadata.podLabels" (dict "root" $root "component" .name "set" .set "labels" $section.labels) | nindent 8 }}
      annotations: {{- include "workload.annotations" . | nindent 8 }}
    spec:
      {{- include "pod.placement" (dict "root" $root "section" $section "spread" .name "account" .account) | nindent 6 }}
      restartPolicy: Always
      {{- if hasKey $section "terminationGracePeriodSeconds" }}
      terminationGracePeriodSeconds: {{ $section.terminationGracePeriodSeconds }}
      {{- end }}
      {{- if and (eq .name "scheduler") (include "is.launching" $root) (not $section.serviceAccount.automountServiceAccountToken) }}
      automountServiceAccountToken: false
      {{- end }}
      securityContext: {{- include "pod.security" (list $root $section) | nindent 8 }}
      imagePullSecrets: {{- include "pod.pullSecrets" $root | nindent 8 }}
      initContainers:
        {{- with .init }}{{ . | nindent 8 }}{{ end }}
        {{- if $section.waitForMigrations.enabled }}
        {{- include "container.waitForMigrations" (dict "root" $root "section" $section "logs" $tasks "flaskConfig" (or $tasks (eq .name "webserver") | ternary .flaskConfig "")) | nindent 8 }}
        {{- end }}
        {{- if .gitInit }}{{ include "container.gitSync" (list $root true) | nindent 8 }}{{ end }}
        {{- include "values.templated" (list $root $section.extraInitContainers) | nindent 8 }}
      containers:
        {{- include "workload.main" . | nindent 8 }}
        {{- if .gitSync }}{{ include "container.gitSync" (list $root false) | nindent 8 }}{{ end }}
        {{- if .groomer }}{{ include "container.logGroomer" (dict "root" $root "section" $section "name" .name "flaskConfig" (include "is.webserverConfigured" $root)) | nindent 8 }}{{ end }}
        {{- with .sidecars }}{{ . | nindent 8 }}{{ end }}
        {{- include "values.templated" (list $root $section.extraContainers) | nindent 8 }}
      volumes:
        {{- include "volume.config" $root | nindent 8 }}
        {{- include "workload.volumes" . | nindent 8 }}
  {{- $claimed := and $stateful (not $root.Values.logs.persistence.enabled) }}
  {{- if or $claimed (and $stateful $section.volumeClaimTemplates) }}
  volumeClaimTemplates:
    {{- if $claimed }}{{ include "volume.claimTemplate" (dict "root" $root "name" "logs" "claim" .claim) | nindent 4 }}{{ end }}
    {{- with $section.volumeClaimTemplates }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- end }}
{{- end -}}

{{- define "workload.annotations" -}}
{{- $fixed := dict -}}
{{- with .safeToEvict }}{{ $_ := set $fixed "cluster-autoscaler.kubernetes.io/safe-to-evict" . }}{{ end -}}
{{- $checksums := concat (list "metadata-secret" "pgbouncer-config-secret" "airflow-config" "extra-configmaps" "extra-secrets") (.checksums | default list) -}}
{{- include "pod.annotations" (dict "root" .root "own" .section.podAnnotations "checksums" $checksums "fixed" $fixed "airflow" true) -}}
{{- end -}}

{{- define "workload.main" -}}
{{- $root := .root -}}{{- $section := .section -}}
{{- include "container.base" (dict "root" $root "name" .name "section" $section) }}
  {{- with .main }}{{ . | nindent 2 }}{{ end }}
  volumeMounts:
    {{- if .podTemplate }}
    - name: config
      mountPath: {{ include "airflow_pod_template_file" $root }}/pod_template_file.yaml
      subPath: pod_template_file.yaml
      readOnly: true
    {{- end }}
    {{- if .logs }}{{ include "mount.logs" (list $root "") | nindent 4 }}{{ end }}
    {{- include "mount.config" $root | nindent 4 }}
    {{- with .mounts }}{{ . | nindent 4 }}{{ end }}
    {{- if and .flaskConfig (ne .name "dag-processor") }}{{ include "mount.flaskConfig" (list $root .flaskConfig) | nindent 4 }}{{ end }}
    {{- if .dags }}{{ include "mount.dags" $root | nindent 4 }}{{ end }}
    {{- include "mount.own" . | nindent 4 }}
  envFrom: {{- include "env.from" $root | nindent 4 }}
  env:
    {{- with .env }}{{ . | nindent 4 }}{{ end }}
    {{- include "env.custom" $root | nindent 4 }}
    {{- include "env.standard" (dict "root" $root "jwt" .jwt) | nindent 4 }}
    {{- include "env.own" $section.env | nindent 4 }}
    {{- with .lastEnv }}{{ . | nindent 4 }}{{ end }}
{{- end -}}

{{- define "workload.volumes" -}}
{{- $root := .root -}}
{{- if .flaskConfig }}
{{ include "volume.configMap" (list .flaskConfig (include (eq .flaskConfig "webserver-config" | ternary "name.webserverConfig" "name.apiServerConfig") $root)) }}
{{- end }}
{{- if .dags }}
{{ include "volume.dags" $root }}
{{ if or (not $root.Values.dags.persistence.enabled) (eq .name "dag-processor") }}{{ include "volume.sshKey" $root }}{{ end }}
{{- end }}
{{- with .volumes }}
{{ . }}
{{- end }}
{{ include "volume.own" . }}
{{- if and .logs (or $root.Values.logs.persistence.enabled (ne .kind "StatefulSet")) }}
{{ include "volume.logs" $root }}
{{- end }}
{{- end -}}
