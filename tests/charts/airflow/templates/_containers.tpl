{{/* Airflow's own containers. */}}

{{/* root, section, name, image, security (sections), lifecycle (sections), args (for a fixed command line): how a container starts. */}}
{{- define "container.base" -}}
{{- $root := .root -}}
- name: {{ .name }}
  image: {{ .image | default (include "image.airflow" $root) }}
  imagePullPolicy: {{ .pullPolicy | default $root.Values.images.airflow.pullPolicy }}
  securityContext: {{- include "container.security" (prepend (.security | default (list .section)) $root) | nindent 4 }}
  {{- $hooks := $root.Values.containerLifecycleHooks }}
  {{- range reverse (.security | default (list .section)) }}{{ with .containerLifecycleHooks }}{{ $hooks = . }}{{ end }}{{ end }}
  {{- with include "values.templated" (list $root $hooks) }}
  {{- if not $.noHooks }}
  lifecycle: {{- . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with include "values.templated" (list $root .section.command) }}
  command: {{- . | nindent 4 }}
  {{- end }}
  {{- with .arguments | default (include "values.templated" (list $root .section.args)) }}
  args: {{- . | nindent 4 }}
  {{- end }}
  resources: {{- toYaml .section.resources | nindent 4 }}
{{- end -}}

{{/* root, section (its component's resources and waitForMigrations), logs, flaskConfig */}}
{{- define "container.waitForMigrations" -}}
{{- $root := .root -}}{{- $wait := .section.waitForMigrations -}}
{{- $arguments := toYaml (list "airflow" "db" "check-migrations" (printf "--migration-wait-timeout=%v" $root.Values.images.migrationsWaitTimeout)) -}}
{{- include "container.base" (dict "root" $root "name" "wait-for-airflow-migrations" "image" (include "image.migrations" $root) "section" (dict "resources" .section.resources) "security" (list $wait) "noHooks" true "arguments" $arguments) }}
  volumeMounts:
    {{- if .logs }}{{ include "mount.logs" (list $root "/opt/airflow/logs") | nindent 4 }}{{ end }}
    {{- include "mount.config" $root | nindent 4 }}
    {{- include "mount.own" . | nindent 4 }}
    {{- if .flaskConfig }}{{ include "mount.flaskConfig" (list $root "webserver-config") | nindent 4 }}{{ end }}
  envFrom: {{- include "env.from" $root | nindent 4 }}
  env:
    {{- include "env.custom" $root | nindent 4 }}
    {{- include "env.standard" (dict "root" $root) | nindent 4 }}
    {{- include "values.templated" (list $root $wait.env) | nindent 4 }}
{{- end -}}

{{/* root, section (its component), name, flaskConfig */}}
{{- define "container.logGroomer" -}}
{{- $root := .root -}}{{- $groomer := .section.logGroomerSidecar -}}
{{- include "container.base" (dict "root" $root "name" (printf "%s-log-groomer" .name) "section" $groomer "noHooks" (eq .name "dag-processor")) }}
  env:
    - name: AIRFLOW_HOME
      value: {{ $root.Values.airflowHome | quote }}
    {{- range $variable, $key := dict "AIRFLOW__LOG_RETENTION_DAYS" "retentionDays" "AIRFLOW__LOG_RETENTION_MINUTES" "retentionMinutes" }}
    {{- if not (kindIs "invalid" (index $groomer $key)) }}
    - name: {{ $variable }}
      value: {{ index $groomer $key | quote }}
    {{- end }}
    {{- end }}
    {{- range $variable, $key := dict "AIRFLOW__LOG_CLEANUP_FREQUENCY_MINUTES" "frequencyMinutes" "AIRFLOW__LOG_MAX_SIZE_BYTES" "maxSizeBytes" "AIRFLOW__LOG_MAX_SIZE_PERCENT" "maxSizePercent" }}
    {{- with index $groomer $key }}
    - name: {{ $variable }}
      value: {{ int64 . | quote }}
    {{- end }}
    {{- end }}
    {{- include "values.templated" (list $root $groomer.env) | nindent 4 }}
  volumeMounts:
    {{- include "mount.logs" (list $root "") | nindent 4 }}
    {{- include "mount.own" . | nindent 4 }}
    {{- if .flaskConfig }}{{ include "mount.flaskConfig" (list $root "webserver-config") | nindent 4 }}{{ end }}
{{- end -}}

{{/* root, section (the workers), name, kerberos (its section), arguments, flaskConfig (volume) */}}
{{- define "container.kerberos" -}}
{{- $root := .root -}}
{{- include "container.base" (dict "root" $root "name" .name "section" (dict "resources" .resources) "security" .kerberos "arguments" .arguments) }}
  volumeMounts:
    {{- include "mount.logs" (list $root "") | nindent 4 }}
    {{- include "mount.config" $root | nindent 4 }}
    {{- include "mount.kerberos" (list $root false) | nindent 4 }}
    {{- include "mount.own" . | nindent 4 }}
    {{- with .flaskConfig }}{{ include "mount.flaskConfig" (list $root .) | nindent 4 }}{{ end }}
  envFrom: {{- include "env.from" $root | nindent 4 }}
  env:
    {{- include "env.kerberos" $root | nindent 4 }}
    {{- include "env.custom" $root | nindent 4 }}
    {{- include "env.standard" (dict "root" $root) | nindent 4 }}
{{- end -}}

{{/* list job probe: is the component's job alive in the database? */}}
{{- define "probe.job" -}}
{{- $probe := index . 1 -}}
{{- $check := printf "CONNECTION_CHECK_MAX_COUNT=0 exec /entrypoint airflow jobs check --local --job-type %s" (index . 0) -}}
{{- toYaml (merge (dict "exec" (dict "command" ($probe.command | default (list "sh" "-c" $check)))) (omit $probe "command" "enabled")) -}}
{{- end -}}

{{/* list probe path port host */}}
{{- define "probe.http" -}}
{{- $probe := index . 0 -}}
{{- $get := dict "path" (index . 1) "port" (index . 2) "scheme" ($probe.scheme | default "http") -}}
{{- with index . 3 }}{{ $_ := set $get "httpHeaders" (list (dict "name" "Host" "value" .)) }}{{ end -}}
{{- toYaml (merge (dict "httpGet" $get) (omit $probe "scheme")) -}}
{{- end -}}
